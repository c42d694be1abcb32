//! The use cases of the object engine: validate, prepare, commit, follow.
//!
//! An [`Engine`] is an open database with its caches; a [`Session`] is one caller's way into it, and every use case is
//! a method of it. HTTP, files and the environment are the server's business; SQL is the store's.
//!
//! # Adding a use case
//! A function on [`Session`] in the area's folder, which checks the caller's rights first; its errors are
//! [`Error`]s with a code from [`ErrorCode`].

mod access;
pub mod assignment;
mod associations;
mod caller;
mod changes;
mod clock;
mod definitions;
mod digest;
pub mod duplicates;
mod engine;
mod error;
mod expiry;
pub mod exports;
mod followers;
mod index;
mod jobs;
pub mod lists;
pub mod packs;
pub mod pipelines;
mod progress;
pub mod query;
pub mod records;
mod rollups;
pub mod saved;
pub mod scoring;
mod session;
mod settle;
mod tenants;
pub mod timeline;
mod token;
pub mod transfer;
mod undo;

pub use access::{
    AccessQuestion, AccessReply, ExplainedAccess, NewToken, NewUser, ReadEntry, ReadLogQuery, RoleView, TeamInput,
    TeamView, TokenPatch, TokenView, UserPatch, UserView,
};
pub use associations::{Link, LinkQuery};
pub use caller::{Caller, Standing};
pub use changes::{Change, ChangeQuery, Changes};
pub use clock::Clock;
pub use definitions::catalog::Catalog;
pub use definitions::{Defined, DefinitionQuery, MetadataVersion, Shown as ShownDefinition};
pub use engine::{Engine, EngineConfig};
pub use engine_model as model;
pub use engine_store::StoreConfig;
pub use engine_store::commit::Origin;
pub use engine_store::idempotency::StoredReply;
pub use error::{Error, ErrorCode, Result};
pub use followers::{Followed, Follower, Following};
pub use index::{Done as IndexWork, IndexCheck, IndexStatus, SearchView, TenantIndex};
pub use jobs::{Job, JobError, JobReply, JobState, RowProblem};
pub use session::{Idempotency, Session};
pub use tenants::{ImportedTenant, NewTenant, Tenant, TenantExport, TenantPatch};
pub use token::repeatable_secret;
pub use undo::{Skipped, Undo, UndoOf, Undone};
