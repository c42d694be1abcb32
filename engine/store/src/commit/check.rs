//! Loads, in one statement, everything that the checks of a group need to see.

use std::collections::HashSet;

use engine_model::{RecordId, TenantId};
use sqlx::FromRow;

use super::{Interval, RecordRef, UniqueValue, Unit, Write};
use crate::error::Result;
use crate::pool::Lease;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::Head;

/// What a group's units mention.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    records: HashSet<i64>,
    values: HashSet<UniqueValue>,
    /// Pairs, and for limited associations either side: (type, from or 0, to or 0).
    links: HashSet<(String, i64, i64)>,
    intervals: HashSet<Interval>,
    keys: HashSet<String>,
}

impl Mentions {
    pub(super) fn of(units: &[Unit]) -> Self {
        let mut mentions = Self::default();
        for unit in units {
            if let Some(claim) = &unit.idempotency {
                mentions.keys.insert(claim.key.clone());
            }
            for write in unit.items.iter().flat_map(|item| &item.writes) {
                mentions.add(write);
            }
        }
        mentions
    }

    fn add(&mut self, write: &Write) {
        match write {
            Write::Insert(_) | Write::Log(_) | Write::Release(..) | Write::Vacate(..) => {}
            Write::Update(update) => {
                if let RecordRef::Id(id) = update.record {
                    self.records.insert(id.0);
                }
            }
            Write::Purge(id) => drop(self.records.insert(id.0)),
            Write::Claim(_, value) => drop(self.values.insert(value.clone())),
            Write::Occupy(_, interval) => drop(self.intervals.insert(interval.clone())),
            Write::Link(link) => {
                self.add_link(&link.kind, link.from, link.to);
                if let (RecordRef::Id(from), true) = (link.from, link.limits_from) {
                    self.links.insert((link.kind.clone(), from.0, 0));
                }
                if let (RecordRef::Id(to), true) = (link.to, link.limits_to) {
                    self.links.insert((link.kind.clone(), 0, to.0));
                }
            }
            Write::Unlink { kind, from, to } => self.add_link(kind, *from, *to),
        }
    }

    fn add_link(&mut self, kind: &str, from: RecordRef, to: RecordRef) {
        for end in [from, to] {
            if let RecordRef::Id(id) = end {
                self.records.insert(id.0);
            }
        }
        if let (RecordRef::Id(from), RecordRef::Id(to)) = (from, to) {
            self.links.insert((kind.to_owned(), from.0, to.0));
        }
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.values.is_empty()
            && self.links.is_empty()
            && self.intervals.is_empty()
            && self.keys.is_empty()
    }
}

/// The rows as they are under the tenant's lock.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) head: Head,
    pub(super) records: Vec<SeenRecord>,
    pub(super) values: Vec<(UniqueValue, RecordId)>,
    pub(super) links: Vec<SeenLink>,
    pub(super) intervals: Vec<(Interval, RecordId)>,
    pub(super) keys: Vec<SeenKey>,
}

#[derive(Debug)]
pub(super) struct SeenRecord {
    pub(super) id: i64,
    pub(super) version: i64,
    pub(super) is_archived: bool,
    pub(super) object: String,
}

#[derive(Debug)]
pub(super) struct SeenLink {
    pub(super) kind: String,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) label: Option<String>,
    pub(super) properties: String,
    /// A record at one of its ends is archived, so the link does not count.
    pub(super) is_hidden: bool,
}

#[derive(Debug)]
pub(super) struct SeenKey {
    pub(super) key: String,
    pub(super) fingerprint: String,
    pub(super) status: i64,
    pub(super) headers: String,
    pub(super) body: String,
    pub(super) created_at: i64,
}

/// One row of the union below; what the columns mean depends on `kind`.
#[derive(Debug, FromRow)]
struct Row {
    kind: i64,
    a: Option<i64>,
    b: Option<i64>,
    c: Option<i64>,
    d: Option<i64>,
    s: Option<String>,
    t: Option<String>,
    u: Option<String>,
    v: Option<String>,
}

const HEAD: i64 = 0;
const RECORD: i64 = 1;
const VALUE: i64 = 2;
const LINK: i64 = 3;
const INTERVAL: i64 = 4;
const KEY: i64 = 5;

/// The lock comes first and alone: what the next statement sees must be what the lock protects.
const LOCK: Sql = Sql::each(
    "select 0 as kind, last_sequence as a, last_record_id as b, metadata_version as c, access_version as d, \
       null as s, null as t, null as u, null as v \
     from tenant_head where tenant_id = $1",
    "select 0::bigint as kind, last_sequence as a, last_record_id as b, metadata_version as c, access_version as d, \
       null::text as s, null::text as t, null::text as u, null::text as v \
     from tenant_head where tenant_id = $1 for update",
);

/// `cross join` pins the order: the short list first, then one key look-up for each of its entries.
const LOAD: Sql = Sql::each(
    "select 1 as kind, r.id as a, r.version as b, r.archived_at is not null as c, null as d, \
       r.object as s, null as t, null as u, null as v \
     from json_each($2) wanted cross join record r on r.tenant_id = $1 and r.id = wanted.value \
     union all \
     select 2, r.record_id, null, null, null, r.object, r.properties, r.value, null \
     from json_each($3) wanted cross join unique_value r \
       on r.tenant_id = $1 and r.object = wanted.value->>0 and r.properties = wanted.value->>1 \
       and r.value = wanted.value->>2 \
     union all \
     select 3, l.from_id, l.to_id, f.archived_at is not null or t.archived_at is not null, null, \
       l.type, l.label, l.properties, null \
     from json_each($4) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value->>1 and l.type = wanted.value->>0 \
       and (l.to_id = wanted.value->>2 or wanted.value->>2 = 0) \
     cross join record f on f.tenant_id = $1 and f.id = l.from_id \
     cross join record t on t.tenant_id = $1 and t.id = l.to_id \
     where wanted.value->>1 > 0 \
     union all \
     select 3, l.from_id, l.to_id, f.archived_at is not null or t.archived_at is not null, null, \
       l.type, l.label, l.properties, null \
     from json_each($4) wanted cross join association l \
       on l.tenant_id = $1 and l.to_id = wanted.value->>2 and l.type = wanted.value->>0 \
     cross join record f on f.tenant_id = $1 and f.id = l.from_id \
     cross join record t on t.tenant_id = $1 and t.id = l.to_id \
     where wanted.value->>1 = 0 \
     union all \
     select 4, i.starts_at, i.ends_at, i.record_id, null, i.object, i.properties, i.within_value, null \
     from json_each($5) wanted cross join interval_claim i \
       on i.tenant_id = $1 and i.object = wanted.value->>0 and i.properties = wanted.value->>1 \
       and i.within_value = wanted.value->>2 and i.starts_at < wanted.value->>4 \
     where i.ends_at > wanted.value->>3 \
     union all \
     select 5, k.status, k.created_at, null, null, k.key, k.fingerprint, k.headers, k.body \
     from json_each($6) wanted cross join idempotency k on k.tenant_id = $1 and k.key = wanted.value->>0",
    "select 1::bigint as kind, r.id as a, r.version as b, (r.archived_at is not null)::int::bigint as c, \
       null::bigint as d, r.object as s, null::text as t, null::text as u, null::text as v \
     from unnest($2::bigint[]) wanted(id) join record r on r.tenant_id = $1 and r.id = wanted.id \
     union all \
     select 2, r.record_id, null, null, null, r.object, r.properties, r.value, null \
     from unnest($3::text[], $4::text[], $5::text[]) wanted(object, properties, value) join unique_value r \
       on r.tenant_id = $1 and r.object = wanted.object and r.properties = wanted.properties \
       and r.value = wanted.value \
     union all \
     select 3, l.from_id, l.to_id, (f.archived_at is not null or t.archived_at is not null)::int::bigint, null, \
       l.type, l.label, l.properties, null \
     from unnest($6::text[], $7::bigint[], $8::bigint[]) wanted(type, from_id, to_id) join association l \
       on l.tenant_id = $1 and l.from_id = wanted.from_id and l.type = wanted.type \
       and (l.to_id = wanted.to_id or wanted.to_id = 0) \
     join record f on f.tenant_id = $1 and f.id = l.from_id \
     join record t on t.tenant_id = $1 and t.id = l.to_id \
     where wanted.from_id > 0 \
     union all \
     select 3, l.from_id, l.to_id, (f.archived_at is not null or t.archived_at is not null)::int::bigint, null, \
       l.type, l.label, l.properties, null \
     from unnest($6::text[], $7::bigint[], $8::bigint[]) wanted(type, from_id, to_id) join association l \
       on l.tenant_id = $1 and l.to_id = wanted.to_id and l.type = wanted.type \
     join record f on f.tenant_id = $1 and f.id = l.from_id \
     join record t on t.tenant_id = $1 and t.id = l.to_id \
     where wanted.from_id = 0 \
     union all \
     select 4, i.starts_at, i.ends_at, i.record_id, null, i.object, i.properties, i.within_value, null \
     from unnest($9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[]) \
       wanted(object, properties, within_value, starts_at, ends_at) join interval_claim i \
       on i.tenant_id = $1 and i.object = wanted.object and i.properties = wanted.properties \
       and i.within_value = wanted.within_value and i.starts_at < wanted.ends_at \
     where i.ends_at > wanted.starts_at \
     union all \
     select 5, k.status, k.created_at, null, null, k.key, k.fingerprint, k.headers, k.body \
     from unnest($14::text[]) wanted(key) join idempotency k on k.tenant_id = $1 and k.key = wanted.key",
);

/// Takes the tenant's lock and loads what the group mentions. The transaction is open already.
pub(super) async fn load(lease: &mut Lease, tenant: TenantId, mentions: &Mentions) -> Result<Seen> {
    let mut seen = Seen::default();
    let locked: Option<Row> = lease.fetch_optional(&LOCK, args![tenant]).await?;
    let Some(head) = locked else {
        return Err(crate::StoreError::Damaged(format!("tenant {tenant} has no head")));
    };
    seen.add(head);
    if mentions.is_empty() {
        return Ok(seen);
    }
    let records: Vec<i64> = mentions.records.iter().copied().collect();
    let values: Rows = rows!(mentions.values; row => row.object.clone(), row.properties.clone(), row.value.clone());
    let links: Rows = rows!(mentions.links; row => row.0.clone(), row.1, row.2);
    let intervals: Rows = rows!(mentions.intervals; row =>
        row.object.clone(), row.properties.clone(), row.within.clone(), row.starts_at, row.ends_at);
    let keys: Rows = rows!(mentions.keys; row => row.clone());
    for row in lease.fetch_all::<Row>(&LOAD, args![tenant, records, values, links, intervals, keys]).await? {
        seen.add(row);
    }
    Ok(seen)
}

impl Seen {
    fn add(&mut self, row: Row) {
        let (a, b, c) = (row.a.unwrap_or(0), row.b.unwrap_or(0), row.c.unwrap_or(0));
        let (s, t, u) = (row.s.unwrap_or_default(), row.t, row.u.unwrap_or_default());
        match row.kind {
            HEAD => {
                let access_version = row.d.unwrap_or(0);
                self.head = Head { last_sequence: a, last_record_id: b, metadata_version: c, access_version };
            }
            RECORD => self.records.push(SeenRecord { id: a, version: b, is_archived: c != 0, object: s }),
            VALUE => {
                let value = UniqueValue { object: s, properties: t.unwrap_or_default(), value: u };
                self.values.push((value, RecordId(a)));
            }
            LINK => {
                let link = SeenLink { kind: s, from: a, to: b, label: t, properties: u, is_hidden: c != 0 };
                self.links.push(link);
            }
            INTERVAL => {
                let properties = t.unwrap_or_default();
                let interval = Interval { object: s, properties, within: u, starts_at: a, ends_at: b };
                self.intervals.push((interval, RecordId(c)));
            }
            KEY => self.keys.push(SeenKey {
                key: s,
                fingerprint: t.unwrap_or_default(),
                status: a,
                headers: u,
                body: row.v.unwrap_or_default(),
                created_at: b,
            }),
            _ => {}
        }
    }
}
