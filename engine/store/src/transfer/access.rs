//! Who may act in a tenant: users, teams and who is in them, roles; and who was given sensitive values. Tokens stay
//! behind.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Carried, json_text};
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// A person or service, archived or not.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    id: i64,
    name: String,
    email: Option<String>,
    role: String,
    is_service: i64,
    time_zone: Option<String>,
    locale: Option<String>,
    created_at: i64,
    updated_at: i64,
    archived_at: Option<i64>,
}

const USERS: Sql = Sql::same(
    "select id, name, email, role, is_service, time_zone, locale, created_at, updated_at, archived_at \
     from tenant_user where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_USERS: Sql = Sql::each(
    "insert into tenant_user (tenant_id, id, name, email, role, is_service, time_zone, locale, created_at, \
       updated_at, archived_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9 from json_each($2) where true on conflict do nothing",
    "insert into tenant_user (tenant_id, id, name, email, role, is_service, time_zone, locale, created_at, \
       updated_at, archived_at) \
     select $1, u.* from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], \
       $8::text[], $9::bigint[], $10::bigint[], $11::bigint[]) u on conflict do nothing",
);

impl Carried for User {
    const KIND: &'static str = "user";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&USERS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.name.as_str(), row.email.as_deref(), row.role.as_str(),
            row.is_service, row.time_zone.as_deref(), row.locale.as_deref(), row.created_at, row.updated_at,
            row.archived_at);
        tx.execute(&ADD_USERS, args![tx.tenant(), rows]).await
    }
}

/// A group of users.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    id: i64,
    name: String,
    created_at: i64,
}

const TEAMS: Sql =
    Sql::same("select id, name, created_at from team where tenant_id = $1 and id > $2 order by id limit $3");
const ADD_TEAMS: Sql = Sql::each(
    "insert into team (tenant_id, id, name, created_at) \
     select $1, value->>0, value->>1, value->>2 from json_each($2) where true on conflict do nothing",
    "insert into team (tenant_id, id, name, created_at) \
     select $1, t.* from unnest($2::bigint[], $3::text[], $4::bigint[]) t on conflict do nothing",
);

impl Carried for Team {
    const KIND: &'static str = "team";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&TEAMS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.name.as_str(), row.created_at);
        tx.execute(&ADD_TEAMS, args![tx.tenant(), rows]).await
    }
}

/// That a user is in a team.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    team_id: i64,
    user_id: i64,
}

const MEMBERS: Sql = Sql::same(
    "select team_id, user_id from team_member \
     where tenant_id = $1 and (team_id, user_id) > ($2, $3) order by team_id, user_id limit $4",
);
const ADD_MEMBERS: Sql = Sql::each(
    "insert into team_member (tenant_id, team_id, user_id) \
     select $1, value->>0, value->>1 from json_each($2) where true on conflict do nothing",
    "insert into team_member (tenant_id, team_id, user_id) \
     select $1, m.* from unnest($2::bigint[], $3::bigint[]) m on conflict do nothing",
);

impl Carried for Member {
    const KIND: &'static str = "team_member";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (team, user) = after.map_or((0, 0), |row| (row.team_id, row.user_id));
        let tenant = reader.tenant();
        reader.fetch_all(&MEMBERS, args![tenant, team, user, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.team_id, row.user_id);
        tx.execute(&ADD_MEMBERS, args![tx.tenant(), rows]).await
    }
}

/// A role of the tenant's own.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    name: String,
    #[serde(with = "json_text")]
    spec: String,
    created_at: i64,
    updated_at: i64,
}

const ROLES: Sql = Sql::same(
    "select name, spec, created_at, updated_at from tenant_role where tenant_id = $1 and name > $2 \
     order by name limit $3",
);
const ADD_ROLES: Sql = Sql::each(
    "insert into tenant_role (tenant_id, name, spec, created_at, updated_at) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into tenant_role (tenant_id, name, spec, created_at, updated_at) \
     select $1, r.* from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) r on conflict do nothing",
);

impl Carried for Role {
    const KIND: &'static str = "role";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| row.name.as_str());
        let tenant = reader.tenant();
        reader.fetch_all(&ROLES, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.name.as_str(), row.spec.as_str(), row.created_at, row.updated_at);
        tx.execute(&ADD_ROLES, args![tx.tenant(), rows]).await
    }
}

/// That somebody was given sensitive values.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitiveRead {
    id: Uuid,
    at: i64,
    user_id: i64,
    token_id: i64,
    object: String,
    record_id: Option<i64>,
    properties: String,
    request_id: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

const READS: Sql = Sql::same(
    "select id, at, user_id, token_id, object, record_id, properties, request_id, ip, user_agent \
     from sensitive_read where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_READS: Sql = Sql::each(
    "insert into sensitive_read (tenant_id, id, at, user_id, token_id, object, record_id, properties, request_id, \
       ip, user_agent) \
     select $1, unhex(value->>0), value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
       value->>8, value->>9 from json_each($2) where true on conflict do nothing",
    "insert into sensitive_read (tenant_id, id, at, user_id, token_id, object, record_id, properties, request_id, \
       ip, user_agent) \
     select $1, r.* from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], \
       $8::text[], $9::text[], $10::text[], $11::text[]) r on conflict do nothing",
);

impl Carried for SensitiveRead {
    const KIND: &'static str = "sensitive_read";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(Uuid::nil(), |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&READS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.at, row.user_id, row.token_id, row.object.as_str(), row.record_id,
            row.properties.as_str(), row.request_id.as_deref(), row.ip.as_deref(), row.user_agent.as_deref());
        tx.execute(&ADD_READS, args![tx.tenant(), rows]).await
    }
}
