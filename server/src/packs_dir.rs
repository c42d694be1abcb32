//! Further packs from folders on disk: each a folder with `pack.yaml`, or a file.
//!
//! One with mistakes is told when the server starts, and left out.

use std::path::Path;

use anyhow::Context;
use engine::model::pack::Pack;

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
                let files = crate::cli::read_pack_files(&path)?;
                if reads(&path, &files) {
                    packs.push(files);
                }
            }
        }
    }
    Ok(packs)
}

/// Mistakes of one pack that are logged one by one.
const TOLD: usize = 20;

fn reads(path: &Path, files: &[(String, String)]) -> bool {
    let Err(mistakes) = Pack::read(files) else { return true };
    let folder = path.display();
    tracing::warn!(%folder, mistakes = mistakes.len(), "the pack in `{folder}` has mistakes and is left out");
    for mistake in mistakes.iter().take(TOLD) {
        tracing::warn!(%folder, "{mistake}");
    }
    false
}
