//! A page of a timeline: changes and entries, merged by when they were, newest first.

use std::collections::{HashMap, VecDeque};

use engine_model::access::Action;
use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, UserId};
use engine_store::change::ChangeRow;
use engine_store::record::RecordRow;
use engine_store::timeline::{self, Place};
use engine_store::{Reader, record};
use serde_json::{Map, Value};

use super::cursor::{Cursor, Next, next};
use super::entry::{Source, TimelineEntry};
use super::kinds::Kinds;
use crate::access::Given;
use crate::error::Result;
use crate::records::{Page, Target, View, of_records};
use crate::session::Session;

/// Changes and entries that one call looks at; where it has found less than a page among them, the page is shorter.
const MOST_LOOKED_AT: usize = 5_000;

/// Which entries of a timeline are wanted.
#[derive(Debug, Clone)]
pub struct TimelineQuery {
    /// `change`, `activity`, `note` or types of activities; all where there are none.
    pub kinds: Vec<String>,
    /// Only what was later.
    pub after: Option<Timestamp>,
    /// At most this many, from 1 to 200.
    pub limit: usize,
    /// Where the page begins; what the page before said.
    pub cursor: Option<String>,
}

/// Something on a timeline.
#[derive(Debug, Clone)]
pub enum TimelineItem {
    /// A change of the record itself.
    Change(TimelineChange),
    /// An activity or a note.
    Entry(TimelineEntry),
}

/// A change of a record as its timeline shows it.
#[derive(Debug, Clone)]
pub struct TimelineChange {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Option<UserId>,
    /// Position in the change log.
    pub sequence: Sequence,
    /// What happened, such as `stage.changed`.
    pub event: String,
    /// Property to `[old, new]`.
    pub changes: Map<String, Value>,
    /// Of a move, whole seconds that the record was in the stage that it has left.
    pub seconds: Option<i64>,
    /// `api`, `import` and the like.
    pub source: String,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// What a timeline is read by.
struct Wanted<'a> {
    object: &'a str,
    /// The record, and the one that was asked for where that was merged into it.
    records: Vec<RecordId>,
    kinds: Kinds,
    /// Microseconds since 1970.
    after: i64,
    limit: usize,
}

/// What has been read of one of the two streams.
struct Batch<T> {
    rows: VecDeque<T>,
    has_more: bool,
}

/// An entry where it stands; without a record where the caller sees none.
struct Standing {
    place: Place,
    /// Which of the sources it is of.
    source: usize,
    row: Option<RecordRow>,
}

impl Session {
    /// What has happened to a record, newest first.
    pub async fn record_timeline(
        &mut self,
        object: &str,
        target: &Target,
        query: &TimelineQuery,
    ) -> Result<Page<TimelineItem>> {
        let found = self.record_found(object, target, &View::default()).await?;
        let kinds = Kinds::read(&query.kinds, &self.catalog)?;
        let merged = self.merged_record(object, target).await?;
        let records: Vec<RecordId> = [Some(found.record.id), merged].into_iter().flatten().collect();
        let list = records.iter().fold("timeline".to_owned(), |list, record| format!("{list}.{record}"));
        let from =
            query.cursor.as_deref().map_or(Ok(Cursor::at(found.sequence)), |cursor| Cursor::read(cursor, &list))?;
        let has_sources = self.sources(object).iter().any(|source| kinds.wants(self, source));
        if has_sources {
            self.await_timelines(found.sequence).await?;
        }
        let after = query.after.map_or(i64::MIN, |after| after.0);
        let wanted = Wanted { object, records, kinds, after, limit: query.limit };
        let mut given = Given::default();
        let (results, next) = self.timeline_page(&wanted, from, &mut given).await?;
        self.write_down(given).await?;
        Ok(Page { results, next_cursor: next.map(|next| next.text(&list)) })
    }

    async fn timeline_page(
        &self,
        wanted: &Wanted<'_>,
        from: Cursor,
        given: &mut Given,
    ) -> Result<(Vec<TimelineItem>, Option<Cursor>)> {
        let mut sources = self.sources(wanted.object);
        sources.retain(|source| wanted.kinds.wants(self, source));
        let mut reader = self.reader().await?;
        let (mut results, mut at, mut looked_at) = (Vec::with_capacity(wanted.limit), from, 0);
        while looked_at < MOST_LOOKED_AT {
            // One more than fits says whether there is another page.
            let room = wanted.limit - results.len() + 1;
            let mut entries = self.next_entries(&mut reader, wanted, &sources, at.place, room).await?;
            let mut changes = next_changes(&mut reader, wanted, Sequence(at.sequence), room).await?;
            looked_at += entries.rows.len() + changes.rows.len();
            loop {
                let entry = entries.rows.front().map(|standing| standing.place.at);
                let change = changes.rows.front().map(|row| row.at);
                let item = match next((entry, entries.has_more), (change, changes.has_more)) {
                    Next::Read => break,
                    Next::End => return Ok((results, None)),
                    Next::Entry | Next::Change if results.len() == wanted.limit => return Ok((results, Some(at))),
                    Next::Entry => {
                        let Some(standing) = entries.rows.pop_front() else { break };
                        at.place = standing.place;
                        tell_entry(standing, &sources, wanted, given)?
                    }
                    Next::Change => {
                        let Some(row) = changes.rows.pop_front() else { break };
                        at.pass_change(row.sequence, row.at);
                        self.tell_change(row, given)?
                    }
                };
                results.extend(item);
            }
        }
        Ok((results, Some(at)))
    }

    /// The next entries, with the records of those that the caller sees.
    async fn next_entries(
        &self,
        reader: &mut Reader,
        wanted: &Wanted<'_>,
        sources: &[Source<'_>],
        before: Place,
        room: usize,
    ) -> Result<Batch<Standing>> {
        let (mut rows, mut has_more) = (Vec::new(), false);
        let Some(record) = wanted.records.first() else { return Ok(Batch { rows: VecDeque::new(), has_more }) };
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        for (source, of) in sources.iter().enumerate() {
            let places = timeline::page(reader, *record, &of.entry.about, before, wanted.after, limit).await?;
            has_more |= places.len() >= room;
            rows.extend(places.into_iter().map(|place| Standing { place, source, row: None }));
        }
        rows.sort_unstable_by_key(|standing| std::cmp::Reverse(standing.place));
        has_more |= rows.len() > room;
        rows.truncate(room);
        let ids: Vec<i64> = rows.iter().map(|standing| standing.place.entry_id).collect();
        let found = if ids.is_empty() { Vec::new() } else { record::many(reader, ids).await? };
        let mut found: HashMap<i64, RecordRow> = found.into_iter().map(|row| (row.id, row)).collect();
        for standing in &mut rows {
            let object = &sources[standing.source].object.name;
            let is_seen = |row: &RecordRow| {
                row.archived_at.is_none() && row.object == object.as_str() && self.caller.may(Action::Read, object, row)
            };
            standing.row = found.remove(&standing.place.entry_id).filter(is_seen);
        }
        Ok(Batch { rows: rows.into(), has_more })
    }

    fn tell_change(&self, row: ChangeRow, given: &mut Given) -> Result<Option<TimelineItem>> {
        if !ChangeKind::is_of_record(&row.kind) {
            return Ok(None);
        }
        let change = self.visible_change(row, given)?;
        Ok(change.map(|change| {
            TimelineItem::Change(TimelineChange {
                at: change.at,
                by: change.actor,
                sequence: change.sequence,
                event: change.kind,
                changes: change.changes,
                seconds: change.seconds,
                source: change.source,
                request_id: change.request_id,
            })
        }))
    }
}

async fn next_changes(
    reader: &mut Reader,
    wanted: &Wanted<'_>,
    before: Sequence,
    room: usize,
) -> Result<Batch<ChangeRow>> {
    if !wanted.kinds.changes {
        return Ok(Batch { rows: VecDeque::new(), has_more: false });
    }
    let mut rows = of_records(reader, &wanted.records, before, i64::try_from(room).unwrap_or(i64::MAX)).await?;
    let mut has_more = rows.len() >= room;
    if let Some(end) = rows.iter().position(|row| row.at <= wanted.after) {
        rows.truncate(end);
        has_more = false;
    }
    Ok(Batch { rows: rows.into(), has_more })
}

fn tell_entry(
    standing: Standing,
    sources: &[Source<'_>],
    wanted: &Wanted<'_>,
    given: &mut Given,
) -> Result<Option<TimelineItem>> {
    let Some((row, source)) = standing.row.zip(sources.get(standing.source)) else { return Ok(None) };
    let (entry, record) = source.read(row, Timestamp(standing.place.at))?;
    if !wanted.kinds.has(&entry) {
        return Ok(None);
    }
    given.add_record(&record);
    Ok(Some(TimelineItem::Entry(entry)))
}
