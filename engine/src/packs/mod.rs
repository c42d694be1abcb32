//! Packs on tenants: which ones there are, and installing one.

mod install;
pub mod shipped;

pub(crate) use install::KeptPlan;
pub use install::{Installed, PackSource, PackView, Plan, PlanStep};
