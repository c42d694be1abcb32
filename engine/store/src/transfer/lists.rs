//! Lists of records and their members.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::Carried;
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// A list of records.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    id: i64,
    object: String,
    name: String,
    description: Option<String>,
    filter: Option<String>,
    sharing: String,
    team_id: Option<i64>,
    version: i64,
    created_at: i64,
    created_by: i64,
    updated_at: i64,
    updated_by: i64,
    members: i64,
    revision: i64,
    state: String,
    shape: String,
    filled_to: Option<i64>,
    fill_until: Option<i64>,
    due_at: Option<i64>,
    deleted_at: Option<i64>,
}

const LISTS: Sql = Sql::same(
    "select id, object, name, description, filter, sharing, team_id, version, created_at, created_by, updated_at, \
       updated_by, members, revision, state, shape, filled_to, fill_until, due_at, deleted_at from list \
     where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_LISTS: Sql = Sql::each(
    "insert into list (tenant_id, id, object, name, description, filter, sharing, team_id, version, created_at, \
       created_by, updated_at, updated_by, members, revision, state, shape, filled_to, fill_until, due_at, \
       deleted_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9, value->>10, value->>11, value->>12, value->>13, value->>14, value->>15, value->>16, value->>17, \
       value->>18, value->>19 from json_each($2) where true on conflict do nothing",
    "insert into list (tenant_id, id, object, name, description, filter, sharing, team_id, version, created_at, \
       created_by, updated_at, updated_by, members, revision, state, shape, filled_to, fill_until, due_at, \
       deleted_at) \
     select $1, l.* from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], \
       $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], \
       $15::bigint[], $16::text[], $17::text[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[]) l on conflict do nothing",
);

impl Carried for List {
    const KIND: &'static str = "list";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&LISTS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.object.as_str(), row.name.as_str(), row.description.as_deref(),
            row.filter.as_deref(), row.sharing.as_str(), row.team_id, row.version, row.created_at, row.created_by,
            row.updated_at, row.updated_by, row.members, row.revision, row.state.as_str(), row.shape.as_str(), row.filled_to,
            row.fill_until, row.due_at, row.deleted_at);
        tx.execute(&ADD_LISTS, args![tx.tenant(), rows]).await
    }
}

/// A record in a list.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListMember {
    list_id: i64,
    record_id: i64,
    joined_at: i64,
    is_away: i64,
}

const MEMBERS: Sql = Sql::same(
    "select list_id, record_id, joined_at, is_away from list_member \
     where tenant_id = $1 and (list_id, record_id) > ($2, $3) order by list_id, record_id limit $4",
);
const ADD_MEMBERS: Sql = Sql::each(
    "insert into list_member (tenant_id, list_id, record_id, joined_at, is_away) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into list_member (tenant_id, list_id, record_id, joined_at, is_away) \
     select $1, m.* from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) m on conflict do nothing",
);

impl Carried for ListMember {
    const KIND: &'static str = "list_member";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (list, record) = after.map_or((0, 0), |row| (row.list_id, row.record_id));
        let tenant = reader.tenant();
        reader.fetch_all(&MEMBERS, args![tenant, list, record, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.list_id, row.record_id, row.joined_at, row.is_away);
        tx.execute(&ADD_MEMBERS, args![tx.tenant(), rows]).await
    }
}
