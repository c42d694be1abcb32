//! Makes the packs of `object-defs` part of the binary: one entry per file, read at compile time.

#![allow(clippy::allow_attributes, reason = "which of these fire depends on the clippy configuration in force")]
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a build script is told by variables and answers so"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../object-defs");
    let root = root.canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut code = format!("pub(super) const PROFILES: &str = include_str!({:?});\n", root.join("profiles.yaml"));
    code.push_str("pub(super) const PACKS: &[(&str, &[(&str, &str)])] = &[\n");
    for folder in sorted(&root)?.into_iter().filter(|path| path.is_dir()) {
        println!("cargo::rerun-if-changed={}", folder.display());
        write!(code, "({:?}, &[", file_name(&folder)).map_err(io::Error::other)?;
        for file in sorted(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "yaml")) {
            println!("cargo::rerun-if-changed={}", file.display());
            write!(code, "({:?}, include_str!({:?})),", file_name(&file), file).map_err(io::Error::other)?;
        }
        code.push_str("]),\n");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?).join("shipped.rs");
    fs::write(out, code)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
