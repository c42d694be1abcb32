//! Where the library's files are: in memory first, on disk behind.
//!
//! A commit costs what it costs in memory. What it wrote becomes durable when [`WriteBehind::persist`] is called, as a
//! whole: the files first, then the one file that names them. The folder therefore always holds the last durable state,
//! and perhaps files of later ones, which are swept away when it is opened again. Large files go to disk while they are
//! written, so that no merge fills the memory.

mod claim;
mod disk;
#[cfg(test)]
mod faults;
mod files;
mod gate;
#[cfg(test)]
mod journal;
mod manifest;
mod opening;
mod persist;
mod samples;
#[cfg(test)]
mod tests;
mod writing;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{DirectoryLock, FileHandle, Lock, META_LOCK, WatchCallback, WatchHandle, WritePtr};

use crate::error::{Result, SearchError};
use disk::Disk;
use files::Files;
use gate::Gate;
use writing::Writing;

pub(crate) use claim::Claim;
pub(crate) use manifest::{Manifest, Segment};
pub(crate) use samples::Samples;
#[cfg(test)]
pub(crate) use writing::{HELD_AT_MOST, LARGE};

/// Name of the library's list of its own files.
const MANAGED: &str = ".managed.json";

/// A way into the folder of an index. Ways are handed out one by one, and each can be closed: a writer that failed or is
/// done with may have threads that are not, and nothing of what they do may happen any more.
#[derive(Debug, Clone)]
pub(crate) struct WriteBehind {
    shared: Arc<Shared>,
    is_closed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    files: Mutex<Files>,
    /// Bytes in memory only.
    held: AtomicU64,
    /// The `meta.json` that is durable; held by whoever makes another one so.
    persisting: Mutex<Vec<u8>>,
    /// Keeps files from going away while readers open them.
    opening: Arc<Gate>,
}

impl WriteBehind {
    /// A folder without an index, made if it is not there. What was left behind by one that never became durable goes.
    pub(crate) fn create(claim: &Claim) -> Result<Self> {
        let disk = Disk::at(claim.folder());
        if disk.read(Path::new(manifest::META))?.is_some() {
            return Err(SearchError::Exists);
        }
        let files = Files::default();
        opening::sweep(&disk, &files)?;
        Ok(Self::new(disk, files, Vec::new()))
    }

    /// The durable state of a folder. `check` is asked before any other file is looked at.
    pub(crate) fn open(claim: &Claim, check: impl FnOnce(&Manifest) -> Result<()>) -> Result<Self> {
        let disk = Disk::at(claim.folder());
        let (text, manifest) = opening::read_state(&disk)?.ok_or(SearchError::Missing)?;
        check(&manifest)?;
        let files = opening::find_files(&disk, &text, &manifest)?;
        opening::sweep(&disk, &files)?;
        let directory = Self::new(disk, files, text);
        opening::check_files(directory.clone(), &manifest, &directory.shared.disk)?;
        Ok(directory)
    }

    fn new(disk: Disk, files: Files, durable: Vec<u8>) -> Self {
        let shared = Shared {
            disk,
            files: Mutex::new(files),
            held: AtomicU64::new(0),
            persisting: Mutex::new(durable),
            opening: Arc::default(),
        };
        Self { shared: Arc::new(shared), is_closed: Arc::default() }
    }

    /// Another way in, for a writer that starts from the last state. All others that write must be closed.
    ///
    /// What earlier writers left behind is forgotten, and the library is told of all that is there, so that it removes
    /// what it does not need any more.
    pub(crate) fn for_writer(&self) -> Result<Self> {
        let mut files = self.shared.files();
        let mut names: HashSet<PathBuf> = Manifest::parse(&files.meta)?.files().collect();
        let freed = files.forget_others(&names);
        names.insert(PathBuf::from(manifest::META));
        files.managed = serde_json::to_vec(&names).map_err(|error| SearchError::Failed(Box::new(error)))?;
        drop(files);
        self.shared.held.fetch_sub(freed, Ordering::Relaxed);
        self.shared.remove_garbage();
        Ok(Self { shared: self.shared.clone(), is_closed: Arc::default() })
    }

    /// Nothing can be written or removed through this way any more, not even by what is under way.
    pub(crate) fn close(&self) {
        let _files = self.shared.files();
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// Whether both are the same way.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_closed, &other.is_closed)
    }

    /// The last state.
    pub(crate) fn manifest(&self) -> Result<Manifest> {
        let meta = self.shared.files().meta.clone();
        Manifest::parse(&meta)
    }

    /// Bytes that are in memory only.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.shared.held.load(Ordering::Relaxed)
    }

    /// Whether all files on disk are as they were written, read anew from there.
    pub(crate) fn check_files(&self) -> Result<()> {
        let names = self.shared.files().on_disk();
        for name in names {
            let checked = opening::check_whole(&self.shared.disk, &name);
            // One that nobody needs any more may be gone by now.
            if checked.is_err() && self.shared.files().is_known(&name) {
                return checked;
            }
        }
        Ok(())
    }

    /// Of the files that are mapped now.
    pub(crate) fn samples(&self) -> Arc<[Arc<Samples>]> {
        self.shared.files().samples()
    }

    /// Bytes on disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.shared.files().bytes_on_disk()
    }

    /// What the disk does when a test wants it to fail.
    #[cfg(test)]
    pub(crate) fn faults(&self) -> &faults::Faults {
        &self.shared.disk.faults
    }

    /// What was done to the disk, from the call on.
    #[cfg(test)]
    pub(crate) fn journal(&self) -> &journal::Journal {
        self.shared.disk.journal.begin();
        &self.shared.disk.journal
    }

    fn check_open(&self) -> io::Result<()> {
        if self.is_closed.load(Ordering::SeqCst) { Err(io::Error::other("the writer is closed")) } else { Ok(()) }
    }
}

impl Shared {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for WriteBehind {
    fn get_file_handle(&self, path: &Path) -> std::result::Result<Arc<dyn FileHandle>, OpenReadError> {
        self.shared.files().read(path, &self.shared.disk)
    }

    fn delete(&self, path: &Path) -> std::result::Result<(), DeleteError> {
        let mut files = self.shared.files();
        // Who is shut out has no files.
        let freed = self.check_open().ok().and_then(|()| files.forget(path));
        drop(files);
        let freed = freed.ok_or_else(|| DeleteError::FileDoesNotExist(path.to_owned()))?;
        self.shared.held.fetch_sub(freed, Ordering::Relaxed);
        self.shared.remove_garbage();
        Ok(())
    }

    fn exists(&self, path: &Path) -> std::result::Result<bool, OpenReadError> {
        let files = self.shared.files();
        Ok(if path == Path::new(manifest::META) { !files.meta.is_empty() } else { files.is_known(path) })
    }

    fn open_write(&self, path: &Path) -> std::result::Result<WritePtr, OpenWriteError> {
        self.check_open().map_err(|error| OpenWriteError::wrap_io_error(error, path.to_owned()))?;
        if self.shared.files().is_known(path) {
            return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
        }
        Ok(io::BufWriter::new(Box::new(Writing::new(self.clone(), path.to_owned()))))
    }

    fn atomic_read(&self, path: &Path) -> std::result::Result<Vec<u8>, OpenReadError> {
        let files = self.shared.files();
        let bytes = match path.to_str() {
            Some(manifest::META) => files.meta.to_vec(),
            Some(MANAGED) => files.managed.clone(),
            _ => Vec::new(),
        };
        if bytes.is_empty() { Err(OpenReadError::FileDoesNotExist(path.to_owned())) } else { Ok(bytes) }
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let mut files = self.shared.files();
        self.check_open()?;
        match path.to_str() {
            Some(manifest::META) => files.meta = data.into(),
            Some(MANAGED) => files.managed = data.to_vec(),
            _ => return Err(io::Error::other(format!("{} is no file that is replaced", path.display()))),
        }
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> std::result::Result<DirectoryLock, LockError> {
        // That there is one writer is seen to by whoever opens it, and a claim keeps others out of the folder.
        if lock.filepath == META_LOCK.filepath {
            return Ok(DirectoryLock::from(Box::new(self.shared.opening.pass())));
        }
        Ok(DirectoryLock::from(Box::new(())))
    }

    /// Never calls back: readers are told by hand.
    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

/// Makes a folder, and claims it.
pub(crate) fn claim_new(folder: &Path) -> Result<Claim> {
    fs::create_dir_all(folder)?;
    Claim::of(folder)
}

/// Claims a folder that has an index.
pub(crate) fn claim_existing(folder: &Path) -> Result<Claim> {
    if folder.is_dir() { Claim::of(folder) } else { Err(SearchError::Missing) }
}
