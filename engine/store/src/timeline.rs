//! Entries of timelines, as a follower of the change log keeps them: which records are told of on whose timelines.
//!
//! What is written here is drawn from the links and records as they are, under a lock of its own, so that whoever is
//! behind writes nothing that is over.

use engine_model::{RecordId, TenantId};
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Reader, Store, Tx};

/// Whose entries are kept.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SourceRow {
    /// The association by which entries are linked to the records on whose timelines they stand.
    pub association: String,
    /// The object of the entries.
    pub object: String,
    /// The property that says when they happened.
    pub at_property: Option<String>,
    /// Entries that were there before are in up to this id; none once all are.
    pub filled_to: Option<i64>,
}

/// An entry, and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryTime {
    /// The entry.
    pub entry: i64,
    /// The association that says on whose timelines it stands.
    pub association: String,
    /// Microseconds since 1970.
    pub at: i64,
}

/// An entry on the timeline of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// The entry.
    pub entry: i64,
    /// The association by which it stands there.
    pub association: String,
    /// The record on whose timeline it stands.
    pub record: i64,
}

/// A place on a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct Place {
    /// Microseconds since 1970.
    pub at: i64,
    /// The entry.
    pub entry_id: i64,
}

impl Place {
    /// Later than any.
    pub const END: Self = Self { at: i64::MAX, entry_id: i64::MAX };
}

const PAGE: Sql = Sql::same(
    "select at, entry_id from timeline_entry \
     where tenant_id = $1 and record_id = $2 and association = $3 and (at, entry_id) < ($4, $5) and at > $6 \
     order by at desc, entry_id desc limit $7",
);

/// Entries of a record's timeline by one association before a place and after a time, newest first.
pub async fn page(
    reader: &mut Reader,
    record: RecordId,
    association: &str,
    before: Place,
    after: i64,
    limit: i64,
) -> Result<Vec<Place>> {
    let tenant = reader.tenant();
    let arguments = args![tenant, record, association, before.at, before.entry_id, after, limit];
    reader.fetch_all(&PAGE, arguments).await
}

const SOURCES: Sql = Sql::same(
    "select association, object, at_property, filled_to from timeline_source where tenant_id = $1 \
     order by association limit 10000",
);

/// Whose entries are kept.
pub async fn sources(reader: &mut Reader) -> Result<Vec<SourceRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&SOURCES, args![tenant]).await
}

const LOCK: Sql = Sql::each(
    "select sequence from follower where tenant_id = $1 and name = $2",
    "select sequence from follower where tenant_id = $1 and name = $2 for update",
);

/// Waits until nobody else keeps entries of the tenant, and holds them off until the transaction ends.
pub async fn lock(tx: &mut Tx, follower: &str) -> Result<()> {
    let tenant = tx.tenant();
    tx.reader().fetch_optional::<(i64,)>(&LOCK, args![tenant, follower]).await.map(drop)
}

/// A transaction that keeps entries, without the tenant's lock.
pub async fn keep(store: &Store, tenant: TenantId, follower: &str) -> Result<Tx> {
    let mut tx = store.begin_without_head(tenant).await?;
    lock(&mut tx, follower).await?;
    Ok(tx)
}

const SAVE_SOURCE: Sql = Sql::same(
    "insert into timeline_source (tenant_id, association, object, at_property, filled_to) values ($1, $2, $3, $4, $5) \
     on conflict (tenant_id, association) do update set object = excluded.object, \
       at_property = excluded.at_property, filled_to = excluded.filled_to",
);

/// Says whose entries are kept, and how far they are.
pub async fn save_source(tx: &mut Tx, source: &SourceRow) -> Result<()> {
    let SourceRow { association, object, at_property, filled_to } = source;
    let arguments = args![tx.tenant(), association, object, at_property.clone(), *filled_to];
    tx.execute(&SAVE_SOURCE, arguments).await.map(drop)
}

const PUT_ENTRIES: Sql = Sql::each(
    "insert into timeline_entry (tenant_id, record_id, association, at, entry_id) \
     select $1, l.to_id, l.type, wanted.value->>2, l.from_id from json_each($2) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value->>0 and l.type = wanted.value->>1 \
     where true on conflict do nothing",
    "insert into timeline_entry (tenant_id, record_id, association, at, entry_id) \
     select $1, l.to_id, wanted.association, wanted.at, wanted.entry \
     from unnest($2::bigint[], $3::text[], $4::bigint[]) wanted(entry, association, at) cross join lateral ( \
       select to_id from association where tenant_id = $1 and from_id = wanted.entry and type = wanted.association \
       offset 0) l on conflict do nothing",
);

/// Puts entries on the timelines of all records that they are linked to.
pub async fn put(tx: &mut Tx, entries: &[EntryTime]) -> Result<()> {
    let rows = rows!(entries; row => row.entry, row.association.as_str(), row.at);
    tx.execute(&PUT_ENTRIES, args![tx.tenant(), rows]).await.map(drop)
}

const PUT_PLACED: Sql = Sql::each(
    "insert into timeline_entry (tenant_id, record_id, association, at, entry_id) \
     select $1, l.to_id, l.type, wanted.value->>3, l.from_id from json_each($2) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value->>0 and l.type = wanted.value->>1 \
       and l.to_id = wanted.value->>2 \
     where true on conflict do nothing",
    "insert into timeline_entry (tenant_id, record_id, association, at, entry_id) \
     select $1, l.to_id, wanted.association, wanted.at, wanted.entry \
     from unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) wanted(entry, association, record, at) \
     cross join lateral ( \
       select to_id from association where tenant_id = $1 and from_id = wanted.entry and type = wanted.association \
         and to_id = wanted.record offset 0) l on conflict do nothing",
);

/// Puts entries on the timelines of these records, as far as they are linked to them.
pub async fn put_placed(tx: &mut Tx, placed: &[(Placed, i64)]) -> Result<()> {
    let rows = rows!(placed; row => row.0.entry, row.0.association.as_str(), row.0.record, row.1);
    tx.execute(&PUT_PLACED, args![tx.tenant(), rows]).await.map(drop)
}

const TAKE_PLACED: Sql = Sql::each(
    "delete from timeline_entry where (tenant_id, record_id, association, at, entry_id) in ( \
       select t.tenant_id, t.record_id, t.association, t.at, t.entry_id from json_each($2) wanted \
       cross join timeline_entry t indexed by timeline_entry_entry \
         on t.tenant_id = $1 and t.entry_id = wanted.value->>0 and t.record_id = wanted.value->>2 \
         and t.association = wanted.value->>1) and tenant_id = $1",
    "delete from timeline_entry using ( \
       select place from (select * from unnest($2::bigint[], $3::text[], $4::bigint[]) \
         wanted(entry, association, record) limit cardinality($2::bigint[])) gone \
       cross join lateral (select ctid as place from timeline_entry \
         where tenant_id = $1 and entry_id = gone.entry and record_id = gone.record \
           and association = gone.association offset 0) its) found \
     where timeline_entry.tenant_id = $1 and timeline_entry.ctid = found.place",
);

/// Takes entries off the timelines of these records.
pub async fn take_placed(tx: &mut Tx, placed: &[Placed]) -> Result<()> {
    let rows: Rows<'_> = rows!(placed; row => row.entry, row.association.as_str(), row.record);
    tx.execute(&TAKE_PLACED, args![tx.tenant(), rows]).await.map(drop)
}

/// Rows of records or entries that go, on PostgreSQL, each looked up by itself, as in [`crate::record`].
macro_rules! found_by {
    ($condition:literal) => {
        concat!(
            "delete from timeline_entry using ( \
               select place from (select id from unnest($2::bigint[]) id limit cardinality($2::bigint[])) gone \
               cross join lateral (select ctid as place from timeline_entry where tenant_id = $1 and ",
            $condition,
            " offset 0) its) found \
             where timeline_entry.tenant_id = $1 and timeline_entry.ctid = found.place"
        )
    };
}

const TAKE_ENTRIES: Sql = Sql::each(
    "delete from timeline_entry indexed by timeline_entry_entry \
     where tenant_id = $1 and entry_id in (select value from json_each($2))",
    found_by!("entry_id = gone.id"),
);

/// Takes entries off all timelines.
pub async fn take(tx: &mut Tx, entries: Vec<i64>) -> Result<()> {
    tx.execute(&TAKE_ENTRIES, args![tx.tenant(), entries]).await.map(drop)
}

const FORGET: Sql = Sql::each(
    "delete from timeline_entry where tenant_id = $1 and record_id in (select value from json_each($2))",
    // In the order of the key: of a table that it believes to be small PostgreSQL would take any index.
    found_by!("record_id = gone.id order by association, at, entry_id"),
);

/// Forgets the timelines of records.
pub async fn forget(tx: &mut Tx, records: Vec<i64>) -> Result<()> {
    tx.execute(&FORGET, args![tx.tenant(), records]).await.map(drop)
}
