//! A page of the log as an index reads it: which records and links are others now.
//!
//! What they have become is read from the store afterwards, so it may be newer than the page. That does no harm: what
//! made it newer comes with a later page and finds it done.

use std::collections::{BTreeSet, HashMap};

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence};
use engine_search::LinkEnds;
use engine_store::change::Movement;
use serde::Deserialize;

use crate::error::{Error, Result};

/// What some changes in a row ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Records to be looked at again.
    pub(super) records: BTreeSet<i64>,
    /// Links, each with whether it is there after the page.
    pub(super) links: HashMap<LinkEnds, bool>,
    /// Definitions are others.
    pub(super) has_definitions: bool,
    /// How many changes there are.
    pub(super) changes: usize,
    /// The last one.
    pub(super) sequence: Sequence,
    /// When that was.
    pub(super) at: Timestamp,
}

/// What a change says of a link: before and after.
#[derive(Deserialize)]
struct LinkChange {
    r#type: (Option<String>, Option<String>),
    to: (Option<RecordId>, Option<RecordId>),
}

impl Page {
    /// What `movements` ask for; none where there are none.
    pub(super) fn of(movements: &[Movement]) -> Result<Option<Self>> {
        let Some(last) = movements.last() else { return Ok(None) };
        let mut page = Self {
            records: BTreeSet::new(),
            links: HashMap::new(),
            has_definitions: false,
            changes: movements.len(),
            sequence: Sequence(last.sequence),
            at: Timestamp(last.at),
        };
        for movement in movements {
            page.add(movement)?;
        }
        Ok(Some(page))
    }

    fn add(&mut self, movement: &Movement) -> Result<()> {
        let kind = movement.kind.as_str();
        if kind == ChangeKind::MetadataChanged.as_str() {
            self.has_definitions = true;
        }
        let Some(record) = movement.record_id else { return Ok(()) };
        if ChangeKind::is_of_record(kind) {
            self.records.insert(record);
        }
        match movement.link.as_deref() {
            // The record where the link began was purged, which took the link away.
            None | Some("{}") => {}
            Some(change) => {
                let change: LinkChange = serde_json::from_str(change).map_err(Error::internal)?;
                let is_there = kind == ChangeKind::AssociationCreated.as_str();
                let (association, to) =
                    if is_there { (change.r#type.1, change.to.1) } else { (change.r#type.0, change.to.0) };
                if let (Some(association), Some(to)) = (association, to) {
                    self.links.insert(LinkEnds { association, from: RecordId(record), to }, is_there);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(sequence: i64, kind: ChangeKind, record_id: Option<i64>, link: Option<&str>) -> Movement {
        let (kind, link) = (kind.as_str().to_owned(), link.map(str::to_owned));
        Movement { sequence, at: sequence * 10, kind, record_id, link }
    }

    #[test]
    fn each_record_is_named_once_and_each_link_as_it_is_in_the_end() {
        let made = Some(r#"{"type":[null,"knows"],"to":[null,"2"],"label":[null,"boss"]}"#);
        let gone = Some(r#"{"type":["knows",null],"to":["2",null],"label":["boss",null]}"#);
        let other = Some(r#"{"type":[null,"works_at"],"to":[null,"3"],"label":[null,null]}"#);
        let page = Page::of(&[
            movement(4, ChangeKind::RecordCreated, Some(1), None),
            movement(5, ChangeKind::StageChanged, Some(1), None),
            movement(6, ChangeKind::AssociationCreated, Some(1), made),
            movement(7, ChangeKind::AssociationCreated, Some(1), other),
            movement(8, ChangeKind::AssociationRemoved, Some(1), gone),
            movement(9, ChangeKind::AssociationCreated, Some(9), Some("{}")),
            movement(11, ChangeKind::RecordPurged, Some(9), None),
        ]);
        let page = page.expect("read").expect("a page");
        let link = |association: &str, to| LinkEnds { association: association.to_owned(), from: RecordId(1), to };
        assert_eq!(page.records, BTreeSet::from([1, 9]));
        let links = [(link("knows", RecordId(2)), false), (link("works_at", RecordId(3)), true)];
        assert_eq!(page.links, HashMap::from(links));
        assert_eq!((page.has_definitions, page.changes), (false, 7));
        assert_eq!((page.sequence, page.at), (Sequence(11), Timestamp(110)));
    }

    #[test]
    fn definitions_are_noticed_and_nothing_is_no_page() {
        let page = Page::of(&[movement(1, ChangeKind::MetadataChanged, None, None)]).expect("read").expect("a page");
        assert!(page.has_definitions && page.records.is_empty());
        assert_eq!(Page::of(&[]).expect("read"), None);
    }
}
