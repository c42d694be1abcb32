//! The files of a pack: a folder with `pack.yaml` and further YAML files, or one file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};

/// Largest pack, in bytes; more is no pack but a wrong folder.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Text by file name, in the order in which the files are read.
pub(in crate::cli) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if path.is_dir() {
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        for entry in entries {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                add(&mut files, &file)?;
            }
        }
        if files.is_empty() {
            bail!("`{}` holds no YAML files; a pack is a folder with `pack.yaml`, or one file", path.display());
        }
    } else {
        add(&mut files, path)?;
    }
    Ok(files)
}

fn add(files: &mut BTreeMap<String, String>, path: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot read `{}`", path.display());
    if std::fs::metadata(path).with_context(cannot)?.len() > MAX_BYTES {
        bail!("`{}` is larger than {MAX_BYTES} bytes; it is no file of a pack", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    files.insert(name, text);
    Ok(())
}
