//! The rows that a group leaves behind, borrowed from its units as far as possible.

use std::borrow::Cow;

use engine_model::change::ChangeKind;
use indexmap::{IndexMap, IndexSet};
use uuid::Uuid;

use super::span::SpanKey;
use super::{MergedRecord, Origin, UniqueValue};
use crate::idempotency::StoredReply;

/// A link's key: association, start, end.
pub(super) type LinkKey<'u> = (&'u str, i64, i64);

/// What a group leaves behind, row by row.
#[derive(Debug, Default)]
pub(super) struct Rows<'u> {
    pub(super) inserts: IndexMap<i64, InsertRow<'u>>,
    pub(super) updates: IndexMap<i64, StateRow<'u>>,
    /// Who has a value in the end; `None`: nobody.
    pub(super) values: IndexMap<&'u UniqueValue, Option<i64>>,
    /// Values that changed hands or became free, whose old row goes first.
    pub(super) freed: IndexSet<&'u UniqueValue>,
    /// What a link is in the end; `None`: gone.
    pub(super) links: IndexMap<LinkKey<'u>, Option<LinkRow<'u>>>,
    /// Links that were taken away, whose old row goes first.
    pub(super) unlinked: IndexSet<LinkKey<'u>>,
    /// Until when an interval is occupied in the end; `None`: free.
    pub(super) spans: IndexMap<SpanKey<'u>, Option<i64>>,
    pub(super) purged: Vec<i64>,
    /// In the order in which they happen.
    pub(super) merges: Vec<MergeRow<'u>>,
    pub(super) log: Vec<LogRow<'u>>,
}

#[derive(Debug)]
pub(super) struct InsertRow<'u> {
    pub(super) uid: Uuid,
    pub(super) object: &'u str,
    /// The state, which a later write of the same group may have replaced.
    pub(super) state: StateRow<'u>,
    pub(super) created_at: i64,
    pub(super) created_by: Option<i64>,
}

#[derive(Debug)]
pub(super) struct StateRow<'u> {
    pub(super) version: i64,
    pub(super) properties: &'u str,
    pub(super) display_name: &'u str,
    pub(super) owner: Option<i64>,
    pub(super) team: Option<i64>,
    pub(super) archived_at: Option<i64>,
    pub(super) at: i64,
    pub(super) by: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LinkRow<'u> {
    pub(super) label: Option<&'u str>,
    pub(super) properties: &'u str,
    pub(super) at: i64,
    pub(super) by: Option<i64>,
}

/// Where ids lead from here on.
#[derive(Debug)]
pub(super) enum MergeRow<'u> {
    /// These lead to the winner.
    Merge { winner: i64, losers: &'u [MergedRecord], at: i64 },
    /// The record, and what led to it, lead to itself again.
    Unmerge { loser: i64 },
}

#[derive(Debug)]
pub(super) struct LogRow<'u> {
    pub(super) sequence: i64,
    pub(super) at: i64,
    pub(super) entry: Entry<'u>,
    pub(super) origin: &'u Origin,
}

/// An entry of the log before it has its place.
#[derive(Debug)]
pub(super) struct Entry<'u> {
    pub(super) kind: ChangeKind,
    pub(super) object: Cow<'u, str>,
    pub(super) record: i64,
    pub(super) changes: Cow<'u, str>,
}

impl Entry<'_> {
    /// Forgets what the values were.
    pub(super) fn erase(&mut self) {
        self.changes = Cow::Borrowed("{}");
    }
}

/// A reply to keep under its key.
#[derive(Debug)]
pub(super) struct ReplyRow<'u> {
    pub(super) key: &'u str,
    pub(super) fingerprint: &'u str,
    pub(super) reply: StoredReply,
    pub(super) at: i64,
}

impl Rows<'_> {
    /// One statement of PostgreSQL can write them: nothing has to go before something else comes.
    pub(super) fn fit_one_statement(&self) -> bool {
        self.freed.is_empty() && self.unlinked.is_empty() && self.spans.is_empty() && self.only_change_rows()
    }

    /// Nothing but new records, with their values and their entries of the log.
    pub(super) fn are_new(&self) -> bool {
        self.fit_one_statement() && self.updates.is_empty() && self.links.is_empty()
    }

    /// No record is purged, merged or taken apart, which takes statements of its own.
    fn only_change_rows(&self) -> bool {
        self.purged.is_empty() && self.merges.is_empty()
    }

    /// Nothing but, possibly, replies to keep.
    pub(super) fn is_empty(&self) -> bool {
        self.inserts.is_empty()
            && self.updates.is_empty()
            && self.values.is_empty()
            && self.links.is_empty()
            && self.spans.is_empty()
            && self.only_change_rows()
            && self.log.is_empty()
    }
}
