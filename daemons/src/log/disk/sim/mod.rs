//! A file system in memory that loses what was not synced.
//!
//! Reads return what was written: the page cache. Beside it each file and each
//! directory has what is on the platter, and the changes between the two that
//! no sync has made durable yet. A power cut ([`SimDisk::cut_power`]) keeps some
//! of those changes and forgets the others:
//!
//! * of a file's writes any subset, in any order, and any part of a write, or
//!   zeros in its place (length without contents);
//! * of a directory's entries a prefix of its changes; a rename between two
//!   directories in both of them or in none.
//!
//! The end of the process alone ([`SimDisk::end_process`]) loses nothing of the
//! page cache. A failed sync does: its pages count as clean from then on, so
//! that a later sync returns `Ok` for what never reached the platter, as Linux
//! does. [`Open::Uncached`] makes reads return the platter again.
//!
//! [`Fault`]s fail single calls. One [`SyncSite`] can be turned into a no-op.
//! Everything random comes from one seed, so that a seed repeats a run.

mod platter;

use super::{Disk, DiskFile, FileId, Metadata, Open, SyncSite};
use platter::{Directory, Entry, Inode};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// A call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A write stores a part of its bytes, then there is no space. So do all
    /// writes that make a file longer, until [`SimDisk::heal`].
    Full,
    /// A sync fails, and some of what it should have written is lost.
    Sync,
    /// A write fails.
    Write,
    /// A read fails.
    Read,
    /// No file can be opened: too many are. Until [`SimDisk::heal`].
    Open,
    /// The power is cut: every call fails until [`SimDisk::cut_power`].
    Power,
}

/// The file system. Handles of it share one world.
#[derive(Debug, Clone)]
pub struct SimDisk(Arc<Mutex<World>>);

#[derive(Debug, Clone)]
struct World {
    inodes: HashMap<u64, Inode>,
    directories: BTreeMap<PathBuf, Directory>,
    next_inode: u64,
    /// Handles of an earlier process are of another number.
    process: u64,
    locks: BTreeSet<u64>,
    rng: fastrand::Rng,
    /// A fault, and how many calls that it fits go well before it.
    armed: Option<(Fault, u32)>,
    is_full: bool,
    cannot_open: bool,
    is_off: bool,
    without: Option<SyncSite>,
}

#[derive(Debug)]
struct SimFile {
    world: Arc<Mutex<World>>,
    inode: u64,
    process: u64,
}

impl SimDisk {
    /// An empty file system with the directory `root`.
    pub fn new(seed: u64, root: &Path) -> Self {
        let directories = root.ancestors().map(|dir| (dir.to_owned(), Directory::default())).collect();
        Self(Arc::new(Mutex::new(World {
            inodes: HashMap::new(),
            directories,
            next_inode: 1,
            process: 1,
            locks: BTreeSet::new(),
            rng: fastrand::Rng::with_seed(seed),
            armed: None,
            is_full: false,
            cannot_open: false,
            is_off: false,
            without: None,
        })))
    }

    /// Turns every sync at this site into a no-op.
    pub fn without(&self, site: SyncSite) {
        lock(&self.0).without = Some(site);
    }

    /// Lets a call fail, after so many that it could have hit went well.
    pub fn arm(&self, fault: Fault, after: u32) {
        lock(&self.0).armed = Some((fault, after));
    }

    /// No fault any more: there is space, and descriptors.
    pub fn heal(&self) {
        let mut world = lock(&self.0);
        (world.armed, world.is_full, world.cannot_open) = (None, false, false);
    }

    /// Whether no file can be opened.
    pub fn cannot_open(&self) -> bool {
        lock(&self.0).cannot_open
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        lock(&self.0).is_off
    }

    /// The process ends: its handles and locks are gone, the page cache stays.
    pub fn end_process(&self) {
        let mut world = lock(&self.0);
        world.process += 1;
        world.locks.clear();
        world.drop_nameless();
    }

    /// The power is cut and comes back.
    pub fn cut_power(&self) {
        let mut world = lock(&self.0);
        let World { directories, inodes, rng, .. } = &mut *world;
        let mut kept: Vec<usize> =
            directories.values().map(|directory| rng.usize(..=directory.pending.len())).collect();
        platter::keep_whole_renames(directories, &mut kept);
        directories.values_mut().zip(kept).for_each(|(directory, kept)| directory.cut_power(kept));
        let mut numbers: Vec<u64> = inodes.keys().copied().collect();
        numbers.sort_unstable();
        numbers.iter().for_each(|number| {
            if let Some(inode) = inodes.get_mut(number) {
                inode.cut_power(rng);
            }
        });
        (world.is_off, world.armed, world.is_full, world.cannot_open) = (false, None, false, false);
        world.process += 1;
        world.locks.clear();
        world.drop_nameless();
    }

    /// Every file and its length.
    pub fn files(&self) -> Vec<(PathBuf, usize)> {
        let world = lock(&self.0);
        let len = |inode: u64| world.inodes.get(&inode).map_or(0, Inode::len);
        let of = |(dir, directory): (&PathBuf, &Directory)| {
            let files = directory.cached.iter().map(|(name, inode)| (dir.join(name), len(*inode)));
            files.collect::<Vec<_>>()
        };
        world.directories.iter().flat_map(of).collect()
    }

    /// Appends to a file as another program does.
    pub fn append(&self, path: &Path, bytes: &[u8]) {
        let mut world = lock(&self.0);
        let now = world.now();
        let inode = world.find(path);
        if let Some(inode) = inode.and_then(|number| world.inodes.get_mut(&number)) {
            inode.write(inode.len(), bytes.to_vec(), now);
        }
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}

fn parts(path: &Path) -> (&Path, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (path.parent().unwrap_or(Path::new("/")), name)
}

impl World {
    /// A call of this kind: whether it fails now.
    fn call(&mut self, fits: &[Fault]) -> io::Result<Option<Fault>> {
        if self.is_off {
            return Err(failed());
        }
        let Some((fault, after)) = self.armed.filter(|(fault, _)| fits.contains(fault)) else {
            return Ok(None);
        };
        if let Some(after) = after.checked_sub(1) {
            self.armed = Some((fault, after));
            return Ok(None);
        }
        self.armed = None;
        match fault {
            Fault::Power => {
                self.is_off = true;
                return Err(failed());
            }
            Fault::Full => self.is_full = true,
            Fault::Open => self.cannot_open = true,
            Fault::Sync | Fault::Write | Fault::Read => {}
        }
        Ok(Some(fault))
    }

    fn now(&mut self) -> SystemTime {
        SystemTime::now()
    }

    fn find(&self, path: &Path) -> Option<u64> {
        let (dir, name) = parts(path);
        self.directories.get(dir)?.cached.get(&name).copied()
    }

    fn directory(&mut self, path: &Path) -> io::Result<&mut Directory> {
        self.directories.get_mut(path).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn metadata(&self, number: u64) -> io::Result<Metadata> {
        let inode = self.inodes.get(&number).ok_or(ErrorKind::NotFound)?;
        Ok(Metadata {
            len: inode.len() as u64,
            modified: inode.modified,
            id: FileId { device: 1, inode: number },
        })
    }

    /// Files without a name and without a handle of this process are gone. Only
    /// between processes, when there is no handle.
    fn drop_nameless(&mut self) {
        let named: BTreeSet<u64> = self
            .directories
            .values()
            .flat_map(|directory| directory.cached.values().chain(directory.platter.values()))
            .copied()
            .collect();
        self.inodes.retain(|number, _| named.contains(number));
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Box<dyn DiskFile>> {
        let mut world = lock(&self.0);
        world.call(&[Fault::Power, Fault::Open])?;
        if world.cannot_open {
            return Err(io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()));
        }
        let now = world.now();
        let number = match (world.find(path), how) {
            (Some(number), _) => number,
            (None, Open::Read | Open::Uncached) => return Err(ErrorKind::NotFound.into()),
            (None, Open::Write | Open::Truncate) => {
                if world.is_full {
                    return Err(ErrorKind::StorageFull.into());
                }
                let number = world.next_inode;
                let (dir, name) = parts(path);
                world.directory(dir)?.change(Entry::Link { name, inode: number });
                world.next_inode += 1;
                world.inodes.insert(number, Inode::new(now));
                number
            }
        };
        if let Some(inode) = world.inodes.get_mut(&number) {
            match how {
                Open::Truncate => inode.set_len(0, now),
                Open::Uncached => inode.drop_cache(),
                Open::Read | Open::Write => {}
            }
        }
        let process = world.process;
        Ok(Box::new(SimFile { world: Arc::clone(&self.0), inode: number, process }))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let mut world = lock(&self.0);
        world.call(&[Fault::Power])?;
        let number = world.find(path).ok_or(ErrorKind::NotFound)?;
        world.metadata(number)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut world = lock(&self.0);
        world.call(&[Fault::Power])?;
        Ok(world.directory(dir)?.cached.keys().map(|name| dir.join(name)).collect())
    }

    fn create_dir(&self, dir: &Path) -> io::Result<bool> {
        let mut world = lock(&self.0);
        world.call(&[Fault::Power])?;
        if world.directories.contains_key(dir) {
            return Ok(false);
        }
        // A directory is durable at once here: what is tested is its entries.
        dir.ancestors().for_each(|dir| {
            world.directories.entry(dir.to_owned()).or_default();
        });
        Ok(true)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = lock(&self.0);
        world.call(&[Fault::Power])?;
        let number = world.find(from).ok_or(ErrorKind::NotFound)?;
        let ((old_dir, old), (new_dir, new)) = (parts(from), parts(to));
        if old_dir == new_dir {
            world.directory(old_dir)?.change(Entry::Rename { from: old, to: new, inode: number });
            return Ok(());
        }
        let rename = world.next_inode;
        world.next_inode += 1;
        world.directory(new_dir)?.change(Entry::MovedIn { name: new, inode: number, rename });
        world.directory(old_dir)?.change(Entry::MovedOut { name: old, rename });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = lock(&self.0);
        world.call(&[Fault::Power])?;
        world.find(path).ok_or(ErrorKind::NotFound)?;
        let (dir, name) = parts(path);
        world.directory(dir)?.change(Entry::Unlink { name });
        Ok(())
    }

    fn sync_dir(&self, dir: &Path, site: SyncSite) -> io::Result<()> {
        let mut world = lock(&self.0);
        if world.call(&[Fault::Power, Fault::Sync])?.is_some() {
            return Err(failed());
        }
        if world.without != Some(site) {
            // A rename is one step: it is durable in both directories or in none.
            let renames = world.directory(dir)?.renames();
            for (path, directory) in &mut world.directories {
                if path == dir || !directory.renames().is_disjoint(&renames) {
                    directory.sync();
                }
            }
        }
        Ok(())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
}

impl SimFile {
    /// Its world and its inode, for a call that these faults can hit.
    fn call<T>(
        &self,
        fits: &[Fault],
        work: impl FnOnce(&mut World, Option<Fault>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut world = lock(&self.world);
        if world.process != self.process {
            return Err(io::Error::other("this process has ended"));
        }
        let fault = world.call(fits)?;
        work(&mut world, fault)
    }

    fn with<T>(&self, world: &mut World, work: impl FnOnce(&mut Inode) -> T) -> io::Result<T> {
        world.inodes.get_mut(&self.inode).map(work).ok_or_else(|| io::Error::other("no such inode"))
    }

    fn sync(&self, site: SyncSite) -> io::Result<()> {
        self.call(&[Fault::Power, Fault::Sync], |world, fault| {
            if world.without == Some(site) {
                return Ok(());
            }
            let mut rng = world.rng.fork();
            self.with(world, |inode| match fault {
                None => {
                    inode.sync();
                    Ok(())
                }
                Some(_) => {
                    inode.lose(&mut rng);
                    Err(failed())
                }
            })?
        })
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.call(&[Fault::Power, Fault::Read], |world, fault| {
            if fault.is_some() {
                return Err(failed());
            }
            self.with(world, |inode| {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                let there = inode.cached.get(offset..).unwrap_or_default();
                let len = there.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..len), there.get(..len)) {
                    to.copy_from_slice(from);
                }
                len
            })
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.call(&[Fault::Power, Fault::Write, Fault::Full], |world, fault| {
            let (now, is_full) = (world.now(), world.is_full);
            let some = world.rng.usize(..=bytes.len());
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            self.with(world, |inode| {
                let longer = offset.saturating_add(bytes.len()) > inode.len();
                match fault {
                    Some(Fault::Write) => Err(failed()),
                    Some(Fault::Full) if longer && some > 0 => {
                        inode.write(offset, bytes.get(..some).unwrap_or_default().to_vec(), now);
                        Ok(some)
                    }
                    _ if is_full && longer => Err(ErrorKind::StorageFull.into()),
                    _ => {
                        inode.write(offset, bytes.to_vec(), now);
                        Ok(bytes.len())
                    }
                }
            })?
        })
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.call(&[Fault::Power], |world, _| world.metadata(self.inode))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(&[Fault::Power], |world, _| {
            let now = world.now();
            self.with(world, |inode| inode.set_len(usize::try_from(len).unwrap_or(usize::MAX), now))
        })
    }

    fn set_modified(&self, modified: SystemTime) -> io::Result<()> {
        self.call(&[Fault::Power], |world, _| self.with(world, |inode| inode.modified = modified))
    }

    fn sync_data(&self, site: SyncSite) -> io::Result<()> {
        self.sync(site)
    }

    fn sync_all(&self, site: SyncSite) -> io::Result<()> {
        self.sync(site)
    }

    fn try_lock(&self) -> io::Result<()> {
        self.call(&[Fault::Power], |world, _| {
            if world.locks.insert(self.inode) { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) }
        })
    }

    fn unlock(&self) {
        let _ = self.call(&[], |world, _| {
            world.locks.remove(&self.inode);
            Ok(())
        });
    }
}
