//! What a page of the log says that lists may depend on.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::change::ChangeKind;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::followers::Following;
use crate::records::MERGED_FROM;
use crate::rollups::link_of;

/// What has happened to a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Touch {
    /// Properties that were written.
    pub(super) written: BTreeSet<String>,
    /// It came, went, or came back: whatever is read of it may be another.
    pub(super) is_whole: bool,
}

/// A link that was made or removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    pub(super) association: String,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// What has happened to records, links and static lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// By object and record.
    pub(super) records: BTreeMap<String, BTreeMap<i64, Touch>>,
    pub(super) links: BTreeSet<Ends>,
    /// Records that joined or left, by list.
    pub(super) listed: BTreeMap<i64, BTreeSet<i64>>,
    /// Objects of which records were purged: with whom they were linked is not told any more.
    pub(super) purged: BTreeSet<String>,
    /// Records that were merged: the winner and the loser.
    pub(super) merged: Vec<(i64, i64)>,
    /// Definitions have changed.
    pub(super) has_definitions: bool,
}

impl Touched {
    pub(super) fn of(changes: &[Following]) -> Result<Self> {
        let mut touched = Self::default();
        for change in changes {
            if change.kind == ChangeKind::MetadataChanged.as_str() {
                touched.has_definitions = true;
            }
            if let Some(record) = change.record_id {
                touched.add(record, change)?;
            }
        }
        Ok(touched)
    }

    fn add(&mut self, record: i64, change: &Following) -> Result<()> {
        let is = |kinds: &[ChangeKind]| kinds.iter().any(|kind| kind.as_str() == change.kind);
        if is(&[ChangeKind::AssociationCreated, ChangeKind::AssociationRemoved]) {
            self.links.extend(link_of(change)?.map(|(association, from, to)| Ends { association, from, to }));
            return Ok(());
        }
        let changes: Map<String, Value> = serde_json::from_str(&change.changes).map_err(Error::internal)?;
        if is(&[ChangeKind::SegmentJoined, ChangeKind::SegmentLeft]) {
            let list = changes.get("list").and_then(Value::as_array);
            if let Some(list) = list.into_iter().flatten().find_map(|id| id.as_str()?.parse().ok()) {
                self.listed.entry(list).or_default().insert(record);
            }
            return Ok(());
        }
        let Some(object) = &change.object else { return Ok(()) };
        let touch = self.records.entry(object.clone()).or_default().entry(record).or_default();
        touch.is_whole |= !is(&[ChangeKind::RecordUpdated, ChangeKind::StageChanged]);
        if is(&[ChangeKind::RecordMerged]) {
            let losers = changes.get(MERGED_FROM).and_then(|pair| pair.get(1)).and_then(Value::as_array);
            let losers = losers.into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok());
            self.merged.extend(losers.map(|loser: i64| (record, loser)));
        }
        touch.written.extend(changes.into_iter().map(|(name, _)| name));
        if is(&[ChangeKind::RecordPurged]) {
            self.purged.insert(object.clone());
        }
        Ok(())
    }

    /// Records that came, went or came back, and those that went into others.
    pub(super) fn moved(&self) -> BTreeSet<i64> {
        let records = self.records.values().flatten();
        let moved = records.filter(|(_, touch)| touch.is_whole).map(|(record, _)| *record);
        moved.chain(self.merged.iter().map(|(_, loser)| *loser)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: ChangeKind, record: i64, changes: &str) -> Following {
        Following {
            sequence: 1,
            at: 10,
            kind: kind.as_str().to_owned(),
            object: Some("person".to_owned()),
            record_id: Some(record),
            changes: changes.to_owned(),
            actor: None,
            source: "api".to_owned(),
            request_id: None,
            ip: None,
            user_agent: None,
        }
    }

    #[test]
    fn writes_links_lists_and_merges_are_told_apart() {
        let touched = Touched::of(&[
            change(ChangeKind::RecordUpdated, 1, r#"{"age":[1,2]}"#),
            change(ChangeKind::RecordUpdated, 1, r#"{"city":[null,"x"]}"#),
            change(ChangeKind::RecordArchived, 2, r#"{"merged_into":[null,"3"]}"#),
            change(ChangeKind::RecordMerged, 3, r#"{"age":[1,2],"merged_from":[null,["2","4"]]}"#),
            change(ChangeKind::AssociationCreated, 1, r#"{"type":[null,"knows"],"to":[null,"5"],"label":[null,null]}"#),
            change(ChangeKind::AssociationRemoved, 9, "{}"),
            change(ChangeKind::SegmentJoined, 6, r#"{"list":[null,"7"]}"#),
            change(ChangeKind::SegmentLeft, 8, r#"{"list":["7",null]}"#),
            change(ChangeKind::SegmentLeft, 9, "{}"),
        ])
        .expect("read");
        let records = &touched.records["person"];
        let written: Vec<(i64, bool, Vec<&str>)> = records
            .iter()
            .map(|(id, touch)| (*id, touch.is_whole, touch.written.iter().map(String::as_str).collect()))
            .collect();
        let expected =
            [(1, false, vec!["age", "city"]), (2, true, vec!["merged_into"]), (3, true, vec!["age", "merged_from"])];
        assert_eq!(written, expected);
        assert_eq!(touched.links, BTreeSet::from([Ends { association: "knows".to_owned(), from: 1, to: 5 }]));
        assert_eq!(touched.listed, BTreeMap::from([(7, BTreeSet::from([6, 8]))]));
        assert_eq!(touched.merged, [(3, 2), (3, 4)]);
        assert_eq!(touched.moved(), BTreeSet::from([2, 3, 4]));
        assert!(touched.purged.is_empty() && !touched.has_definitions);
        let purged = Touched::of(&[change(ChangeKind::RecordPurged, 1, "{}")]).expect("read");
        assert_eq!((purged.purged.len(), purged.moved()), (1, BTreeSet::from([1])));
    }
}
