//! Views, reports and dashboards that users have saved.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Carried, json_text};
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// What a user has saved.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedItem {
    id: i64,
    kind: String,
    object: Option<String>,
    label: String,
    sharing: String,
    owner_id: i64,
    team_id: Option<i64>,
    #[serde(with = "json_text")]
    spec: String,
    created_at: i64,
    updated_at: i64,
}

const ITEMS: Sql = Sql::same(
    "select id, kind, object, label, sharing, owner_id, team_id, spec, created_at, updated_at from saved_item \
     where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_ITEMS: Sql = Sql::each(
    "insert into saved_item (tenant_id, id, kind, object, label, sharing, owner_id, team_id, spec, created_at, updated_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9 from json_each($2) where true on conflict do nothing",
    "insert into saved_item (tenant_id, id, kind, object, label, sharing, owner_id, team_id, spec, created_at, updated_at) \
     select $1, i.* from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
       $8::bigint[], $9::text[], $10::bigint[], $11::bigint[]) i on conflict do nothing",
);

impl Carried for SavedItem {
    const KIND: &'static str = "saved_item";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&ITEMS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.kind.as_str(), row.object.as_deref(), row.label.as_str(),
            row.sharing.as_str(), row.owner_id, row.team_id, row.spec.as_str(), row.created_at, row.updated_at);
        tx.execute(&ADD_ITEMS, args![tx.tenant(), rows]).await
    }
}
