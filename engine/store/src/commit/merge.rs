//! Merges of a draft, and what they leave in the rows: where ids lead.
//!
//! A merged record leads to its winner directly, however often the winner was merged itself: whatever led to a loser is
//! led on when the loser is merged, so that a read follows one step.

use engine_model::{RecordId, TenantId};

use super::draft::Draft;
use super::rows::MergeRow;
use super::state::RecordNow;
use super::{MergedRecord, RecordRef, Refusal};
use crate::error::Result as StoreResult;
use crate::lease::Lease;
use crate::sql::{Rows, Sql, args, rows};

impl<'u> Draft<'_, 'u> {
    pub(super) fn merge(&mut self, winner: RecordId, losers: &'u [MergedRecord]) -> Result<(), Refusal> {
        self.standing(winner).filter(|now| !now.is_archived).ok_or(Refusal::Missing(RecordRef::Id(winner)))?;
        for MergedRecord { record, .. } in losers {
            let now = self.standing(*record).ok_or(Refusal::Missing(RecordRef::Id(*record)))?.clone();
            let unseen = self.state.unseen_links.get(&record.0).copied().unwrap_or(0);
            if unseen != 0 || self.is_linked(record.0) {
                return Err(Refusal::Stale(RecordRef::Id(*record)));
            }
            self.done.records.insert(record.0, RecordNow { is_archived: true, is_merged: true, ..now });
        }
        let at = self.pen().0;
        self.done.merges.push(MergeRow::Merge { winner: winner.0, losers, at });
        Ok(())
    }

    pub(super) fn unmerge(&mut self, winner: RecordId, loser: RecordId) -> Result<(), Refusal> {
        self.standing(winner).ok_or(Refusal::Missing(RecordRef::Id(winner)))?;
        let now = self.record(loser.0).filter(|now| now.is_merged).ok_or(Refusal::Missing(RecordRef::Id(loser)))?;
        let now = RecordNow { is_merged: false, ..now.clone() };
        self.done.records.insert(loser.0, now);
        self.done.merges.push(MergeRow::Unmerge { loser: loser.0 });
        Ok(())
    }

    /// A record that leads nowhere else.
    fn standing(&self, record: RecordId) -> Option<&RecordNow<'u>> {
        self.record(record.0).filter(|now| !now.is_merged)
    }
}

const LEAD_ON: Sql = Sql::each(
    "update record indexed by record_merged set merged_into = $2 \
     where tenant_id = $1 and merged_into in (select value->>0 from json_each($3))",
    "update record set merged_into = $2 from ( \
       select place from (select * from unnest($3::bigint[], $4::text[]) limit cardinality($3::bigint[])) \
         loser(id, detail) \
       cross join lateral ( \
         select ctid as place from record where tenant_id = $1 and merged_into = loser.id offset 0) its) found \
     where record.tenant_id = $1 and record.ctid = found.place",
);

const LEAD: Sql = Sql::each(
    "update record set merged_into = $2 where tenant_id = $1 and id in (select value->>0 from json_each($3))",
    "update record set merged_into = $2 from ( \
       select place from (select * from unnest($3::bigint[], $4::text[]) limit cardinality($3::bigint[])) \
         loser(id, detail) \
       cross join lateral (select ctid as place from record where tenant_id = $1 and id = loser.id offset 0) its) found \
     where record.tenant_id = $1 and record.ctid = found.place",
);

const KEEP: Sql = Sql::each(
    "insert into record_merge (tenant_id, loser_id, winner_id, merged_at, detail) \
     select $1, value->>0, $2, $4, value->>1 from json_each($3)",
    "insert into record_merge (tenant_id, loser_id, winner_id, merged_at, detail) \
     select $1, loser.id, $2, $5, loser.detail from unnest($3::bigint[], $4::text[]) loser(id, detail)",
);

/// Whoever was merged into the loser, at whatever remove, leads to it again; it leads nowhere itself.
const LEAD_BACK: Sql = Sql::each(
    "with recursive led (id) as ( \
       select loser_id from record_merge indexed by record_merge_winner where tenant_id = $1 and winner_id = $2 \
       union \
       select m.loser_id from led cross join record_merge m indexed by record_merge_winner \
         on m.tenant_id = $1 and m.winner_id = led.id) \
     update record set merged_into = nullif($2, id) \
     where tenant_id = $1 and id in (select id from led union all select $2)",
    "with recursive led (id) as ( \
       select loser_id from record_merge where tenant_id = $1 and winner_id = $2 \
       union \
       select m.loser_id from led cross join lateral ( \
         select loser_id from record_merge where tenant_id = $1 and winner_id = led.id offset 0) m), \
     listed (id) as (select id from (select id from led union all select $2) listed limit 1000000), \
     found (place) as ( \
       select its.place from listed cross join lateral ( \
         select ctid as place from record where tenant_id = $1 and id = listed.id offset 0) its) \
     update record set merged_into = nullif($2, id) from found \
     where record.tenant_id = $1 and record.ctid = found.place",
);

const FORGET: Sql = Sql::same("delete from record_merge where tenant_id = $1 and loser_id = $2");

/// Where ids lead after the group, and what its merges keep; records have their new states by then.
pub(super) async fn after_writing(lease: &mut Lease, tenant: TenantId, merges: &[MergeRow<'_>]) -> StoreResult<()> {
    for merge in merges {
        match *merge {
            MergeRow::Merge { winner, losers, at } => {
                let kept: Rows<'_> = rows!(losers; loser => loser.record.0, loser.detail.as_str());
                lease.execute(&LEAD_ON, args![tenant, winner, kept.clone()]).await?;
                lease.execute(&LEAD, args![tenant, winner, kept.clone()]).await?;
                lease.execute(&KEEP, args![tenant, winner, kept, at]).await?;
            }
            MergeRow::Unmerge { loser } => {
                lease.execute(&LEAD_BACK, args![tenant, loser]).await?;
                lease.execute(&FORGET, args![tenant, loser]).await?;
            }
        }
    }
    Ok(())
}
