//! The folder that belongs to one server at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::extract::clean_uploads;

/// The data folder, locked for as long as this lives.
#[derive(Debug)]
pub struct DataDir {
    folder: PathBuf,
    uploads: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder where it is missing and locks it against other servers.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let opened = Self::open_free(folder)?;
        opened.with_context(|| {
            format!("the data folder `{}` is in use by another server; stop it or choose another", folder.display())
        })
    }

    /// The same; none where another server has it.
    pub fn open_free(folder: &Path) -> anyhow::Result<Option<Self>> {
        let uploads = folder.join("uploads");
        let unusable = || format!("the data folder `{}` cannot be used", folder.display());
        std::fs::create_dir_all(&uploads).with_context(unusable)?;
        let lock = File::create(folder.join("trellis.lock")).with_context(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
        }
        clean_uploads(&uploads).with_context(unusable)?;
        Ok(Some(Self { folder: folder.to_owned(), uploads, _lock: lock }))
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where files come in.
    pub fn uploads(&self) -> &Path {
        &self.uploads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_server_and_forgets_unfinished_uploads() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = DataDir::open(folder.path()).expect("free");
        std::fs::write(first.uploads().join("x.part"), "half").expect("written");
        std::fs::write(first.uploads().join("whole"), "kept").expect("written");
        let refused = DataDir::open(folder.path()).expect_err("taken").to_string();
        assert!(refused.contains("in use by another server"), "{refused}");
        drop(first);
        let again = DataDir::open(folder.path()).expect("free again");
        let names: Vec<_> =
            std::fs::read_dir(again.uploads()).expect("a folder").flatten().map(|file| file.file_name()).collect();
        assert_eq!(names, ["whole"]);
    }
}
