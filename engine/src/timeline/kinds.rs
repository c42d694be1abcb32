//! Which entries of a timeline are wanted.

use engine_model::entry::{EntryKind, EntryType};
use engine_model::name::did_you_mean;

use super::entry::{Source, TimelineEntry, types};
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::Result;
use crate::records::bad_parameter;
use crate::session::Session;

/// The word for changes.
const CHANGE: &str = "change";

/// Which entries of a timeline are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) changes: bool,
    entries: Vec<EntryKind>,
    /// Types of activities.
    types: Vec<String>,
}

impl Kinds {
    /// Reads words: `change`, `activity`, `note`, or types of activities; all where there are none.
    pub(super) fn read(words: &[String], catalog: &Catalog) -> Result<Self> {
        if words.is_empty() {
            let entries = EntryKind::NAMES.map(|(_, kind)| kind).to_vec();
            return Ok(Self { changes: true, entries, types: Vec::new() });
        }
        let fixed = catalog.objects().filter_map(|object| match object.entry.as_ref()?.of.as_ref()? {
            EntryType::Fixed(name) => Some(name.as_str()),
            EntryType::Property(_) => None,
        });
        let types: Vec<&str> = types(&catalog.effective.registry).chain(fixed).collect();
        let mut kinds = Self { changes: false, entries: Vec::new(), types: Vec::new() };
        for word in words {
            if word == CHANGE {
                kinds.changes = true;
            } else if let Some((_, kind)) = EntryKind::NAMES.iter().find(|(name, _)| name == word) {
                kinds.entries.push(*kind);
            } else if types.contains(&word.as_str()) {
                kinds.types.push(word.clone());
            } else {
                let known = EntryKind::NAMES.iter().map(|(name, _)| *name).chain([CHANGE]).chain(types.iter().copied());
                let message = format!(
                    "`{}` is none of change, activity, note and the types of activities{}",
                    shortened(word),
                    did_you_mean(word, known)
                );
                return Err(bad_parameter("kinds", message));
            }
        }
        Ok(kinds)
    }

    /// Whether a source may have something that is wanted.
    pub(super) fn wants(&self, session: &Session, source: &Source<'_>) -> bool {
        self.entries.contains(&source.entry.kind) || source.may_be_of(session, &self.types)
    }

    /// Whether an entry is wanted.
    pub(super) fn has(&self, entry: &TimelineEntry) -> bool {
        let is_of_type = |of: &String| self.types.contains(of);
        self.entries.contains(&entry.kind) || entry.of.as_ref().is_some_and(is_of_type)
    }
}
