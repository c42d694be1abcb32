//! Writes what a group leaves behind: a few statements for all of its rows.

use engine_model::TenantId;

use super::state::{Rows, State};
use crate::error::Result;
use crate::pool::Lease;
use crate::sql::{Sql, args, rows};

/// Most groups only create: rows, their unique values, their changes, the head. One statement.
const CREATE: Sql = Sql::each(
    "insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, version, created_at, \
       created_by, updated_at, updated_by, archived_at) \
     select $1, value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
       value->>8, value->>9, value->>10, value->>11 from json_each($6); \
     insert into unique_value (tenant_id, object, properties, value, record_id) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($7); \
     insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, \
       value->>9, value->>10 from json_each($8); \
     update tenant_head set last_sequence = $2, last_record_id = $3, metadata_version = $4, access_version = $5 \
     where tenant_id = $1",
    "with records as ( \
       insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, version, created_at, \
         created_by, updated_at, updated_by, archived_at) \
       select $1, r.* \
       from unnest($6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], \
         $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[]) r), \
     claims as ( \
       insert into unique_value (tenant_id, object, properties, value, record_id) \
       select $1, u.object, u.properties, u.value, u.record_id \
       from unnest($18::text[], $19::text[], $20::text[], $21::bigint[]) u(object, properties, value, record_id)), \
     changes as ( \
       insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
         user_agent) \
       select $1, c.* from unnest($22::bigint[], $23::bigint[], $24::text[], $25::text[], $26::bigint[], $27::text[], \
         $28::bigint[], $29::text[], $30::text[], $31::text[], $32::text[]) c) \
     update tenant_head set last_sequence = $2, last_record_id = $3, metadata_version = $4, access_version = $5 \
     where tenant_id = $1",
);

const UPDATE: Sql = Sql::each(
    "update record set properties = changed.value->>1, display_name = changed.value->>2, \
       owner_id = changed.value->>3, version = changed.value->>4, archived_at = changed.value->>5, \
       updated_at = changed.value->>6, updated_by = changed.value->>7 \
     from json_each($2) changed where tenant_id = $1 and id = changed.value->>0",
    "update record set properties = changed.properties, display_name = changed.display_name, \
       owner_id = changed.owner_id, version = changed.version, archived_at = changed.archived_at, \
       updated_at = changed.at, updated_by = changed.by \
     from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], \
       $9::bigint[]) changed(id, properties, display_name, owner_id, version, archived_at, at, by) \
     where tenant_id = $1 and record.id = changed.id",
);

const FREE_VALUES: Sql = Sql::each(
    "delete from unique_value where (tenant_id, object, properties, value) in ( \
       select $1, value->>0, value->>1, value->>2 from json_each($2))",
    "delete from unique_value using unnest($2::text[], $3::text[], $4::text[]) freed(object, properties, value) \
     where tenant_id = $1 and unique_value.object = freed.object and unique_value.properties = freed.properties \
       and unique_value.value = freed.value",
);

const UNLINK: Sql = Sql::each(
    "delete from association where (tenant_id, from_id, type, to_id) in ( \
       select $1, value->>1, value->>0, value->>2 from json_each($2))",
    "delete from association using unnest($2::text[], $3::bigint[], $4::bigint[]) gone(type, from_id, to_id) \
     where tenant_id = $1 and association.from_id = gone.from_id and association.type = gone.type \
       and association.to_id = gone.to_id",
);

const LINK: Sql = Sql::each(
    "insert into association (tenant_id, type, from_id, to_id, label, properties, created_at, created_by) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($2) \
     where true \
     on conflict (tenant_id, from_id, type, to_id) \
     do update set label = excluded.label, properties = excluded.properties",
    "insert into association (tenant_id, type, from_id, to_id, label, properties, created_at, created_by) \
     select $1, l.* from unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], \
       $8::bigint[]) l \
     on conflict (tenant_id, from_id, type, to_id) \
     do update set label = excluded.label, properties = excluded.properties",
);

const VACATE: Sql = Sql::each(
    "delete from interval_claim where (tenant_id, object, properties, within_value, starts_at, record_id) in ( \
       select $1, value->>0, value->>1, value->>2, value->>3, value->>4 from json_each($2))",
    "delete from interval_claim using unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) \
       gone(object, properties, within_value, starts_at, record_id) \
     where tenant_id = $1 and interval_claim.object = gone.object and interval_claim.properties = gone.properties \
       and interval_claim.within_value = gone.within_value and interval_claim.starts_at = gone.starts_at \
       and interval_claim.record_id = gone.record_id",
);

const OCCUPY: Sql = Sql::each(
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, ends_at, record_id) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 from json_each($2)",
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, ends_at, record_id) \
     select $1, i.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) i",
);

const KEEP_REPLIES: Sql = Sql::each(
    "insert into idempotency (tenant_id, key, fingerprint, status, headers, body, created_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 from json_each($2) where true \
     on conflict (tenant_id, key) do update set fingerprint = excluded.fingerprint, status = excluded.status, \
       headers = excluded.headers, body = excluded.body, created_at = excluded.created_at",
    "insert into idempotency (tenant_id, key, fingerprint, status, headers, body, created_at) \
     select $1, k.* from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[]) k \
     on conflict (tenant_id, key) do update set fingerprint = excluded.fingerprint, status = excluded.status, \
       headers = excluded.headers, body = excluded.body, created_at = excluded.created_at",
);

const PURGE_RECORDS: Sql = Sql::each(
    "update record set properties = '{}', display_name = '', owner_id = null, purged_at = updated_at \
     where tenant_id = $1 and id in (select value from json_each($2))",
    "update record set properties = '{}', display_name = '', owner_id = null, purged_at = updated_at \
     where tenant_id = $1 and id = any($2::bigint[])",
);

const PURGE_LOG: Sql = Sql::each(
    "update change set changes = '{}' where tenant_id = $1 and record_id in (select value from json_each($2))",
    "update change set changes = '{}' where tenant_id = $1 and record_id = any($2::bigint[])",
);

const PURGE_LINKS_FROM: Sql = Sql::each(
    "delete from association where tenant_id = $1 and from_id in (select value from json_each($2))",
    "delete from association where tenant_id = $1 and from_id = any($2::bigint[])",
);

const PURGE_LINKS_TO: Sql = Sql::each(
    "delete from association where tenant_id = $1 and to_id in (select value from json_each($2))",
    "delete from association where tenant_id = $1 and to_id = any($2::bigint[])",
);

/// Kept replies may quote the erased values; any that mentions the record goes.
const PURGE_REPLIES: Sql = Sql::each(
    "delete from idempotency where tenant_id = $1 and exists ( \
       select 1 from json_each($2) where idempotency.body like '%\"id\":\"' || value || '\"%')",
    "delete from idempotency where tenant_id = $1 and exists ( \
       select 1 from unnest($2::bigint[]) purged(id) \
       where idempotency.body like '%\"id\":\"' || purged.id::text || '\"%')",
);

/// Writes everything the group decided; the transaction stays open.
pub(super) async fn apply(lease: &mut Lease, tenant: TenantId, state: &State) -> Result<()> {
    let rows = &state.rows;
    free(lease, tenant, rows).await?;
    if !rows.updates.is_empty() {
        let updates = rows!(rows.updates; entry => *entry.0, entry.1.properties.clone(), entry.1.display_name.clone(),
            entry.1.owner, entry.1.version, entry.1.archived_at, entry.1.at, entry.1.by);
        lease.execute(&UPDATE, args![tenant, updates]).await?;
    }
    if !rows.purged.is_empty() {
        for sql in [&PURGE_RECORDS, &PURGE_LINKS_FROM, &PURGE_LINKS_TO, &PURGE_LOG, &PURGE_REPLIES] {
            lease.execute(sql, args![tenant, rows.purged.clone()]).await?;
        }
    }
    create(lease, tenant, state).await?;
    occupy(lease, tenant, rows).await
}

async fn free(lease: &mut Lease, tenant: TenantId, rows: &Rows) -> Result<()> {
    // Whatever is taken again in the same group is freed first, so that the new row finds its key unused.
    if !rows.values.is_empty() && (!rows.updates.is_empty() || !rows.purged.is_empty()) {
        let freed = rows!(rows.values; row => row.0.object.clone(), row.0.properties.clone(), row.0.value.clone());
        lease.execute(&FREE_VALUES, args![tenant, freed]).await?;
    }
    let gone: Vec<_> = rows.links.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key).collect();
    if !gone.is_empty() {
        let gone = rows!(gone; row => row.0.clone(), row.1, row.2);
        lease.execute(&UNLINK, args![tenant, gone]).await?;
    }
    if !rows.vacated.is_empty() {
        let gone = rows!(rows.vacated; row => row.0.object.clone(), row.0.properties.clone(), row.0.within.clone(),
            row.0.starts_at, row.1);
        lease.execute(&VACATE, args![tenant, gone]).await?;
    }
    Ok(())
}

async fn create(lease: &mut Lease, tenant: TenantId, state: &State) -> Result<()> {
    let (rows, head) = (&state.rows, &state.head);
    let inserts = rows!(rows.inserts; entry => *entry.0, entry.1.uid, entry.1.object.clone(),
        entry.1.row.properties.clone(), entry.1.row.display_name.clone(), entry.1.row.owner, entry.1.row.version,
        entry.1.created_at, entry.1.created_by, entry.1.row.at, entry.1.row.by, entry.1.row.archived_at);
    let taken: Vec<_> = rows.values.iter().filter_map(|(value, holder)| Some((value, (*holder)?))).collect();
    let claims = rows!(taken; row => row.0.object.clone(), row.0.properties.clone(), row.0.value.clone(), row.1);
    let log = rows!(rows.log; row => row.sequence, row.at, row.kind.as_str().to_owned(), Some(row.object.clone()),
        Some(row.record), row.changes.clone(), row.origin.actor.map(|actor| actor.0), row.origin.source.clone(),
        row.origin.request_id.clone(), row.origin.ip.clone(), row.origin.user_agent.clone());
    let arguments = args![
        tenant,
        head.last_sequence,
        head.last_record_id,
        head.metadata_version,
        head.access_version,
        inserts,
        claims,
        log
    ];
    lease.execute(&CREATE, arguments).await.map(drop)
}

async fn occupy(lease: &mut Lease, tenant: TenantId, rows: &Rows) -> Result<()> {
    let made: Vec<_> = rows.links.iter().filter_map(|(key, row)| Some((key, row.as_ref()?))).collect();
    if !made.is_empty() {
        let made = rows!(made; row => row.0.0.clone(), row.0.1, row.0.2, row.1.label.clone(), row.1.properties.clone(),
            row.1.at, row.1.by);
        lease.execute(&LINK, args![tenant, made]).await?;
    }
    if !rows.occupied.is_empty() {
        let occupied = rows!(rows.occupied; row => row.0.object.clone(), row.0.properties.clone(),
            row.0.within.clone(), row.0.starts_at, row.0.ends_at, row.1);
        lease.execute(&OCCUPY, args![tenant, occupied]).await?;
    }
    if !rows.replies.is_empty() {
        let replies = rows!(rows.replies; row => row.key.clone(), row.fingerprint.clone(), row.reply.status,
            row.reply.headers.clone(), row.reply.body.clone(), row.at);
        lease.execute(&KEEP_REPLIES, args![tenant, replies]).await?;
    }
    Ok(())
}
