//! Bodies as they are written on the wire.

use std::collections::BTreeMap;

use engine::duplicates::Duplicate;
use engine::model::time::Timestamp;
use engine::model::{RecordId, Sequence, TeamId, TenantId, TokenId, UserId};
use engine::records::{HistoryEntry, LeftOut, Linked, Page, Record};
use engine::{Change, Link, TeamView, Tenant, TokenView, UserView};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use uuid::Uuid;

use super::duplicates::DuplicateBody;

/// The schema of a problem, for those that stand inside of a reply.
pub(crate) fn problem() -> Ref {
    Ref::from_schema_name("Problem")
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListBody<T> {
    /// What is on the page.
    pub(crate) results: Vec<T>,
    /// Where the next page begins; null after the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

impl<T> ListBody<T> {
    /// A page of the engine with each entry as a body.
    pub(crate) fn of<S>(page: Page<S>, body: impl Fn(S) -> T) -> Self {
        Self { results: page.results.into_iter().map(body).collect(), next_cursor: page.next_cursor }
    }
}

/// A record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordBody {
    #[schema(value_type = String, example = "1042")]
    id: RecordId,
    #[schema(value_type = String)]
    uid: Uuid,
    object: String,
    display_name: String,
    #[schema(value_type = Object)]
    properties: Box<RawValue>,
    #[schema(required, value_type = Option<String>)]
    owner_id: Option<UserId>,
    /// The team that it belongs to.
    #[schema(required, value_type = Option<String>)]
    team_id: Option<TeamId>,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(required, value_type = Option<String>)]
    created_by: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(required, value_type = Option<String>)]
    updated_by: Option<UserId>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    archived_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    included: Option<BTreeMap<String, Vec<RecordBody>>>,
    /// With `html=true`: what is written in Markdown as HTML that is safe to show, by property.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<BTreeMap<String, String>>,
    /// Links that a record had before it was merged and has not got back.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<Vec<LeftOutBody>>,
    /// What a new record resembles, where a rule of its object warns of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicates: Option<Vec<DuplicateBody>>,
}

/// A link that could not be made again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftOutLink)]
pub(crate) struct LeftOutBody {
    /// The association's name.
    #[serde(rename = "type")]
    kind: String,
    /// The record at the other end; null where the caller may not read it.
    #[schema(required, value_type = Option<String>)]
    record: Option<RecordId>,
    /// Why not.
    reason: String,
}

impl From<LeftOut> for LeftOutBody {
    fn from(LeftOut { kind, record, reason }: LeftOut) -> Self {
        Self { kind, record, reason }
    }
}

impl RecordBody {
    /// The record, which has not got these links back.
    pub(crate) fn without(self, left_out: Vec<LeftOut>) -> Self {
        let left_out = (!left_out.is_empty()).then(|| left_out.into_iter().map(LeftOutBody::from).collect());
        Self { left_out, ..self }
    }

    /// The record, which resembles these.
    pub(crate) fn resembling(self, duplicates: Vec<Duplicate>) -> Self {
        let duplicates = (!duplicates.is_empty()).then(|| duplicates.into_iter().map(DuplicateBody::from).collect());
        Self { duplicates, ..self }
    }
}

impl From<Record> for RecordBody {
    fn from(record: Record) -> Self {
        let included = (!record.included.is_empty()).then(|| {
            let list = record.included.into_iter();
            list.map(|(name, records)| (name, records.into_iter().map(Self::from).collect())).collect()
        });
        Self {
            id: record.id,
            uid: record.uid,
            object: record.object,
            display_name: record.display_name,
            properties: record.properties,
            owner_id: record.owner,
            team_id: record.team,
            version: record.version,
            created_at: record.created_at,
            created_by: record.created_by,
            updated_at: record.updated_at,
            updated_by: record.updated_by,
            archived_at: record.archived_at,
            included,
            html: record.html.map(|html| html.into_iter().collect()),
            left_out: None,
            duplicates: None,
        }
    }
}

/// A record as somebody links to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkedRecord {
    #[schema(value_type = String)]
    id: RecordId,
    #[schema(value_type = String)]
    uid: Uuid,
    object: String,
    display_name: String,
}

impl From<Linked> for LinkedRecord {
    fn from(Linked { id, uid, object, display_name }: Linked) -> Self {
        Self { id, uid, object, display_name }
    }
}

impl LinkedRecord {
    pub(crate) fn new(id: RecordId, uid: Uuid, object: String, display_name: String) -> Self {
        Self { id, uid, object, display_name }
    }
}

/// A link seen from one of its ends.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Association)]
pub(crate) struct LinkBody {
    record: LinkedRecord,
    #[serde(rename = "type")]
    kind: String,
    #[schema(required)]
    label: Option<String>,
    #[schema(value_type = Object)]
    properties: Box<RawValue>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        let Link { id, uid, object, display_name, kind, label, properties, created_at } = link;
        Self { record: LinkedRecord::new(id, uid, object, display_name), kind, label, properties, created_at }
    }
}

/// One past change of one property.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub(crate) struct HistoryBody {
    #[schema(value_type = String)]
    sequence: Sequence,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(required, value_type = Option<String>)]
    by: Option<UserId>,
    source: String,
    #[schema(required)]
    request_id: Option<String>,
    property: String,
    #[schema(value_type = Value)]
    old: Value,
    #[schema(value_type = Value)]
    new: Value,
}

impl From<HistoryEntry> for HistoryBody {
    fn from(entry: HistoryEntry) -> Self {
        let HistoryEntry { sequence, at, by, source, request_id, property, old, new } = entry;
        Self { sequence, at, by, source, request_id, property, old, new }
    }
}

/// One change of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeBody {
    #[schema(value_type = String)]
    pub(crate) sequence: Sequence,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(required, value_type = Option<String>)]
    actor: Option<UserId>,
    kind: String,
    #[schema(required)]
    object: Option<String>,
    #[schema(required, value_type = Option<String>)]
    record_id: Option<RecordId>,
    #[schema(value_type = Object)]
    changes: Map<String, Value>,
    /// Of a move, whole seconds that the record was in the stage that it has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
    #[schema(required)]
    request_id: Option<String>,
    source: String,
    #[schema(required)]
    ip: Option<String>,
    #[schema(required)]
    user_agent: Option<String>,
}

impl From<Change> for ChangeBody {
    fn from(change: Change) -> Self {
        Self {
            sequence: change.sequence,
            at: change.at,
            actor: change.actor,
            kind: change.kind,
            object: change.object,
            record_id: change.record,
            changes: change.changes,
            seconds: change.seconds,
            request_id: change.request_id,
            source: change.source,
            ip: change.ip,
            user_agent: change.user_agent,
        }
    }
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantBody {
    #[schema(value_type = String)]
    id: TenantId,
    slug: String,
    name: String,
    profile: String,
    time_zone: String,
    currency: String,
    country: String,
    capabilities: Vec<String>,
    metadata_version: i64,
}

impl From<Tenant> for TenantBody {
    fn from(tenant: Tenant) -> Self {
        let Tenant { id, slug, name, profile, time_zone, currency, country, capabilities, metadata_version } = tenant;
        Self { id, slug, name, profile, time_zone, currency, country, capabilities, metadata_version }
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    #[schema(value_type = String)]
    id: UserId,
    name: String,
    #[schema(required)]
    email: Option<String>,
    role: String,
    #[schema(value_type = Vec<String>)]
    teams: Vec<TeamId>,
    #[schema(required)]
    time_zone: Option<String>,
    #[schema(required)]
    locale: Option<String>,
    is_service: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    archived_at: Option<Timestamp>,
}

impl From<UserView> for UserBody {
    fn from(user: UserView) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            role: user.role,
            teams: user.teams,
            time_zone: user.time_zone,
            locale: user.locale,
            is_service: user.is_service,
            created_at: user.created_at,
            updated_at: user.updated_at,
            archived_at: user.archived_at,
        }
    }
}

/// A team.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub(crate) struct TeamBody {
    #[schema(value_type = String)]
    id: TeamId,
    name: String,
    #[schema(value_type = Vec<String>)]
    members: Vec<UserId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<TeamView> for TeamBody {
    fn from(team: TeamView) -> Self {
        let TeamView { id, name, members, created_at } = team;
        Self { id, name, members, created_at }
    }
}

/// A token without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenBody {
    #[schema(value_type = String)]
    id: TokenId,
    name: String,
    #[schema(value_type = String)]
    user: UserId,
    role: String,
    scopes: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<TokenView> for TokenBody {
    fn from(token: TokenView) -> Self {
        let TokenView { id, name, user, role, scopes, created_at, expires_at } = token;
        Self { id, name, user, role, scopes, created_at, expires_at }
    }
}
