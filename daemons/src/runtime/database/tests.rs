//! What is answered is on disk, and what cannot be is told.

use super::commit::try_out;
use super::*;
use crate::runtime::fatal::Fatal;
use shared::daemon::Daemon;
use shared::wire::health::Status;

const TABLE: &[&str] = &["CREATE TABLE t (n INTEGER PRIMARY KEY)"];

fn open(path: &Path) -> Result<Database, StartError> {
    open_for(path, OnDamage::Rebuild, &Arc::new(Board::new(Daemon::Library)))
}

fn open_for(path: &Path, on_damage: OnDamage, health: &Arc<Board>) -> Result<Database, StartError> {
    let source = Source { path, migrations: TABLE, on_damage, health, metrics: &Metrics::default() };
    Database::open(&source, |_| Ok(())).map(|(database, ())| database)
}

async fn insert(database: &Database, n: i64) -> Result<(), DatabaseError<rusqlite::Error>> {
    database.write(move |c| c.execute("INSERT INTO t VALUES (?1)", [n]).map(drop)).await
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_others_of_its_commit_alone() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(&dir.path().join("t.db")).unwrap();
    let (a, b, c) = tokio::join!(insert(&database, 1), insert(&database, 1), insert(&database, 2));
    assert_eq!([a.is_ok(), b.is_ok(), c.is_ok()], [true, false, true]);
    let count: i64 =
        database.read(|c| c.query_row("SELECT count(*) FROM t", [], |row| row.get(0))).await.unwrap();
    assert_eq!(count, 2);
    database.close().await;
}

#[tokio::test]
async fn what_was_answered_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    let database = open(&path).unwrap();
    insert(&database, 7).await.unwrap();
    database.close().await;
    let database = open(&path).unwrap();
    let n: i64 = database.read(|c| c.query_row("SELECT n FROM t", [], |row| row.get(0))).await.unwrap();
    assert_eq!(n, 7);
}

#[test]
fn a_commit_for_trial_reaches_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(dir.path().join("t.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    migrations::run(&mut connection, TABLE).unwrap();
    let written = || std::fs::metadata(dir.path().join("t.db-wal")).unwrap().len();
    let before = written();
    try_out(&connection).unwrap();
    assert!(written() > before);
    migrations::run(&mut connection, TABLE).unwrap();
}

#[tokio::test]
async fn a_thread_that_panicked_fails_the_health_and_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let fatal = Fatal::default();
    let health = Arc::new(Board::with_fatal(Daemon::Library, fatal.clone()));
    let database = open_for(&dir.path().join("t.db"), OnDamage::Rebuild, &health).unwrap();
    let read = database.read(|_| -> Result<(), rusqlite::Error> { panic!("as a test") });
    assert!(matches!(read.await, Err(DatabaseError::Unavailable)));
    fatal.reported().await;
    assert_eq!(fatal.reason(), Some("Library Service: reads: a thread ended by a panic"));
    insert(&database, 1).await.unwrap();
    database.close().await;
    assert_eq!(health.report().status, shared::wire::health::Status::Fail);
}

/// A database with so many rows, closed.
async fn filled(path: &Path, rows: i64) {
    let database = open(path).unwrap();
    let fill = move |c: &Connection| -> Result<(), rusqlite::Error> {
        (0..rows).try_for_each(|n| c.execute("INSERT INTO t VALUES (?1)", [n]).map(drop))
    };
    database.write(fill).await.unwrap();
    database.close().await;
}

/// Overwrites a page of the file with nonsense.
fn spoil(path: &Path, page: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0x5a);
    std::fs::write(path, bytes).unwrap();
}

fn check_of(health: &Board, part: &str) -> Option<(Status, String)> {
    let report = health.report();
    report.checks.get(part).map(|check| (check.status, check.output.clone().unwrap_or_default()))
}

async fn count(database: &Database) -> Result<i64, DatabaseError<rusqlite::Error>> {
    // The sum reads the whole of every row.
    database.read(|c| c.query_row("SELECT count(n + 0) FROM t", [], |row| row.get(0))).await
}

#[tokio::test]
async fn a_damaged_file_is_rebuilt_from_what_can_be_read_and_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    filled(&path, 4_000).await;
    let pages = std::fs::metadata(&path).unwrap().len() / 4096;
    assert!(pages > 8, "{pages}");
    spoil(&path, 5);
    let health = Arc::new(Board::new(Daemon::Registry));
    let database = open_for(&path, OnDamage::Rebuild, &health).unwrap();
    let left = count(&database).await.unwrap();
    assert!((3_000..4_000).contains(&left), "{left}");
    let (status, said) = check_of(&health, "damage").unwrap();
    assert_eq!(status, Status::Warn);
    assert!(said.contains("t.db.damaged-"), "{said}");
    insert(&database, 5_000).await.unwrap();
    database.close().await;

    // The warning lasts until the damaged file is taken away.
    let again = Arc::new(Board::new(Daemon::Registry));
    open_for(&path, OnDamage::Rebuild, &again).unwrap().close().await;
    assert_eq!(check_of(&again, "damage").unwrap().0, Status::Warn);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".damaged-") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let again = Arc::new(Board::new(Daemon::Registry));
    open_for(&path, OnDamage::Rebuild, &again).unwrap().close().await;
    assert_eq!(check_of(&again, "damage"), None);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_replaced_or_refused_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    filled(&path, 10).await;
    spoil(&path, 1);
    let spoiled = std::fs::read(&path).unwrap();
    let health = Arc::new(Board::new(Daemon::Library));
    let refusal = open_for(&path, OnDamage::Keep, &health).err().unwrap().to_string();
    assert!(refusal.contains("is damaged") && refusal.contains(".recover"), "{refusal}");
    assert_eq!(std::fs::read(&path).unwrap(), spoiled, "a refusal changes nothing");
    let database = open_for(&path, OnDamage::Rebuild, &health).unwrap();
    assert_eq!(count(&database).await.unwrap(), 0);
    database.close().await;
}

#[tokio::test]
async fn a_read_of_a_damaged_page_is_a_refusal_and_fails_the_health() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    filled(&path, 4_000).await;
    spoil(&path, 5);
    let health = Arc::new(Board::new(Daemon::Library));
    let database = open_for(&path, OnDamage::Keep, &health).unwrap();
    assert_eq!(check_of(&health, "damage").unwrap().0, Status::Warn);
    let refused: ApiError = count(&database).await.err().unwrap().into();
    assert!(format!("{refused:?}").contains("status: 503"), "{refused:?}");
    assert_eq!(check_of(&health, "reads").unwrap().0, Status::Fail);
    database.close().await;
}

#[tokio::test]
async fn a_rebuild_that_a_crash_cut_off_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    filled(&path, 10).await;
    std::fs::rename(&path, dir.path().join("t.db.rebuilt")).unwrap();
    let database = open(&path).unwrap();
    assert_eq!(count(&database).await.unwrap(), 10);
    database.close().await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_skipped_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    filled(&path, 3).await;
    let health = Arc::new(Board::new(Daemon::Library));
    let source = Source {
        path: &path,
        migrations: TABLE,
        on_damage: OnDamage::Keep,
        health: &health,
        metrics: &Metrics::default(),
    };
    let (database, rows) = Database::open(&source, |loading| {
        loading.rows("t", "SELECT CASE n WHEN 1 THEN 'one' ELSE n END FROM t ORDER BY n", |row| row.get(0))
    })
    .unwrap();
    let rows: Vec<i64> = rows;
    assert_eq!(rows, [0, 2]);
    let (status, said) = check_of(&health, "rows").unwrap();
    assert_eq!(status, Status::Warn);
    assert!(said.contains("1 of t") && said.contains(".recover"), "{said}");
    database.close().await;
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let error = open(&path).err().unwrap().to_string();
    assert!(error.contains("later version"), "{error}");
}
