//! The files of a pack: a folder with `pack.yaml` and further YAML files, or one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Largest pack, in bytes; more is no pack but a wrong folder.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Text by file name, in the order in which the files are read. Files in subfolders come with the folder's name, which is
/// a mistake that whoever reads the pack tells of.
pub(super) fn read_all(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = read(path)?;
    if !path.is_dir() {
        return Ok(files);
    }
    for folder in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
        let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        // What is hidden belongs to an editor or to what keeps versions.
        if name.starts_with('.') {
            continue;
        }
        let inside = entries(&folder)?.into_iter().find(|file| is_yaml(file));
        if let Some(file) = inside.as_deref().and_then(Path::file_name) {
            files.insert(format!("{name}/{}", file.to_string_lossy()), String::new());
        }
    }
    Ok(files)
}

/// The same without subfolders.
pub(in crate::cli) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    if path.is_dir() {
        for file in entries(path)?.into_iter().filter(|file| is_yaml(file)) {
            add(&mut files, &file)?;
        }
        if files.is_empty() {
            bail!("`{}` holds no YAML files; a pack is a folder with `pack.yaml`, or one file", path.display());
        }
    } else {
        add(&mut files, path)?;
    }
    Ok(files)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read `{}`", folder.display());
    let entries = std::fs::read_dir(folder).with_context(cannot)?.map(|entry| Ok(entry?.path()));
    entries.collect::<std::io::Result<_>>().with_context(cannot)
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn add(files: &mut BTreeMap<String, String>, path: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot read `{}`", path.display());
    if std::fs::metadata(path).with_context(cannot)?.len() > MAX_BYTES {
        bail!("`{}` is larger than {MAX_BYTES} bytes; it is no file of a pack", path.display());
    }
    let bytes = std::fs::read(path).with_context(cannot)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let text = String::from_utf8(bytes).map_err(|error| {
        let read =
            String::from_utf8_lossy(error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default());
        let line = read.matches('\n').count() + 1;
        let column = read.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        anyhow::anyhow!("{name}:{line}:{column}: this is not UTF-8; save the file as UTF-8")
    })?;
    files.insert(name, text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf_8_and_what_lies_in_subfolders_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("pack.yaml"), "pack: a\n").expect("written");
        for name in ["more", ".git"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
            std::fs::write(folder.path().join(name).join("site.yaml"), "x: 1\n").expect("written");
        }
        let names: Vec<_> = read_all(folder.path()).expect("files").into_keys().collect();
        assert_eq!(names, ["more/site.yaml", "pack.yaml"]);
        std::fs::write(folder.path().join("site.yaml"), b"a: 1\nb: \xc3\xa9\xff\n").expect("written");
        let error = read(folder.path()).expect_err("no UTF-8");
        assert_eq!(error.to_string(), "site.yaml:2:5: this is not UTF-8; save the file as UTF-8");
    }
}
