//! What a tenant counts and has logged, who has followed that how far, and what is still to be done.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Carried, json_text};
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// The last number that a counter has given.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    name: String,
    value: i64,
}

/// Tokens stay behind, and so does their number. Until when somebody may gather claims is nobody's concern elsewhere.
const COUNTERS: Sql = Sql::same(
    "select name, value from counter where tenant_id = $1 and name > $2 and name not in ('token', 'claims_until') \
     order by name limit $3",
);
const ADD_COUNTERS: Sql = Sql::each(
    "insert into counter (tenant_id, name, value) \
     select $1, value->>0, value->>1 from json_each($2) where true on conflict do nothing",
    "insert into counter (tenant_id, name, value) \
     select $1, c.* from unnest($2::text[], $3::bigint[]) c on conflict do nothing",
);

impl Carried for Counter {
    const KIND: &'static str = "counter";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| &row.name);
        let tenant = reader.tenant();
        reader.fetch_all(&COUNTERS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.name.as_str(), row.value);
        tx.execute(&ADD_COUNTERS, args![tx.tenant(), rows]).await
    }
}

/// An entry of the change log.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    sequence: i64,
    at: i64,
    kind: String,
    object: Option<String>,
    record_id: Option<i64>,
    #[serde(with = "json_text")]
    changes: String,
    actor: Option<i64>,
    source: String,
    request_id: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

const CHANGES: Sql = Sql::same(
    "select sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, user_agent from change \
     where tenant_id = $1 and sequence > $2 order by sequence limit $3",
);
const ADD_CHANGES: Sql = Sql::each(
    "insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9, value->>10 from json_each($2) where true on conflict do nothing",
    "insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) \
     select $1, c.* from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], \
       $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[]) c on conflict do nothing",
);

impl Carried for Change {
    const KIND: &'static str = "change";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.sequence);
        let tenant = reader.tenant();
        reader.fetch_all(&CHANGES, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.sequence, row.at, row.kind.as_str(), row.object.as_deref(), row.record_id,
            row.changes.as_str(), row.actor, row.source.as_str(), row.request_id.as_deref(), row.ip.as_deref(),
            row.user_agent.as_deref());
        tx.execute(&ADD_CHANGES, args![tx.tenant(), rows]).await
    }
}

/// How far the log has been followed.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follower {
    name: String,
    sequence: i64,
    updated_at: i64,
}

const FOLLOWERS: Sql = Sql::same(
    "select name, sequence, updated_at from follower where tenant_id = $1 and name > $2 order by name limit $3",
);
const ADD_FOLLOWERS: Sql = Sql::each(
    "insert into follower (tenant_id, name, sequence, updated_at) \
     select $1, value->>0, value->>1, value->>2 from json_each($2) where true on conflict do nothing",
    "insert into follower (tenant_id, name, sequence, updated_at) \
     select $1, f.* from unnest($2::text[], $3::bigint[], $4::bigint[]) f on conflict do nothing",
);

impl Carried for Follower {
    const KIND: &'static str = "follower";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| &row.name);
        let tenant = reader.tenant();
        reader.fetch_all(&FOLLOWERS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.name.as_str(), row.sequence, row.updated_at);
        tx.execute(&ADD_FOLLOWERS, args![tx.tenant(), rows]).await
    }
}

/// What changed definitions have asked for and is not done yet: without it, stored values would stay those from before.
/// It begins anew.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenJob {
    id: i64,
    kind: String,
    #[serde(with = "json_text")]
    spec: String,
    created_at: i64,
    created_by: Option<i64>,
}

const OPEN_JOBS: Sql = Sql::same(
    "select id, kind, spec, created_at, created_by from job \
     where tenant_id = $1 and id > $2 and state in ('queued', 'running') and kind in ('compute', 'migration') \
     order by id limit $3",
);
const ADD_JOBS: Sql = Sql::each(
    "insert into job (tenant_id, id, kind, spec, created_at, created_by, state, progress, updated_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, 'queued', '{}', value->>3 from json_each($2) \
     where true on conflict do nothing",
    "insert into job (tenant_id, id, kind, spec, created_at, created_by, state, progress, updated_at) \
     select $1, j.id, j.kind, j.spec, j.created_at, j.created_by, 'queued', '{}', j.created_at \
     from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) \
       j(id, kind, spec, created_at, created_by) on conflict do nothing",
);

impl Carried for OpenJob {
    const KIND: &'static str = "open_job";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&OPEN_JOBS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.kind.as_str(), row.spec.as_str(), row.created_at, row.created_by);
        tx.execute(&ADD_JOBS, args![tx.tenant(), rows]).await
    }
}
