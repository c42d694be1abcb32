//! What files there are, and where.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::directory::error::OpenReadError;
use tantivy::directory::{FileHandle, OwnedBytes};

use super::disk::Disk;
use super::samples::Samples;

/// The files of an index: those that the library knows, and those that have to stay on disk longer.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// By name; the library sees these.
    known: HashMap<PathBuf, Known>,
    /// The last state, as the library wrote it; empty before the first.
    pub(super) meta: Arc<[u8]>,
    /// The library's own list of its files. It is made anew whenever an index is opened, so it is never on disk.
    pub(super) managed: Vec<u8>,
    /// What the durable state is made of.
    durable: HashSet<PathBuf>,
    /// What the state is made of that is becoming durable just now.
    pinned: HashSet<PathBuf>,
    /// On disk, and gone for the library; with lengths.
    doomed: HashMap<PathBuf, u64>,
}

#[derive(Debug)]
struct Known {
    length: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(OwnedBytes),
    Disk {
        /// Made when somebody reads the file first, and shared by all.
        opened: Option<Opened>,
        is_synced: bool,
    },
}

/// A file on disk as it is read.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) handle: Arc<dyn FileHandle>,
    /// Of one that is mapped, in which therefore is seen what others write into it.
    pub(super) samples: Option<Arc<Samples>>,
}

/// A file that is to become durable.
#[derive(Debug)]
pub(super) struct Unsynced {
    pub(super) name: PathBuf,
    /// What is to be written; none where it is on disk already.
    pub(super) bytes: Option<OwnedBytes>,
}

impl Files {
    /// Of a state that is durable, as it was read.
    pub(super) fn durable(meta: &[u8], lengths: HashMap<PathBuf, u64>) -> Self {
        let mut files = Self { meta: meta.into(), durable: lengths.keys().cloned().collect(), ..Self::default() };
        lengths.into_iter().for_each(|(name, length)| files.add_on_disk(name, length, true));
        files
    }

    pub(super) fn is_known(&self, name: &Path) -> bool {
        self.known.contains_key(name)
    }

    pub(super) fn add_in_memory(&mut self, name: PathBuf, bytes: Vec<u8>) {
        let known = Known { length: bytes.len() as u64, place: Place::Memory(OwnedBytes::new(bytes)) };
        self.known.insert(name, known);
    }

    pub(super) fn add_on_disk(&mut self, name: PathBuf, length: u64, is_synced: bool) {
        self.known.insert(name, Known { length, place: Place::Disk { opened: None, is_synced } });
    }

    pub(super) fn read(&mut self, name: &Path, disk: &Disk) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let known = self.known.get_mut(name).ok_or_else(|| OpenReadError::FileDoesNotExist(name.to_owned()))?;
        let length = known.length;
        match &mut known.place {
            Place::Memory(bytes) => Ok(Arc::new(bytes.clone())),
            Place::Disk { opened: Some(opened), .. } => Ok(Arc::clone(&opened.handle)),
            Place::Disk { opened, .. } => Ok(Arc::clone(&opened.insert(disk.open(name, length)?).handle)),
        }
    }

    /// Forgets a file. Returns the bytes of memory that it took, or none where there is no such file.
    pub(super) fn forget(&mut self, name: &Path) -> Option<u64> {
        let known = self.known.remove(name)?;
        let in_memory = if matches!(known.place, Place::Memory(_)) { known.length } else { 0 };
        // What is becoming durable may be on disk by now.
        if in_memory == 0 || self.pinned.contains(name) {
            self.doomed.insert(name.to_owned(), known.length);
        }
        Some(in_memory)
    }

    /// Forgets all that is not among `names`. Returns the bytes of memory that it took.
    pub(super) fn forget_others(&mut self, names: &HashSet<PathBuf>) -> u64 {
        let others: Vec<PathBuf> = self.known.keys().filter(|name| !names.contains(*name)).cloned().collect();
        others.iter().filter_map(|name| self.forget(name)).sum()
    }

    /// Keeps the files on disk until [`Files::unpin`], and says which of them are not durable; none where one of them
    /// is not there.
    pub(super) fn pin(&mut self, names: HashSet<PathBuf>) -> Option<Vec<Unsynced>> {
        let mut unsynced = Vec::new();
        for name in &names {
            let bytes = match &self.known.get(name)?.place {
                Place::Disk { is_synced: true, .. } => continue,
                Place::Disk { .. } => None,
                Place::Memory(bytes) => Some(bytes.clone()),
            };
            unsynced.push(Unsynced { name: name.clone(), bytes });
        }
        self.pinned = names;
        Some(unsynced)
    }

    /// From now on the durable state may be the pinned one.
    pub(super) fn expect_pinned(&mut self) {
        self.durable.extend(self.pinned.iter().cloned());
    }

    /// Ends what [`Files::pin`] began: `synced` are durable now, and with `is_durable` so is the state that they are
    /// part of. Returns the bytes of memory that are free now.
    pub(super) fn unpin(&mut self, synced: &[PathBuf], is_durable: bool) -> u64 {
        let mut freed = 0;
        for name in synced {
            match self.known.get_mut(name) {
                Some(Known { place: Place::Disk { is_synced, .. }, .. }) => *is_synced = true,
                Some(known) => {
                    freed += known.length;
                    known.place = Place::Disk { opened: None, is_synced: true };
                }
                None => {}
            }
        }
        let pinned = std::mem::take(&mut self.pinned);
        if is_durable {
            self.durable = pinned;
        }
        freed
    }

    /// What may be removed from the disk; [`Files::removed`] tells what was.
    pub(super) fn garbage(&self) -> Vec<PathBuf> {
        let is_free = |name: &&PathBuf| !self.durable.contains(*name) && !self.pinned.contains(*name);
        self.doomed.keys().filter(is_free).cloned().collect()
    }

    pub(super) fn removed(&mut self, name: &Path) {
        self.doomed.remove(name);
    }

    /// Of the files that are mapped.
    pub(super) fn samples(&self) -> Arc<[Arc<Samples>]> {
        let samples = |known: &Known| match &known.place {
            Place::Disk { opened: Some(opened), .. } => opened.samples.clone(),
            Place::Disk { .. } | Place::Memory(_) => None,
        };
        self.known.values().filter_map(samples).collect()
    }

    /// The files that are on disk and known to the library.
    pub(super) fn on_disk(&self) -> Vec<PathBuf> {
        let is_on_disk = |(_, known): &(&PathBuf, &Known)| matches!(known.place, Place::Disk { .. });
        self.known.iter().filter(is_on_disk).map(|(name, _)| name.clone()).collect()
    }

    /// Bytes on disk.
    pub(super) fn bytes_on_disk(&self) -> u64 {
        let is_on_disk = |known: &&Known| matches!(known.place, Place::Disk { .. });
        self.known.values().filter(is_on_disk).map(|known| known.length).sum::<u64>()
            + self.doomed.values().sum::<u64>()
    }
}
