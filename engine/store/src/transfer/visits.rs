//! Stays of records in stages. They could be drawn from the log again, which for a large tenant takes its time.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::Carried;
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// One stay of a record in a stage.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    record_id: i64,
    sequence: i64,
    object: String,
    pipeline: String,
    stage: String,
    entered_at: i64,
    left_at: Option<i64>,
}

const VISITS: Sql = Sql::same(
    "select record_id, sequence, object, pipeline, stage, entered_at, left_at from stage_visit \
     where tenant_id = $1 and (record_id, sequence) > ($2, $3) order by record_id, sequence limit $4",
);
const ADD_VISITS: Sql = Sql::each(
    "insert into stage_visit (tenant_id, record_id, sequence, object, pipeline, stage, entered_at, left_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($2) \
     where true on conflict do nothing",
    "insert into stage_visit (tenant_id, record_id, sequence, object, pipeline, stage, entered_at, left_at) \
     select $1, v.* from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
       $8::bigint[]) v on conflict do nothing",
);

impl Carried for Visit {
    const KIND: &'static str = "stage_visit";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (record, sequence) = after.map_or((0, 0), |row| (row.record_id, row.sequence));
        let tenant = reader.tenant();
        reader.fetch_all(&VISITS, args![tenant, record, sequence, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.record_id, row.sequence, row.object.as_str(), row.pipeline.as_str(),
            row.stage.as_str(), row.entered_at, row.left_at);
        tx.execute(&ADD_VISITS, args![tx.tenant(), rows]).await
    }
}
