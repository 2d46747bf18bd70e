//! What is on the platter, what the page cache has, and what a power cut leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::SystemTime;

/// Writes are torn at these boundaries, or anywhere.
const SECTOR: usize = 16;

/// A file's contents.
#[derive(Debug, Clone)]
pub struct Inode {
    /// What reads return.
    pub cached: Vec<u8>,
    platter: Vec<u8>,
    /// What has been written since the last sync, in order.
    pending: Vec<Change>,
    pub modified: SystemTime,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Len(usize),
}

fn apply(contents: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Len(len) => contents.resize(*len, 0),
        Change::Write { offset, bytes } => {
            if contents.len() < offset + bytes.len() {
                contents.resize(offset + bytes.len(), 0);
            }
            if let Some(place) = contents.get_mut(*offset..offset + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
    }
}

impl Inode {
    pub fn new(modified: SystemTime) -> Self {
        Self { cached: Vec::new(), platter: Vec::new(), pending: Vec::new(), modified }
    }

    pub fn len(&self) -> usize {
        self.cached.len()
    }

    pub fn write(&mut self, offset: usize, bytes: Vec<u8>, now: SystemTime) {
        self.change(Change::Write { offset, bytes }, now);
    }

    pub fn set_len(&mut self, len: usize, now: SystemTime) {
        self.change(Change::Len(len), now);
    }

    fn change(&mut self, change: Change, now: SystemTime) {
        apply(&mut self.cached, &change);
        self.pending.push(change);
        self.modified = now;
    }

    /// A sync that went well writes what is pending. Pages that an earlier sync
    /// has lost are clean, and are not written.
    pub fn sync(&mut self) {
        for change in self.pending.drain(..) {
            apply(&mut self.platter, &change);
        }
    }

    /// A sync that failed: some of it is on the platter, and all of it is clean.
    pub fn lose(&mut self, rng: &mut fastrand::Rng) {
        let pending = std::mem::take(&mut self.pending);
        self.keep_some(&pending, rng);
    }

    /// Clean pages are read from the platter again, dirty ones stay.
    pub fn drop_cache(&mut self) {
        self.cached.clone_from(&self.platter);
        for change in &self.pending {
            apply(&mut self.cached, change);
        }
    }

    /// What is left is what is on the platter.
    pub fn cut_power(&mut self, rng: &mut fastrand::Rng) {
        self.lose(rng);
        self.cached.clone_from(&self.platter);
    }

    fn keep_some(&mut self, pending: &[Change], rng: &mut fastrand::Rng) {
        // All, none, the first ones, or any of them.
        let way = rng.u8(..4);
        let first = rng.usize(..=pending.len());
        for (at, change) in pending.iter().enumerate() {
            let is_kept = match way {
                0 => true,
                1 => false,
                2 => at < first,
                _ => rng.bool(),
            };
            if !is_kept {
                continue;
            }
            let Change::Write { offset, bytes } = change else {
                apply(&mut self.platter, change);
                continue;
            };
            let mut bytes = bytes.clone();
            match rng.u8(..6) {
                0 => bytes.truncate(rng.usize(..=bytes.len())),
                1 => bytes.truncate(bytes.len() / SECTOR * SECTOR),
                2 => bytes.fill(0),
                3 => {
                    // A hole: one part did not get there.
                    let from = rng.usize(..=bytes.len());
                    bytes.iter_mut().skip(from).take(SECTOR).for_each(|byte| *byte = 0);
                }
                _ => {}
            }
            apply(&mut self.platter, &Change::Write { offset: *offset, bytes });
        }
    }
}

/// The names in a directory.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// What a listing shows.
    pub cached: BTreeMap<String, u64>,
    pub platter: BTreeMap<String, u64>,
    pub pending: Vec<Entry>,
}

/// A change of a directory.
#[derive(Debug, Clone)]
pub enum Entry {
    Link {
        name: String,
        inode: u64,
    },
    Unlink {
        name: String,
    },
    Rename {
        from: String,
        to: String,
        inode: u64,
    },
    /// The new name of a rename between directories, by its number.
    MovedIn {
        name: String,
        inode: u64,
        rename: u64,
    },
    /// The old name of it.
    MovedOut {
        name: String,
        rename: u64,
    },
}

impl Entry {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Link { name, inode } | Self::MovedIn { name, inode, .. } => {
                names.insert(name.clone(), *inode);
            }
            Self::Unlink { name } | Self::MovedOut { name, .. } => drop(names.remove(name)),
            Self::Rename { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
        }
    }

    const fn rename(&self) -> Option<u64> {
        match self {
            Self::MovedIn { rename, .. } | Self::MovedOut { rename, .. } => Some(*rename),
            Self::Link { .. } | Self::Unlink { .. } | Self::Rename { .. } => None,
        }
    }
}

impl Directory {
    pub fn change(&mut self, entry: Entry) {
        entry.apply(&mut self.cached);
        self.pending.push(entry);
    }

    pub fn sync(&mut self) {
        for entry in self.pending.drain(..) {
            entry.apply(&mut self.platter);
        }
    }

    /// The renames from or to other directories that are pending.
    pub fn renames(&self) -> BTreeSet<u64> {
        self.pending.iter().filter_map(Entry::rename).collect()
    }

    /// Keeps the first changes.
    pub fn cut_power(&mut self, kept: usize) {
        for entry in self.pending.drain(..).take(kept) {
            entry.apply(&mut self.platter);
        }
        self.cached.clone_from(&self.platter);
    }
}

/// How many of its pending changes each directory keeps: as many as are given, but
/// a rename between two directories in both of them or in none.
pub fn keep_whole_renames(directories: &BTreeMap<PathBuf, Directory>, kept: &mut [usize]) {
    loop {
        let sides = directories.values().zip(kept.iter());
        let mut cut: BTreeSet<u64> = BTreeSet::new();
        for (directory, kept) in sides {
            cut.extend(directory.pending.iter().skip(*kept).filter_map(Entry::rename));
        }
        let before = kept.to_vec();
        for (directory, kept) in directories.values().zip(kept.iter_mut()) {
            let is_cut = |entry: &Entry| entry.rename().is_some_and(|rename| cut.contains(&rename));
            let first = directory.pending.iter().position(is_cut);
            *kept = first.map_or(*kept, |first| first.min(*kept));
        }
        if before == kept {
            return;
        }
    }
}
