//! Writes what differs between who meets what lists ask and who is in them, with all that is told of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use engine_model::change::ChangeKind;
use engine_model::{Name, Sequence};
use engine_store::change::{self, Entry};
use engine_store::list::{self, ListRow, Mark, Upkeep};
use engine_store::{Tx, counter};

use super::ask::Found;
use super::touched::Touched;
use super::{EPOCH, FOLLOWER};
use crate::error::{Error, Result};
use crate::session::Session;

/// Memberships that are read of the records of one commit; a page of changes has so many at most by its bounds.
const MOST_ROWS: i64 = 3_000_000;

/// What must still hold when it is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Basis {
    /// The log is followed up to the first position, and will be up to the second.
    Page(Sequence, Sequence),
    /// The index was at this position, and the log is not followed beyond.
    Index(Sequence),
}

/// What becomes of static lists.
#[derive(Debug, Clone, Default)]
pub(super) struct StaticChanges {
    pub(super) marks: Vec<(Mark, String)>,
    pub(super) gone: Vec<(i64, i64, String)>,
    pub(super) left: BTreeSet<(i64, i64)>,
    pub(super) joined: BTreeSet<(i64, i64)>,
}

impl Session {
    /// Writes what differs, with all that is told of it, if the basis still holds; false where it does not. `upkeep` is
    /// kept with it of a list that is held until a moment.
    pub(super) async fn settle_lists(
        &self,
        epoch: i64,
        basis: Basis,
        found: &[Found],
        moved: Option<&Touched>,
        upkeep: Option<(i64, i64, Upkeep)>,
    ) -> Result<bool> {
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        if counter::last(tx.reader(), EPOCH).await? != epoch {
            return Ok(false);
        }
        let position = change::position(tx.reader(), FOLLOWER).await?;
        let holds = match basis {
            Basis::Page(from, _) => position == from,
            Basis::Index(at) => position <= at,
        };
        if !holds {
            return Ok(false);
        }
        let changes = match moved {
            Some(touched) => self.static_changes(tx.reader(), touched).await?,
            None => StaticChanges::default(),
        };
        let differences = self.differences(&mut tx, found).await?;
        self.write_members(&mut tx, differences, changes).await?;
        if let Some((id, lease, upkeep)) = upkeep {
            let is_held = list::get(tx.reader(), id).await?.is_some_and(|row| row.due_at == Some(lease));
            if !is_held {
                return Ok(false);
            }
            list::save_upkeep(&mut tx, id, &upkeep).await?;
        }
        if let Basis::Page(_, to) = basis {
            change::move_position(&mut tx, FOLLOWER, to, self.now()).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Who joins and who leaves, each with whether that is told.
    async fn differences(&self, tx: &mut Tx, found: &[Found]) -> Result<Differences> {
        let mut differences = Differences::default();
        let records: BTreeSet<i64> = found.iter().flat_map(|found| found.records.iter()).copied().collect();
        if records.is_empty() {
            return Ok(differences);
        }
        let records = records.into_iter().collect();
        let rows = match found {
            // However many others they are in.
            [one] => list::memberships_in(tx.reader(), one.list, records).await?,
            _ => list::memberships(tx.reader(), records, MOST_ROWS).await?,
        };
        if i64::try_from(rows.len()).is_ok_and(|count| count >= MOST_ROWS) {
            return Err(Error::internal("records are in more lists than there can be"));
        }
        let members: HashSet<(i64, i64)> = rows.into_iter().map(|row| (row.list_id, row.record_id)).collect();
        let new: Vec<i64> = found.iter().filter(|found| found.is_new).map(|found| found.list).collect();
        let new = if new.is_empty() { Vec::new() } else { list::many(tx.reader(), new).await? };
        let new: HashMap<i64, ListRow> = new.into_iter().map(|row| (row.id, row)).collect();
        for Found { list, object, records, met, .. } in found {
            // Who was there before the list is a member without having joined.
            let fill = new.get(list).and_then(|row| Some((row.filled_to.unwrap_or(0), row.fill_until?)));
            let is_told = |record: i64| fill.is_none_or(|(to, until)| record <= to || record > until);
            for record in records.iter() {
                let key = (*list, *record);
                match (members.contains(&key), met.contains(record)) {
                    (false, true) => differences.joined.push((key, object.clone(), is_told(*record))),
                    (true, false) => differences.left.push((key, object.clone(), is_told(*record))),
                    (true, true) | (false, false) => {}
                }
            }
        }
        Ok(differences)
    }

    async fn write_members(&self, tx: &mut Tx, differences: Differences, changes: StaticChanges) -> Result<()> {
        let at = self.now();
        let (mut counts, mut entries) = (BTreeMap::<i64, i64>::new(), Vec::new());
        let mut marks: Vec<Mark> = Vec::new();
        for ((list_id, record_id), object, is_told) in differences.joined {
            marks.push(Mark { list_id, record_id, is_away: false });
            *counts.entry(list_id).or_default() += 1;
            entries.extend(is_told.then(|| entry(ChangeKind::SegmentJoined, list_id, record_id, &object)));
        }
        let mut gone: Vec<(i64, i64)> = Vec::new();
        for ((list_id, record_id), object, is_told) in differences.left {
            gone.push((list_id, record_id));
            *counts.entry(list_id).or_default() -= 1;
            entries.extend(is_told.then(|| entry(ChangeKind::SegmentLeft, list_id, record_id, &object)));
        }
        for (mark, object) in changes.marks {
            let key = (mark.list_id, mark.record_id);
            let more = i64::from(changes.joined.contains(&key)) - i64::from(changes.left.contains(&key));
            *counts.entry(mark.list_id).or_default() += more;
            let kind = if more > 0 { ChangeKind::SegmentJoined } else { ChangeKind::SegmentLeft };
            entries.extend((more != 0).then(|| entry(kind, mark.list_id, mark.record_id, &object)));
            marks.push(mark);
        }
        for (list_id, record_id, object) in changes.gone {
            gone.push((list_id, record_id));
            let is_told = changes.left.contains(&(list_id, record_id));
            *counts.entry(list_id).or_default() -= i64::from(is_told);
            entries.extend(is_told.then(|| entry(ChangeKind::SegmentLeft, list_id, record_id, &object)));
        }
        entries.sort_by(|one, other| (one.record_id, &one.changes).cmp(&(other.record_id, &other.changes)));
        list::add(tx, &marks, at.0).await?;
        list::remove(tx, &gone).await?;
        list::count(tx, &counts.into_iter().collect::<Vec<_>>()).await?;
        change::append_many(tx, &self.origin, at, &entries).await?;
        Ok(())
    }
}

/// Who joins lists and who leaves them: list and record, its object, and whether that is told.
#[derive(Debug, Default)]
struct Differences {
    joined: Vec<((i64, i64), Name, bool)>,
    left: Vec<((i64, i64), Name, bool)>,
}

/// What the log tells of a record that joins a list or leaves it.
pub(super) fn entry(kind: ChangeKind, list: i64, record: i64, object: &str) -> Entry {
    let changes = match kind {
        ChangeKind::SegmentLeft => format!(r#"{{"list":["{list}",null]}}"#),
        _ => format!(r#"{{"list":[null,"{list}"]}}"#),
    };
    Entry { kind: kind.as_str(), object: object.to_owned(), record_id: record, changes }
}
