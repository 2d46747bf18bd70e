//! Looking at the files of a log, and rebuilding its indexes, with the tools
//! that users have.

use crate::harness::Setup;
use crate::harness::fixture::{Fixture, SEALED};
use std::fs;
use std::path::Path;

/// What a byte becomes that is changed.
fn flip(path: &Path, at: impl FnOnce(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    let there = fs::read(path).unwrap_or_default();
    fs::write(path, [&there, bytes].concat()).unwrap();
}

/// A line of the file of keys.
fn key(first: u64, last: u64, key: &str) -> String {
    let sum = xxhash_rust::xxh3::xxh3_64(format!("{first} {last} {key}").as_bytes());
    format!("{first} {last} {sum:016x} {key}\n")
}

/// Does something to a copy: the status, and what is said of files that are not
/// well. Nothing is changed by that.
#[track_caller]
fn verified(damage: impl FnOnce(&Fixture<'_>)) -> (i32, String) {
    let setup = Setup::new("log");
    let fixture = Fixture::with_indexes(setup.dir());
    damage(&fixture);
    let before = fixture.files();
    let told = fixture.told(&["verify", "--quiet"]);
    assert_eq!(fixture.files(), before);
    told
}

/// One file is not well: the status, and what is said of it.
#[track_caller]
fn assert_told(damage: impl FnOnce(&Fixture<'_>), status: i32, wanted: &str) {
    let (found, told) = verified(damage);
    assert!(told.lines().next().unwrap().ends_with(wanted), "{told}");
    assert_eq!((found, told.lines().count()), (status, 2), "{told}");
}

#[test]
fn of_every_file_it_is_told_how_it_is() {
    let setup = Setup::new("log");
    let fixture = Fixture::with_indexes(setup.dir());
    let (status, told) = fixture.told(&["verify"]);
    assert_eq!(status, 0, "{told}");
    for wanted in [
        "manifest.json: ok\n",
        "keys: ok\n",
        "distributed.log: ok, 13 records, 3031 to 3043, 2 records written by hand\n",
        "00000000000000000001.log.zst: ok, 2700 records, 1 to 2700\n",
        "00000000000000002701-quiet.log.zst: ok, 100 records, 2701 to 3000\n",
        "00000000000000002701.log.zst: ok, 200 records, 2702 to 2999\n",
        "00000000000000002701.idx: ok\n",
        "00000000000000003001.log: ok, 30 records, 3001 to 3030\n",
        "\n11 files: all is well\n",
    ] {
        assert!(told.contains(wanted), "{wanted} {told}");
    }
}

#[test]
fn what_can_be_repaired_is_told_with_what_would_be_done() {
    let [cold, quiet, _] = SEALED;
    let index = format!("{quiet}.idx");
    let torn = |f: &Fixture<'_>| append(&f.active(), b"2026");
    assert_told(torn, 1, ": 2 records written by hand, would be cut: 4 bytes after the last whole line");
    let unfinished = |f: &Fixture<'_>| append(&f.data("keys"), key(3044, 3045, "k").as_bytes());
    assert_told(unfinished, 1, "would be forgotten: 1 key without all records");
    let cut = |f: &Fixture<'_>| {
        fs::write(f.data("keys"), key(3043, 3044, "k")).unwrap();
    };
    let (status, told) = verified(cut);
    assert!(status == 1 && told.contains("keys: would be forgotten: 1 key without all records\n"), "{told}");
    assert!(
        told.contains("would be cut: record 3043, a part of a request that was not acknowledged\n"),
        "{told}"
    );
    let no_key = |f: &Fixture<'_>| append(&f.data("keys"), b"what is this\n");
    assert_told(no_key, 1, "keys: 1 key cannot be read: would be forgotten");
    let no_keys = |f: &Fixture<'_>| fs::remove_file(f.data("keys")).unwrap();
    assert_told(no_keys, 1, "is missing: would be made anew, and a request that is sent again stored again");
    let manifest = |f: &Fixture<'_>| fs::write(f.data("manifest.json"), "{").unwrap();
    assert_told(manifest, 1, "manifest.json: is damaged or missing: would be made anew from its copy");
    let copy = |f: &Fixture<'_>| fs::remove_file(f.data("manifest.copy.json")).unwrap();
    assert_told(copy, 1, "manifest.copy.json: is missing: would be made anew");
    let both = |f: &Fixture<'_>| {
        fs::write(f.data("manifest.json"), "{").unwrap();
        fs::write(f.data("manifest.copy.json"), "").unwrap();
    };
    let (status, told) = verified(both);
    assert!(status == 1 && told.contains("is damaged: would be made anew from the segments\n"), "{told}");
    let later = |f: &Fixture<'_>| {
        let text = r#"{"version":9,"base":1,"begun_ms":1,"least_len":0}"#;
        fs::write(f.data("manifest.json"), text).unwrap();
    };
    let (status, told) = verified(later);
    assert!(
        status == 1 && told.contains("does not start: it was written by a later distlogd (version 9)"),
        "{told}"
    );
    let no_index = |f: &Fixture<'_>| fs::remove_file(f.segment(&index)).unwrap();
    assert_told(no_index, 1, "is missing: would be rebuilt");
    let in_index = |f: &Fixture<'_>| flip(&f.segment(&index), |len| len - 100);
    assert_told(in_index, 1, "would be rebuilt: the index is damaged");
    let swapped = |f: &Fixture<'_>| {
        fs::copy(f.segment(&format!("{cold}.idx")), f.segment(&index)).unwrap();
    };
    assert_told(swapped, 1, "would be rebuilt: the index is of other lines");
    let in_footer = |f: &Fixture<'_>| flip(&f.segment(&format!("{cold}.log.zst")), |len| len - 1);
    assert_told(
        in_footer,
        1,
        "its directory is damaged: the copy in the index is used, and no record is lost",
    );
    let in_table = |f: &Fixture<'_>| flip(&f.segment(&format!("{cold}.log.zst")), |len| len - 10);
    assert_told(in_table, 1, "its seek table is damaged: the log service does not need it");
    let left = |f: &Fixture<'_>| fs::write(f.segment("00000000000000003001.log.zst.new"), "x").unwrap();
    assert_told(left, 1, "would be removed: it was not finished, and is not needed");
    let cut_short = |f: &Fixture<'_>| fs::rename(f.active(), f.segment("00000000000000003031.log")).unwrap();
    assert_told(cut_short, 1, "a rotation was cut short: would be finished");
}

#[test]
fn what_is_lost_is_told_with_the_sequences() {
    let [cold, quiet, _] = SEALED;
    let second_frame = |f: &Fixture<'_>| flip(&f.segment(&format!("{cold}.log.zst")), |_| 18_000);
    let (status, told) = verified(second_frame);
    assert!(
        status == 2 && told.contains("frame 1 is damaged: records ") && told.contains(" to 2700 are lost"),
        "{told}"
    );
    let all = |f: &Fixture<'_>| {
        flip(&f.segment(&format!("{cold}.log.zst")), |_| 18_000);
        flip(&f.segment(&format!("{cold}.log.zst")), |_| 100);
    };
    let (_, told) = verified(all);
    assert!(told.contains("frames 0 to 1 are damaged: records 1 to 2700 are lost"), "{told}");
    let of_class = |f: &Fixture<'_>| flip(&f.segment(&format!("{quiet}.log.zst")), |_| 100);
    assert_told(of_class, 2, "frame 0 is damaged: 100 records between 2701 and 3000 are lost");
    let emptied = |f: &Fixture<'_>| {
        fs::write(f.segment(&format!("{quiet}.log.zst")), "").unwrap();
        fs::remove_file(f.segment(&format!("{quiet}.idx"))).unwrap();
    };
    let (status, told) = verified(emptied);
    assert!(status == 2 && told.contains("all of its records are lost: "), "{told}");
    let gone = |f: &Fixture<'_>| fs::remove_file(f.active()).unwrap();
    assert_told(
        gone,
        2,
        "is shorter than it was, or gone: records are lost, and the next one would be 4294970327",
    );
    let zeros = |f: &Fixture<'_>| {
        let mut text = fs::read(f.segment("00000000000000003001.log")).unwrap();
        text[700..720].fill(0);
        text.pop();
        fs::write(f.segment("00000000000000003001.log"), text).unwrap();
    };
    let (status, told) = verified(zeros);
    assert!(
        status == 2
            && told.contains(" has zeros in the place of bytes")
            && told.contains("record 3030 has lost its end"),
        "{told}"
    );
    let twice = |f: &Fixture<'_>| {
        fs::copy(f.segment("00000000000000003001.log"), f.segment("00000000000000003010.log")).unwrap();
    };
    let (status, told) = verified(twice);
    assert!(status == 2 && told.contains("3010.log: another file has records 3010 to 3030 too\n"), "{told}");
}

#[test]
fn what_is_not_there_or_not_the_logs_is_told_and_is_no_damage() {
    let setup = Setup::new("log");
    let fixture = Fixture::with_indexes(setup.dir());
    fs::write(fixture.segment("notes.txt"), "x").unwrap();
    fs::remove_file(fixture.segment("00000000000000003001.log")).unwrap();
    let (status, told) = fixture.told(&["verify"]);
    assert!(status == 0 && told.contains("notes.txt: is none of the log's: left alone\n"), "{told}");
    assert!(told.contains("records 3001 to 3030 are in no file: deleted, or lost\n"), "{told}");
    let nowhere = Setup::new("log");
    let (status, told) = (Fixture { dir: nowhere.dir() }).told(&["verify"]);
    assert!(status == 3 && told.contains("there is no log in ./distlog-data/log"), "{told}");
    assert!(fs::read_dir(nowhere.dir()).unwrap().next().is_none());
}

#[tokio::test]
async fn a_log_that_is_written_to_is_well_at_any_moment() {
    let setup = Setup::new("log").flag("--log-rotate-size", "2KiB").flag("--log-recompress-after", "0s");
    let log = setup.clone().flag("--log-classes", "quiet=off level:<=debug").start().await;
    let fixture = Fixture { dir: setup.dir() };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(async move {
        let mut stopped = stopped;
        let body = "{\"level\":\"debug\",\"message\":\"a\"}\n{\"message\":\"b\"}\n".repeat(10);
        while stopped.try_recv().is_err() {
            let request = log.request(reqwest::Method::POST, "log", "/log").body(body.clone());
            let request = request.header("content-type", "application/x-ndjson");
            assert!(request.send().await.unwrap().status().is_success());
        }
        log
    });
    for _ in 0..8 {
        let dir = fixture.dir.to_owned();
        let told = tokio::task::spawn_blocking(move || (Fixture { dir: &dir }).told(&["verify", "--quiet"]));
        let (status, told) = told.await.unwrap();
        assert!(status == 0 && told.ends_with("all is well; a log service is using them\n"), "{told}");
    }
    stop.send(()).unwrap();
    let log = writing.await.unwrap();
    let (status, told) = fixture.told(&["rebuild-index"]);
    assert!(status == 1 && told.contains("another distlogd uses it"), "{told}");
    log.terminate();
    let (status, told) = fixture.told(&["verify", "--quiet"]);
    assert!(status <= 1, "{told}");
}

#[test]
fn an_index_of_an_earlier_version_is_told_and_rebuilt() {
    let setup = Setup::new("log");
    let fixture = Fixture::copy_to(setup.dir());
    let (status, told) = fixture.told(&["verify", "--quiet"]);
    assert!(
        status == 1 && told.contains("quiet.idx: would be rebuilt: the index is of another version\n"),
        "{told}"
    );
    let (status, told) = fixture.told(&["rebuild-index"]);
    assert!(status == 0 && told.ends_with("3 sealed segments: 3 indexes rebuilt\n"), "{told}");
    assert_eq!(fixture.told(&["verify", "--quiet"]).0, 0);
}

#[test]
fn only_indexes_that_need_it_are_rebuilt() {
    let setup = Setup::new("log");
    let fixture = Fixture::with_indexes(setup.dir());
    let before = fixture.files();
    assert_eq!(fixture.told(&["rebuild-index"]), (0, "3 sealed segments: 0 indexes rebuilt\n".to_owned()));
    let [cold, quiet, rest] = SEALED.map(|name| fixture.segment(&format!("{name}.idx")));
    fs::remove_file(cold).unwrap();
    flip(&quiet, |len| len - 1);
    let (status, told) = fixture.told(&["rebuild-index"]);
    assert!(status == 0 && told.ends_with("3 sealed segments: 2 indexes rebuilt\n"), "{told}");
    assert!(
        told.contains("1.idx: was missing: rebuilt\n") && told.contains("quiet.idx: was damaged: rebuilt\n")
    );
    assert_eq!(fixture.files(), before);
    fs::remove_file(&rest).unwrap();
    flip(&rest.with_extension("log.zst"), |_| 100);
    let (status, told) = fixture.told(&["rebuild-index"]);
    assert!(status == 1 && told.contains("cannot be rebuilt: a frame is damaged\n"), "{told}");
    let nowhere = Setup::new("log");
    let (status, told) = (Fixture { dir: nowhere.dir() }).told(&["rebuild-index"]);
    assert!(status == 1 && told.contains("there is no log in"), "{told}");
}
