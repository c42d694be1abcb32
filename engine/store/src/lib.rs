//! Tenants, definitions, records, associations and the change log in SQLite or PostgreSQL.
//!
//! The only crate that speaks SQL. It knows nothing of property types, rules or HTTP: rows in, rows out, and the
//! preconditions that only a transaction can check.
//!
//! # Adding a table
//! 1. `migrations/{sqlite,postgres}/NNNN_x.sql`, tenant first in the key, policy in the PostgreSQL file.
//! 2. A file here with its statements and row types, called by its noun.
//! 3. Suite functions in `tests/it/`, which run on both stores.

pub mod access;
pub mod assignment;
pub mod association;
pub mod change;
pub mod claim;
pub mod commit;
mod connect;
mod connection;
pub mod counter;
pub mod definition;
pub mod duplicate;
mod error;
mod growth;
pub mod idempotency;
pub mod job;
pub mod job_file;
mod lease;
pub mod list;
pub mod merge;
mod migrate;
pub mod pack;
mod pool;
pub mod record;
pub mod role;
pub mod saved;
pub mod sensitive;
mod signal;
mod sql;
mod store;
pub mod survey;
pub mod tenant;
pub mod timeline;
pub mod transfer;
pub mod visit;

pub use connect::StoreConfig;
pub use error::{Result, StoreError};
pub use growth::{Grown, GrowthListener};
pub use store::{Head, Reader, Store, Tx};
