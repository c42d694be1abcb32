//! A tenant whose import came to nothing goes, as it came: many rows at a time, none of which anybody has seen.

use engine_model::time::Timestamp;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Store, Tx};
use crate::tenant::{Unfinished, give_up, write_unfinished};

/// Rows that go at a time.
const AT_A_TIME: i64 = 5_000;

const VALUES: Sql = Sql::each(
    "delete from unique_value where tenant_id = $1 and (object, properties, value) in ( \
       select x.object, x.properties, x.value from unique_value x where x.tenant_id = $1 order by x.object, x.properties, x.value limit $2)",
    "delete from unique_value using ( \
       select ctid as place from unique_value where tenant_id = $1 order by object, properties, value limit $2) first \
     where unique_value.tenant_id = $1 and unique_value.ctid = first.place",
);
const INTERVALS: Sql = Sql::each(
    "delete from interval_claim where tenant_id = $1 and (object, properties, within_value, starts_at, record_id) in ( \
       select x.object, x.properties, x.within_value, x.starts_at, x.record_id from interval_claim x where x.tenant_id = $1 order by x.object, x.properties, x.within_value, x.starts_at, x.record_id limit $2)",
    "delete from interval_claim using ( \
       select ctid as place from interval_claim where tenant_id = $1 order by object, properties, within_value, starts_at, record_id limit $2) first \
     where interval_claim.tenant_id = $1 and interval_claim.ctid = first.place",
);
const LINKS: Sql = Sql::each(
    "delete from association where tenant_id = $1 and (from_id, type, to_id) in ( \
       select x.from_id, x.type, x.to_id from association x where x.tenant_id = $1 order by x.from_id, x.type, x.to_id limit $2)",
    "delete from association using ( \
       select ctid as place from association where tenant_id = $1 order by from_id, type, to_id limit $2) first \
     where association.tenant_id = $1 and association.ctid = first.place",
);
const CHANGES: Sql = Sql::each(
    "delete from change where tenant_id = $1 and sequence in ( \
       select x.sequence from change x where x.tenant_id = $1 order by x.sequence limit $2)",
    "delete from change using ( \
       select ctid as place from change where tenant_id = $1 order by sequence limit $2) first \
     where change.tenant_id = $1 and change.ctid = first.place",
);
const RECORDS: Sql = Sql::each(
    "delete from record where tenant_id = $1 and id in ( \
       select x.id from record x where x.tenant_id = $1 order by x.id limit $2)",
    "delete from record using ( \
       select ctid as place from record where tenant_id = $1 order by id limit $2) first \
     where record.tenant_id = $1 and record.ctid = first.place",
);

const SENSITIVE_READS: Sql = Sql::each(
    "delete from sensitive_read where tenant_id = $1 and id in ( \
       select x.id from sensitive_read x where x.tenant_id = $1 order by x.id limit $2)",
    "delete from sensitive_read using ( \
       select ctid as place from sensitive_read where tenant_id = $1 order by id limit $2) first \
     where sensitive_read.tenant_id = $1 and sensitive_read.ctid = first.place",
);

const VISITS: Sql = Sql::each(
    "delete from stage_visit where tenant_id = $1 and (record_id, sequence) in ( \
       select x.record_id, x.sequence from stage_visit x where x.tenant_id = $1 order by x.record_id, x.sequence limit $2)",
    "delete from stage_visit using ( \
       select ctid as place from stage_visit where tenant_id = $1 order by record_id, sequence limit $2) first \
     where stage_visit.tenant_id = $1 and stage_visit.ctid = first.place",
);

const LIST_MEMBERS: Sql = Sql::each(
    "delete from list_member where tenant_id = $1 and (list_id, record_id) in ( \
       select x.list_id, x.record_id from list_member x where x.tenant_id = $1 order by x.list_id, x.record_id limit $2)",
    "delete from list_member using ( \
       select ctid as place from list_member where tenant_id = $1 order by list_id, record_id limit $2) first \
     where list_member.tenant_id = $1 and list_member.ctid = first.place",
);

const TIMELINE_ENTRIES: Sql = Sql::each(
    "delete from timeline_entry where tenant_id = $1 and (record_id, association, at, entry_id) in ( \
       select x.record_id, x.association, x.at, x.entry_id from timeline_entry x where x.tenant_id = $1 order by x.record_id, x.association, x.at, x.entry_id limit $2)",
    "delete from timeline_entry using ( \
       select ctid as place from timeline_entry where tenant_id = $1 order by record_id, association, at, entry_id limit $2) first \
     where timeline_entry.tenant_id = $1 and timeline_entry.ctid = first.place",
);

const DUPLICATES: Sql = Sql::each(
    "delete from duplicate where tenant_id = $1 and (first_id, second_id) in ( \
       select x.first_id, x.second_id from duplicate x where x.tenant_id = $1 order by x.first_id, x.second_id limit $2)",
    "delete from duplicate using ( \
       select ctid as place from duplicate where tenant_id = $1 order by first_id, second_id limit $2) first \
     where duplicate.tenant_id = $1 and duplicate.ctid = first.place",
);

const LARGE: [&Sql; 10] = [
    &VALUES,
    &INTERVALS,
    &LINKS,
    &CHANGES,
    &SENSITIVE_READS,
    &RECORDS,
    &VISITS,
    &LIST_MEMBERS,
    &TIMELINE_ENTRIES,
    &DUPLICATES,
];

const OBJECT_DEFINITION: Sql = Sql::same("delete from object_definition where tenant_id = $1");
const ASSOCIATION_DEFINITION: Sql = Sql::same("delete from association_definition where tenant_id = $1");
const PIPELINE: Sql = Sql::same("delete from pipeline where tenant_id = $1");
const METADATA_VERSION: Sql = Sql::same("delete from metadata_version where tenant_id = $1");
const TENANT_PACK: Sql = Sql::same("delete from tenant_pack where tenant_id = $1");
const TENANT_USER: Sql = Sql::same("delete from tenant_user where tenant_id = $1");
const TEAM: Sql = Sql::same("delete from team where tenant_id = $1");
const TEAM_MEMBER: Sql = Sql::same("delete from team_member where tenant_id = $1");
const TENANT_ROLE: Sql = Sql::same("delete from tenant_role where tenant_id = $1");
const RECORD_MERGE: Sql = Sql::same("delete from record_merge where tenant_id = $1");
const SAVED_ITEM: Sql = Sql::same("delete from saved_item where tenant_id = $1");
const ASSIGNMENT_RULE: Sql = Sql::same("delete from assignment_rule where tenant_id = $1");
const LIST: Sql = Sql::same("delete from list where tenant_id = $1");
const TIMELINE_SOURCE: Sql = Sql::same("delete from timeline_source where tenant_id = $1");
const COUNTER: Sql = Sql::same("delete from counter where tenant_id = $1");
const FOLLOWER: Sql = Sql::same("delete from follower where tenant_id = $1");
const JOB: Sql = Sql::same("delete from job where tenant_id = $1");
const TENANT: Sql = Sql::same("delete from tenant where tenant_id = $1");

const SMALL: [&Sql; 18] = [
    &OBJECT_DEFINITION,
    &ASSOCIATION_DEFINITION,
    &PIPELINE,
    &METADATA_VERSION,
    &TENANT_PACK,
    &TENANT_USER,
    &TEAM,
    &TEAM_MEMBER,
    &TENANT_ROLE,
    &RECORD_MERGE,
    &SAVED_ITEM,
    &ASSIGNMENT_RULE,
    &LIST,
    &TIMELINE_SOURCE,
    &COUNTER,
    &FOLLOWER,
    &JOB,
    &TENANT,
];

/// Takes away what has been written of a tenant that is not whole; nothing where it is whole, or is gone. Whoever was
/// importing it cannot go on.
pub async fn discard(store: &Store, unfinished: &Unfinished, now: Timestamp) -> Result<()> {
    let Some(unfinished) = give_up(store, unfinished, now).await? else { return Ok(()) };
    for sql in LARGE {
        loop {
            let Some(mut tx) = write_unfinished(store, &unfinished, now).await? else { return Ok(()) };
            let gone = tx.execute(sql, args![unfinished.tenant, AT_A_TIME]).await?;
            tx.commit().await?;
            if gone == 0 {
                break;
            }
        }
    }
    let Some(mut tx) = write_unfinished(store, &unfinished, now).await? else { return Ok(()) };
    forget_small(&mut tx).await?;
    tx.commit().await.map(drop)
}

async fn forget_small(tx: &mut Tx) -> Result<()> {
    let tenant = tx.tenant();
    for sql in SMALL {
        tx.execute(sql, args![tenant]).await?;
    }
    Ok(())
}
