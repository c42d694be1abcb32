//! Loads everything that the checks of a group need to see, under the tenant's lock.

use engine_model::TenantId;
use sqlx::FromRow;

use super::mention::{LinkMention, Mentions};
use crate::association::LINK_COUNTS;
use crate::error::Result;
use crate::idempotency::StoredReply;
use crate::lease::Lease;
use crate::sql::{Arg, Rows, Sql, args, rows};
use crate::store::{Head, lock_head, no_head};

/// The rows as they are under the tenant's lock.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) head: Head,
    pub(super) records: Vec<SeenRecord>,
    /// Position of the value and who has it.
    pub(super) values: Vec<(usize, i64)>,
    pub(super) links: Vec<SeenLink>,
    pub(super) intervals: Vec<SeenInterval>,
    pub(super) keys: Vec<SeenKey>,
    /// How many links a record to be merged has.
    pub(super) link_counts: Vec<(i64, i64)>,
}

#[derive(Debug)]
pub(super) struct SeenRecord {
    pub(super) id: i64,
    pub(super) version: i64,
    pub(super) is_archived: bool,
    pub(super) is_merged: bool,
    pub(super) object: String,
}

#[derive(Debug)]
pub(super) struct SeenLink {
    pub(super) mention: LinkMention,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) label: Option<String>,
    pub(super) properties: String,
    pub(super) from_object: String,
    /// The record where it starts is archived.
    pub(super) from_archived: bool,
    /// The record where it leads is archived.
    pub(super) to_archived: bool,
}

#[derive(Debug)]
pub(super) struct SeenInterval {
    pub(super) position: usize,
    pub(super) starts_at: i64,
    pub(super) ends_at: i64,
    pub(super) holder: i64,
}

#[derive(Debug)]
pub(super) struct SeenKey {
    pub(super) position: usize,
    pub(super) fingerprint: String,
    pub(super) reply: StoredReply,
    pub(super) created_at: i64,
}

/// One row of the texts below; what the columns mean depends on `kind`.
#[derive(Debug, FromRow)]
struct Row {
    kind: i64,
    /// Which mention this was found for.
    position: Option<i64>,
    a: Option<i64>,
    b: Option<i64>,
    c: Option<i64>,
    d: Option<i64>,
    s: Option<String>,
    t: Option<String>,
    u: Option<String>,
}

const HEAD: i64 = 0;
const RECORD: i64 = 1;
const VALUE: i64 = 2;
const LINK: i64 = 3;
const LINK_BY_START: i64 = 4;
const LINK_BY_END: i64 = 5;
const INTERVAL: i64 = 6;
const KEY: i64 = 7;

/// On SQLite the open transaction is the lock, so the head and the rest are one text.
///
/// `cross join` pins the order: the short list first, then one key look-up for each of its entries.
/// Of the intervals that begin before a wanted one only the last can reach into it, since they do not overlap.
macro_rules! load_on_sqlite {
    () => {
        "select 0 as kind, null as position, last_sequence as a, last_record_id as b, metadata_version as c, \
           access_version as d, null as s, null as t, null as u \
         from tenant_head where tenant_id = $1; \
         select 1 as kind, wanted.key as position, r.id as a, r.version as b, r.archived_at is not null as c, \
           r.merged_into is not null as d, r.object as s, null as t, null as u \
         from json_each($2) wanted cross join record r on r.tenant_id = $1 and r.id = wanted.value \
         where r.purged_at is null \
         union all \
         select 2, wanted.key, r.record_id, null, null, null, null, null, null \
         from json_each($3) wanted cross join unique_value r \
           on r.tenant_id = $1 and r.object = wanted.value->>0 and r.properties = wanted.value->>1 \
           and r.value = wanted.value->>2 \
         union all \
         select 3, wanted.key, l.from_id, l.to_id, f.archived_at is not null, t.archived_at is not null, \
           l.properties, l.label, f.object \
         from json_each($4) wanted cross join association l \
           on l.tenant_id = $1 and l.from_id = wanted.value->>1 and l.type = wanted.value->>0 \
           and l.to_id = wanted.value->>2 \
         cross join record f on f.tenant_id = $1 and f.id = l.from_id \
         cross join record t on t.tenant_id = $1 and t.id = l.to_id \
         union all \
         select 4, wanted.key, l.from_id, l.to_id, f.archived_at is not null, t.archived_at is not null, \
           l.properties, l.label, f.object \
         from json_each($5) wanted cross join association l \
           on l.tenant_id = $1 and l.from_id = wanted.value->>1 and l.type = wanted.value->>0 \
         cross join record f on f.tenant_id = $1 and f.id = l.from_id \
         cross join record t on t.tenant_id = $1 and t.id = l.to_id \
         union all \
         select 5, wanted.key, l.from_id, l.to_id, f.archived_at is not null, t.archived_at is not null, \
           l.properties, l.label, f.object \
         from json_each($6) wanted cross join association l indexed by association_to \
           on l.tenant_id = $1 and l.to_id = wanted.value->>1 and l.type = wanted.value->>0 \
         cross join record f on f.tenant_id = $1 and f.id = l.from_id \
         cross join record t on t.tenant_id = $1 and t.id = l.to_id \
         union all \
         select 6, wanted.key, i.starts_at, i.ends_at, i.record_id, null, null, null, null \
         from json_each($7) wanted cross join interval_claim i \
           on i.tenant_id = $1 and i.object = wanted.value->>0 and i.properties = wanted.value->>1 \
           and i.within_value = wanted.value->>2 and i.starts_at >= wanted.value->>3 \
           and i.starts_at < wanted.value->>4 \
         union all \
         select 6, wanted.key, i.starts_at, i.ends_at, i.record_id, null, null, null, null \
         from json_each($7) wanted cross join interval_claim i \
           on i.tenant_id = $1 and i.object = wanted.value->>0 and i.properties = wanted.value->>1 \
           and i.within_value = wanted.value->>2 and i.starts_at = ( \
             select max(e.starts_at) from interval_claim e \
             where e.tenant_id = $1 and e.object = wanted.value->>0 and e.properties = wanted.value->>1 \
               and e.within_value = wanted.value->>2 and e.starts_at < wanted.value->>3) \
         where i.ends_at > wanted.value->>3 \
         union all \
         select 7, wanted.key, k.status, k.created_at, null, null, k.fingerprint, k.headers, k.body \
         from json_each($8) wanted cross join idempotency k on k.tenant_id = $1 and k.key = wanted.value->>0"
    };
}

const LOAD_ON_SQLITE: Sql = Sql::sqlite(load_on_sqlite!());
const BEGIN_AND_LOAD_ON_SQLITE: Sql = Sql::sqlite(concat!("begin immediate; ", load_on_sqlite!()));

/// Positions count from 1 here.
///
/// `offset 0` keeps each look-up a look-up: pulled up into a join, it would become a walk through all of the tenant's
/// rows wherever statistics are missing, as they are in a database that has just been filled.
const LOAD: Sql = Sql::postgres(
    "select 0::bigint as kind, null::bigint as position, last_sequence as a, last_record_id as b, \
       metadata_version as c, access_version as d, null::text as s, null::text as t, null::text as u \
     from tenant_head where tenant_id = $1 \
     union all \
     select 1, null, r.id, r.version, (r.archived_at is not null)::int::bigint, \
       (r.merged_into is not null)::int::bigint, r.object, null, null \
     from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select id, version, archived_at, merged_into, object from record \
       where tenant_id = $1 and id = wanted.id and purged_at is null offset 0) r \
     union all \
     select 2, wanted.position, r.record_id, null, null, null, null, null, null \
     from unnest($3::text[], $4::text[], $5::text[]) with ordinality wanted(object, properties, value, position) \
     cross join lateral ( \
       select record_id from unique_value \
       where tenant_id = $1 and object = wanted.object and properties = wanted.properties and value = wanted.value \
       offset 0) r \
     union all \
     select 3, wanted.position, l.from_id, l.to_id, \
       (f.archived_at is not null)::int::bigint, (t.archived_at is not null)::int::bigint, \
       l.properties, l.label, f.object \
     from unnest($6::text[], $7::bigint[], $8::bigint[]) with ordinality wanted(type, from_id, to_id, position) \
     cross join lateral ( \
       select from_id, to_id, properties, label from association \
       where tenant_id = $1 and from_id = wanted.from_id and type = wanted.type and to_id = wanted.to_id offset 0) l \
     cross join lateral (select object, archived_at from record where tenant_id = $1 and id = l.from_id offset 0) f \
     cross join lateral (select archived_at from record where tenant_id = $1 and id = l.to_id offset 0) t \
     union all \
     select 4, wanted.position, l.from_id, l.to_id, \
       (f.archived_at is not null)::int::bigint, (t.archived_at is not null)::int::bigint, \
       l.properties, l.label, f.object \
     from unnest($9::text[], $10::bigint[]) with ordinality wanted(type, from_id, position) \
     cross join lateral ( \
       select from_id, to_id, properties, label from association \
       where tenant_id = $1 and from_id = wanted.from_id and type = wanted.type offset 0) l \
     cross join lateral (select object, archived_at from record where tenant_id = $1 and id = l.from_id offset 0) f \
     cross join lateral (select archived_at from record where tenant_id = $1 and id = l.to_id offset 0) t \
     union all \
     select 5, wanted.position, l.from_id, l.to_id, \
       (f.archived_at is not null)::int::bigint, (t.archived_at is not null)::int::bigint, \
       l.properties, l.label, f.object \
     from unnest($11::text[], $12::bigint[]) with ordinality wanted(type, to_id, position) \
     cross join lateral ( \
       select from_id, to_id, properties, label from association \
       where tenant_id = $1 and to_id = wanted.to_id and type = wanted.type offset 0) l \
     cross join lateral (select object, archived_at from record where tenant_id = $1 and id = l.from_id offset 0) f \
     cross join lateral (select archived_at from record where tenant_id = $1 and id = l.to_id offset 0) t \
     union all \
     select 6, wanted.position, i.starts_at, i.ends_at, i.record_id, null, null, null, null \
     from unnest($13::text[], $14::text[], $15::text[], $16::bigint[], $17::bigint[]) with ordinality \
       wanted(object, properties, within_value, starts_at, ends_at, position) \
     cross join lateral ( \
       select starts_at, ends_at, record_id from interval_claim \
       where tenant_id = $1 and object = wanted.object and properties = wanted.properties \
         and within_value = wanted.within_value and starts_at >= wanted.starts_at and starts_at < wanted.ends_at \
       offset 0) i \
     union all \
     select 6, wanted.position, i.starts_at, i.ends_at, i.record_id, null, null, null, null \
     from unnest($13::text[], $14::text[], $15::text[], $16::bigint[]) with ordinality \
       wanted(object, properties, within_value, starts_at, position) \
     cross join lateral ( \
       select starts_at, ends_at, record_id from interval_claim \
       where tenant_id = $1 and object = wanted.object and properties = wanted.properties \
         and within_value = wanted.within_value and starts_at < wanted.starts_at \
       order by starts_at desc limit 1) i \
     where i.ends_at > wanted.starts_at \
     union all \
     select 7, wanted.position, k.status, k.created_at, null, null, k.fingerprint, k.headers, k.body \
     from unnest($18::text[]) with ordinality wanted(key, position) \
     cross join lateral ( \
       select status, created_at, fingerprint, headers, body from idempotency \
       where tenant_id = $1 and key = wanted.key offset 0) k",
);

/// Opens a transaction and loads what a group of the tenant's units mentions.
pub(super) async fn begin_and_load(lease: &mut Lease, tenant: TenantId, mentions: &Mentions<'_>) -> Result<Seen> {
    if lease.is_postgres() {
        lease.begin().await?;
        return load(lease, tenant, mentions).await;
    }
    let found = lease.begin_with(&BEGIN_AND_LOAD_ON_SQLITE, arguments(tenant, mentions)).await?;
    Seen::of(tenant, found, 0)?.count_links(lease, tenant, mentions).await
}

/// Takes the tenant's lock and loads what a group of its units mentions, in a transaction that is open already.
pub(super) async fn load(lease: &mut Lease, tenant: TenantId, mentions: &Mentions<'_>) -> Result<Seen> {
    if !lease.is_postgres() {
        let found = lease.fetch_all(&LOAD_ON_SQLITE, arguments(tenant, mentions)).await?;
        return Seen::of(tenant, found, 0)?.count_links(lease, tenant, mentions).await;
    }
    // The lock comes first and alone: what the next statement sees must be what the lock protects.
    let head = lock_head(lease, tenant).await?;
    if mentions.is_empty() { Ok(Seen::nothing(head)) } else { load_unlocked(lease, tenant, mentions).await }
}

/// Loads what a group of the tenant's units mentions as it is at one moment, on PostgreSQL.
pub(super) async fn load_unlocked(lease: &mut Lease, tenant: TenantId, mentions: &Mentions<'_>) -> Result<Seen> {
    let found = lease.fetch_all(&LOAD, arguments(tenant, mentions)).await?;
    Seen::of(tenant, found, 1)?.count_links(lease, tenant, mentions).await
}

fn arguments<'u>(tenant: TenantId, mentions: &Mentions<'u>) -> Vec<Arg<'u>> {
    let records: Vec<i64> = mentions.records.iter().copied().collect();
    let values: Rows<'u> =
        rows!(mentions.values; row => row.object.as_str(), row.properties.as_str(), row.value.as_str());
    let links: Rows<'u> = rows!(mentions.links; row => row.0, row.1, row.2);
    let starts: Rows<'u> = rows!(mentions.starts; row => row.0, row.1);
    let ends: Rows<'u> = rows!(mentions.ends; row => row.0, row.1);
    let intervals: Rows<'u> = rows!(mentions.intervals; row =>
        row.object.as_str(), row.properties.as_str(), row.within.as_str(), row.starts_at, row.ends_at);
    let keys: Rows<'u> = rows!(mentions.keys; row => *row);
    args![tenant, records, values, links, starts, ends, intervals, keys]
}

impl Seen {
    /// Nothing that is mentioned is there.
    pub(super) fn nothing(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    /// Takes what was found; positions count from `first`.
    fn of(tenant: TenantId, found: Vec<Row>, first: i64) -> Result<Self> {
        if found.iter().all(|row| row.kind != HEAD) {
            return Err(no_head(tenant));
        }
        let mut seen = Self::default();
        for row in found {
            let position = row.position.and_then(|position| usize::try_from(position - first).ok());
            seen.add(row, position.unwrap_or(usize::MAX));
        }
        Ok(seen)
    }

    /// Counts the links of records to be merged or purged, which few groups have.
    async fn count_links(mut self, lease: &mut Lease, tenant: TenantId, mentions: &Mentions<'_>) -> Result<Self> {
        if !mentions.counted.is_empty() {
            let counted: Vec<i64> = mentions.counted.iter().copied().collect();
            self.link_counts = lease.fetch_all(&LINK_COUNTS, args![tenant, counted]).await?;
        }
        Ok(self)
    }

    fn add(&mut self, row: Row, position: usize) {
        let (a, b, c, d) = (row.a.unwrap_or(0), row.b.unwrap_or(0), row.c.unwrap_or(0), row.d.unwrap_or(0));
        let (s, t, u) = (row.s.unwrap_or_default(), row.t, row.u.unwrap_or_default());
        match row.kind {
            HEAD => {
                self.head = Head { last_sequence: a, last_record_id: b, metadata_version: c, access_version: d };
            }
            RECORD => {
                let (is_archived, is_merged) = (c != 0, d != 0);
                self.records.push(SeenRecord { id: a, version: b, is_archived, is_merged, object: s });
            }
            VALUE => self.values.push((position, a)),
            LINK | LINK_BY_START | LINK_BY_END => {
                let mention = match row.kind {
                    LINK => LinkMention::Both(position),
                    LINK_BY_START => LinkMention::Start(position),
                    _ => LinkMention::End(position),
                };
                self.links.push(SeenLink {
                    mention,
                    from: a,
                    to: b,
                    label: t,
                    properties: s,
                    from_object: u,
                    from_archived: c != 0,
                    to_archived: d != 0,
                });
            }
            INTERVAL => self.intervals.push(SeenInterval { position, starts_at: a, ends_at: b, holder: c }),
            KEY => {
                let reply = StoredReply { status: a, headers: t.unwrap_or_default(), body: u };
                self.keys.push(SeenKey { position, fingerprint: s, reply, created_at: b });
            }
            _ => {}
        }
    }
}
