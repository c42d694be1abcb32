//! Writes what a group leaves behind.
//!
//! On SQLite everything is one text, since a trip to the driver's thread costs more than a statement that finds an
//! empty list; on PostgreSQL it is one statement for what most groups do, and one more for each rarer thing.

use engine_model::TenantId;

use super::rows::{ReplyRow, Rows};
use crate::error::{Result, StoreError};
use crate::lease::Lease;
use crate::sql::{self, Arg, Sql, args, rows};
use crate::store::Head;

macro_rules! insert_on_sqlite {
    () => {
        "insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, team_id, version, \
           created_at, created_by, updated_at, updated_by, archived_at) \
         select $1, value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
           value->>8, value->>9, value->>10, value->>11, value->>12 from json_each($6); \
         insert into unique_value (tenant_id, object, properties, value, record_id) \
         select $1, value->>0, value->>1, value->>2, value->>3 from json_each($7); \
         insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, \
           ip, user_agent) \
         select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
           value->>8, value->>9, value->>10 from json_each($8)"
    };
}

/// Whatever is taken again in the same group is freed first, so that the new row finds its key unused.
///
/// `materialized` makes the list of changes the outer loop; without it SQLite walks through all of the tenant's records.
macro_rules! write_on_sqlite {
    () => {
        concat!(
            "delete from unique_value where (tenant_id, object, properties, value) in ( \
           select $1, value->>0, value->>1, value->>2 from json_each($10)); \
         delete from association where (tenant_id, from_id, type, to_id) in ( \
           select $1, value->>1, value->>0, value->>2 from json_each($11)); \
         delete from interval_claim where (tenant_id, object, properties, within_value, starts_at, record_id) in ( \
           select $1, value->>0, value->>1, value->>2, value->>3, value->>4 from json_each($12)); \
         with changed as materialized (select value->>0 as id, value->>1 as properties, value->>2 as display_name, \
           value->>3 as owner_id, value->>4 as team_id, value->>5 as version, value->>6 as archived_at, \
           value->>7 as at, value->>8 as by \
           from json_each($9)) \
         update record set properties = changed.properties, display_name = changed.display_name, \
           owner_id = changed.owner_id, team_id = changed.team_id, version = changed.version, \
           archived_at = changed.archived_at, updated_at = changed.at, updated_by = changed.by \
         from changed where record.tenant_id = $1 and record.id = changed.id; \
         ",
            insert_on_sqlite!(),
            "; \
         insert into association (tenant_id, type, from_id, to_id, label, properties, created_at, created_by) \
         select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($13) \
         where true \
         on conflict (tenant_id, from_id, type, to_id) \
         do update set label = excluded.label, properties = excluded.properties; \
         insert into interval_claim (tenant_id, object, properties, within_value, starts_at, record_id, ends_at) \
         select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 from json_each($14) where true \
         on conflict (tenant_id, object, properties, within_value, starts_at, record_id) \
         do update set ends_at = excluded.ends_at; \
         update tenant_head set last_sequence = $2, last_record_id = $3, metadata_version = $4, access_version = $5 \
         where tenant_id = $1"
        )
    };
}

/// New records, their values and their entries of the log, at once; fails where the head has moved, for then the
/// second statement makes one that is there already.
const GUESS_ON_SQLITE: Sql = Sql::sqlite(concat!(
    "begin immediate; \
     update tenant_head set last_sequence = $2, last_record_id = $3, metadata_version = $4, access_version = $5 \
     where tenant_id = $1 and last_sequence = $10 and last_record_id = $11 and metadata_version = $12 \
       and access_version = $13; \
     insert into tenant_head (tenant_id) select $1 where changes() = 0; ",
    insert_on_sqlite!(),
    "; commit"
));

const WRITE_ON_SQLITE: Sql = Sql::sqlite(write_on_sqlite!());
const WRITE_AND_COMMIT_ON_SQLITE: Sql = Sql::sqlite(concat!(write_on_sqlite!(), "; commit"));

/// New rows, new states of records, new links, the log, the head; nothing at all where the head has moved.
///
/// Updates are inserts in conflict, which are one look-up each at any statistics; an update that joins a list may walk
/// through all of the tenant's records, or through the list for each of them. The checks have seen that the records are
/// there, so the values that no update has are never stored.
const WRITE: Sql = Sql::postgres(
    "with head as ( \
       update tenant_head set last_sequence = $2, last_record_id = $3, metadata_version = $4, access_version = $5 \
       where tenant_id = $1 and last_sequence = $43 and last_record_id = $44 and metadata_version = $45 \
         and access_version = $46 \
       returning tenant_id), \
     records as ( \
       insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, team_id, version, \
         created_at, created_by, updated_at, updated_by, archived_at) \
       select $1, r.* \
       from unnest($6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], \
         $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[]) r \
       where exists (select from head)), \
     claims as ( \
       insert into unique_value (tenant_id, object, properties, value, record_id) \
       select $1, u.object, u.properties, u.value, u.record_id \
       from unnest($19::text[], $20::text[], $21::text[], $22::bigint[]) u(object, properties, value, record_id) \
       where exists (select from head)), \
     changes as ( \
       insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
         user_agent) \
       select $1, c.* from unnest($23::bigint[], $24::bigint[], $25::text[], $26::text[], $27::bigint[], $28::text[], \
         $29::bigint[], $30::text[], $31::text[], $32::text[], $33::text[]) c \
       where exists (select from head)), \
     updates as ( \
       insert into record (tenant_id, id, uid, object, created_at, properties, display_name, owner_id, team_id, \
         version, archived_at, updated_at, updated_by) \
       select $1, changed.id, '00000000-0000-0000-0000-000000000000', '', 0, changed.properties, \
         changed.display_name, changed.owner_id, changed.team_id, changed.version, changed.archived_at, changed.at, \
         changed.by \
       from unnest($34::bigint[], $35::text[], $36::text[], $37::bigint[], $38::bigint[], $39::bigint[], \
         $40::bigint[], $41::bigint[], $42::bigint[]) \
         changed(id, properties, display_name, owner_id, team_id, version, archived_at, at, by) \
       where exists (select from head) \
       on conflict (tenant_id, id) do update set properties = excluded.properties, \
         display_name = excluded.display_name, owner_id = excluded.owner_id, team_id = excluded.team_id, \
         version = excluded.version, archived_at = excluded.archived_at, updated_at = excluded.updated_at, updated_by = excluded.updated_by), \
     links as ( \
       insert into association (tenant_id, type, from_id, to_id, label, properties, created_at, created_by) \
       select $1, l.* from unnest($47::text[], $48::bigint[], $49::bigint[], $50::text[], $51::text[], $52::bigint[], \
         $53::bigint[]) l \
       where exists (select from head) \
       on conflict (tenant_id, from_id, type, to_id) \
       do update set label = excluded.label, properties = excluded.properties) \
     select count(*) from head",
);

/// Deletes listed rows by their places, which the tenant's lock keeps: each is looked up by its key.
///
/// The limit leaves nothing out and makes one row expected, not ten, for which going to each place would seem dear.
macro_rules! delete_listed {
    ($table:literal, $list:literal, $columns:literal, $key:literal) => {
        concat!(
            "delete from ",
            $table,
            " using (select place from (select * from unnest(",
            $list,
            ") limit cardinality($2::text[])) listed(",
            $columns,
            ") cross join lateral (select ctid as place from ",
            $table,
            " gone where gone.tenant_id = $1 and ",
            $key,
            " offset 0) its) found where ",
            $table,
            ".tenant_id = $1 and ",
            $table,
            ".ctid = found.place"
        )
    };
}

const FREE_VALUES: Sql = Sql::postgres(delete_listed!(
    "unique_value",
    "$2::text[], $3::text[], $4::text[]",
    "object, properties, value",
    "gone.object = listed.object and gone.properties = listed.properties and gone.value = listed.value"
));

const UNLINK: Sql = Sql::postgres(delete_listed!(
    "association",
    "$2::text[], $3::bigint[], $4::bigint[]",
    "type, from_id, to_id",
    "gone.from_id = listed.from_id and gone.type = listed.type and gone.to_id = listed.to_id"
));

const VACATE: Sql = Sql::postgres(delete_listed!(
    "interval_claim",
    "$2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]",
    "object, properties, within_value, starts_at, record_id",
    "gone.object = listed.object and gone.properties = listed.properties \
       and gone.within_value = listed.within_value and gone.starts_at = listed.starts_at \
       and gone.record_id = listed.record_id"
));

const OCCUPY: Sql = Sql::postgres(
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, record_id, ends_at) \
     select $1, i.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) i \
     on conflict (tenant_id, object, properties, within_value, starts_at, record_id) \
     do update set ends_at = excluded.ends_at",
);

macro_rules! keep_replies_on_sqlite {
    () => {
        "insert into idempotency (tenant_id, key, fingerprint, status, headers, body, created_at) \
         select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 from json_each($2) where true \
         on conflict (tenant_id, key) do update set fingerprint = excluded.fingerprint, status = excluded.status, \
           headers = excluded.headers, body = excluded.body, created_at = excluded.created_at"
    };
}

const KEEP_REPLIES_AND_COMMIT_ON_SQLITE: Sql = Sql::sqlite(concat!(keep_replies_on_sqlite!(), "; commit"));

const KEEP_REPLIES: Sql = Sql::each(
    keep_replies_on_sqlite!(),
    "insert into idempotency (tenant_id, key, fingerprint, status, headers, body, created_at) \
     select $1, k.* from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[]) k \
     on conflict (tenant_id, key) do update set fingerprint = excluded.fingerprint, status = excluded.status, \
       headers = excluded.headers, body = excluded.body, created_at = excluded.created_at",
);

/// Whether the transaction goes on after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Commit,
}

/// Writes what the group decided from the head `before` on, but for replies and what purging erases.
pub(super) async fn write(
    lease: &mut Lease,
    tenant: TenantId,
    before: &Head,
    head: &Head,
    rows: &Rows<'_>,
    then: Then,
) -> Result<()> {
    if !lease.is_postgres() {
        let mut arguments = written(tenant, head, rows);
        arguments.extend([freed(rows), unlinked(rows), vacated(rows), linked(rows), occupied(rows)].map(Arg::Rows));
        return match then {
            Then::GoOn => lease.execute(&WRITE_ON_SQLITE, arguments).await.map(drop),
            Then::Commit => lease.commit_with(&WRITE_AND_COMMIT_ON_SQLITE, arguments).await,
        };
    }
    for (sql, gone) in [(&FREE_VALUES, freed(rows)), (&UNLINK, unlinked(rows)), (&VACATE, vacated(rows))] {
        if !gone.is_empty() {
            lease.execute(sql, args![tenant, gone]).await?;
        }
    }
    if !write_at_once(lease, tenant, before, head, rows).await? {
        return Err(StoreError::Damaged(format!("the head of tenant {tenant} moved under its lock")));
    }
    let made = occupied(rows);
    if !made.is_empty() {
        lease.execute(&OCCUPY, args![tenant, made]).await?;
    }
    end(lease, then).await
}

/// Writes what fits one statement, if the head is still the one `before`; whether it was. On SQLite only what is new,
/// and a value that is taken or a head that has moved is an error.
pub(super) async fn write_at_once(
    lease: &mut Lease,
    tenant: TenantId,
    before: &Head,
    head: &Head,
    rows: &Rows<'_>,
) -> Result<bool> {
    let mut arguments = written(tenant, head, rows);
    arguments.extend(args![
        before.last_sequence,
        before.last_record_id,
        before.metadata_version,
        before.access_version
    ]);
    if !lease.is_postgres() {
        return lease.transact_with(&GUESS_ON_SQLITE, arguments).await.map(|()| true);
    }
    arguments.push(Arg::Rows(linked(rows)));
    let written: Option<(i64,)> = lease.fetch_optional_unrepeated(&WRITE, arguments).await?;
    Ok(written == Some((1,)))
}

/// Keeps the replies to the group's units.
pub(super) async fn keep_replies(
    lease: &mut Lease,
    tenant: TenantId,
    replies: &[ReplyRow<'_>],
    then: Then,
) -> Result<()> {
    let kept = rows!(replies; row => row.key, row.fingerprint, row.reply.status, row.reply.headers.as_str(),
        row.reply.body.as_str(), row.at);
    if then == Then::Commit && !lease.is_postgres() {
        return lease.commit_with(&KEEP_REPLIES_AND_COMMIT_ON_SQLITE, args![tenant, kept]).await;
    }
    lease.execute(&KEEP_REPLIES, args![tenant, kept]).await?;
    end(lease, then).await
}

/// Ends the transaction, or not.
pub(super) async fn end(lease: &mut Lease, then: Then) -> Result<()> {
    match then {
        Then::GoOn => Ok(()),
        Then::Commit => lease.commit().await,
    }
}

fn written<'r>(tenant: TenantId, head: &Head, rows: &'r Rows<'_>) -> Vec<Arg<'r>> {
    let inserts = rows!(rows.inserts; row => *row.0, row.1.uid, row.1.object, row.1.state.properties,
        row.1.state.display_name, row.1.state.owner, row.1.state.team, row.1.state.version, row.1.created_at,
        row.1.created_by, row.1.state.at, row.1.state.by, row.1.state.archived_at);
    let taken: Vec<_> = rows.values.iter().filter_map(|(value, holder)| Some((*value, (*holder)?))).collect();
    let claims = rows!(taken; row => row.0.object.as_str(), row.0.properties.as_str(),
        row.0.value.as_str(), row.1);
    let log = rows!(rows.log; row => row.sequence, row.at, row.entry.kind.as_str(), row.entry.object.as_ref(),
        row.entry.record, row.entry.changes.as_ref(), row.origin.actor.map(|actor| actor.0), row.origin.source.as_str(),
        row.origin.request_id.as_deref(), row.origin.ip.as_deref(), row.origin.user_agent.as_deref());
    let updates = rows!(rows.updates; row => *row.0, row.1.properties, row.1.display_name, row.1.owner,
        row.1.team, row.1.version, row.1.archived_at, row.1.at, row.1.by);
    args![
        tenant,
        head.last_sequence,
        head.last_record_id,
        head.metadata_version,
        head.access_version,
        inserts,
        claims,
        log,
        updates,
    ]
}

fn freed<'u>(rows: &Rows<'u>) -> sql::Rows<'u> {
    rows!(rows.freed; value => value.object.as_str(), value.properties.as_str(), value.value.as_str())
}

fn unlinked<'u>(rows: &Rows<'u>) -> sql::Rows<'u> {
    rows!(rows.unlinked; key => key.0, key.1, key.2)
}

fn vacated<'u>(rows: &Rows<'u>) -> sql::Rows<'u> {
    let gone: Vec<_> = rows.spans.iter().filter(|(_, ends_at)| ends_at.is_none()).map(|(key, _)| *key).collect();
    rows!(gone; row => row.0.0, row.0.1, row.0.2, row.1, row.2)
}

fn linked<'u>(rows: &Rows<'u>) -> sql::Rows<'u> {
    let made: Vec<_> = rows.links.iter().filter_map(|(key, row)| Some((*key, (*row)?))).collect();
    rows!(made; row => row.0.0, row.0.1, row.0.2, row.1.label, row.1.properties, row.1.at, row.1.by)
}

fn occupied<'u>(rows: &Rows<'u>) -> sql::Rows<'u> {
    let made: Vec<_> = rows.spans.iter().filter_map(|(key, ends_at)| Some((*key, (*ends_at)?))).collect();
    rows!(made; row => row.0.0.0, row.0.0.1, row.0.0.2, row.0.1, row.0.2, row.1)
}
