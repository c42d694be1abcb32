//! Making the last state durable, while the next ones are being made.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::files::Unsynced;
use super::manifest::{META, Manifest, with_payload};
use super::{Shared, WriteBehind};
use crate::error::{Result, SearchError};

/// The new state while it is not known to be whole.
const NEW_META: &str = "meta.json.new";

/// A state that is to become durable.
struct Snapshot {
    text: Arc<[u8]>,
    manifest: Manifest,
    unsynced: Vec<Unsynced>,
}

impl WriteBehind {
    /// Makes the last state durable; whatever happens meanwhile belongs to the next. `note` is given the state and says
    /// what is to be noted with it instead of what is, if anything. Returns what is noted now.
    ///
    /// A disk that is full or fails leaves the former state in place, and the next call tries again.
    pub(crate) fn persist(&self, note: impl FnOnce(&Manifest) -> Option<String>) -> Result<Option<String>> {
        let shared = &self.shared;
        // One at a time. What is kept is the text that is durable.
        let mut durable = shared.persisting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut snapshot = shared.pin()?;
        let mut written = Written::default();
        let result = snapshot.note(note).and_then(|()| {
            if *durable != *snapshot.text {
                shared.write(&snapshot, &mut written)?;
            }
            Ok(())
        });
        let freed = shared.files().unpin(&written.synced, result.is_ok());
        shared.held.fetch_sub(freed, Ordering::Relaxed);
        for name in &written.unsynced {
            shared.remove(name);
        }
        shared.remove_garbage();
        result?;
        durable.clear();
        durable.extend_from_slice(&snapshot.text);
        Ok(snapshot.manifest.payload)
    }
}

/// How far writing came.
#[derive(Default)]
struct Written {
    /// Durable by now.
    synced: Vec<PathBuf>,
    /// Copies of what is in memory, of which nobody knows whether they are whole.
    unsynced: HashSet<PathBuf>,
}

impl Snapshot {
    fn note(&mut self, note: impl FnOnce(&Manifest) -> Option<String>) -> Result<()> {
        if let Some(payload) = note(&self.manifest) {
            self.text = with_payload(&self.text, payload.clone())?.into();
            self.manifest.payload = Some(payload);
        }
        Ok(())
    }
}

impl Shared {
    fn pin(&self) -> Result<Snapshot> {
        let mut files = self.files();
        let text = files.meta.clone();
        let manifest = Manifest::parse(&text)?;
        let unsynced = files.pin(manifest.files().collect());
        let unsynced = unsynced.ok_or_else(|| SearchError::Damaged("a file of the last state is gone".to_owned()))?;
        Ok(Snapshot { text, manifest, unsynced })
    }

    /// Writes all first, then makes it durable, so that the disk has it all at hand; then the state that names it.
    fn write(&self, snapshot: &Snapshot, written: &mut Written) -> io::Result<()> {
        for file in &snapshot.unsynced {
            if let Some(bytes) = &file.bytes {
                written.unsynced.insert(file.name.clone());
                self.disk.write(&mut self.disk.create(&file.name)?, bytes)?;
            }
        }
        for file in &snapshot.unsynced {
            self.disk.sync(&file.name)?;
            written.unsynced.remove(&file.name);
            written.synced.push(file.name.clone());
        }
        let new = Path::new(NEW_META);
        self.disk.write(&mut self.disk.create(new)?, &snapshot.text)?;
        self.disk.sync(new)?;
        self.disk.sync_names()?;
        // Should the disk fail from here on, then either state may be what is found later.
        self.files().expect_pinned();
        self.disk.rename(new, Path::new(META))?;
        self.disk.sync_names()
    }

    /// Removes from the disk what no state needs that is or may become durable.
    pub(super) fn remove_garbage(&self) {
        let garbage = self.files().garbage();
        for name in garbage {
            if self.remove(&name) {
                self.files().removed(&name);
            }
        }
    }

    fn remove(&self, name: &Path) -> bool {
        let removed = self.disk.remove(name);
        if let Err(error) = &removed {
            tracing::warn!(%error, file = ?name, "a file that an index does not need any more stays behind");
        }
        removed.is_ok()
    }
}
