//! Reading what is on disk: the durable state, checked as far as that is cheap.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use tantivy::directory::error::OpenReadError;
use tantivy::directory::{Directory, ManagedDirectory};

use super::disk::Disk;
use super::files::Files;
use super::manifest::{META, Manifest, is_of_an_index};
use crate::error::{Result, SearchError};

/// Bytes up to which all of a file is compared with its checksum. Larger ones are looked at by their ends only, which
/// shows that they are whole; comparing them would read all of the index.
const CHECKED_WHOLE: u64 = 64 << 10;

/// The durable state of a folder, of which nothing is checked yet; none where there is no index.
pub(super) fn read_state(disk: &Disk) -> Result<Option<(Vec<u8>, Manifest)>> {
    let Some(text) = disk.read(Path::new(META))? else { return Ok(None) };
    let manifest = Manifest::parse(&text)?;
    Ok(Some((text, manifest)))
}

/// The files of a durable state, which must all be there.
pub(super) fn find_files(disk: &Disk, text: &[u8], manifest: &Manifest) -> Result<Files> {
    let mut found: HashMap<PathBuf, u64> = disk.list()?.into_iter().collect();
    let length_of = |name: PathBuf| {
        let length = found.remove(&name);
        let length = length.ok_or_else(|| SearchError::Damaged(format!("{} is missing", name.display())))?;
        Ok((name, length))
    };
    Ok(Files::durable(text, manifest.files().map(length_of).collect::<Result<_>>()?))
}

/// Removes what no state names: what was written behind, and was not durable yet when the process ended.
pub(super) fn sweep(disk: &Disk, files: &Files) -> io::Result<()> {
    for (name, _) in disk.list()? {
        if !files.is_known(&name) && name != Path::new(META) && is_of_an_index(&name) {
            disk.remove(&name)?;
        }
    }
    Ok(())
}

/// Whether the files of a state are whole. The library notes a checksum at the end of each.
pub(super) fn check_files(directory: impl Directory, manifest: &Manifest, disk: &Disk) -> Result<()> {
    let directory = ManagedDirectory::wrap(Box::new(directory))?;
    for name in manifest.files() {
        let is_small = disk.length(&name)? <= CHECKED_WHOLE;
        // Opening a file reads its end.
        let is_whole = directory.open_read(&name).and_then(|_| Ok(!is_small || directory.validate_checksum(&name)?));
        match is_whole {
            Ok(true) => {}
            Ok(false) => return Err(SearchError::Damaged(format!("{} is not as it was written", name.display()))),
            Err(OpenReadError::IncompatibleIndex(found)) => {
                return Err(SearchError::Outdated { found: format!("{found:?}") });
            }
            Err(error) => return Err(SearchError::Damaged(error.to_string())),
        }
    }
    Ok(())
}

/// Whether all of a file is as it was written.
pub(super) fn check_whole(disk: &Disk, name: &Path) -> Result<()> {
    let directory = ManagedDirectory::wrap(Box::new(disk.map()?))?;
    match directory.validate_checksum(name) {
        Ok(true) => Ok(()),
        Ok(false) => Err(SearchError::Damaged(format!("{} is not as it was written", name.display()))),
        Err(error) => Err(SearchError::Damaged(error.to_string())),
    }
}
