//! Further packs from folders on disk: each a folder with `pack.yaml`, or a file.

use std::path::Path;

use anyhow::Context;

/// The files of every pack below `folders`: name and text.
pub(crate) fn read(folders: &[impl AsRef<Path>]) -> anyhow::Result<Vec<Vec<(String, String)>>> {
    let mut packs = Vec::new();
    for folder in folders.iter().map(AsRef::as_ref) {
        let unreadable = || format!("the packs folder `{}` cannot be read", folder.display());
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .with_context(unreadable)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .with_context(unreadable)?;
        paths.sort();
        for path in paths {
            if path.join("pack.yaml").is_file() || path.extension().is_some_and(|extension| extension == "yaml") {
                packs.push(crate::cli::read_pack_files(&path)?);
            }
        }
    }
    Ok(packs)
}
