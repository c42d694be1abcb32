//! Links of a draft: what is there, what is in the way, what gives way.

use std::borrow::Cow;

use engine_model::change::ChangeKind;
use engine_model::{RecordId, UserId};
use serde_json::json;

use super::draft::Draft;
use super::rows::{Entry, LinkKey, LinkRow};
use super::{NewLink, RecordRef, Refusal, Replace};

impl<'u> Draft<'_, 'u> {
    pub(super) fn link(&mut self, link: &'u NewLink) -> Result<(), Refusal> {
        let kind = link.kind.as_str();
        let (from, to) = match link.moved {
            None => (self.visible(link.from)?, self.visible(link.to)?),
            Some(_) => (self.unmerged(link.from)?, self.unmerged(link.to)?),
        };
        let (label, properties) = (link.label.as_deref(), link.properties.as_str());
        let present = self.present_link((kind, from, to));
        if present == Some((label, properties)) {
            return Ok(());
        }
        let end = to.to_string();
        let changes = match present {
            None => json!({"type": [null, kind], "to": [null, end], "label": [null, label]}),
            // A link that only becomes another one says what it was called before.
            Some((before, _)) => json!({"type": [kind, kind], "to": [end, end], "label": [before, label]}),
        };
        for other in self.in_the_way(link, from, to) {
            // A link whose other end is archived is shown nowhere, so it gives way.
            if !self.gives_way(other, link, from) && !self.is_hidden(other) {
                let (from, to) = (RecordId(other.1), RecordId(other.2));
                return Err(Refusal::Cardinality { kind: link.kind.clone(), from, to });
            }
            self.unlink(other);
        }
        let (at, by) = match link.moved {
            None => self.pen(),
            Some(made) => (made.at.0, made.by.map(|UserId(by)| by)),
        };
        self.done.links.insert((kind, from, to), Some(LinkRow { label, properties, at, by }));
        self.log_link(ChangeKind::AssociationCreated, (kind, from, to), changes.to_string());
        Ok(())
    }

    pub(super) fn unlink(&mut self, key: LinkKey<'u>) {
        let Some((label, _)) = self.present_link(key) else { return };
        let changes = json!({"type": [key.0, null], "to": [key.2.to_string(), null], "label": [label, null]});
        self.log_link(ChangeKind::AssociationRemoved, key, changes.to_string());
        self.done.links.insert(key, None);
        self.done.unlinked.insert(key);
    }

    fn visible(&self, record: RecordRef) -> Result<i64, Refusal> {
        let id = self.id(record)?;
        match self.record(id) {
            Some(now) if !now.is_archived => Ok(id),
            _ => Err(Refusal::Missing(record)),
        }
    }

    /// A record that is there, archived or not, and leads nowhere else.
    pub(super) fn unmerged(&self, record: RecordRef) -> Result<i64, Refusal> {
        let id = self.id(record)?;
        match self.record(id) {
            Some(now) if now.is_merged => Err(Refusal::Missing(record)),
            _ => Ok(id),
        }
    }

    /// Other links at an end that may have only one.
    fn in_the_way(&self, link: &'u NewLink, from: i64, to: i64) -> Vec<LinkKey<'u>> {
        let kind = link.kind.as_str();
        let starting = link.limits_from.then(|| self.ends_from(kind, from)).into_iter().flatten();
        let leading = link.limits_to.then(|| self.ends_to(kind, to)).into_iter().flatten();
        let keys = starting.map(|end| (kind, from, end)).chain(leading.map(|start| (kind, start, to)));
        keys.filter(|key| *key != (kind, from, to)).collect()
    }

    /// Whether a link at an end of a new one, which starts at `from`, is one that it takes the place of.
    fn gives_way(&self, other: LinkKey<'u>, link: &NewLink, from: i64) -> bool {
        let across = if other.1 == from { other.2 } else { other.1 };
        match &link.replace {
            Replace::Nothing => false,
            Replace::These(records) => records.iter().any(|record| self.id(*record) == Ok(across)),
            Replace::Everything => true,
        }
    }

    fn log_link(&mut self, kind: ChangeKind, key: LinkKey<'u>, changes: String) {
        // The record may have come with the link only, when it is the other end that the unit speaks of.
        let known = self.record(key.1).map(|now| now.object.clone());
        let object = known.or_else(|| self.state.links.get(&key).map(|now| now.from_object.clone()));
        let entry = Entry { kind, object: object.unwrap_or_default(), record: key.1, changes: Cow::Owned(changes) };
        self.done.log.push(entry);
    }

    /// Whether a record is at one end of any link, as decided so far.
    pub(super) fn is_linked(&self, id: i64) -> bool {
        let is_its = |key: &&LinkKey<'u>| key.1 == id || key.2 == id;
        let stored = self.state.links.keys().filter(is_its);
        stored.chain(self.done.links.keys().filter(is_its)).any(|key| self.present_link(*key).is_some())
    }

    /// Refuses where a record has not as many links as whoever writes has looked at.
    pub(super) fn has_links(&self, record: RecordId, links: i64) -> Result<(), Refusal> {
        let is_its = |key: &&LinkKey<'u>| key.1 == record.0 || key.2 == record.0;
        let decided = self.done.links.keys().filter(|key| !self.state.links.contains_key(*key));
        let known = self.state.links.keys().chain(decided).filter(is_its);
        let present = known.filter(|key| self.present_link(**key).is_some()).count();
        let unseen = self.state.unseen_links.get(&record.0).copied().unwrap_or(0);
        match i64::try_from(present).is_ok_and(|present| unseen + present == links) {
            true => Ok(()),
            false => Err(Refusal::Stale(RecordRef::Id(record))),
        }
    }

    /// Label and properties of the link as decided so far.
    fn present_link(&self, key: LinkKey<'u>) -> Option<(Option<&str>, &str)> {
        match self.done.links.get(&key) {
            Some(decided) => decided.map(|row| (row.label, row.properties)),
            None => self.state.links.get(&key).map(|now| (now.label.as_deref(), &*now.properties)),
        }
    }

    /// A link does not count while a record at one of its ends is archived.
    fn is_hidden(&self, key: LinkKey<'u>) -> bool {
        let stored = self.state.links.get(&key).map_or((false, false), |now| (now.from_archived, now.to_archived));
        self.is_archived(key.1).unwrap_or(stored.0) || self.is_archived(key.2).unwrap_or(stored.1)
    }

    /// Where links of this kind from `from` lead, as decided so far.
    fn ends_from(&self, kind: &'u str, from: i64) -> Vec<i64> {
        let stored = self.state.by_from.get(&(kind, from)).into_iter().flatten().copied();
        let decided = self.done.links.keys().filter(|key| key.0 == kind && key.1 == from).map(|key| key.2);
        self.still_present(stored.chain(decided).map(|to| (kind, from, to)), |key| key.2)
    }

    /// Where links of this kind to `to` start, as decided so far.
    fn ends_to(&self, kind: &'u str, to: i64) -> Vec<i64> {
        let stored = self.state.by_to.get(&(kind, to)).into_iter().flatten().copied();
        let decided = self.done.links.keys().filter(|key| key.0 == kind && key.2 == to).map(|key| key.1);
        self.still_present(stored.chain(decided).map(|from| (kind, from, to)), |key| key.1)
    }

    fn still_present(&self, keys: impl Iterator<Item = LinkKey<'u>>, end: impl Fn(LinkKey<'u>) -> i64) -> Vec<i64> {
        let mut ends: Vec<i64> = keys.filter(|key| self.present_link(*key).is_some()).map(end).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}
