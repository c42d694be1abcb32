//! Merges: which record was merged into which one, and what taking that back needs. Writes go through
//! [`crate::commit`].

use engine_model::RecordId;
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::Reader;

/// A merge that has not been taken back.
#[derive(Debug, Clone, FromRow)]
pub struct MergeRow {
    /// The record that was merged into another one.
    pub loser_id: i64,
    /// The other one at that time; it may have been merged itself since.
    pub winner_id: i64,
    /// JSON object: what was taken over and what was moved.
    pub detail: String,
}

const OF_LOSERS: Sql = Sql::each(
    "select m.loser_id, m.winner_id, m.detail from json_each($2) wanted cross join record_merge m \
     on m.tenant_id = $1 and m.loser_id = wanted.value",
    "select m.loser_id, m.winner_id, m.detail from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select loser_id, winner_id, detail from record_merge where tenant_id = $1 and loser_id = wanted.id offset 0) m",
);

/// How these records were merged into others; those that were not are left out.
pub async fn of_losers(reader: &mut Reader, losers: Vec<i64>) -> Result<Vec<MergeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&OF_LOSERS, args![tenant, losers]).await
}

const LED_TO: Sql = Sql::each(
    "select r.id from json_each($2) wanted cross join record r indexed by record_merged \
       on r.tenant_id = $1 and r.merged_into = wanted.value \
     where r.purged_at is null order by r.id limit $3",
    "select r.id from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select id, purged_at from record where tenant_id = $1 and merged_into = wanted.id offset 0) r \
     where r.purged_at is null order by r.id limit $3",
);

/// Records whose ids lead to one of these, lowest first, at most `limit`.
pub async fn led_to(reader: &mut Reader, winners: Vec<i64>, limit: i64) -> Result<Vec<RecordId>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&LED_TO, args![tenant, winners, limit]).await?;
    Ok(found.into_iter().map(|(id,)| RecordId(id)).collect())
}
