//! An fsync that lies: a library that is loaded before the C library, whose
//! `fsync` and `fdatasync` do nothing.

use std::path::PathBuf;
use tempfile::TempDir;

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the path of the file contains what LIE_ABOUT says. */
static int lies_about(int fd) {
    const char *what = getenv("LIE_ABOUT");
    char link[64], path[4096];
    if (!what) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return strstr(path, what) != NULL;
}

int fsync(int fd) {
    if (lies_about(fd)) return 0;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    if (lies_about(fd)) return 0;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"#;

/// The library.
pub struct Liar {
    library: PathBuf,
    _dir: TempDir,
}

impl Liar {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (source, library) = (dir.path().join("liar.c"), dir.path().join("liar.so"));
        std::fs::write(&source, SOURCE).unwrap();
        let paths = (library.to_str().unwrap(), source.to_str().unwrap());
        super::mount::run("gcc", &["-shared", "-fPIC", "-O1", "-o", paths.0, paths.1, "-ldl"]);
        Self { library, _dir: dir }
    }

    /// What a shell is to do before it starts a daemon to whom syncs of files
    /// with this in their path are lied about.
    pub fn about(&self, what: &str) -> String {
        format!("export LD_PRELOAD='{}' LIE_ABOUT='{what}'", self.library.display())
    }
}
