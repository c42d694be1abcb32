//! The process that outlives the tests and clears up behind them.
//!
//! A guard in the test process is not enough: a killed process drops nothing, and a server shared by several
//! processes belongs to none of them.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;
use crate::process::is_alive;

/// A POSIX shell script: a program of our own would have to be built for every crate that tests with this one.
const SCRIPT: &str = include_str!("watch.sh");

/// Folders of clusters begin with this.
const CLUSTER: &str = "cluster-";

/// The file that names the cluster which processes share.
pub(crate) fn current(root: &Path) -> PathBuf {
    root.join("current")
}

/// Says that this process uses the cluster in `folder`, until it ends or [`leave`]s.
pub(crate) fn join(folder: &Path) -> Result<(), Error> {
    let file = user_file(folder);
    fs::write(&file, "").map_err(|error| Error::io("write", &file, &error))
}

/// Says that this process no longer uses the cluster in `folder`.
pub(crate) fn leave(folder: &Path) {
    // A file that is gone already says the same.
    let _ = fs::remove_file(user_file(folder));
}

/// Starts the process that removes the cluster in `folder` once nobody has used it for `grace_seconds`.
pub(crate) fn watch(root: &Path, folder: &Path, grace_seconds: u32) -> Result<(), Error> {
    let watcher = Command::new("sh")
        .args(["-c", SCRIPT, "throwaway-postgres"])
        .args([folder, &current(root)])
        .arg(grace_seconds.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0)
        .spawn()
        .map_err(|error| Error::new(format!("could not start the watcher: {error}")))?;
    let file = watcher_file(folder);
    fs::write(&file, watcher.id().to_string()).map_err(|error| Error::io("write", &file, &error))
}

/// A folder name for a new cluster that no other has.
pub(crate) fn new_folder(root: &Path) -> Result<PathBuf, Error> {
    Ok(root.join(format!("{CLUSTER}{}", &crate::process::random_word()?[..12])))
}

/// Sets a watcher on every cluster in `root` that has lost its own, as after a crash of the machine.
pub(crate) fn adopt_orphans(root: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(root).map_err(|error| Error::io("read", root, &error))?;
    for folder in entries.flatten().map(|entry| entry.path()) {
        let is_cluster = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(CLUSTER));
        let watcher = fs::read_to_string(watcher_file(&folder)).unwrap_or_default();
        if is_cluster && !watcher.is_empty() && !is_alive(&watcher) {
            watch(root, &folder, 0)?;
        }
    }
    Ok(())
}

fn user_file(folder: &Path) -> PathBuf {
    folder.join("users").join(std::process::id().to_string())
}

fn watcher_file(folder: &Path) -> PathBuf {
    folder.join("watcher.pid")
}
