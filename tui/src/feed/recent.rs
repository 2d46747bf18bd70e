//! The queries that were typed last, kept over sessions: one a line, the latest
//! first, in `$XDG_STATE_HOME/distlog/queries` (XDG Base Directory Specification
//! 0.8), that only their owner may read. Several consoles may share it.

use crate::action::{Action, Failure};
use crate::model::{RECENT_MAX, Recent};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// No more of the file is read: what is longer was not written here.
const BYTES_MAX: u64 = 256 << 10;

/// Where they are kept, from `XDG_STATE_HOME` and `HOME`; nowhere where neither
/// names a directory.
pub(crate) fn path(state_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let named = |name: Option<OsString>| name.map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named(state_home).or_else(|| Some(named(home)?.join(".local/state")))?;
    Some(state.join("distlog/queries"))
}

/// Tells those that are kept, then keeps those that are typed.
pub(super) async fn run(path: PathBuf, mut typed: mpsc::Receiver<String>, actions: mpsc::Sender<Action>) {
    let kept = beside(&path, |path| Ok(read(path))).await.unwrap_or_default();
    if !kept.is_empty() && actions.send(Action::Remembered(kept)).await.is_err() {
        return;
    }
    let mut is_told = false;
    while let Some(query) = typed.recv().await {
        let Err(error) = beside(&path, move |path| keep(path, &query)).await else { continue };
        if !std::mem::replace(&mut is_told, true) {
            let message = format!("queries are not kept in {}: {error}", path.display());
            let failure = Failure { message, ..Failure::default() };
            // The receiver is gone only when the program ends.
            let _ = actions.send(Action::Failed(failure)).await;
        }
    }
}

/// Beside the runtime's thread, which no disk may hold up.
async fn beside<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || work(&path)).await.map_err(io::Error::other)?
}

/// Those that are kept, the latest first; none where they cannot be read.
fn read(path: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    // Of what was read before an error, all is as good as without one.
    let _ = File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let is_query = |line: &&str| !line.is_empty() && !line.contains(|c: char| c.is_control());
    text.lines().filter(is_query).take(RECENT_MAX).map(ToOwned::to_owned).collect()
}

/// Puts a query before those that are kept by now, each once. The file is replaced
/// as a whole.
fn keep(path: &Path, query: &str) -> io::Result<()> {
    let mut recent = Recent::default();
    recent.push(query);
    recent.add_older(read(path));
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = write(&part, &recent).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // What is half written is of no use.
        let _ = fs::remove_file(&part);
    }
    written
}

fn write(part: &Path, recent: &Recent) -> io::Result<()> {
    let mut text: String = recent.iter().flat_map(|query| [query, "\n"]).collect();
    text.truncate(text.floor_char_boundary(usize::try_from(BYTES_MAX).unwrap_or(usize::MAX)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn they_are_kept_where_the_state_of_programs_is() {
        let os = |path: &str| Some(OsString::from(path));
        for (state, home, want) in [
            (os("/s"), os("/h"), Some("/s/distlog/queries")),
            (os("relative"), os("/h"), Some("/h/.local/state/distlog/queries")),
            (os(""), os("/h"), Some("/h/.local/state/distlog/queries")),
            (None, os("/h"), Some("/h/.local/state/distlog/queries")),
            (None, None, None),
        ] {
            assert_eq!(path(state, home), want.map(PathBuf::from));
        }
    }

    #[test]
    fn queries_are_kept_latest_first_each_once_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("distlog/queries");
        assert!(read(&path).is_empty());
        for query in ["level:error", "a OR b", "level:error", "服务"] {
            keep(&path, query).unwrap();
        }
        assert_eq!(read(&path), ["服务", "level:error", "a OR b"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        (0..200).for_each(|n| keep(&path, &format!("n:={n}")).unwrap());
        assert_eq!((read(&path).len(), read(&path)[0].as_str()), (RECENT_MAX, "n:=199"));
    }

    #[test]
    fn a_file_that_something_else_has_written_does_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queries");
        fs::write(&path, b"good\n\n\x1b]52;c;x\x07\n\xff\xfe\nalso good\n").unwrap();
        assert_eq!(read(&path), ["good", "\u{fffd}\u{fffd}", "also good"]);
        fs::write(&path, "x".repeat(1 << 20)).unwrap();
        assert_eq!(read(&path).iter().map(String::len).sum::<usize>(), 256 << 10);
        assert!(keep(&path.join("below a file"), "query").is_err());
    }
}
