//! The folder of an index on disk: the few things that are done to it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::Directory;
use tantivy::directory::error::OpenReadError;
use tantivy::directory::{MmapDirectory, OwnedBytes};

use super::files::Opened;
use super::samples::Samples;

/// Bytes up to which a file is read rather than mapped.
const SMALL: u64 = 4 << 10;

/// A folder. Names of files are relative to it.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    #[cfg(test)]
    pub(super) faults: super::faults::Faults,
    #[cfg(test)]
    pub(super) journal: super::journal::Journal,
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct NewFile {
    file: File,
    #[cfg(test)]
    name: PathBuf,
}

impl Disk {
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            #[cfg(test)]
            faults: super::faults::Faults::default(),
            #[cfg(test)]
            journal: super::journal::Journal::default(),
        }
    }

    /// A new file. One that is in the way is a leftover; it goes away rather than being written over, since somebody
    /// may have it mapped.
    pub(super) fn create(&self, name: &Path) -> io::Result<NewFile> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = match options.open(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(name)?;
                options.open(self.path(name))
            }
            result => result,
        };
        #[cfg(test)]
        self.journal.create(name);
        Ok(NewFile {
            file: file?,
            #[cfg(test)]
            name: name.to_owned(),
        })
    }

    /// Appends to a file.
    pub(super) fn write(&self, to: &mut NewFile, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.faults.write(bytes.len())?;
        #[cfg(test)]
        self.journal.write(&to.name, bytes);
        to.file.write_all(bytes)
    }

    /// Returns once what is written to the file would survive a loss of power.
    pub(super) fn sync(&self, name: &Path) -> io::Result<()> {
        #[cfg(test)]
        self.faults.sync()?;
        #[cfg(test)]
        self.journal.sync(name);
        File::open(self.path(name))?.sync_data()
    }

    /// Returns once the names of files would survive a loss of power.
    pub(super) fn sync_names(&self) -> io::Result<()> {
        self.sync(Path::new(""))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(test)]
        self.journal.rename(from, to);
        fs::rename(self.path(from), self.path(to))
    }

    /// Removes a file; none is as good. Whoever has it mapped keeps it.
    pub(super) fn remove(&self, name: &Path) -> io::Result<()> {
        #[cfg(test)]
        self.journal.remove(name);
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A file as it is read: small ones as a whole, since to map one takes a page of memory, and one of the few mappings
    /// that a process may have; others mapped. Files are never written again.
    pub(super) fn open(&self, name: &Path, length: u64) -> Result<Opened, OpenReadError> {
        let failed = |error| OpenReadError::wrap_io_error(error, name.to_owned());
        if length > SMALL {
            // The library's directory keeps what it knows of each name for good, so it serves for one file only.
            let handle = self.map().map_err(failed)?.get_file_handle(name)?;
            let samples = Samples::of(name.to_owned(), &*handle, length).map_err(failed)?;
            return Ok(Opened { handle, samples: Some(Arc::new(samples)) });
        }
        let bytes = self.read(name).map_err(failed)?;
        let bytes = bytes.ok_or_else(|| OpenReadError::FileDoesNotExist(name.to_owned()))?;
        Ok(Opened { handle: Arc::new(OwnedBytes::new(bytes)), samples: None })
    }

    /// The folder as the library maps it, of which nothing is mapped yet.
    pub(super) fn map(&self) -> io::Result<MmapDirectory> {
        MmapDirectory::open(&self.folder).map_err(io::Error::other)
    }

    /// A small file as a whole.
    pub(super) fn read(&self, name: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            result => result.map(Some),
        }
    }

    /// Bytes of a file.
    pub(super) fn length(&self, name: &Path) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    /// Names and lengths of all files.
    pub(super) fn list(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.is_file() {
                files.push((PathBuf::from(entry.file_name()), metadata.len()));
            }
        }
        Ok(files)
    }

    fn path(&self, name: &Path) -> PathBuf {
        self.folder.join(name)
    }
}
