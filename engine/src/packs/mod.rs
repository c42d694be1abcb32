//! Packs on tenants: which ones there are, what bringing one in, moving it on or taking it away would do (`plan`), and
//! doing exactly that (`apply`).
//!
//! Each way leads over a `target`: the layers as they would be, with the tenant's own moved onto them, and what these
//! come to. What differs from the definitions in force are the steps (`difference`).
//!
//! The platform does the same to many tenants at once (`tenants`, `common`).
//!
//! The other way, what a tenant has defined itself goes into a pack (`export`, `selection`).

mod apply;
mod check;
mod common;
mod diff;
mod difference;
mod export;
mod fragments;
mod known;
mod list;
mod migrate;
mod past;
mod plan;
mod profile;
mod purge;
mod purge_plan;
mod rename;
mod requirements;
mod rollback;
mod selection;
pub mod shipped;
mod target;
mod tenants;
mod touched;

pub use apply::{Applied, Consent};
pub use check::check;
pub use diff::MetadataDiff;
pub use difference::{Action, Effect, Step};
pub use engine_model::upgrade::{Conflict, Side};
pub use export::PackExport;
pub(crate) use known::Known;
pub use known::PackSource;
pub use list::PackView;
pub(crate) use plan::KeptPlan;
pub use plan::Plan;
pub(crate) use purge::{PURGE, run as purge};
pub use rollback::Rollback;
pub use tenants::{Fate, StepCounts, TenantOutcome, TenantOutcomes, TenantsPack};
