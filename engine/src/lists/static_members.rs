//! What becomes of the members of static lists when their records are archived, come back, are merged or are gone.

use std::collections::{BTreeMap, BTreeSet};

use engine_store::Reader;
use engine_store::list::{self, Mark};
use engine_store::record::{self, RecordRow};

use super::settle::StaticChanges;
use super::touched::Touched;
use crate::error::Result;
use crate::session::Session;

/// Memberships that are read of the records of one page.
const MOST_ROWS: i64 = 3_000_000;

impl Session {
    /// Who is away is remembered, and comes back with its record; the winner of a merge is in the losers' lists from
    /// then on. It is told by the records as they are, so that the same changes again change nothing.
    pub(super) async fn static_changes(&self, reader: &mut Reader, touched: &Touched) -> Result<StaticChanges> {
        let mut changes = StaticChanges::default();
        let moved = touched.moved();
        if moved.is_empty() {
            return Ok(changes);
        }
        let rows = list::memberships(reader, moved.iter().copied().collect(), MOST_ROWS).await?;
        if rows.is_empty() {
            return Ok(changes);
        }
        let ids: BTreeSet<i64> = rows.iter().map(|row| row.list_id).collect();
        let lists = list::many(reader, ids.into_iter().collect()).await?;
        let statics: BTreeMap<i64, String> =
            lists.into_iter().filter(|row| row.filter.is_none()).map(|row| (row.id, row.object)).collect();
        if statics.is_empty() {
            return Ok(changes);
        }
        let records = record::many(reader, moved.into_iter().collect()).await?;
        let records: BTreeMap<i64, RecordRow> = records.into_iter().map(|row| (row.id, row)).collect();
        let is_active = |id: &i64| records.get(id).is_some_and(|row| row.archived_at.is_none());
        let mut known: BTreeSet<(i64, i64)> = BTreeSet::new();
        for row in rows {
            let Some(object) = statics.get(&row.list_id) else { continue };
            let key = (row.list_id, row.record_id);
            known.insert(key);
            let (was_member, is_member) = (row.is_away == 0, is_active(&row.record_id));
            if was_member && !is_member {
                changes.left.insert(key);
            }
            if !was_member && is_member {
                changes.joined.insert(key);
            }
            match records.contains_key(&row.record_id) {
                false => changes.gone.push((key.0, key.1, object.clone())),
                true if was_member != is_member => {
                    let mark = Mark { list_id: key.0, record_id: key.1, is_away: !is_member };
                    changes.marks.push((mark, object.clone()));
                }
                true => {}
            }
        }
        for (winner, loser) in touched.merged.iter().filter(|(winner, _)| is_active(winner)) {
            let of_loser: Vec<i64> =
                known.iter().filter(|(_, record)| record == loser).map(|(list, _)| *list).collect();
            for list_id in of_loser {
                if let (true, Some(object)) = (known.insert((list_id, *winner)), statics.get(&list_id)) {
                    changes.joined.insert((list_id, *winner));
                    let mark = Mark { list_id, record_id: *winner, is_away: false };
                    changes.marks.push((mark, object.clone()));
                }
            }
        }
        Ok(changes)
    }
}
