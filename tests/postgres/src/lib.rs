//! A PostgreSQL for tests: started from the installed binaries, gone when the tests are.
//!
//! [`database`] gives every test a fresh database of its own, with the two roles the product asks for: one that owns
//! the schema and one that may neither own it nor pass row security.
//! All test processes of a user share one server, because some test runners start a process for each test; a small
//! watcher stops the server and removes its files once no process uses it, however those processes ended.
//! [`Cluster::start`] gives a server to one test alone, which may then stop it and start it again.
//!
//! `TRELLIS_TEST_POSTGRES_URL` names a running server to use instead: the URL of a superuser.
//!
//! ```no_run
//! let database = throwaway_postgres::database()?;
//! let (owner, user) = (database.migration_url(), database.url());
//! assert_ne!(owner, user);
//! # Ok::<(), throwaway_postgres::Error>(())
//! ```
//!
//! The crate depends on the standard library only and never blocks on an async runtime: call it from anywhere.

mod account;
mod binaries;
mod cluster;
mod database;
mod error;
mod process;
mod shared;
mod watcher;

pub use cluster::{Cluster, Settings};
pub use database::Database;
pub use error::Error;

/// Makes a fresh database on the server that all test processes of this user share, starting it where none runs.
///
/// # Errors
/// Says how to install PostgreSQL where it is missing, and shows the server's own words where it does not start.
pub fn database() -> Result<Database, Error> {
    Database::create(shared::server()?)
}
