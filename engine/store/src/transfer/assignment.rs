//! Assignment rules.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Carried, json_text};
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// Who gets records that nobody was given.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentRule {
    id: i64,
    object: String,
    label: String,
    position: i64,
    condition: Option<String>,
    #[serde(with = "json_text")]
    users: String,
    team_id: Option<i64>,
    is_active: i64,
    created_at: i64,
    updated_at: i64,
}

const RULES: Sql = Sql::same(
    "select id, object, label, position, condition, users, team_id, is_active, created_at, updated_at \
     from assignment_rule where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_RULES: Sql = Sql::each(
    "insert into assignment_rule (tenant_id, id, object, label, position, condition, users, team_id, is_active, \
       created_at, updated_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9 from json_each($2) where true on conflict do nothing",
    "insert into assignment_rule (tenant_id, id, object, label, position, condition, users, team_id, is_active, \
       created_at, updated_at) \
     select $1, r.* from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], \
       $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]) r on conflict do nothing",
);

impl Carried for AssignmentRule {
    const KIND: &'static str = "assignment_rule";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&RULES, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.object.as_str(), row.label.as_str(), row.position,
            row.condition.as_deref(), row.users.as_str(), row.team_id, row.is_active, row.created_at, row.updated_at);
        tx.execute(&ADD_RULES, args![tx.tenant(), rows]).await
    }
}
