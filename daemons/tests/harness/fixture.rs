//! A log that was written by the first version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Its sealed segments.
pub const SEALED: [&str; 3] = ["00000000000000000001", "00000000000000002701-quiet", "00000000000000002701"];

/// Where the files are kept.
pub fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/log-v1")
}

/// A copy where a log service that is started in `dir` has its log.
pub struct Fixture<'a> {
    pub dir: &'a Path,
}

impl<'a> Fixture<'a> {
    pub fn copy_to(dir: &'a Path) -> Self {
        let fixture = Self { dir };
        fs::create_dir_all(fixture.segments()).unwrap();
        fs::copy(kept().join("distributed.log"), fixture.active()).unwrap();
        for name in ["manifest.json", "manifest.copy.json", "keys"] {
            fs::copy(kept().join("data").join(name), fixture.data(name)).unwrap();
        }
        for entry in fs::read_dir(kept().join("data/segments")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), fixture.segment(entry.file_name().to_str().unwrap())).unwrap();
        }
        fixture
    }

    /// A copy whose indexes are those of this version.
    pub fn with_indexes(dir: &'a Path) -> Self {
        let fixture = Self::copy_to(dir);
        let (status, told) = fixture.told(&["rebuild-index"]);
        assert_eq!(status, 0, "{told}");
        fixture
    }

    pub fn active(&self) -> PathBuf {
        self.dir.join("distributed.log")
    }

    pub fn data(&self, name: &str) -> PathBuf {
        self.dir.join("distlog-data/log").join(name)
    }

    pub fn segments(&self) -> PathBuf {
        self.data("segments")
    }

    pub fn segment(&self, name: &str) -> PathBuf {
        self.segments().join(name)
    }

    /// `distlogd log …`.
    pub fn tool(&self, args: &[&str]) -> Output {
        Command::new(super::binary()).arg("log").args(args).current_dir(self.dir).output().unwrap()
    }

    /// The status of `distlogd log …`, and what it says.
    pub fn told(&self, args: &[&str]) -> (i32, String) {
        let output = self.tool(args);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }

    /// All files of the log and what is in them.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = vec![self.active(), self.data("keys")];
        files.extend(["manifest.json", "manifest.copy.json"].map(|name| self.data(name)));
        files.extend(fs::read_dir(self.segments()).unwrap().map(|entry| entry.unwrap().path()));
        files.sort();
        files.into_iter().filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
    }
}
