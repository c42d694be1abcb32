//! A disk that fails when a test wants it to.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the disk still takes.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Bytes until it is full.
    room: AtomicU64,
    /// Files that are made durable until it fails to.
    syncs: AtomicU64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { room: AtomicU64::new(u64::MAX), syncs: AtomicU64::new(u64::MAX) }
    }
}

impl Faults {
    pub(crate) fn leave_room(&self, bytes: u64) {
        self.room.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn leave_syncs(&self, files: u64) {
        self.syncs.store(files, Ordering::SeqCst);
    }

    pub(super) fn write(&self, bytes: usize) -> io::Result<()> {
        if take(&self.room, bytes as u64) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        if take(&self.syncs, 1) { Ok(()) } else { Err(io::Error::other("the disk failed")) }
    }
}

fn take(rest: &AtomicU64, amount: u64) -> bool {
    let taken = rest.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |rest| match rest {
        u64::MAX => Some(rest),
        rest => rest.checked_sub(amount),
    });
    taken.is_ok()
}
