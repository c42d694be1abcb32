//! Computed properties: what formulas and roll-ups are made of, in which order they are computed, and what must not be.
//!
//! A formula is computed from its own record, so with every write of it. A roll-up is drawn together from linked
//! records, so after their writes. Either may read the other; nothing may be made of itself.

mod archived;
mod formulas;
mod graph;
mod link;
mod moments;
mod rollups;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;

pub(crate) use formulas::{CIRCUMSTANCES, rounded};
pub use formulas::{Circumstances, Formulas};
pub use rollups::LinkedRollup;

use crate::name::Name;
use crate::property::PropertyKind;

/// A computed property: its object and its name.
pub type ComputedName = (Name, Name);

/// What is computed of all objects.
#[derive(Debug, Clone, Default)]
pub struct Computed {
    formulas: IndexMap<Name, Formulas>,
    rollups: Vec<LinkedRollup>,
}

impl Computed {
    /// The formulas of an object; none where it has none.
    pub fn formulas(&self, object: &str) -> Option<&Formulas> {
        self.formulas.get(object)
    }

    /// Every roll-up, each after those that it is made of.
    pub fn rollups(&self) -> &[LinkedRollup] {
        &self.rollups
    }

    /// How often the log is to be followed until all roll-ups of these objects are what they should be.
    pub fn depth_of(&self, objects: &[Name]) -> usize {
        let of_them = self.rollups.iter().filter(|rollup| objects.contains(&rollup.object));
        of_them.map(|rollup| rollup.depth).max().unwrap_or_default()
    }

    /// The roll-ups of an object's records.
    pub fn rollups_of<'a>(&'a self, object: &'a str) -> impl Iterator<Item = &'a LinkedRollup> {
        self.rollups.iter().filter(move |rollup| rollup.object.as_str() == object)
    }
}

/// Whether values of this type can be added up.
fn is_number(kind: &dyn PropertyKind) -> bool {
    matches!(kind.storage(), crate::property::Storage::Scaled(_))
}
