//! Duplicates: which records of an object may stand for the same thing.
//!
//! An object's `features.duplicates` lists rules, each of properties that must all agree. Candidates are asked of the
//! index (`candidates`), which may bring a few too many; whether two records agree, and how well, is decided by their
//! values alone (`likeness`).

mod candidates;
mod host;
mod likeness;
mod rule;

pub use candidates::candidates;
pub use host::host_within;
pub use likeness::{Likeness, Traits, shared_keys};
pub use rule::{DuplicateRule, OnCreate};
