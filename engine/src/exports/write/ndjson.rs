//! NDJSON: one JSON object a line, as the API answers a record or a row of a report.

use std::io::{BufWriter, Write};

use engine_model::time::Timestamp;
use engine_model::{RecordId, TeamId, UserId};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Cut, Row, RowWriter, Whole, failed};
use crate::error::Result;
use crate::query::AnsweredRow;
use crate::records::Record;

/// Bytes that are gathered before the sink has them.
const BUFFER: usize = 64 * 1024;

/// Writes NDJSON.
pub(super) struct NdjsonWriter<W: Write> {
    writer: BufWriter<W>,
}

impl<W: Write> NdjsonWriter<W> {
    pub(super) fn open(sink: W) -> Self {
        Self { writer: BufWriter::with_capacity(BUFFER, sink) }
    }

    fn line(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.writer, value).map_err(failed)?;
        self.writer.write_all(b"\n").map_err(failed)
    }
}

impl<W: Write> RowWriter for NdjsonWriter<W> {
    fn write(&mut self, row: &Row<'_>) -> Result<Vec<Cut>> {
        match row.whole {
            Whole::Record(record) => self.line(&RecordLine::of(record))?,
            Whole::Group(group) => self.line(&GroupLine(group))?,
        }
        Ok(Vec::new())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.flush().map_err(failed)
    }
}

/// A record, member by member as it is answered.
#[derive(Serialize)]
struct RecordLine<'a> {
    id: RecordId,
    uid: Uuid,
    object: &'a str,
    display_name: &'a str,
    properties: &'a RawValue,
    owner_id: Option<UserId>,
    team_id: Option<TeamId>,
    version: i64,
    created_at: Timestamp,
    created_by: Option<UserId>,
    updated_at: Timestamp,
    updated_by: Option<UserId>,
    archived_at: Option<Timestamp>,
}

impl<'a> RecordLine<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            id: record.id,
            uid: record.uid,
            object: &record.object,
            display_name: &record.display_name,
            properties: &record.properties,
            owner_id: record.owner,
            team_id: record.team,
            version: record.version,
            created_at: record.created_at,
            created_by: record.created_by,
            updated_at: record.updated_at,
            updated_by: record.updated_by,
            archived_at: record.archived_at,
        }
    }
}

/// A row of a report: `{"key": […], measures…}`, and `{"other": true, measures…}` for the rest.
struct GroupLine<'a>(&'a AnsweredRow);

impl Serialize for GroupLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.0.key {
            Some(key) => map.serialize_entry("key", key)?,
            None => map.serialize_entry("other", &true)?,
        }
        for (name, value) in &self.0.measures {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
