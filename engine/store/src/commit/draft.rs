//! One item, or the items of an atomic unit, laid over the state.

use std::borrow::Cow;
use std::collections::HashMap;

use engine_model::{RecordId, TeamId, UserId};
use indexmap::{IndexMap, IndexSet};

use super::rows::{Entry, InsertRow, LinkKey, LinkRow, MergeRow, StateRow};
use super::span::SpanKey;
use super::state::{RecordNow, State};
use super::work::Work;
use super::{Interval, Item, LogEntry, NewRecord, RecordRef, RecordUpdate, Refusal, UniqueValue, Write};

/// What a draft has decided, detached from the state that it was checked against.
#[derive(Debug, Default)]
pub(super) struct Done<'u> {
    pub(super) last_record_id: i64,
    pub(super) records: HashMap<i64, RecordNow<'u>>,
    pub(super) values: IndexMap<&'u UniqueValue, Option<i64>>,
    pub(super) freed: IndexSet<&'u UniqueValue>,
    pub(super) links: IndexMap<LinkKey<'u>, Option<LinkRow<'u>>>,
    pub(super) unlinked: IndexSet<LinkKey<'u>>,
    pub(super) spans: IndexMap<SpanKey<'u>, Option<i64>>,
    pub(super) inserts: IndexMap<i64, InsertRow<'u>>,
    pub(super) updates: IndexMap<i64, StateRow<'u>>,
    pub(super) purged: Vec<i64>,
    pub(super) merges: Vec<MergeRow<'u>>,
    pub(super) log: Vec<Entry<'u>>,
}

/// One item, or the items of an atomic unit, laid over the state.
pub(super) struct Draft<'s, 'u> {
    pub(super) state: &'s State<'u>,
    work: &'u Work,
    /// Records that the unit has inserted so far; none where the item was refused.
    pub(super) inserted: Vec<Option<RecordId>>,
    pub(super) done: Done<'u>,
}

impl<'s, 'u> Draft<'s, 'u> {
    pub(super) fn new(state: &'s State<'u>, work: &'u Work, inserted: Vec<Option<RecordId>>) -> Self {
        let done = Done { last_record_id: state.head.last_record_id, ..Done::default() };
        Self { state, work, inserted, done }
    }

    /// Goes on after a refusal, so that the caller learns of all of them at once.
    ///
    /// Whatever changes something is logged, so the log says whether the item did.
    pub(super) fn apply(&mut self, item: &'u Item) -> Result<bool, Vec<Refusal>> {
        let logged = self.done.log.len();
        let refusals: Vec<_> = item.writes.iter().filter_map(|write| self.write(write).err()).collect();
        if refusals.is_empty() { Ok(self.done.log.len() > logged) } else { Err(refusals) }
    }

    fn write(&mut self, write: &'u Write) -> Result<(), Refusal> {
        match write {
            Write::Insert(record) => {
                self.insert(record);
                Ok(())
            }
            Write::Update(update) => self.update(update),
            Write::Claim(record, value) => self.claim(*record, value),
            Write::Release(record, value) => self.release(*record, value),
            Write::Occupy(record, interval) => self.occupy(*record, interval),
            Write::Vacate(record, interval) => {
                let holder = self.id(*record)?;
                self.done.spans.insert(interval.key(holder), None);
                Ok(())
            }
            Write::Link(link) => self.link(link),
            Write::Unlink { kind, from, to } => {
                let key = (kind.as_str(), self.unmerged(*from)?, self.unmerged(*to)?);
                self.unlink(key);
                Ok(())
            }
            Write::Purge(record) => self.purge(*record),
            Write::HasLinks(record, links) => self.has_links(*record, *links),
            Write::Merge { winner, losers } => self.merge(*winner, losers),
            Write::Unmerge { winner, loser } => self.unmerge(*winner, *loser),
            Write::Log(LogEntry { kind, object, record, changes }) => {
                let (record, object, changes) =
                    (self.id(*record)?, Cow::Borrowed(&**object), Cow::Borrowed(&**changes));
                self.done.log.push(Entry { kind: *kind, object, record, changes });
                Ok(())
            }
        }
    }

    pub(super) fn id(&self, record: RecordRef) -> Result<i64, Refusal> {
        match record {
            RecordRef::Id(id) => Ok(id.0),
            RecordRef::New(index) => {
                let made = self.inserted.get(index).copied().flatten();
                made.map(|id| id.0).ok_or(Refusal::Missing(record))
            }
        }
    }

    /// The record as decided so far; none where it was purged.
    pub(super) fn record(&self, id: i64) -> Option<&RecordNow<'u>> {
        self.done.records.get(&id).or_else(|| self.state.records.get(&id)).filter(|now| !now.is_purged)
    }

    /// Whether a record is put away, as far as the group knows it.
    pub(super) fn is_archived(&self, id: i64) -> Option<bool> {
        let now = self.done.records.get(&id).or_else(|| self.state.records.get(&id));
        now.map(|now| now.is_archived)
    }

    /// When and by whom rows are written.
    pub(super) fn pen(&self) -> (i64, Option<i64>) {
        (self.work.at.0, self.work.origin.actor.map(|UserId(actor)| actor))
    }

    fn insert(&mut self, record: &'u NewRecord) {
        self.done.last_record_id += 1;
        let id = self.done.last_record_id;
        self.inserted.push(Some(RecordId(id)));
        let object = Cow::Borrowed(&*record.object);
        let now = RecordNow { object, version: 1, is_archived: false, is_purged: false, is_merged: false };
        self.done.records.insert(id, now);
        let (at, by) = self.pen();
        let state = StateRow {
            version: 1,
            properties: &record.properties,
            display_name: &record.display_name,
            owner: record.owner.map(|UserId(owner)| owner),
            team: record.team.map(|TeamId(team)| team),
            archived_at: None,
            at,
            by,
        };
        let insert = InsertRow { uid: record.uid, object: &record.object, state, created_at: at, created_by: by };
        self.done.inserts.insert(id, insert);
    }

    fn update(&mut self, update: &'u RecordUpdate) -> Result<(), Refusal> {
        let id = self.id(update.record)?;
        let Some(now) = self.record(id) else { return Err(Refusal::Missing(update.record)) };
        if now.version != update.expected_version {
            return Err(Refusal::Stale(update.record));
        }
        let version = now.version + 1;
        let now = RecordNow { version, is_archived: update.archived_at.is_some(), ..now.clone() };
        self.done.records.insert(id, now);
        let (at, by) = self.pen();
        let row = StateRow {
            version,
            properties: &update.properties,
            display_name: &update.display_name,
            owner: update.owner.map(|UserId(owner)| owner),
            team: update.team.map(|TeamId(team)| team),
            archived_at: update.archived_at.map(|at| at.0),
            at,
            by,
        };
        match self.done.inserts.get_mut(&id) {
            Some(insert) => insert.state = row,
            None => drop(self.done.updates.insert(id, row)),
        }
        Ok(())
    }

    fn purge(&mut self, record: RecordId) -> Result<(), Refusal> {
        let Some(now) = self.record(record.0) else { return Err(Refusal::Missing(RecordRef::Id(record))) };
        let now = RecordNow { is_archived: true, is_purged: true, ..now.clone() };
        self.done.records.insert(record.0, now);
        self.done.log.iter_mut().filter(|entry| entry.record == record.0).for_each(Entry::erase);
        self.done.purged.push(record.0);
        Ok(())
    }

    fn holder(&self, value: &UniqueValue) -> Option<i64> {
        match self.done.values.get(value) {
            Some(decided) => *decided,
            None => self.state.values.get(value).copied(),
        }
    }

    fn claim(&mut self, record: RecordRef, value: &'u UniqueValue) -> Result<(), Refusal> {
        let id = self.id(record)?;
        match self.holder(value) {
            Some(holder) if holder != id => Err(Refusal::Taken { value: value.clone(), holder: RecordId(holder) }),
            Some(_) => Ok(()),
            None => {
                self.done.values.insert(value, Some(id));
                Ok(())
            }
        }
    }

    /// A value that somebody else has stays theirs.
    fn release(&mut self, record: RecordRef, value: &'u UniqueValue) -> Result<(), Refusal> {
        let id = self.id(record)?;
        if self.holder(value) == Some(id) {
            self.done.values.insert(value, None);
            self.done.freed.insert(value);
        }
        Ok(())
    }

    fn occupy(&mut self, record: RecordRef, interval: &'u Interval) -> Result<(), Refusal> {
        let id = self.id(record)?;
        let stored = self.state.spans.in_the_way(interval, id, |span| self.done.spans.contains_key(&span));
        let decided = || {
            let mut decided = self.done.spans.iter().filter_map(|(span, ends_at)| Some((span, (*ends_at)?)));
            let other = decided.find(|((group, starts_at, holder), ends_at)| {
                *holder != id && interval.overlaps(*starts_at, *ends_at) && *group == interval.group()
            });
            other.map(|((_, _, holder), _)| *holder)
        };
        if let Some(holder) = stored.or_else(decided) {
            return Err(Refusal::Overlap { interval: interval.clone(), holder: RecordId(holder) });
        }
        self.done.spans.insert(interval.key(id), Some(interval.ends_at));
        Ok(())
    }
}
