//! An index as a search sees it.

use std::ops::RangeInclusive;
use std::sync::Arc;

use engine_model::query::{Among, Answer, Few, Field, Filter, Formerly, Gathered, Gathering, Query};
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TenantId};
use engine_search::{Entry, Limits, LinkEnds, RecordSet, SearchError, View};

use super::notes::{Filling, Notes};
use super::progress::grouped;
use crate::error::{Error, ErrorCode};

/// A tenant's index at one position of its log, for one search.
#[derive(Debug, Clone)]
pub struct SearchView {
    tenant: TenantId,
    view: View,
    notes: Arc<Notes>,
    /// From when on values that depend on the time may be others; none where none do.
    due: Option<Timestamp>,
}

/// Records that are put within some tenths of a second.
const SOON: i64 = 1_000;

/// Values of a field are not all in the index; it has those of these properties from before their migration.
#[derive(Debug, thiserror::Error)]
#[error("the index is being filled")]
struct Unfilled(Formerly);

/// What the index can be asked for instead, where an error says that it does not have what it was asked for.
pub(crate) fn unfilled(error: &Error) -> Option<&Formerly> {
    let source = error.source.as_ref()?.downcast_ref::<Unfilled>()?;
    Some(&source.0)
}

impl SearchView {
    pub(super) fn new(tenant: TenantId, view: View, notes: Arc<Notes>, due: Option<Timestamp>) -> Self {
        Self { tenant, view, notes, due }
    }

    /// Whether values that depend on the time are those of this moment.
    pub(super) fn is_fresh(&self, at: Timestamp) -> bool {
        self.due.is_none_or(|due| due > at)
    }

    /// Whose index it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Answers a query of the same tenant, within the limits or not at all.
    ///
    /// Takes its time: not for the threads that others wait for.
    ///
    /// # Errors
    /// [`SearchError::TooCostly`]; [`SearchError::Damaged`]; [`SearchError::Foreign`] where the query is another tenant's.
    pub fn search(&self, query: &Query, limits: Limits) -> Result<Answer, SearchError> {
        if query.tenant != self.tenant {
            return Err(SearchError::Foreign);
        }
        self.view.search(query, limits)
    }

    /// Gathers values of linked records of the same tenant; see [`View::gather`].
    ///
    /// # Errors
    /// As for [`SearchView::search`].
    pub fn gather(&self, asked: &Gathering, limits: Limits) -> Result<Vec<Gathered>, SearchError> {
        if asked.tenant != self.tenant {
            return Err(SearchError::Foreign);
        }
        self.view.gather(asked, limits)
    }

    /// Which of some records of the same tenant meet each of many conditions; see [`View::among`].
    ///
    /// # Errors
    /// As for [`SearchView::search`].
    pub fn among(&self, asked: &Among, limits: Limits) -> Result<Vec<Vec<RecordId>>, SearchError> {
        if asked.tenant != self.tenant {
            return Err(SearchError::Foreign);
        }
        self.view.among(asked, limits)
    }

    /// For each asked a few records of the same tenant that meet its conditions; see [`View::few`].
    ///
    /// # Errors
    /// As for [`SearchView::search`].
    pub fn few(&self, asked: &[Few], limits: Limits) -> Result<Vec<Vec<RecordId>>, SearchError> {
        if asked.iter().any(|asked| asked.tenant != self.tenant) {
            return Err(SearchError::Foreign);
        }
        self.view.few(asked, limits)
    }

    /// All active records of an object that meet a condition; see [`View::matching`].
    ///
    /// # Errors
    /// As for [`SearchView::search`].
    pub fn matching(&self, object: &str, filter: &Filter, limits: Limits) -> Result<RecordSet, SearchError> {
        self.view.matching(object, filter, limits)
    }

    /// Calls `visit` with every record whose id is among `ids`; see [`View::each_entry`].
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn each_entry(&self, ids: &RangeInclusive<RecordId>, visit: impl FnMut(Entry<'_>)) -> Result<(), SearchError> {
        self.view.each_entry(ids, visit)
    }

    /// Calls `visit` with every link that starts at a record among `ids`; see [`View::each_link_from`].
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn each_link_from(
        &self,
        ids: &RangeInclusive<RecordId>,
        visit: impl FnMut(LinkEnds),
    ) -> Result<(), SearchError> {
        self.view.each_link_from(ids, visit)
    }

    /// An id that nothing in the index is above; see [`View::highest_id`].
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn highest_id(&self) -> Result<RecordId, SearchError> {
        self.view.highest_id()
    }

    /// Compares the files of the index with their checksums; see [`View::check_files`].
    ///
    /// # Errors
    /// The index is damaged or cannot be read.
    pub fn check_files(&self) -> Result<(), SearchError> {
        self.view.check_files()
    }

    /// Records and links that can be found.
    pub fn documents(&self) -> u64 {
        self.view.documents()
    }

    /// The last change of the log that can be found.
    pub fn sequence(&self) -> Sequence {
        self.view.reached().sequence
    }

    /// Refuses fields whose values are not all where a search looks for them: their definition has changed, and the
    /// index is being filled.
    ///
    /// # Errors
    /// [`ErrorCode::Unavailable`], which says how far that has come.
    pub fn check_filled<'f>(&self, fields: impl IntoIterator<Item = &'f Field>) -> Result<(), Error> {
        let Some(Field { object, name: property, .. }) = fields.into_iter().find(|field| !self.notes.is_filled(field))
        else {
            return Ok(());
        };
        let progress = self.notes.filling().find(|(name, _)| **name == **object).and_then(|(_, filling)| {
            filling.until.map(|until| {
                let done = if filling.is_at_archived { until } else { filling.after.min(until) };
                format!("{} of about {} records", grouped(done), grouped(until))
            })
        });
        let how_far = progress.unwrap_or_else(|| "it is about to begin".to_owned());
        let what_works = match self.notes.formerly_of(object).any(|former| former == property.as_str()) {
            true => "searches by its values from before, and those that do not use it, work",
            false => "searches that do not use it work",
        };
        let detail = format!(
            "`{property}` of `{object}` has changed, and the search index is being filled with it: {how_far}; \
             {what_works}, try again shortly"
        );
        Err(Error { source: Some(Box::new(Unfilled(self.formerly()))), ..Error::new(ErrorCode::Unavailable, detail) })
    }

    /// Properties that can be asked for as they were before their migration, and not as they are.
    pub fn formerly(&self) -> Formerly {
        self.notes.formerly()
    }

    /// Whether what the index is being filled with is worth waiting for.
    pub(super) fn is_soon_filled(&self) -> bool {
        let left = |filling: &Filling| match (filling.until, filling.is_at_archived) {
            // Nobody knows before the first records are put, which takes a moment.
            (None, _) | (_, true) => 0,
            (Some(until), false) => until.saturating_sub(filling.after),
        };
        self.notes.filling().map(|(_, filling)| left(filling)).sum::<i64>() <= SOON
    }

    /// Every object and property that the index is being filled with.
    pub fn filling(&self) -> impl Iterator<Item = (&str, &str)> {
        self.notes.filling().flat_map(|(object, filling)| {
            filling.properties.keys().map(move |property| (object.as_str(), property.as_str()))
        })
    }
}
