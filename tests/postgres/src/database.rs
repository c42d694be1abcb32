//! A fresh database for one test, and the server it is on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::binaries::client;
use crate::process::{output_of, random_word};

/// A running server and how to be its superuser.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    client: PathBuf,
    superuser_url: String,
    /// `host:port`.
    address: String,
    /// What follows the database's name in a URL, `?` included.
    parameters: String,
}

impl Server {
    pub(crate) fn new(client: PathBuf, password: &str, port: u16) -> Self {
        let address = format!("127.0.0.1:{port}");
        let superuser_url = format!("postgres://postgres:{password}@{address}/postgres");
        Self { client, superuser_url, address, parameters: String::new() }
    }

    /// A server that runs already, by its superuser's URL: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`.
    pub(crate) fn running(url: &str) -> Result<Self, Error> {
        let (address, parameters) = split(url).ok_or_else(|| {
            Error::new("TRELLIS_TEST_POSTGRES_URL must look like `postgres://USER:PASSWORD@HOST:PORT/DATABASE`")
        })?;
        Ok(Self { client: client()?, superuser_url: url.to_owned(), address, parameters })
    }

    pub(crate) fn client(&self) -> &Path {
        &self.client
    }

    pub(crate) fn superuser_url(&self) -> &str {
        &self.superuser_url
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn execute(&self, statements: &str) -> Result<(), Error> {
        let mut psql = Command::new(&self.client);
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]).arg(&self.superuser_url);
        output_of(&mut psql, statements).map(drop)
    }

    fn url(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@{}/{database}{}", self.address, self.parameters)
    }
}

/// An empty database with two roles of its own; dropped, roles included, with the value.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
    url: String,
    migration_url: String,
    superuser_url: String,
}

impl Database {
    pub(crate) fn create(server: Server) -> Result<Self, Error> {
        let name = format!("test_{}", &random_word()?[..16]);
        let password = random_word()?;
        let (owner, app) = (format!("{name}_owner"), format!("{name}_app"));
        server.execute(&format!(
            "create role {owner} login nosuperuser nobypassrls password '{password}';\n\
             create role {app} login nosuperuser nobypassrls password '{password}';\n\
             create database {name} owner {owner} template template0;\n"
        ))?;
        let url = server.url(&app, &password, &name);
        let migration_url = server.url(&owner, &password, &name);
        let superuser_url = replace_database(&server.superuser_url, &name);
        Ok(Self { server, name, url, migration_url, superuser_url })
    }

    /// The URL of the role the server works with: no superuser, no owner, bound by row security.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the role that owns the database and so its schema.
    pub fn migration_url(&self) -> &str {
        &self.migration_url
    }

    /// The URL of the superuser, to prove that the product refuses it or to look past row security.
    pub fn superuser_url(&self) -> &str {
        &self.superuser_url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        // Where the server is gone its databases are too.
        let _ = self.server.execute(&format!(
            "drop database if exists {name} with (force);\n\
             drop role if exists {name}_app;\n\
             drop role if exists {name}_owner;\n"
        ));
    }
}

/// The address and the parameters of a PostgreSQL URL.
fn split(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))?;
    let (rest, parameters) = match rest.split_once('?') {
        Some((rest, parameters)) => (rest, format!("?{parameters}")),
        None => (rest, String::new()),
    };
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { host.to_owned() } else { format!("{host}:5432") };
    (!host.is_empty()).then_some((address, parameters))
}

/// The same URL with another database.
fn replace_database(url: &str, database: &str) -> String {
    let (rest, parameters) =
        url.split_once('?').map_or((url, String::new()), |(rest, text)| (rest, format!("?{text}")));
    let path = rest.find("://").and_then(|scheme| rest[scheme + 3..].find('/').map(|slash| scheme + 3 + slash));
    format!("{}/{database}{parameters}", &rest[..path.unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_taken_apart_and_put_together() {
        let url = "postgres://root:a%40b@db.example:6543/postgres?sslmode=disable";
        assert_eq!(split(url), Some(("db.example:6543".to_owned(), "?sslmode=disable".to_owned())));
        assert_eq!(split("postgresql://localhost"), Some(("localhost:5432".to_owned(), String::new())));
        assert_eq!(split("mysql://localhost"), None);
        assert_eq!(replace_database(url, "x"), "postgres://root:a%40b@db.example:6543/x?sslmode=disable");
        assert_eq!(replace_database("postgres://u@h", "x"), "postgres://u@h/x");
    }
}
