//! One index per folder: two over the same files would take them away from each other.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::error::{Result, SearchError};

static CLAIMED: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// A folder that is in use in this process until this is dropped. The process owns the folder of data as a whole, so
/// that others need not be kept out.
#[derive(Debug)]
pub(crate) struct Claim(PathBuf);

impl Claim {
    /// Claims a folder that exists.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize()?;
        if claimed().insert(folder.clone()) { Ok(Self(folder)) } else { Err(SearchError::InUse) }
    }

    /// The folder, by a path that is the same for all who mean it.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        claimed().remove(&self.0);
    }
}

fn claimed() -> MutexGuard<'static, HashSet<PathBuf>> {
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}
