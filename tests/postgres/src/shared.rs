//! The one server that all test processes of a user share.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::cluster::{Cluster, Settings, root};
use crate::database::Server;
use crate::{Error, watcher};

/// How long the server outlives its last user: a test runner pauses between two test binaries.
const GRACE_SECONDS: u32 = 15;

static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();

/// The server named by the environment, or the shared one, started if need be; the same for the whole process.
pub(crate) fn server() -> Result<Server, Error> {
    let server = SERVER.get_or_init(|| match std::env::var("TRELLIS_TEST_POSTGRES_URL") {
        Ok(url) => Server::running(&url).map_err(|error| error.to_string()),
        Err(_) => join_or_start().map_err(|error| error.to_string()),
    });
    server.clone().map_err(Error::new)
}

fn join_or_start() -> Result<Server, Error> {
    let root = root(None)?;
    let lock_file = root.join("lock");
    let lock = File::create(&lock_file).map_err(|error| Error::io("make", &lock_file, &error))?;
    // Released when the file closes, at the end of this function.
    lock.lock().map_err(|error| Error::io("lock", &lock_file, &error))?;
    watcher::adopt_orphans(&root)?;
    match join(&root) {
        Some(server) => Ok(server),
        None => start(&root),
    }
}

/// Joins the cluster that `current` names, unless it is about to go or does not answer.
fn join(root: &Path) -> Option<Server> {
    let folder = named(root)?;
    watcher::join(&folder).ok()?;
    let server = fs::read_to_string(folder.join("url")).ok().and_then(|url| Server::running(&url).ok());
    let server = server.filter(|server| TcpStream::connect(server.address()).is_ok());
    if named(root).as_ref() != Some(&folder) || server.is_none() {
        watcher::leave(&folder);
        return None;
    }
    server
}

fn start(root: &Path) -> Result<Server, Error> {
    let cluster = Cluster::start_in(root, &Settings::default(), GRACE_SECONDS)?;
    let server = cluster.server().clone();
    for (file, text) in [
        (cluster.folder().join("url"), server.superuser_url().to_owned()),
        (watcher::current(root), cluster.folder().to_string_lossy().into_owned()),
    ] {
        fs::write(&file, text).map_err(|error| Error::io("write", &file, &error))?;
    }
    // Dropping it would say that this process no longer uses it; the process says so by ending.
    std::mem::forget(cluster);
    Ok(server)
}

fn named(root: &Path) -> Option<PathBuf> {
    fs::read_to_string(watcher::current(root)).ok().map(PathBuf::from)
}
