//! Duplicates: records of an object that its rules take for one and the same ([`engine_model::duplicate`]).
//!
//! The index brings candidates, which are compared by their values. That is done for a record that somebody is about to
//! make (`check`), for one that is being made where a rule asks for it (`create`), and for all records of an object, as
//! a job that keeps the pairs which it finds (`scan`). Pairs are settled by merging, or dismissed (`pairs`).

mod check;
mod create;
mod find;
mod pairs;
mod scan;

pub use check::DuplicateCheck;
pub(crate) use create::{Verdict, on_create};
pub use find::Duplicate;
pub use pairs::{DuplicatePair, PairsQuery};
pub(crate) use scan::{SCAN, run};

use engine_model::duplicate::DuplicateRule;

/// A rule as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreedRule {
    /// The properties that it looks at.
    pub properties: Vec<String>,
    /// Whether their values need only be similar.
    pub similar: bool,
}

impl AgreedRule {
    fn of(rule: &DuplicateRule) -> Self {
        Self { properties: rule.names().map(ToString::to_string).collect(), similar: rule.similar.is_some() }
    }
}
