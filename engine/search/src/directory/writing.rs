//! A file while it is written: in memory as long as it is small.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use tantivy::directory::{AntiCallToken, TerminatingWrite};

use super::WriteBehind;
use super::disk::NewFile;

/// Bytes from which a file goes to disk at once: those of large merges, which would fill the memory. Tests would take
/// long to make such.
pub(crate) const LARGE: u64 = if cfg!(test) { 32 << 10 } else { 1 << 20 };

/// Bytes that an index holds in memory at most; from there on every file goes to disk at once.
pub(crate) const HELD_AT_MOST: u64 = 32 * LARGE;

/// A file that is being written.
pub(super) struct Writing {
    directory: WriteBehind,
    name: PathBuf,
    body: Body,
    length: u64,
}

enum Body {
    Memory(Vec<u8>),
    Disk(NewFile),
    /// Handed over.
    Done,
}

impl Writing {
    pub(super) fn new(directory: WriteBehind, name: PathBuf) -> Self {
        Self { directory, name, body: Body::Memory(Vec::new()), length: 0 }
    }

    /// Goes on on disk, under the file's name but without making sure that it is durable.
    fn spill(&mut self) -> io::Result<&mut NewFile> {
        if let Body::Memory(bytes) = &self.body {
            let shared = &self.directory.shared;
            let mut file = shared.disk.create(&self.name)?;
            let written = shared.disk.write(&mut file, bytes);
            self.release_memory();
            self.body = Body::Disk(file);
            written?;
        }
        match &mut self.body {
            Body::Disk(file) => Ok(file),
            _ => Err(io::Error::other("the file is complete")),
        }
    }

    fn release_memory(&self) {
        if matches!(self.body, Body::Memory(_)) {
            self.directory.shared.held.fetch_sub(self.length, Ordering::Relaxed);
        }
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.directory.check_open()?;
        let added = bytes.len() as u64;
        let held = &self.directory.shared.held;
        match &mut self.body {
            Body::Memory(body)
                if self.length + added <= LARGE && held.load(Ordering::Relaxed) + added <= HELD_AT_MOST =>
            {
                body.extend_from_slice(bytes);
                held.fetch_add(added, Ordering::Relaxed);
            }
            _ => {
                let shared = self.directory.shared.clone();
                shared.disk.write(self.spill()?, bytes)?;
            }
        }
        self.length += added;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Writing {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        let mut files = self.directory.shared.files();
        // Under the lock: whoever closed the door sees no file of ours from then on.
        self.directory.check_open()?;
        match std::mem::replace(&mut self.body, Body::Done) {
            Body::Memory(mut bytes) => {
                bytes.shrink_to_fit();
                files.add_in_memory(self.name.clone(), bytes);
            }
            Body::Disk(_) => files.add_on_disk(self.name.clone(), self.length, false),
            Body::Done => return Err(io::Error::other("the file is complete")),
        }
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.release_memory();
        if matches!(self.body, Body::Disk(_))
            && let Err(error) = self.directory.shared.disk.remove(&self.name)
        {
            tracing::warn!(%error, file = ?self.name, "a file of an index that was not completed stays behind");
        }
    }
}
