//! Which roll-ups a page of the log asks to be looked at again.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::RecordId;
use engine_model::change::ChangeKind;
use engine_model::computed::{Computed, LinkedRollup};
use engine_model::query::Direction;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::followers::Following;

/// What a page of the log asks for, by the position of each roll-up among all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Affected {
    /// Records whose value may be another.
    pub(super) records: BTreeMap<usize, BTreeSet<i64>>,
    /// Records that others draw from.
    pub(super) parts: BTreeMap<usize, BTreeSet<i64>>,
    /// Whose values may be others without it being known of which records: what was purged tells nothing any more.
    pub(super) whole: BTreeSet<usize>,
}

/// What a change says of a link: before and after.
#[derive(Deserialize)]
struct LinkChange {
    r#type: (Option<String>, Option<String>),
    to: (Option<RecordId>, Option<RecordId>),
}

impl Affected {
    pub(super) fn of(computed: &Computed, changes: &[Following]) -> Result<Self> {
        let mut affected = Self::default();
        for change in changes {
            let Some(record) = change.record_id else { continue };
            // Being in a list is nothing that is drawn together.
            if [ChangeKind::SegmentJoined, ChangeKind::SegmentLeft].iter().any(|kind| kind.as_str() == change.kind) {
                continue;
            }
            let is_link = [ChangeKind::AssociationCreated, ChangeKind::AssociationRemoved]
                .iter()
                .any(|kind| kind.as_str() == change.kind);
            if is_link {
                affected.add_link(computed, change)?;
            } else if let Some(object) = &change.object {
                affected.add_record(computed, object, record, change)?;
            }
        }
        Ok(affected)
    }

    fn add_link(&mut self, computed: &Computed, change: &Following) -> Result<()> {
        let Some((kind, from, to)) = link_of(change)? else { return Ok(()) };
        for (at, rollup) in each(computed).filter(|(_, rollup)| rollup.association.as_str() == kind) {
            let record = if rollup.direction == Direction::Out { from } else { to };
            self.records.entry(at).or_default().insert(record);
        }
        Ok(())
    }

    fn add_record(&mut self, computed: &Computed, object: &str, record: i64, change: &Following) -> Result<()> {
        let is_part = |rollup: &LinkedRollup| rollup.others.iter().any(|other| other.as_str() == object);
        let kind = change.kind.as_str();
        if kind == ChangeKind::RecordPurged.as_str() {
            self.whole.extend(each(computed).filter(|(_, rollup)| is_part(rollup)).map(|(at, _)| at));
            return Ok(());
        }
        // A new record has no links yet; those that it is made with are told by themselves.
        if kind == ChangeKind::RecordCreated.as_str() {
            return Ok(());
        }
        let changes: Map<String, Value> = serde_json::from_str(&change.changes).map_err(Error::internal)?;
        let is_update =
            [ChangeKind::RecordUpdated, ChangeKind::StageChanged].iter().any(|known| known.as_str() == kind);
        for (at, rollup) in each(computed) {
            let reads = |name: &String| rollup.reads.contains(name);
            if is_part(rollup) && (!is_update || changes.keys().any(reads) || rollup.reads_system_fields()) {
                self.parts.entry(at).or_default().insert(record);
            }
            let is_own = rollup.object.as_str() == object;
            if is_own && (!is_update || changes.contains_key(rollup.property.as_str())) {
                self.records.entry(at).or_default().insert(record);
            }
        }
        Ok(())
    }

    /// Everything that draws from a record.
    pub(super) fn add_part(&mut self, computed: &Computed, object: &str, record: i64) {
        let is_part = |rollup: &LinkedRollup| rollup.others.iter().any(|other| other.as_str() == object);
        for (at, _) in each(computed).filter(|(_, rollup)| is_part(rollup)) {
            self.parts.entry(at).or_default().insert(record);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.parts.is_empty() && self.whole.is_empty()
    }
}

/// Of a change of a link, its association and its ends; none where a record at one of them was purged, which is told by
/// itself.
pub(crate) fn link_of(change: &Following) -> Result<Option<(String, i64, i64)>> {
    if change.changes == "{}" {
        return Ok(None);
    }
    let said: LinkChange = serde_json::from_str(&change.changes).map_err(Error::internal)?;
    let (kind, to) = (said.r#type.0.or(said.r#type.1), said.to.0.or(said.to.1));
    Ok(kind.zip(change.record_id).zip(to).map(|((kind, from), to)| (kind, from, to.0)))
}

/// Every roll-up with its position.
fn each(computed: &Computed) -> impl Iterator<Item = (usize, &LinkedRollup)> {
    computed.rollups().iter().enumerate()
}
