//! How commands on the same machine reach the server that has a data folder: a file in it that only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::config::Secret;

const NAME: &str = "operator.json";

/// A token that is known to this machine only, and nobody else has been told.
pub(crate) fn random_token() -> anyhow::Result<Secret> {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()).parse().map_err(anyhow::Error::msg)
}

/// Where a server is, and what it lets its operator in with.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) url: String,
    pub(crate) token: Secret,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Content {
    url: String,
    token: String,
}

/// The file of a running server; it goes with this.
#[derive(Debug)]
pub(crate) struct OperatorFile(PathBuf);

impl OperatorFile {
    /// Writes the file of a server that listens on `address`.
    pub(crate) fn write(folder: &Path, address: SocketAddr, token: &Secret) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        let content = Content { url: format!("http://{}", reachable(address)), token: token.expose().to_owned() };
        let write = || {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(&path)?.write_all(&serde_json::to_vec(&content)?)
        };
        write().with_context(|| format!("`{}` cannot be written", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for OperatorFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "what let the operator in stays behind; it lets nobody in any more");
        }
    }
}

impl Operator {
    /// What the server that has the folder has written there.
    pub(crate) fn of(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        let unreadable = || {
            let hint = "a server has the data folder, and says there how it is reached";
            format!("`{}` cannot be read; {hint}", path.display())
        };
        let Content { url, token } = serde_json::from_slice(&fs::read(&path).with_context(unreadable)?)?;
        Ok(Self { url, token: token.parse().map_err(anyhow::Error::msg)? })
    }
}

/// Where a server that listens on all addresses is found on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_tells_how_the_server_is_reached_as_long_as_it_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(NAME), "left behind").expect("written");
        let token = random_token().expect("a token");
        let file = OperatorFile::write(folder.path(), "0.0.0.0:81".parse().expect("an address"), &token);
        let operator = Operator::of(folder.path()).expect("read");
        assert_eq!((operator.url.as_str(), &operator.token), ("http://127.0.0.1:81", &token));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.path().join(NAME)).expect("there"));
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(file);
        assert!(Operator::of(folder.path()).expect_err("gone").to_string().contains("cannot be read"));
    }
}
