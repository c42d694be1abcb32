//! What a group's units mention, and so must see.

use indexmap::IndexSet;

use super::work::Work;
use super::{Interval, RecordRef, UniqueValue, Write};

/// What a group's units mention; what is found refers to it by position.
#[derive(Debug, Default)]
pub(super) struct Mentions<'u> {
    pub(super) records: IndexSet<i64>,
    pub(super) values: IndexSet<&'u UniqueValue>,
    pub(super) intervals: IndexSet<&'u Interval>,
    /// Links by both ends.
    pub(super) links: IndexSet<(&'u str, i64, i64)>,
    /// Associations and where they may start only once.
    pub(super) starts: IndexSet<(&'u str, i64)>,
    /// Associations and where they may lead only once.
    pub(super) ends: IndexSet<(&'u str, i64)>,
    pub(super) keys: IndexSet<&'u str>,
    /// Records whose links are counted, as those that are merged into others.
    pub(super) counted: IndexSet<i64>,
}

/// Which mention of links found a link.
#[derive(Debug, Clone, Copy)]
pub(super) enum LinkMention {
    /// By both ends.
    Both(usize),
    /// By where it starts.
    Start(usize),
    /// By where it leads.
    End(usize),
}

impl<'u> Mentions<'u> {
    pub(super) fn of(works: &[&'u Work]) -> Self {
        let mut mentions = Self::default();
        for work in works {
            mentions.keys.extend(work.key.as_ref().map(|key| key.key.as_str()));
            work.items.iter().flat_map(|item| &item.writes).for_each(|write| mentions.add(write));
        }
        mentions
    }

    fn add(&mut self, write: &'u Write) {
        match write {
            Write::Insert(_) | Write::Log(_) | Write::Vacate(..) => {}
            Write::Update(update) => self.add_record(update.record),
            Write::Purge(id) => drop(self.records.insert(id.0)),
            Write::HasLinks(id, _) => {
                self.records.insert(id.0);
                self.counted.insert(id.0);
            }
            Write::Merge { winner, losers } => {
                self.records.insert(winner.0);
                self.records.extend(losers.iter().map(|loser| loser.record.0));
                self.counted.extend(losers.iter().map(|loser| loser.record.0));
            }
            Write::Unmerge { winner, loser } => self.records.extend([winner.0, loser.0]),
            Write::Claim(_, value) | Write::Release(_, value) => drop(self.values.insert(value)),
            Write::Occupy(_, interval) => drop(self.intervals.insert(interval)),
            Write::Link(link) => {
                self.add_link(&link.kind, link.from, link.to);
                if let (RecordRef::Id(from), true) = (link.from, link.limits_from) {
                    self.starts.insert((&link.kind, from.0));
                }
                if let (RecordRef::Id(to), true) = (link.to, link.limits_to) {
                    self.ends.insert((&link.kind, to.0));
                }
            }
            Write::Unlink { kind, from, to } => self.add_link(kind, *from, *to),
        }
    }

    fn add_record(&mut self, record: RecordRef) {
        if let RecordRef::Id(id) = record {
            self.records.insert(id.0);
        }
    }

    fn add_link(&mut self, kind: &'u str, from: RecordRef, to: RecordRef) {
        self.add_record(from);
        self.add_record(to);
        if let (RecordRef::Id(from), RecordRef::Id(to)) = (from, to) {
            self.links.insert((kind, from.0, to.0));
        }
    }

    /// The association of a link that was found.
    pub(super) fn kind(&self, mention: LinkMention) -> Option<&'u str> {
        match mention {
            LinkMention::Both(position) => self.links.get_index(position).map(|link| link.0),
            LinkMention::Start(position) => self.starts.get_index(position).map(|start| start.0),
            LinkMention::End(position) => self.ends.get_index(position).map(|end| end.0),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.are_values_only()
    }

    /// Nothing is mentioned but, possibly, unique values.
    pub(super) fn are_values_only(&self) -> bool {
        self.records.is_empty()
            && self.intervals.is_empty()
            && self.links.is_empty()
            && self.starts.is_empty()
            && self.ends.is_empty()
            && self.keys.is_empty()
    }
}
