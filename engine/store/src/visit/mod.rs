//! Stays of records in stages, as a follower of the change log keeps them for reports.

mod report;

use engine_model::{RecordId, TenantId};
use sqlx::FromRow;

pub use report::{Converted, Counted, Period, Seen, Stays, StepOf, conversions, endings, stays, ways_to};

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Store};

/// One stay of a record in a stage.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct VisitRow {
    /// The record.
    pub record_id: i64,
    /// The change by which it began.
    pub sequence: i64,
    /// The record's object.
    pub object: String,
    /// The pipeline that the stage is of.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// Microseconds since 1970.
    pub entered_at: i64,
    /// Microseconds since 1970; none as long as the record is there.
    pub left_at: Option<i64>,
}

/// SQLite takes the columns beside a maximum from the row that has it.
const LATEST: Sql = Sql::each(
    "select v.record_id, max(v.sequence) as sequence, v.object, v.pipeline, v.stage, v.entered_at, v.left_at \
     from json_each($2) wanted cross join stage_visit v on v.tenant_id = $1 and v.record_id = wanted.value \
     group by v.record_id",
    "select v.record_id, v.sequence, v.object, v.pipeline, v.stage, v.entered_at, v.left_at \
     from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select record_id, sequence, object, pipeline, stage, entered_at, left_at from stage_visit \
       where tenant_id = $1 and record_id = wanted.id order by sequence desc limit 1) v",
);

/// The stay of each of these records that began last, over or not.
pub async fn latest(reader: &mut Reader, records: Vec<i64>) -> Result<Vec<VisitRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LATEST, args![tenant, records]).await
}

/// Whoever is behind others takes back nothing.
const SAVE: Sql = Sql::each(
    "insert into stage_visit (tenant_id, record_id, sequence, object, pipeline, stage, entered_at, left_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($2) \
     where true on conflict (tenant_id, record_id, sequence) \
     do update set left_at = coalesce(stage_visit.left_at, excluded.left_at)",
    "insert into stage_visit (tenant_id, record_id, sequence, object, pipeline, stage, entered_at, left_at) \
     select $1, v.* from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
       $8::bigint[]) v on conflict (tenant_id, record_id, sequence) \
     do update set left_at = coalesce(stage_visit.left_at, excluded.left_at)",
);

/// Keeps stays, each once; the same again changes nothing.
pub async fn save(store: &Store, tenant: TenantId, visits: &[VisitRow]) -> Result<()> {
    let visits = rows!(visits; row => row.record_id, row.sequence, row.object.as_str(), row.pipeline.as_str(),
        row.stage.as_str(), row.entered_at, row.left_at);
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&SAVE, args![tenant, visits]).await.map(drop)
}

const FORGET: Sql = Sql::each(
    "delete from stage_visit where tenant_id = $1 and record_id in (select value from json_each($2))",
    "delete from stage_visit using ( \
       select place from (select id from unnest($2::bigint[]) id limit cardinality($2::bigint[])) gone \
       cross join lateral (select ctid as place from stage_visit where tenant_id = $1 and record_id = gone.id \
       order by sequence offset 0) its) found \
     where stage_visit.tenant_id = $1 and stage_visit.ctid = found.place",
);

/// Forgets the stays of records that were purged.
pub async fn forget(store: &Store, tenant: TenantId, records: Vec<i64>) -> Result<()> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&FORGET, args![tenant, records]).await.map(drop)
}

impl VisitRow {
    /// The record's id.
    pub fn record(&self) -> RecordId {
        RecordId(self.record_id)
    }
}
