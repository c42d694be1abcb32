//! Packs on tenants: which ones there are, and installing one.

mod install;
pub mod shipped;

pub use install::{Installed, PackSource, PackView};
