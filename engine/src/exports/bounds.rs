//! What files may take.

use std::path::PathBuf;

use super::PART;

/// How many files of the greatest size one tenant may keep at a time.
const FILES: u64 = 10;

/// What the files of exports may take.
#[derive(Debug, Clone)]
pub struct ExportBounds {
    /// Largest file, in bytes. All files of a tenant that can still be fetched take at most ten times as much.
    pub max_bytes: u64,
    /// Folder of temporary files, which are gone with the process: workbooks are put together from them.
    pub scratch_dir: PathBuf,
}

impl ExportBounds {
    /// Files of at most 4 GiB.
    pub fn within(scratch_dir: impl Into<PathBuf>) -> Self {
        Self { max_bytes: 4 << 30, scratch_dir: scratch_dir.into() }
    }

    /// How many parts all files of a tenant may have.
    pub(super) fn max_parts(&self) -> i64 {
        let parts = (self.max_bytes / PART as u64).saturating_add(1).saturating_mul(FILES);
        i64::try_from(parts).unwrap_or(i64::MAX)
    }
}
