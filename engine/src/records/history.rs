//! A record's past, read from the change log: each property's values, and the record as it was at a moment.

use std::sync::Arc;

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, Sequence, UserId};
use engine_store::Reader;
use engine_store::change::{ChangeRow, of_record};
use serde_json::Value;

use super::merge::MERGED_FROM;
use super::operation::Target;
use super::read::{Page, View, key_of, make_cursor, read_cursor};
use super::record::{Record, Shown};
use super::state::State;
use crate::access::Given;
use crate::error::{Error, Result};
use crate::session::Session;

/// What a change says of whose a record is, beside its properties.
pub(crate) const STANDING: [&str; 2] = ["owner_id", "team_id"];

/// Changes that are read at a time.
const CHUNK: i64 = 500;

/// One past change of one property.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    /// Position in the change log.
    pub sequence: Sequence,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Option<UserId>,
    /// `api`, `import` and the like.
    pub source: String,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// The property, or `owner_id`, `team_id` or `archived_at`.
    pub property: String,
    /// Its value before.
    pub old: Value,
    /// Its value after.
    pub new: Value,
}

/// A moment of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After the change at this position.
    Sequence(Sequence),
    /// At this time.
    Time(Timestamp),
}

impl Moment {
    /// When that was, where it is known.
    fn time(self) -> Option<Timestamp> {
        match self {
            Self::Time(at) => Some(at),
            Self::Sequence(_) => None,
        }
    }

    fn is_before(self, change: &ChangeRow) -> bool {
        match self {
            Self::Sequence(sequence) => sequence.0 < change.sequence,
            Self::Time(at) => at.0 < change.at,
        }
    }
}

impl Session {
    /// What happened to a record's properties, newest first.
    pub async fn record_history(
        &mut self,
        object: &str,
        target: &Target,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<HistoryEntry>> {
        let found = self.record_found(object, target, &View::default()).await?.record;
        let records = [Some(found.id), self.merged_record(object, target).await?];
        let records: Vec<RecordId> = records.into_iter().flatten().collect();
        let name = records.iter().fold("history".to_owned(), |name, record| format!("{name}.{record}"));
        let before = cursor.map_or(Ok(i64::MAX), |cursor| read_cursor(cursor, &[&name]))?;
        let page = self.history_page(object, (&records, &name), Sequence(before), limit).await?;
        let mut given = Given::default();
        let shown = self.shown(object)?;
        for entry in page.results.iter().filter(|entry| shown.is_sensitive(&entry.property)) {
            given.add(object, Some(found.id), &entry.property);
        }
        self.write_down(given).await?;
        Ok(page)
    }

    async fn history_page(
        &self,
        object: &str,
        (records, name): (&[RecordId], &str),
        before: Sequence,
        limit: usize,
    ) -> Result<Page<HistoryEntry>> {
        let shown = self.shown(object)?;
        let mut reader = self.reader().await?;
        let mut results: Vec<HistoryEntry> = Vec::new();
        let mut next = before.0;
        // Whole changes only: a page ends between two of them and may so be a little longer than asked for.
        loop {
            let changes = of_records(&mut reader, records, Sequence(next), CHUNK).await?;
            let is_last = changes.len() < usize::try_from(CHUNK).unwrap_or(usize::MAX);
            for change in changes {
                if results.len() >= limit {
                    let next_cursor = Some(make_cursor(&[name], next));
                    return Ok(Page { results, next_cursor });
                }
                next = change.sequence;
                results.extend(entries(&change, &shown)?);
            }
            if is_last {
                return Ok(Page { results, next_cursor: None });
            }
        }
    }

    /// A record as it was at a moment; not found before it was made.
    pub async fn record_as_of(&mut self, object: &str, target: &Target, moment: Moment, view: &View) -> Result<Record> {
        let current = self.record_found(object, target, &View::default()).await?.record;
        let missing = || Error::not_found("the record did not exist at that moment");
        let mut reader = self.reader().await?;
        let (_, row) = engine_store::record::get(&mut reader, &engine_store::record::Key::Id(current.id)).await?;
        let mut state = State::from_row(row.ok_or_else(missing)?, &self.catalog.effective.registry)?;
        let mut before = Sequence(i64::MAX);
        let mut last_write = None;
        'changes: loop {
            let changes = of_record(&mut reader, current.id, before, CHUNK).await?;
            let is_last = changes.len() < usize::try_from(CHUNK).unwrap_or(usize::MAX);
            for change in changes {
                before = Sequence(change.sequence);
                if !moment.is_before(&change) {
                    state.updated_at = Timestamp(change.at);
                    state.updated_by = change.actor.map(UserId);
                    break 'changes;
                }
                if change.kind == "record.created" {
                    return Err(missing());
                }
                take_back(&mut state, &change)?;
                // One write may leave two entries, an update and a move; versions count writes.
                let write = Some((change.at, change.request_id.clone()));
                if changes_version(&change) && write != last_write {
                    state.version = (state.version - 1).max(1);
                    last_write = write;
                }
            }
            if is_last {
                break;
            }
        }
        let definition = self.catalog.object(object)?;
        state.display_name = definition.display.render(&state.properties);
        let selected = self.selected(definition, view.select.as_deref())?;
        let shown = Shown::of(
            &self.catalog,
            definition,
            &self.caller.rights,
            selected.as_deref(),
            moment.time().unwrap_or(self.now()),
        );
        let record = state.into_record(current.id, &shown)?;
        self.give([&record]).await?;
        Ok(record)
    }

    /// The record that the target names itself, where its id leads to another one.
    pub(crate) async fn merged_record(&self, object: &str, target: &Target) -> Result<Option<RecordId>> {
        let Some(key) = key_of(self.catalog.object(object)?, target, &self.catalog.locale)? else { return Ok(None) };
        let (_, row) = engine_store::record::get_itself(&mut self.reader().await?, &key).await?;
        Ok(row.filter(|row| row.merged_into.is_some()).map(|row| row.record_id()))
    }

    fn shown(&self, object: &str) -> Result<Shown<'_>> {
        Ok(Shown::of(&self.catalog, self.catalog.object(object)?, &self.caller.rights, None, self.now()))
    }
}

/// The next changes of a record and of one that was merged into it, newest first; less than `limit` where these are all.
pub(crate) async fn of_records(
    reader: &mut Reader,
    records: &[RecordId],
    before: Sequence,
    limit: i64,
) -> Result<Vec<ChangeRow>> {
    let mut changes = Vec::new();
    for record in records {
        changes.extend(of_record(reader, *record, before, limit).await?);
    }
    changes.sort_unstable_by_key(|change| -change.sequence);
    changes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(changes)
}

fn entries(change: &ChangeRow, shown: &Shown<'_>) -> Result<Vec<HistoryEntry>> {
    let entry = |property: &str, old: Value, new: Value| HistoryEntry {
        sequence: Sequence(change.sequence),
        at: Timestamp(change.at),
        by: change.actor.map(UserId),
        source: change.source.clone(),
        request_id: change.request_id.clone(),
        property: property.to_owned(),
        old,
        new,
    };
    let at = || Value::from(Timestamp(change.at).to_rfc3339());
    let pair_of = |(property, old, new): (String, Value, Value)| entry(&property, old, new);
    Ok(match change.kind.as_str() {
        // Beside it stands where the record's id has led from then on, or no longer.
        "record.archived" => [entry("archived_at", Value::Null, at())]
            .into_iter()
            .chain(pairs(change)?.into_iter().map(pair_of))
            .collect(),
        "record.restored" => [entry("archived_at", at(), Value::Null)]
            .into_iter()
            .chain(pairs(change)?.into_iter().map(pair_of))
            .collect(),
        kind if ChangeKind::is_of_record(kind) => pairs(change)?
            .into_iter()
            .filter(|(property, ..)| STANDING.contains(&property.as_str()) || shown.shows(property))
            .map(pair_of)
            .collect(),
        _ => Vec::new(),
    })
}

/// What a change says of properties: name, before and after.
pub(crate) fn pairs(change: &ChangeRow) -> Result<Vec<(String, Value, Value)>> {
    let changes: Properties = serde_json::from_str(&change.changes).map_err(Error::internal)?;
    Ok(changes
        .into_iter()
        .filter_map(|(property, pair)| match pair {
            Value::Array(pair) => match <[Value; 2]>::try_from(pair) {
                Ok([old, new]) => Some((property, old, new)),
                Err(_) => None,
            },
            _ => None,
        })
        .collect())
}

/// Undoes one change in memory.
fn take_back(state: &mut State, change: &ChangeRow) -> Result<()> {
    match change.kind.as_str() {
        "record.archived" => state.archived_at = None,
        "record.restored" => state.archived_at = Some(Timestamp(change.at)),
        kind if kind == ChangeKind::RecordMerged.as_str() || ChangeKind::is_of_values(kind) => {
            let properties = Arc::make_mut(&mut state.properties);
            for (property, old, _) in pairs(change)?.into_iter().filter(|(property, ..)| property != MERGED_FROM) {
                match (property.as_str(), old) {
                    ("owner_id", old) => state.owner = old.as_str().and_then(|owner| owner.parse().ok()),
                    ("team_id", old) => state.team = old.as_str().and_then(|team| team.parse().ok()),
                    (_, Value::Null) => drop(properties.shift_remove(&property)),
                    (_, old) => drop(properties.insert(property, old)),
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn changes_version(change: &ChangeRow) -> bool {
    let kinds = ["record.archived", "record.restored", "record.merged"];
    kinds.contains(&change.kind.as_str()) || ChangeKind::is_of_values(&change.kind)
}
