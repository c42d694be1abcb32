//! An index as a search sees it.

use std::sync::Arc;

use engine_model::Sequence;
use engine_model::property::Storage;
use engine_search::View;

use super::notes::Notes;
use super::progress::grouped;
use crate::error::{Error, ErrorCode, Result};

/// A tenant's index at one position of its log, for one search.
#[derive(Debug, Clone)]
pub struct SearchView {
    /// What can be searched.
    pub view: View,
    notes: Arc<Notes>,
}

impl SearchView {
    pub(super) fn new(view: View, notes: Arc<Notes>) -> Self {
        Self { view, notes }
    }

    /// The last change of the log that can be found.
    pub fn sequence(&self) -> Sequence {
        self.view.reached().sequence
    }

    /// Refuses a property, or a system field, whose values are not all where a search looks for them: its definition
    /// has changed, and the index is being filled.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`], which says how far that has come.
    pub fn check_filled(&self, object: &str, property: &str, storage: Storage) -> Result<()> {
        if self.notes.is_filled(object, property, storage) {
            return Ok(());
        }
        let progress = self.notes.filling().find(|(name, _)| *name == object).and_then(|(_, filling)| {
            filling.until.map(|until| {
                let done = if filling.is_at_archived { until } else { filling.after.min(until) };
                format!("{} of about {} records", grouped(done), grouped(until))
            })
        });
        let how_far = progress.unwrap_or_else(|| "it is about to begin".to_owned());
        let detail = format!(
            "`{property}` of `{object}` has changed, and the search index is being filled with it: {how_far}; searches \
             that do not use it work, try again shortly"
        );
        Err(Error::new(ErrorCode::Unavailable, detail))
    }

    /// Every object and property that the index is being filled with.
    pub fn filling(&self) -> impl Iterator<Item = (&str, &str)> {
        self.notes.filling().flat_map(|(object, filling)| {
            filling.properties.keys().map(move |property| (object.as_str(), property.as_str()))
        })
    }
}
