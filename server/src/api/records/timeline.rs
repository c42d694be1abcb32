//! What has happened to a record as one stream, and recording that something has.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::model::entry::EntryKind;
use engine::model::time::Timestamp;
use engine::model::{RecordId, Sequence, UserId};
use engine::records::PropertiesInput;
use engine::timeline::{ActivityInput, ActivityReply, TimelineChange, TimelineEntry, TimelineItem, TimelineQuery};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::Id;
use super::write::ById;
use crate::api::answer::Answer;
use crate::api::wire::{LinkedRecord, ListBody};
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, PropertiesBody, Reading};
use crate::extract::query::{FromQuery, Query, QueryReader};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::openapi::bodies;

/// Most further records that one activity is recorded on.
const MOST_ALSO: usize = 100;

/// Something on a timeline; `kind` says what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEntry)]
#[serde(untagged)]
pub(crate) enum TimelineBody {
    Change(ChangeEntryBody),
    Activity(ActivityBody),
    Note(NoteBody),
}

/// A change of the record itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineChange)]
pub(crate) struct ChangeEntryBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `change`.
    kind: &'static str,
    #[schema(required, value_type = Option<String>)]
    by: Option<UserId>,
    #[schema(value_type = String)]
    sequence: Sequence,
    /// What happened, such as `stage.changed`.
    event: String,
    /// Property to `[old, new]`.
    #[schema(value_type = Object)]
    changes: Map<String, Value>,
    /// Of a move, whole seconds that the record was in the stage that it has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
    source: String,
    #[schema(required)]
    request_id: Option<String>,
}

/// Something that has happened to the record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Activity)]
pub(crate) struct ActivityBody {
    /// The record that it is.
    #[schema(value_type = String)]
    id: RecordId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `activity`.
    kind: &'static str,
    #[schema(required, value_type = Option<String>)]
    by: Option<UserId>,
    /// The type, such as `email.sent`.
    #[serde(rename = "type")]
    #[schema(required)]
    of: Option<String>,
    label: String,
    #[schema(required)]
    text: Option<String>,
    #[schema(value_type = Value)]
    details: Value,
    record: LinkedRecord,
}

/// Something that somebody has written down about the record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineNote)]
pub(crate) struct NoteBody {
    /// The record that it is.
    #[schema(value_type = String)]
    id: RecordId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `note`.
    kind: &'static str,
    #[schema(required, value_type = Option<String>)]
    by: Option<UserId>,
    #[schema(required)]
    text: Option<String>,
    pinned: bool,
    record: LinkedRecord,
}

impl From<TimelineChange> for ChangeEntryBody {
    fn from(change: TimelineChange) -> Self {
        let TimelineChange { at, by, sequence, event, changes, seconds, source, request_id } = change;
        Self { at, kind: "change", by, sequence, event, changes, seconds, source, request_id }
    }
}

impl From<TimelineEntry> for ActivityBody {
    fn from(entry: TimelineEntry) -> Self {
        let record = LinkedRecord::new(entry.record, entry.uid, entry.object, entry.display_name);
        let TimelineEntry { at, kind, by, of, label, text, details, .. } = entry;
        Self { id: entry.record, at, kind: kind.as_str(), by, of, label, text, details, record }
    }
}

impl From<TimelineEntry> for NoteBody {
    fn from(entry: TimelineEntry) -> Self {
        let record = LinkedRecord::new(entry.record, entry.uid, entry.object, entry.display_name);
        let TimelineEntry { at, kind, by, text, is_pinned, .. } = entry;
        Self { id: entry.record, at, kind: kind.as_str(), by, text, pinned: is_pinned, record }
    }
}

impl From<TimelineItem> for TimelineBody {
    fn from(item: TimelineItem) -> Self {
        match item {
            TimelineItem::Change(change) => Self::Change(change.into()),
            TimelineItem::Entry(entry) => match entry.kind {
                EntryKind::Activity => Self::Activity(entry.into()),
                EntryKind::Note => Self::Note(entry.into()),
            },
        }
    }
}

/// Which part of a timeline is wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    query: TimelineQuery,
    by: ById,
}

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let page = query.page();
        let by = ById::from_query(query)?;
        let kinds = query.names("kinds");
        let after = moment(query, "after");
        let page = page?;
        Some(Self { query: TimelineQuery { kinds, after, limit: page.limit, cursor: page.cursor }, by })
    }
}

/// A moment.
pub(crate) fn moment(query: &mut QueryReader<'_>, name: &'static str) -> Option<Timestamp> {
    let text = query.text(name)?;
    let moment = Timestamp::parse(&text);
    if moment.is_none() {
        let message = format!("`{name}` is a moment such as 2026-03-01T09:30:00Z, with an offset");
        query.problem(name, "invalid", message);
    }
    moment
}

/// Reads what has happened to a record, what was recorded about it and what was written down, newest first.
#[utoipa::path(get, path = "/records/{object}/{id}/timeline", tag = "timeline", operation_id = "timeline",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property"),
        ("kinds" = Option<String>, Query,
            description = "`change`, `activity`, `note` and types of activities, separated by commas; all unless given"),
        ("after" = Option<String>, Query, description = "Only what was later than this moment"),
        ("limit" = Option<usize>, Query, description = "1 to 200, by default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = ListBody<TimelineBody>)))]
pub(crate) async fn timeline(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(Wanted { query, by }): Query<Wanted>,
) -> ApiResult<Answer> {
    let found = session.record_timeline(&object, &by.target(id), &query).await?;
    Answer::ok(&ListBody::of(found, TimelineBody::from))
}

/// `{type, at?, details?, also?}`.
#[derive(Debug)]
struct ActivityFields(ActivityInput);

impl<'a> FromJson<'a> for ActivityFields {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let of = object.required::<String>("type");
        let at = object.optional::<String>("at");
        let details = object.optional::<PropertiesBody>("details").map(|body| PropertiesInput(body.0));
        let also = object.list_as_far::<Id>("also", MOST_ALSO);
        object.finish();
        // What cannot be read names no record, which is told already.
        let also = also.into_iter().map(|id| id.map(|Id(id)| id).unwrap_or_default()).collect();
        Some(Self(ActivityInput { of, at, details: details.unwrap_or_default(), also }))
    }
}

/// Records that something of a declared type has happened to a record, and to others.
#[utoipa::path(post, path = "/records/{object}/{id}/activities", tag = "timeline", operation_id = "record_activity",
    params(("object" = String, Path, description = "The object's name"),
        ("id" = String, Path, description = "Id, uid, or a value of `id_property`"),
        ("id_property" = Option<String>, Query, description = "A unique property")),
    request_body = bodies::ActivityInput,
    responses((status = 201, description = "The activity", body = ActivityBody)))]
pub(crate) async fn record(
    Authorized(mut session): Authorized,
    Path((object, id)): Path<(String, String)>,
    Query(by): Query<ById>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (ActivityFields(input), problems) = body.read_all()?;
    let reply: ActivityReply =
        Arc::new(|entry: &TimelineEntry, sequence: Sequence| Answer::keep(answer(entry.clone(), sequence)));
    let reply = session.idempotency().is_some().then_some(reply);
    let written = session.record_activity(&object, &by.target(id), input, problems, reply).await?;
    answer(written.value, written.sequence)
}

fn answer(entry: TimelineEntry, sequence: Sequence) -> ApiResult<Answer> {
    Ok(Answer::json(StatusCode::CREATED, &ActivityBody::from(entry))?.at(sequence))
}
