//! Checks a group's units one after another against the rows as they are, and collects what to write.
//!
//! Pure: what was loaded goes in, refusals and rows come out. Each item works on a draft; a refused item's draft is
//! dropped, so that nothing of it remains.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, UserId};
use indexmap::IndexMap;
use serde_json::json;
use uuid::Uuid;

use super::check::Seen;
use super::{
    Committed, IdempotencyClaim, Interval, Item, LogEntry, NewLink, NewRecord, Origin, Outcome, RecordRef, RecordUpdate,
    Refusal, UniqueValue, Unit, Write,
};
use crate::idempotency::{LIFETIME_MICROS, StoredReply};
use crate::store::Head;

/// A link's key: association, start, end.
type LinkKey = (String, i64, i64);

/// What a group leaves behind, row by row.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) inserts: IndexMap<i64, InsertRow>,
    pub(super) updates: IndexMap<i64, UpdateRow>,
    /// `None`: the value is free again.
    pub(super) values: IndexMap<UniqueValue, Option<i64>>,
    /// `None`: the link is gone.
    pub(super) links: IndexMap<LinkKey, Option<LinkRow>>,
    pub(super) occupied: Vec<(Interval, i64)>,
    pub(super) vacated: Vec<(Interval, i64)>,
    pub(super) purged: Vec<i64>,
    pub(super) log: Vec<LogRow>,
    pub(super) replies: Vec<ReplyRow>,
}

#[derive(Debug)]
pub(super) struct InsertRow {
    pub(super) uid: Uuid,
    pub(super) object: String,
    /// The state, which a later write of the same group may have replaced.
    pub(super) row: UpdateRow,
    pub(super) created_at: i64,
    pub(super) created_by: Option<i64>,
}

#[derive(Debug)]
pub(super) struct UpdateRow {
    pub(super) version: i64,
    pub(super) properties: String,
    pub(super) display_name: String,
    pub(super) owner: Option<i64>,
    pub(super) archived_at: Option<i64>,
    pub(super) at: i64,
    pub(super) by: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct LinkRow {
    pub(super) label: Option<String>,
    pub(super) properties: String,
    pub(super) at: i64,
    pub(super) by: Option<i64>,
}

#[derive(Debug)]
pub(super) struct LogRow {
    pub(super) sequence: i64,
    pub(super) at: i64,
    pub(super) kind: ChangeKind,
    pub(super) object: String,
    pub(super) record: i64,
    pub(super) changes: String,
    pub(super) origin: Arc<Origin>,
}

#[derive(Debug)]
pub(super) struct ReplyRow {
    pub(super) key: String,
    pub(super) fingerprint: String,
    pub(super) reply: StoredReply,
    pub(super) at: i64,
}

#[derive(Debug, Clone)]
struct RecordNow {
    object: String,
    version: i64,
    is_archived: bool,
}

#[derive(Debug, Clone)]
struct LinkNow {
    label: Option<String>,
    properties: String,
    is_hidden: bool,
}

/// The rows as the group has left them so far.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) head: Head,
    pub(super) rows: Rows,
    records: HashMap<i64, RecordNow>,
    values: HashMap<UniqueValue, i64>,
    links: HashMap<LinkKey, LinkNow>,
    by_from: HashMap<(String, i64), Vec<i64>>,
    by_to: HashMap<(String, i64), Vec<i64>>,
    intervals: Vec<(Interval, i64)>,
    keys: HashMap<String, (String, StoredReply, i64)>,
}

impl State {
    pub(super) fn new(seen: Seen) -> Self {
        let mut state = Self { head: seen.head, intervals: Vec::new(), ..Self::default() };
        for record in seen.records {
            let now = RecordNow { object: record.object, version: record.version, is_archived: record.is_archived };
            state.records.insert(record.id, now);
        }
        state.values.extend(seen.values.into_iter().map(|(value, holder)| (value, holder.0)));
        for link in seen.links {
            let now = LinkNow { label: link.label, properties: link.properties, is_hidden: link.is_hidden };
            state.put_link((link.kind, link.from, link.to), Some(now));
        }
        state.intervals = seen.intervals.into_iter().map(|(interval, holder)| (interval, holder.0)).collect();
        for seen in seen.keys {
            let reply = StoredReply { status: seen.status, headers: seen.headers, body: seen.body };
            state.keys.insert(seen.key, (seen.fingerprint, reply, seen.created_at));
        }
        state
    }

    fn put_link(&mut self, key: LinkKey, now: Option<LinkNow>) {
        let from = self.by_from.entry((key.0.clone(), key.1)).or_default();
        from.retain(|to| *to != key.2);
        let to = self.by_to.entry((key.0.clone(), key.2)).or_default();
        to.retain(|from| *from != key.1);
        match now {
            Some(now) => {
                from.push(key.2);
                to.push(key.1);
                self.links.insert(key, now);
            }
            None => drop(self.links.remove(&key)),
        }
    }

    /// Checks a unit and, as far as it is not refused, takes it in.
    pub(super) fn take(&mut self, unit: Unit) -> Outcome {
        if let Some(claim) = &unit.idempotency
            && let Some((fingerprint, reply, at)) = self.keys.get(&claim.key)
            && *at > unit.at.0 - LIFETIME_MICROS
        {
            let same = *fingerprint == claim.fingerprint;
            return if same { Outcome::Replayed(reply.clone()) } else { Outcome::KeyReused };
        }
        if unit.metadata_version != self.head.metadata_version || unit.access_version != self.head.access_version {
            return Outcome::Outdated;
        }
        let Unit { origin, at, items, is_atomic, idempotency, .. } = unit;
        let mut results = Vec::with_capacity(items.len());
        let mut refused = Vec::new();
        let mut draft = Draft::new(self, &origin, at, Vec::new());
        for (index, item) in items.into_iter().enumerate() {
            let before = draft.inserted.len();
            let inserts = item.writes.iter().filter(|write| matches!(write, Write::Insert(_))).count();
            match draft.apply(item) {
                Ok(()) => results.push(Ok(())),
                Err(refusals) if is_atomic => refused.extend(refusals.into_iter().map(|refusal| (index, refusal))),
                Err(refusals) => {
                    results.push(Err(refusals));
                    let mut inserted = std::mem::take(&mut draft.inserted);
                    inserted.truncate(before);
                    inserted.extend(std::iter::repeat_n(None, inserts));
                    draft = Draft::new(self, &origin, at, inserted);
                    continue;
                }
            }
            if !is_atomic {
                let Draft { done, inserted, .. } = draft;
                self.merge(done, &origin, at);
                draft = Draft::new(self, &origin, at, inserted);
            }
        }
        if !refused.is_empty() {
            return Outcome::Refused(refused);
        }
        let Draft { done, inserted, .. } = draft;
        self.merge(done, &origin, at);
        let committed = Committed { sequence: Sequence(self.head.last_sequence), inserted, items: results };
        if let Some(claim) = idempotency {
            self.keep_reply(claim, &committed, at);
        }
        Outcome::Committed(committed)
    }

    fn keep_reply(&mut self, claim: IdempotencyClaim, committed: &Committed, at: Timestamp) {
        let IdempotencyClaim { key, fingerprint, reply } = claim;
        let reply = reply(committed);
        self.keys.insert(key.clone(), (fingerprint.clone(), reply.clone(), at.0));
        self.rows.replies.push(ReplyRow { key, fingerprint, reply, at: at.0 });
    }

    fn merge(&mut self, done: Done, origin: &Arc<Origin>, at: Timestamp) {
        self.head.last_record_id = done.last_record_id;
        self.records.extend(done.records);
        for (value, holder) in done.values {
            match holder {
                Some(holder) => drop(self.values.insert(value.clone(), holder)),
                None => drop(self.values.remove(&value)),
            }
            self.rows.values.insert(value, holder);
        }
        for (key, row) in done.links {
            let now = row.as_ref().map(|row| LinkNow {
                label: row.label.clone(),
                properties: row.properties.clone(),
                is_hidden: false,
            });
            self.put_link(key.clone(), now);
            self.rows.links.insert(key, row);
        }
        for vacated in done.vacated {
            self.intervals.retain(|present| *present != vacated);
            self.rows.vacated.push(vacated);
        }
        self.intervals.extend(done.occupied.iter().cloned());
        self.rows.occupied.extend(done.occupied);
        self.rows.inserts.extend(done.inserts);
        for (id, row) in done.updates {
            match self.rows.inserts.get_mut(&id) {
                Some(insert) => insert.row = row,
                None => drop(self.rows.updates.insert(id, row)),
            }
        }
        self.rows.purged.extend(done.purged);
        for (kind, object, record, changes) in done.log {
            self.head.last_sequence += 1;
            let (sequence, origin) = (self.head.last_sequence, Arc::clone(origin));
            self.rows.log.push(LogRow { sequence, at: at.0, kind, object, record, changes, origin });
        }
    }
}

/// What a draft has decided, detached from the state that it was checked against.
#[derive(Debug, Default)]
struct Done {
    last_record_id: i64,
    records: HashMap<i64, RecordNow>,
    values: IndexMap<UniqueValue, Option<i64>>,
    links: IndexMap<LinkKey, Option<LinkRow>>,
    occupied: Vec<(Interval, i64)>,
    vacated: Vec<(Interval, i64)>,
    inserts: IndexMap<i64, InsertRow>,
    updates: IndexMap<i64, UpdateRow>,
    purged: Vec<i64>,
    log: Vec<(ChangeKind, String, i64, String)>,
}

/// One item, or the items of an atomic unit, laid over the state.
struct Draft<'a> {
    state: &'a State,
    origin: Arc<Origin>,
    at: Timestamp,
    /// Records that the unit has inserted so far; none where the item was refused.
    inserted: Vec<Option<RecordId>>,
    done: Done,
}

impl<'a> Draft<'a> {
    fn new(state: &'a State, origin: &Arc<Origin>, at: Timestamp, inserted: Vec<Option<RecordId>>) -> Self {
        let done = Done { last_record_id: state.head.last_record_id, ..Done::default() };
        Self { state, origin: Arc::clone(origin), at, inserted, done }
    }

    /// Goes on after a refusal, so that the caller learns of all of them at once.
    fn apply(&mut self, item: Item) -> Result<(), Vec<Refusal>> {
        let refusals: Vec<_> = item.writes.into_iter().filter_map(|write| self.write(write).err()).collect();
        if refusals.is_empty() { Ok(()) } else { Err(refusals) }
    }

    fn write(&mut self, write: Write) -> Result<(), Refusal> {
        match write {
            Write::Insert(record) => {
                self.insert(record);
                Ok(())
            }
            Write::Update(update) => self.update(update),
            Write::Claim(record, value) => self.claim(record, value),
            Write::Release(record, value) => {
                // Only engine-made releases come here: the record holds the value by its own last state, which the
                // version check of the same item confirms.
                self.id(record)?;
                self.done.values.insert(value, None);
                Ok(())
            }
            Write::Occupy(record, interval) => self.occupy(record, interval),
            Write::Vacate(record, interval) => {
                let vacated = (interval, self.id(record)?);
                self.done.occupied.retain(|present| *present != vacated);
                self.done.vacated.push(vacated);
                Ok(())
            }
            Write::Link(link) => self.link(link),
            Write::Unlink { kind, from, to } => {
                let (from, to) = (self.id(from)?, self.id(to)?);
                self.unlink((kind, from, to));
                Ok(())
            }
            Write::Purge(record) => {
                self.done.purged.push(record.0);
                Ok(())
            }
            Write::Log(LogEntry { kind, object, record, changes }) => {
                let record = self.id(record)?;
                self.done.log.push((kind, object, record, changes));
                Ok(())
            }
        }
    }

    fn id(&self, record: RecordRef) -> Result<i64, Refusal> {
        match record {
            RecordRef::Id(id) => Ok(id.0),
            RecordRef::New(index) => {
                let made = self.inserted.get(index).copied().flatten();
                made.map(|id| id.0).ok_or(Refusal::Missing(record))
            }
        }
    }

    fn record(&self, id: i64) -> Option<&RecordNow> {
        self.done.records.get(&id).or_else(|| self.state.records.get(&id))
    }

    fn holder(&self, value: &UniqueValue) -> Option<i64> {
        match self.done.values.get(value) {
            Some(decided) => *decided,
            None => self.state.values.get(value).copied(),
        }
    }

    fn insert(&mut self, record: NewRecord) {
        self.done.last_record_id += 1;
        let id = self.done.last_record_id;
        self.inserted.push(Some(RecordId(id)));
        let now = RecordNow { object: record.object.clone(), version: 1, is_archived: false };
        self.done.records.insert(id, now);
        let (at, by) = (self.at.0, self.origin.actor.map(|UserId(actor)| actor));
        let row = UpdateRow {
            version: 1,
            properties: record.properties,
            display_name: record.display_name,
            owner: record.owner.map(|UserId(owner)| owner),
            archived_at: None,
            at,
            by,
        };
        let insert = InsertRow { uid: record.uid, object: record.object, row, created_at: at, created_by: by };
        self.done.inserts.insert(id, insert);
    }

    fn update(&mut self, update: RecordUpdate) -> Result<(), Refusal> {
        let id = self.id(update.record)?;
        let Some(now) = self.record(id) else { return Err(Refusal::Missing(update.record)) };
        if now.version != update.expected_version {
            return Err(Refusal::Stale(update.record));
        }
        let version = now.version + 1;
        let now = RecordNow { object: now.object.clone(), version, is_archived: update.archived_at.is_some() };
        self.done.records.insert(id, now);
        let row = UpdateRow {
            version,
            properties: update.properties,
            display_name: update.display_name,
            owner: update.owner.map(|UserId(owner)| owner),
            archived_at: update.archived_at.map(|at| at.0),
            at: self.at.0,
            by: self.origin.actor.map(|UserId(actor)| actor),
        };
        match self.done.inserts.get_mut(&id) {
            Some(insert) => insert.row = row,
            None => drop(self.done.updates.insert(id, row)),
        }
        Ok(())
    }

    fn claim(&mut self, record: RecordRef, value: UniqueValue) -> Result<(), Refusal> {
        let id = self.id(record)?;
        match self.holder(&value) {
            Some(holder) if holder != id => Err(Refusal::Taken { value, holder: RecordId(holder) }),
            Some(_) => Ok(()),
            None => {
                self.done.values.insert(value, Some(id));
                Ok(())
            }
        }
    }

    fn occupy(&mut self, record: RecordRef, interval: Interval) -> Result<(), Refusal> {
        let id = self.id(record)?;
        let present = self.state.intervals.iter().filter(|present| !self.done.vacated.contains(present));
        let other = present.chain(&self.done.occupied).find(|(other, holder)| {
            *holder != id
                && other.object == interval.object
                && other.properties == interval.properties
                && other.within == interval.within
                && other.starts_at < interval.ends_at
                && other.ends_at > interval.starts_at
        });
        if let Some((_, holder)) = other {
            return Err(Refusal::Overlap { interval, holder: RecordId(*holder) });
        }
        self.done.occupied.push((interval, id));
        Ok(())
    }

    fn visible(&self, record: RecordRef) -> Result<i64, Refusal> {
        let id = self.id(record)?;
        match self.record(id) {
            Some(now) if !now.is_archived => Ok(id),
            _ => Err(Refusal::Missing(record)),
        }
    }

    fn link(&mut self, link: NewLink) -> Result<(), Refusal> {
        let (from, to) = (self.visible(link.from)?, self.visible(link.to)?);
        let key = (link.kind.clone(), from, to);
        if let Some((label, properties)) = self.present_link(&key)
            && label == link.label
            && properties == link.properties
        {
            return Ok(());
        }
        let mut in_the_way = Vec::new();
        if link.limits_from {
            in_the_way.extend(self.ends_from(&link.kind, from).into_iter().filter(|end| *end != to).map(|to| (from, to)));
        }
        if link.limits_to {
            in_the_way.extend(self.ends_to(&link.kind, to).into_iter().filter(|end| *end != from).map(|from| (from, to)));
        }
        for (other_from, other_to) in in_the_way {
            let other = (link.kind.clone(), other_from, other_to);
            // A link whose other end is archived is shown nowhere, so it gives way.
            if !link.replace && !self.is_hidden(&other) {
                let (from, to) = (RecordId(other_from), RecordId(other_to));
                return Err(Refusal::Cardinality { kind: link.kind, from, to });
            }
            self.unlink(other);
        }
        let changes = json!({"type": [null, link.kind], "to": [null, to.to_string()], "label": [null, link.label]});
        let by = self.origin.actor.map(|UserId(actor)| actor);
        let row = LinkRow { label: link.label, properties: link.properties, at: self.at.0, by };
        self.done.links.insert(key, Some(row));
        self.log_link(ChangeKind::AssociationCreated, from, changes.to_string());
        Ok(())
    }

    fn unlink(&mut self, key: LinkKey) {
        let Some((label, _)) = self.present_link(&key) else { return };
        let changes = json!({"type": [key.0, null], "to": [key.2.to_string(), null], "label": [label, null]});
        let from = key.1;
        self.done.links.insert(key, None);
        self.log_link(ChangeKind::AssociationRemoved, from, changes.to_string());
    }

    fn log_link(&mut self, kind: ChangeKind, from: i64, changes: String) {
        let object = self.record(from).map(|now| now.object.clone()).unwrap_or_default();
        self.done.log.push((kind, object, from, changes));
    }

    fn present_link(&self, key: &LinkKey) -> Option<(Option<String>, String)> {
        match self.done.links.get(key) {
            Some(decided) => decided.as_ref().map(|row| (row.label.clone(), row.properties.clone())),
            None => self.state.links.get(key).map(|now| (now.label.clone(), now.properties.clone())),
        }
    }

    fn is_hidden(&self, key: &LinkKey) -> bool {
        let archived = |id: i64| self.record(id).is_some_and(|now| now.is_archived);
        let stored = !self.done.links.contains_key(key) && self.state.links.get(key).is_some_and(|now| now.is_hidden);
        stored || archived(key.1) || archived(key.2)
    }

    /// Where links of this kind from `from` lead, as decided so far.
    fn ends_from(&self, kind: &str, from: i64) -> Vec<i64> {
        let stored = self.state.by_from.get(&(kind.to_owned(), from)).into_iter().flatten().copied();
        let decided = self.done.links.keys().filter(|key| key.0 == kind && key.1 == from).map(|key| key.2);
        self.still_present(stored.chain(decided).map(|to| (kind.to_owned(), from, to)), |key| key.2)
    }

    /// Where links of this kind to `to` start, as decided so far.
    fn ends_to(&self, kind: &str, to: i64) -> Vec<i64> {
        let stored = self.state.by_to.get(&(kind.to_owned(), to)).into_iter().flatten().copied();
        let decided = self.done.links.keys().filter(|key| key.0 == kind && key.2 == to).map(|key| key.1);
        self.still_present(stored.chain(decided).map(|from| (kind.to_owned(), from, to)), |key| key.1)
    }

    fn still_present(&self, keys: impl Iterator<Item = LinkKey>, end: impl Fn(&LinkKey) -> i64) -> Vec<i64> {
        let mut ends: Vec<i64> = keys.filter(|key| self.present_link(key).is_some()).map(|key| end(&key)).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}
