//! Pairs of records that are alike, with what people have said of them.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::Carried;
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// A pair of records that are alike.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    first_id: i64,
    second_id: i64,
    object: String,
    doubt: i64,
    found_at: i64,
    dismissed_at: Option<i64>,
    dismissed_by: Option<i64>,
}

const PAIRS: Sql = Sql::same(
    "select first_id, second_id, object, doubt, found_at, dismissed_at, dismissed_by from duplicate \
     where tenant_id = $1 and (first_id, second_id) > ($2, $3) order by first_id, second_id limit $4",
);
const ADD_PAIRS: Sql = Sql::each(
    "insert into duplicate (tenant_id, first_id, second_id, object, doubt, found_at, dismissed_at, dismissed_by) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($2) \
     where true on conflict do nothing",
    "insert into duplicate (tenant_id, first_id, second_id, object, doubt, found_at, dismissed_at, dismissed_by) \
     select $1, p.* from unnest($2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], \
       $8::bigint[]) p on conflict do nothing",
);

impl Carried for Duplicate {
    const KIND: &'static str = "duplicate";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (first, second) = after.map_or((0, 0), |row| (row.first_id, row.second_id));
        let tenant = reader.tenant();
        reader.fetch_all(&PAIRS, args![tenant, first, second, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.first_id, row.second_id, row.object.as_str(), row.doubt, row.found_at,
            row.dismissed_at, row.dismissed_by);
        tx.execute(&ADD_PAIRS, args![tx.tenant(), rows]).await
    }
}
