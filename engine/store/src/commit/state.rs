//! Checks a group's units one after another against the rows as they are, and collects what to write.
//!
//! Pure: what was loaded goes in, verdicts and rows come out. Each item works on a [`Draft`]; a refused item's draft is
//! dropped, so that nothing of it remains.

use std::borrow::Cow;
use std::collections::HashMap;

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence};

use super::draft::{Done, Draft};
use super::load::Seen;
use super::mention::Mentions;
use super::rows::{LinkKey, LogRow, Rows};
use super::span::Spans;
use super::work::{Key, Work};
use super::{Committed, Origin, Outcome, Refusal, UniqueValue, Write};
use crate::idempotency::{LIFETIME_MICROS, StoredReply};
use crate::store::Head;

/// What becomes of a unit.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is over.
    Over(Outcome),
    /// It is answered as the group's unit at this position, whose reply is made later.
    SameAs(usize),
}

#[derive(Debug, Clone)]
pub(super) struct RecordNow<'u> {
    pub(super) object: Cow<'u, str>,
    pub(super) version: i64,
    pub(super) is_archived: bool,
    pub(super) is_purged: bool,
    pub(super) is_merged: bool,
}

#[derive(Debug, Clone)]
pub(super) struct LinkNow<'u> {
    pub(super) label: Option<Cow<'u, str>>,
    pub(super) properties: Cow<'u, str>,
    pub(super) from_object: Cow<'u, str>,
    pub(super) from_archived: bool,
    pub(super) to_archived: bool,
}

/// What is known of a key.
#[derive(Debug)]
enum KeyNow<'u> {
    Kept { fingerprint: String, reply: StoredReply, at: i64 },
    Taken { fingerprint: &'u str, position: usize, at: i64 },
}

/// The rows as the group has left them so far.
#[derive(Debug, Default)]
pub(super) struct State<'u> {
    pub(super) head: Head,
    pub(super) rows: Rows<'u>,
    /// Purges by the position of their unit: replies to earlier units may quote the record.
    pub(super) purges: Vec<(usize, i64)>,
    pub(super) records: HashMap<i64, RecordNow<'u>>,
    pub(super) values: HashMap<&'u UniqueValue, i64>,
    pub(super) links: HashMap<LinkKey<'u>, LinkNow<'u>>,
    /// How many links of a record to be merged are there that no unit mentions.
    pub(super) unseen_links: HashMap<i64, i64>,
    pub(super) by_from: HashMap<(&'u str, i64), Vec<i64>>,
    pub(super) by_to: HashMap<(&'u str, i64), Vec<i64>>,
    pub(super) spans: Spans<'u>,
    keys: HashMap<&'u str, KeyNow<'u>>,
}

impl<'u> State<'u> {
    pub(super) fn new(mentions: &Mentions<'u>, seen: Seen) -> Self {
        let mut state = Self { head: seen.head, ..Self::default() };
        for record in seen.records {
            let (object, version, is_archived) = (Cow::Owned(record.object), record.version, record.is_archived);
            let now = RecordNow { object, version, is_archived, is_purged: false, is_merged: record.is_merged };
            state.records.insert(record.id, now);
        }
        for (position, holder) in seen.values {
            state.values.extend(mentions.values.get_index(position).map(|value| (*value, holder)));
        }
        for link in seen.links {
            let now = LinkNow {
                label: link.label.map(Cow::Owned),
                properties: Cow::Owned(link.properties),
                from_object: Cow::Owned(link.from_object),
                from_archived: link.from_archived,
                to_archived: link.to_archived,
            };
            if let Some(kind) = mentions.kind(link.mention) {
                state.put_link((kind, link.from, link.to), Some(now));
            }
        }
        for (id, count) in seen.link_counts {
            let known = state.links.keys().filter(|key| key.1 == id || key.2 == id).count();
            state.unseen_links.insert(id, count - i64::try_from(known).unwrap_or(i64::MAX));
        }
        for span in seen.intervals {
            if let Some(wanted) = mentions.intervals.get_index(span.position) {
                state.spans.put((wanted.group(), span.starts_at, span.holder), Some(span.ends_at));
            }
        }
        for seen in seen.keys {
            let now = KeyNow::Kept { fingerprint: seen.fingerprint, reply: seen.reply, at: seen.created_at };
            state.keys.extend(mentions.keys.get_index(seen.position).map(|key| (*key, now)));
        }
        state
    }

    fn put_link(&mut self, key: LinkKey<'u>, now: Option<LinkNow<'u>>) {
        let from = self.by_from.entry((key.0, key.1)).or_default();
        from.retain(|to| *to != key.2);
        let to = self.by_to.entry((key.0, key.2)).or_default();
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

    /// Checks the unit at a position of the group and, as far as it is not refused, takes it in.
    pub(super) fn take(&mut self, position: usize, work: &'u Work) -> Verdict {
        if let Some(verdict) = work.key.as_ref().and_then(|key| self.used_before(key, work.at)) {
            return verdict;
        }
        if work.metadata_version != self.head.metadata_version || work.access_version != self.head.access_version {
            return Verdict::Over(Outcome::Outdated);
        }
        let taken = if work.is_atomic { self.take_whole(position, work) } else { Ok(self.take_each(position, work)) };
        let (inserted, items) = match taken {
            Ok(taken) => taken,
            Err(refusals) => return Verdict::Over(Outcome::Refused(refusals)),
        };
        if let Some(key) = &work.key {
            let now = KeyNow::Taken { fingerprint: &key.fingerprint, position, at: work.at.0 };
            self.keys.insert(&key.key, now);
        }
        let sequence = Sequence(self.head.last_sequence);
        Verdict::Over(Outcome::Committed(Committed { sequence, inserted, items }))
    }

    fn used_before(&self, key: &Key, at: Timestamp) -> Option<Verdict> {
        let is_alive = |since: i64| since > at.0 - LIFETIME_MICROS;
        match self.keys.get(key.key.as_str())? {
            KeyNow::Kept { fingerprint, reply, at } if is_alive(*at) => Some(Verdict::Over(match *fingerprint {
                ref known if *known == key.fingerprint => Outcome::Replayed(reply.clone()),
                _ => Outcome::KeyReused,
            })),
            KeyNow::Taken { fingerprint, position, at } if is_alive(*at) => Some(match *fingerprint {
                known if known == key.fingerprint => Verdict::SameAs(*position),
                _ => Verdict::Over(Outcome::KeyReused),
            }),
            KeyNow::Kept { .. } | KeyNow::Taken { .. } => None,
        }
    }

    /// All items or none.
    fn take_whole(&mut self, position: usize, work: &'u Work) -> Result<Taken, Vec<(usize, Refusal)>> {
        let mut draft = Draft::new(self, work, Vec::new());
        let (mut items, mut refused) = (Vec::with_capacity(work.items.len()), Vec::new());
        for (index, item) in work.items.iter().enumerate() {
            match draft.apply(item) {
                Ok(has_changed) => items.push(Ok(has_changed)),
                Err(refusals) => refused.extend(refusals.into_iter().map(|refusal| (index, refusal))),
            }
        }
        let Draft { done, inserted, .. } = draft;
        if !refused.is_empty() {
            return Err(refused);
        }
        self.merge(done, position, work);
        Ok((inserted, items))
    }

    /// Each item for itself.
    fn take_each(&mut self, position: usize, work: &'u Work) -> Taken {
        let (mut inserted, mut items) = (Vec::new(), Vec::with_capacity(work.items.len()));
        for item in &work.items {
            let before = inserted.len();
            let mut draft = Draft::new(self, work, inserted);
            let applied = draft.apply(item);
            let Draft { done, inserted: made, .. } = draft;
            inserted = made;
            if applied.is_ok() {
                self.merge(done, position, work);
            } else {
                let inserts = item.writes.iter().filter(|write| matches!(write, Write::Insert(_))).count();
                inserted.truncate(before);
                inserted.extend(std::iter::repeat_n(None, inserts));
            }
            items.push(applied);
        }
        (inserted, items)
    }

    fn merge(&mut self, done: Done<'u>, position: usize, work: &'u Work) {
        self.head.last_record_id = done.last_record_id;
        self.records.extend(done.records);
        for (value, holder) in done.values {
            match holder {
                Some(holder) => drop(self.values.insert(value, holder)),
                None => drop(self.values.remove(value)),
            }
            self.rows.values.insert(value, holder);
        }
        self.rows.freed.extend(done.freed);
        for (key, row) in done.links {
            let now = row.map(|row| LinkNow {
                label: row.label.map(Cow::Borrowed),
                properties: Cow::Borrowed(row.properties),
                from_object: self.records.get(&key.1).map(|from| from.object.clone()).unwrap_or_default(),
                from_archived: false,
                to_archived: false,
            });
            self.put_link(key, now);
            self.rows.links.insert(key, row);
        }
        self.rows.unlinked.extend(done.unlinked);
        for (span, ends_at) in done.spans {
            self.spans.put(span, ends_at);
            self.rows.spans.insert(span, ends_at);
        }
        self.rows.inserts.extend(done.inserts);
        for (id, row) in done.updates {
            match self.rows.inserts.get_mut(&id) {
                Some(insert) => insert.state = row,
                None => drop(self.rows.updates.insert(id, row)),
            }
        }
        self.rows.merges.extend(done.merges);
        for id in done.purged {
            self.rows.log.iter_mut().filter(|row| row.entry.record == id).for_each(|row| row.entry.erase());
            self.rows.purged.push(id);
            self.purges.push((position, id));
        }
        self.append(done.log, &work.origin, work.at);
    }

    fn append(&mut self, log: Vec<super::rows::Entry<'u>>, origin: &'u Origin, at: Timestamp) {
        for entry in log {
            self.head.last_sequence += 1;
            self.rows.log.push(LogRow { sequence: self.head.last_sequence, at: at.0, entry, origin });
        }
    }

    /// Whether a reply to the unit at a position quotes a record that a later unit of the group has purged.
    pub(super) fn quotes_purged(&self, position: usize, reply: &StoredReply) -> bool {
        let mut later = self.purges.iter().filter(|(purge, _)| *purge > position);
        later.any(|(_, id)| reply.body.contains(&format!(r#""id":"{id}""#)))
    }
}

/// Ids of inserted records, and what became of each item.
type Taken = (Vec<Option<RecordId>>, Vec<Result<bool, Vec<Refusal>>>);
