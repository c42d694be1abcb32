//! Which account the server runs as: PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::Error;

/// The account that owns the server's files and processes, if it is not the caller's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account(Option<Ids>);

#[derive(Debug, Clone, Copy)]
struct Ids {
    user: u32,
    group: u32,
}

impl Account {
    /// The caller itself, or `postgres` or else `nobody` when the caller, who owns `directory`, is root.
    pub(crate) fn choose(directory: &Path) -> Result<Self, Error> {
        let caller = fs::metadata(directory).map_err(|error| Error::io("look at", directory, &error))?.uid();
        if caller != 0 {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"].iter().find_map(|name| find(&accounts, name)).map(|ids| Self(Some(ids))).ok_or_else(|| {
            Error::new("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`: run the tests as another user")
        })
    }

    /// Makes `command` run as this account.
    pub(crate) fn run(self, command: &mut Command) -> &mut Command {
        match self.0 {
            Some(ids) => command.uid(ids.user).gid(ids.group),
            None => command,
        }
    }

    /// Hands `path` over to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        match self.0 {
            Some(ids) => chown(path, Some(ids.user), Some(ids.group))
                .map_err(|error| Error::io("change the owner of", path, &error)),
            None => Ok(()),
        }
    }
}

/// Finds an account in the text of `/etc/passwd`: `name:password:user:group:…`.
fn find(accounts: &str, name: &str) -> Option<Ids> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2).map(str::parse);
    Some(Ids { user: ids.next()?.ok()?, group: ids.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:1:2::/:\npostgres:x:101:104::/var:/bin/bash\n";
        let ids = find(accounts, "postgres").unwrap();
        assert_eq!((ids.user, ids.group), (101, 104));
        assert!(find(accounts, "nobody").is_none());
    }
}
