//! Reading the change log: every change in commit order, once, resumable from any position.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use engine_model::access::Action;
use engine_model::change::{ChangeKind, SECONDS};
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, UserId};
use engine_store::change::{self, ChangeRow};
use engine_store::record;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::access::Given;
use crate::caller::Standing;
use crate::error::{Error, Result};
use crate::records::{STANDING, Shown};
use crate::session::{Session, with_current};

/// Changes that are read from the store at a time.
const CHUNK: i64 = 500;

/// The properties that say where a record stands.
const MOVED: [&str; 2] = ["stage", "pipeline"];

/// Where a link leads that was made or taken away.
fn far_end(row: &ChangeRow) -> Option<i64> {
    if ![ChangeKind::AssociationCreated, ChangeKind::AssociationRemoved].iter().any(|kind| kind.as_str() == row.kind) {
        return None;
    }
    let changes: Map<String, Value> = serde_json::from_str(&row.changes).ok()?;
    changes.get("to")?.as_array()?.iter().find_map(|id| id.as_str()?.parse().ok())
}

/// What is known of the records that changes are about, to tell which of them the caller sees.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    /// Whose they are, where the caller may not see all of their objects.
    standings: HashMap<i64, Standing>,
    /// Where links lead, as far as the caller sees that; none where it sees every record.
    far_ends: Option<HashSet<i64>>,
}

impl Sights {
    /// Whether the caller sees where a link leads, if it is one. A link is between two records, and who sees one of them
    /// alone is not told of the other.
    pub(crate) fn has_end_of(&self, row: &ChangeRow) -> bool {
        let Some(far_ends) = &self.far_ends else { return true };
        far_end(row).is_none_or(|end| far_ends.contains(&end))
    }
}

/// The list that a record has joined or left, where that is what has happened.
fn list_of(row: &ChangeRow) -> Option<i64> {
    if ![ChangeKind::SegmentJoined, ChangeKind::SegmentLeft].iter().any(|kind| kind.as_str() == row.kind) {
        return None;
    }
    let changes: Map<String, Value> = serde_json::from_str(&row.changes).ok()?;
    changes.get("list")?.as_array()?.iter().find_map(|id| id.as_str()?.parse().ok())
}

fn lists_of(rows: &[ChangeRow]) -> BTreeSet<i64> {
    rows.iter().filter_map(list_of).collect()
}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// Position in the log.
    pub sequence: Sequence,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Option<UserId>,
    /// What happened, such as `record.created`.
    pub kind: String,
    /// The object's name.
    pub object: Option<String>,
    /// The record concerned.
    pub record: Option<RecordId>,
    /// Property to `[old, new]`.
    pub changes: Map<String, Value>,
    /// Of a move, whole seconds that the record was in the stage that it has left; none where that is not known.
    pub seconds: Option<i64>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// `api`, `import` and the like.
    pub source: String,
    /// Address of the caller.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
}

/// Which changes are wanted.
#[derive(Debug, Clone)]
pub struct ChangeQuery {
    /// Only after this position.
    pub after: Sequence,
    /// Only of this object.
    pub object: Option<String>,
    /// At most this many.
    pub limit: usize,
    /// How long to wait where there is nothing yet.
    pub wait: Duration,
}

/// Some changes, and where to go on.
#[derive(Debug, Clone)]
pub struct Changes {
    /// In commit order.
    pub results: Vec<Change>,
    /// Everything up to here has been looked at.
    pub position: Sequence,
    /// There may be more right now.
    pub has_more: bool,
}

impl Session {
    /// Changes after a position, oldest first; waits for the first one where there is none yet.
    pub async fn changes(&mut self, query: &ChangeQuery) -> Result<Changes> {
        self.wait_for_position().await?;
        if let Some(object) = &query.object {
            with_current!(self, self.catalog.object(object).map(drop))?;
        }
        let mut signal = self.signal();
        let deadline = tokio::time::Instant::now() + query.wait;
        let mut position = query.after;
        loop {
            let found = self.changes_now(position, query.object.as_deref(), query.limit).await?;
            if !found.results.is_empty() || query.wait.is_zero() {
                return Ok(found);
            }
            position = found.position;
            if found.has_more {
                continue;
            }
            let stopping = self.engine.stopping();
            tokio::select! {
                woken = tokio::time::timeout_at(deadline, signal.changed()) => match woken {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return Ok(found),
                },
                () = stopping.cancelled() => return Ok(found),
            }
        }
    }

    /// A signal that fires whenever the tenant's log grows. Take it before reading, so that nothing falls between.
    pub fn signal(&self) -> watch::Receiver<i64> {
        self.engine.store().subscribe(self.tenant())
    }

    /// Changes after a position that are there now; reads at most one chunk where an object is asked for.
    pub async fn changes_now(&mut self, after: Sequence, object: Option<&str>, limit: usize) -> Result<Changes> {
        let wanted = i64::try_from(limit).unwrap_or(CHUNK);
        let chunk = if object.is_some() { CHUNK } else { wanted.min(CHUNK) };
        let mut reader = self.reader().await?;
        let head = reader.head().await?;
        let rows = change::after(&mut reader, after, chunk).await?;
        drop(reader);
        self.catch_up(head.metadata_version, head.access_version).await?;
        let (sights, lists) = (self.sights(&rows).await?, self.lists_told(lists_of(&rows)).await?);
        let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == chunk);
        let (mut results, mut given) = (Vec::new(), Given::default());
        let mut position = after;
        for row in rows {
            if results.len() >= limit {
                self.write_down(given).await?;
                return Ok(Changes { results, position, has_more: true });
            }
            position = Sequence(row.sequence);
            if object.is_none_or(|object| row.object.as_deref() == Some(object))
                && list_of(&row).is_none_or(|list| lists.contains(&list))
                && let Some(change) = self.visible(row, &sights, &mut given)?
            {
                results.push(change);
            }
        }
        self.write_down(given).await?;
        Ok(Changes { results, position, has_more: is_full })
    }

    /// What tells which of these changes the caller sees.
    pub(crate) async fn sights(&self, rows: &[ChangeRow]) -> Result<Sights> {
        Ok(Sights { standings: self.standings(rows).await?, far_ends: self.far_ends(rows).await? })
    }

    /// Where links lead, as far as the caller sees that now; what was erased is nobody's.
    async fn far_ends(&self, rows: &[ChangeRow]) -> Result<Option<HashSet<i64>>> {
        if self.caller.rights.reads_every_record() {
            return Ok(None);
        }
        let ends: BTreeSet<i64> = rows.iter().filter_map(far_end).collect();
        if ends.is_empty() {
            return Ok(Some(HashSet::new()));
        }
        let found = record::many(&mut self.reader().await?, ends.into_iter().collect()).await?;
        let seen = found.iter().filter(|row| self.caller.may(Action::Read, &row.object, *row));
        Ok(Some(seen.map(|row| row.id).collect()))
    }

    /// Whose the records are that changes are about, where the caller may not see all of their objects.
    async fn standings(&self, rows: &[ChangeRow]) -> Result<HashMap<i64, Standing>> {
        let is_partly_seen = |row: &&ChangeRow| {
            let object = row.object.as_deref();
            object.is_some_and(|object| !self.caller.may_all(Action::Read, object))
        };
        let mut records: Vec<i64> = rows.iter().filter(is_partly_seen).filter_map(|row| row.record_id).collect();
        records.sort_unstable();
        records.dedup();
        if records.is_empty() {
            return Ok(HashMap::new());
        }
        let found = record::many(&mut self.reader().await?, records).await?;
        Ok(found.iter().map(|row| (row.id, Standing::from(row))).collect())
    }

    /// Whether the caller sees the record that a change is about as it is now; one that was erased is nobody's.
    fn sees_record(&self, object: &str, record: Option<i64>, standings: &HashMap<i64, Standing>) -> bool {
        self.caller.may_all(Action::Read, object)
            || record
                .and_then(|record| standings.get(&record))
                .is_some_and(|standing| self.caller.may(Action::Read, object, *standing))
    }

    /// The change as far as the caller may see it.
    pub(crate) fn visible(&self, row: ChangeRow, sights: &Sights, given: &mut Given) -> Result<Option<Change>> {
        let sees = |object: &str| self.sees_record(object, row.record_id, &sights.standings);
        let is_seen = row.object.as_deref().is_none_or(sees) && sights.has_end_of(&row);
        if is_seen { self.visible_change(row, given) } else { Ok(None) }
    }

    /// What the caller may see of a change of a record that it may see.
    pub(crate) fn visible_change(&self, row: ChangeRow, given: &mut Given) -> Result<Option<Change>> {
        let mut changes: Map<String, Value> = serde_json::from_str(&row.changes).map_err(Error::internal)?;
        let mut seconds = match row.kind == ChangeKind::StageChanged.as_str() {
            true => changes.shift_remove(SECONDS).and_then(|seconds| seconds.as_i64()),
            false => None,
        };
        if let Some(name) = &row.object {
            // A change of an object that is off or archived stays in the log for those who know it, not for this call.
            let Some(object) = self.catalog.effective.registry.objects.get(name.as_str()) else { return Ok(None) };
            if ChangeKind::is_of_record(&row.kind) {
                let shown = Shown::of(&self.catalog, object, &self.caller.rights, None, self.now());
                let is_move = row.kind == ChangeKind::StageChanged.as_str();
                // Of a move nothing is left for those who see no stage, not even that there was one.
                if is_move && !MOVED.iter().any(|property| shown.shows(property)) {
                    return Ok(None);
                }
                let has_moved = MOVED.iter().any(|property| changes.contains_key(*property));
                changes.retain(|property, _| STANDING.contains(&property.as_str()) || shown.shows(property));
                let is_seen = MOVED.iter().any(|property| changes.contains_key(*property));
                if is_move && has_moved && !is_seen {
                    return Ok(None);
                }
                seconds = seconds.filter(|_| is_seen);
                for property in changes.keys().filter(|property| shown.is_sensitive(property)) {
                    given.add(name, row.record_id.map(RecordId), property);
                }
            }
        }
        Ok(Some(Change {
            sequence: Sequence(row.sequence),
            at: Timestamp(row.at),
            actor: row.actor.map(UserId),
            kind: row.kind,
            object: row.object,
            record: row.record_id.map(RecordId),
            changes,
            seconds,
            request_id: row.request_id,
            source: row.source,
            ip: row.ip,
            user_agent: row.user_agent,
        }))
    }
}
