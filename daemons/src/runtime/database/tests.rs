//! What is answered is on disk, and what cannot be is told.

use super::commit::try_out;
use super::*;
use crate::runtime::fatal::Fatal;
use shared::daemon::Daemon;

const TABLE: &[&str] = &["CREATE TABLE t (n INTEGER PRIMARY KEY)"];

fn open(path: &Path) -> Result<Database, StartError> {
    Database::open(path, TABLE, Arc::new(Board::new(Daemon::Library)))
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
    let database = Database::open(&dir.path().join("t.db"), TABLE, Arc::clone(&health)).unwrap();
    let read = database.read(|_| -> Result<(), rusqlite::Error> { panic!("as a test") });
    assert!(matches!(read.await, Err(DatabaseError::Unavailable)));
    fatal.reported().await;
    assert_eq!(fatal.reason(), Some("Library Service: reads: a thread ended by a panic"));
    insert(&database, 1).await.unwrap();
    database.close().await;
    assert_eq!(health.report().status, shared::wire::health::Status::Fail);
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let error = open(&path).err().unwrap().to_string();
    assert!(error.contains("later version"), "{error}");
}
