//! A file system in a file, whose power can be cut.

use crate::harness::DEADLINE;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Runs a command that must succeed; its standard output.
#[track_caller]
pub fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; this test needs it, and root"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn unmount(mount: &Path) {
    let until = Instant::now() + DEADLINE;
    while !Command::new("umount").arg(mount).output().unwrap().status.success() {
        assert!(Instant::now() < until, "{} stays mounted", mount.display());
        // A process that was killed holds its files until the kernel has ended it.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A file system on a loop device.
pub struct Disk {
    /// Where it is mounted.
    pub mount: PathBuf,
    image: PathBuf,
    is_mounted: bool,
    _dir: TempDir,
}

impl Disk {
    /// Makes one; `fs` is `ext4` or `xfs`.
    pub fn new(fs: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let image = dir.path().join("image");
        let path = image.to_str().unwrap();
        match fs {
            "xfs" => {
                // Not smaller: mkfs.xfs refuses that. The file is sparse.
                run("truncate", &["-s", "320M", path]);
                run("mkfs.xfs", &["-q", "-f", path]);
            }
            _ => {
                run("truncate", &["-s", "96M", path]);
                run("mkfs.ext4", &["-q", "-b", "4096", path]);
            }
        }
        let mount = dir.path().join("mount");
        std::fs::create_dir(&mount).unwrap();
        let mut disk = Self { mount, image, is_mounted: false, _dir: dir };
        disk.mount();
        disk
    }

    pub fn mount(&mut self) {
        run("mount", &["-o", "loop,nodiscard", self.image.to_str().unwrap(), self.mount.to_str().unwrap()]);
        self.is_mounted = true;
    }

    pub fn unmount(&mut self) {
        unmount(&self.mount);
        self.is_mounted = false;
    }

    /// Drops everything that was not synced. Nothing can be read or written then.
    pub fn cut_power(&self) {
        run("xfs_io", &["-x", "-c", "shutdown", self.mount.to_str().unwrap()]);
    }

    /// After a cut, once nobody uses it: the disk as it is.
    pub fn power_on(&mut self) {
        self.unmount();
        self.mount();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            unmount(&self.mount);
        }
    }
}

/// A file system of a few megabytes in memory, which can be filled.
pub struct Small {
    /// Where it is mounted.
    pub mount: PathBuf,
    _dir: TempDir,
}

impl Small {
    pub fn new(size: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let mount = dir.path().join("small");
        std::fs::create_dir(&mount).unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", mount.to_str().unwrap()]);
        Self { mount, _dir: dir }
    }

    /// Takes all the space that is left.
    pub fn fill(&self) {
        let file = std::fs::File::create(self.mount.join("filler")).unwrap();
        let zeros = vec![0; 4096];
        while std::io::Write::write_all(&mut &file, &zeros).is_ok() {}
    }

    /// Gives it back.
    pub fn empty(&self) {
        std::fs::remove_file(self.mount.join("filler")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        unmount(&self.mount);
    }
}

/// An ext4 file system on a disk that fails to write back: the blocks that are
/// free take space of a small file system, which has none once it is filled.
pub struct Failing {
    pub disk: Disk,
    pub under: Small,
}

impl Failing {
    pub fn new() -> Self {
        let under = Small::new("70m");
        let image = under.mount.join("image");
        let path = image.to_str().unwrap();
        run("dd", &["if=/dev/zero", &format!("of={path}"), "bs=1M", "count=48", "status=none"]);
        let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
        run("mkfs.ext4", &["-q", "-b", "4096", "-E", options, "-J", "size=8", path]);
        // The file system's own blocks, which mkfs left as holes, never fail.
        run("fallocate", &["-l", "48M", path]);
        let dir = TempDir::new().unwrap();
        let mount = dir.path().join("mount");
        std::fs::create_dir(&mount).unwrap();
        let mut disk = Disk { mount, image, is_mounted: false, _dir: dir };
        disk.mount();
        Self { disk, under }
    }

    /// Takes the space of the free blocks away.
    pub fn punch(&mut self) {
        self.disk.unmount();
        let image = self.disk.image.to_str().unwrap();
        let told = run("dumpe2fs", &[image]);
        for ranges in told.lines().filter_map(|line| line.trim().strip_prefix("Free blocks: ")) {
            for range in ranges.split(',').map(str::trim).filter(|range| !range.is_empty()) {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
                let (at, len) = ((first * 4096).to_string(), ((last - first + 1) * 4096).to_string());
                run("fallocate", &["-p", "-o", &at, "-l", &len, image]);
            }
        }
        self.disk.mount();
    }
}
