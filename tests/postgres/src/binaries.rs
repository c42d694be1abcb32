//! Where the installed PostgreSQL is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::process::output;

/// The oldest major version the product supports.
const OLDEST: u32 = 15;

/// Folders that hold one folder per installed version, as the packages of the common systems lay them out.
const VERSIONED: [(&str, &str); 4] =
    [("/usr/lib/postgresql", "bin"), ("/usr/local/opt", "bin"), ("/opt/homebrew/opt", "bin"), ("/usr", "bin")];

const MISSING: &str = "no PostgreSQL 15 or later is installed, and some tests need one.\n\
    Debian, Ubuntu: apt-get install postgresql\n\
    Fedora: dnf install postgresql-server\n\
    macOS: brew install postgresql@17\n\
    or set TRELLIS_TEST_POSTGRES_URL to the URL of a running server's superuser";

/// The folder with `initdb`, `pg_ctl` and `psql` of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Finds the newest installation of a supported version.
    pub(crate) fn find() -> Result<Self, Error> {
        let complete = candidates().into_iter().filter(|folder| is_complete(folder));
        let newest =
            complete.filter_map(|folder| Some((version(&folder)?, folder))).max_by_key(|(version, _)| *version);
        match newest {
            Some((version, folder)) if version >= OLDEST => Ok(Self { folder }),
            Some((version, folder)) => {
                Err(Error::new(format!("{MISSING}\n(found only version {version} in {})", folder.display())))
            }
            None => Err(Error::new(MISSING)),
        }
    }

    /// A command of this installation.
    pub(crate) fn command(&self, name: &str) -> Command {
        Command::new(self.folder.join(name))
    }
}

/// `psql` alone, for a server that runs elsewhere.
pub(crate) fn client() -> Result<PathBuf, Error> {
    candidates()
        .into_iter()
        .map(|folder| folder.join("psql"))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::new("`psql` is not installed; it makes the test databases (Debian: postgresql-client)"))
}

fn candidates() -> Vec<PathBuf> {
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.and_then(|output| String::from_utf8(output.stdout).ok());
    let mut folders: Vec<PathBuf> = configured.map(|path| PathBuf::from(path.trim())).into_iter().collect();
    if let Some(path) = env::var_os("PATH") {
        folders.extend(env::split_paths(&path));
    }
    for (parent, below) in VERSIONED {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join(below)).collect();
        found.sort();
        folders.extend(found);
    }
    folders
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
}

/// The major version, from `postgres (PostgreSQL) 15.18 (Debian …)`.
fn version(folder: &Path) -> Option<u32> {
    let text = output(Command::new(folder.join("postgres")).arg("--version")).ok()?;
    major(&text)
}

fn major(text: &str) -> Option<u32> {
    let number = text.split(' ').find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_read_from_releases_and_betas() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major("postgres"), None);
    }
}
