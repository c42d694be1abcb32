//! Claims of stored records under a constraint that is about to be added: values that become unique, intervals that
//! may not overlap.
//!
//! They are gathered in short transactions before the constraint is in force, so nobody minds them until then. One
//! gathers at a time, and holds the tenant's last ticket: who begins later gives back what was left behind.

use engine_model::time::Timestamp;

use crate::counter;
use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Reader, Tx};

/// Counts who began to gather.
const TICKET: &str = "claims";

/// Until when whoever gathers is left alone, microseconds since 1970.
const TURN: &str = "claims_until";

/// A constraint whose claims are stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// What is claimed.
    pub form: Form,
    /// The object's name.
    pub object: String,
    /// The properties concerned, joined by `,`.
    pub properties: String,
}

/// What records claim under a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A value that nobody else has.
    Value,
    /// An interval that no other overlaps.
    Interval,
}

/// Begins to gather claims; the ticket to go on with, or none while another is gathering.
///
/// `until` bounds how long nobody else begins after the last sign of life, so that a process that ended does not stand
/// in the way.
pub async fn begin(tx: &mut Tx, now: Timestamp, until: Timestamp) -> Result<Option<i64>> {
    if value(tx.reader(), TURN).await? > now.0 {
        return Ok(None);
    }
    let ticket = counter::next(tx, TICKET).await?;
    hold(tx, until).await?;
    Ok(Some(ticket))
}

const HOLD: Sql = Sql::same(
    "insert into counter (tenant_id, name, value) values ($1, $2, $3) \
     on conflict (tenant_id, name) do update set value = excluded.value",
);

/// A sign of life of who gathers: nobody else begins before `until`. With a moment that is past, anybody may.
pub async fn hold(tx: &mut Tx, until: Timestamp) -> Result<()> {
    tx.execute(&HOLD, args![tx.tenant(), TURN, until]).await.map(drop)
}

/// The ticket of who began last; 0 where nobody did.
pub async fn last_ticket(reader: &mut Reader) -> Result<i64> {
    value(reader, TICKET).await
}

const VALUE: Sql = Sql::same("select value from counter where tenant_id = $1 and name = $2");

async fn value(reader: &mut Reader, counter: &str) -> Result<i64> {
    let tenant = reader.tenant();
    let row: Option<(i64,)> = reader.fetch_optional(&VALUE, args![tenant, counter]).await?;
    Ok(row.map_or(0, |(value,)| value))
}

const TAKE_VALUES: Sql = Sql::each(
    "insert into unique_value (tenant_id, object, properties, value, record_id) \
     select $1, $2, $3, value->>0, value->>1 from json_each($4) where true on conflict do nothing returning record_id",
    "insert into unique_value (tenant_id, object, properties, value, record_id) \
     select $1, $2, $3, c.value, c.record_id from unnest($4::text[], $5::bigint[]) c(value, record_id) \
     on conflict do nothing returning record_id",
);

/// Claims a value for each record, in order; the records whose value was still free.
pub async fn take_values(tx: &mut Tx, of: &Constraint, values: &[(String, i64)]) -> Result<Vec<i64>> {
    let claims: Rows = rows!(values; row => row.0.clone(), row.1);
    let arguments = args![tx.tenant(), &of.object, &of.properties, claims];
    let taken: Vec<(i64,)> = tx.reader().fetch_all(&TAKE_VALUES, arguments).await?;
    Ok(taken.into_iter().map(|(record,)| record).collect())
}

/// An interval that a record occupies.
#[derive(Debug, Clone)]
pub struct Occupied {
    /// The value that competing records share.
    pub within: String,
    /// Included.
    pub starts_at: i64,
    /// Not included.
    pub ends_at: i64,
    /// Whose it is.
    pub record: i64,
}

const TAKE_INTERVALS: Sql = Sql::each(
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, ends_at, record_id) \
     select $1, $2, $3, value->>0, value->>1, value->>2, value->>3 from json_each($4) where true on conflict do nothing",
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, ends_at, record_id) \
     select $1, $2, $3, i.* from unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) i on conflict do nothing",
);

/// Whose intervals a record's interval may not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rivals {
    /// Those of records with lower ids: of two that overlap only one is told, where records come in the order of ids.
    Earlier,
    /// Those of any other record.
    All,
}

const OVERLAPPING: Sql = Sql::each(
    "select distinct wanted.value->>3 as record_id from json_each($5) wanted cross join interval_claim i \
       on i.tenant_id = $1 and i.object = $2 and i.properties = $3 and i.within_value = wanted.value->>0 \
       and i.starts_at < wanted.value->>2 \
     where i.ends_at > wanted.value->>1 \
       and (i.record_id < wanted.value->>3 or i.record_id > wanted.value->>3 and $4 = 1) order by 1",
    "select distinct wanted.record_id \
     from unnest($5::text[], $6::bigint[], $7::bigint[], $8::bigint[]) \
       wanted(within_value, starts_at, ends_at, record_id) \
     cross join lateral ( \
       select ends_at, record_id from interval_claim \
       where tenant_id = $1 and object = $2 and properties = $3 and within_value = wanted.within_value \
         and starts_at < wanted.ends_at offset 0) i \
     where i.ends_at > wanted.starts_at \
       and (i.record_id < wanted.record_id or i.record_id > wanted.record_id and $4::bigint = 1) order by 1",
);

/// Claims an interval for each record; the records whose interval overlaps that of a rival.
pub async fn take_intervals(tx: &mut Tx, of: &Constraint, intervals: &[Occupied], rivals: Rivals) -> Result<Vec<i64>> {
    let claims: Rows = rows!(intervals; row => row.within.clone(), row.starts_at, row.ends_at, row.record);
    let arguments = args![tx.tenant(), &of.object, &of.properties, claims.clone()];
    tx.execute(&TAKE_INTERVALS, arguments).await?;
    let all = i64::from(rivals == Rivals::All);
    let arguments = args![tx.tenant(), &of.object, &of.properties, all, claims];
    let overlapping: Vec<(i64,)> = tx.reader().fetch_all(&OVERLAPPING, arguments).await?;
    Ok(overlapping.into_iter().map(|(record,)| record).collect())
}

const FREE_VALUES: Sql = Sql::each(
    "delete from unique_value where tenant_id = $1 and object = $2 and properties = $3 \
       and record_id in (select value from json_each($4))",
    "delete from unique_value where tenant_id = $1 and object = $2 and properties = $3 \
       and record_id = any($4::bigint[])",
);

const FREE_INTERVALS: Sql = Sql::each(
    "delete from interval_claim where tenant_id = $1 and object = $2 and properties = $3 \
       and record_id in (select value from json_each($4))",
    "delete from interval_claim where tenant_id = $1 and object = $2 and properties = $3 \
       and record_id = any($4::bigint[])",
);

/// Gives back what these records have claimed. Walks through all claims of the constraint.
pub async fn free(tx: &mut Tx, of: &Constraint, records: Vec<i64>) -> Result<()> {
    let sql = match of.form {
        Form::Value => &FREE_VALUES,
        Form::Interval => &FREE_INTERVALS,
    };
    tx.execute(sql, args![tx.tenant(), &of.object, &of.properties, records]).await.map(drop)
}

/// By their places, since PostgreSQL may compare the keys of the first claims with those of all.
const FREE_FIRST_VALUES: Sql = Sql::each(
    "delete from unique_value where tenant_id = $1 and object = $2 and properties = $3 and value in ( \
       select u.value from unique_value u where u.tenant_id = $1 and u.object = $2 and u.properties = $3 \
       order by u.value limit $4)",
    "delete from unique_value using ( \
       select ctid as place from unique_value where tenant_id = $1 and object = $2 and properties = $3 \
       order by value limit $4) first \
     where unique_value.tenant_id = $1 and unique_value.ctid = first.place",
);

const FREE_FIRST_INTERVALS: Sql = Sql::each(
    "delete from interval_claim where tenant_id = $1 and object = $2 and properties = $3 \
       and (within_value, starts_at, record_id) in ( \
         select i.within_value, i.starts_at, i.record_id from interval_claim i \
         where i.tenant_id = $1 and i.object = $2 and i.properties = $3 \
         order by i.within_value, i.starts_at, i.record_id limit $4)",
    "delete from interval_claim using ( \
       select ctid as place from interval_claim where tenant_id = $1 and object = $2 and properties = $3 \
       order by within_value, starts_at, record_id limit $4) first \
     where interval_claim.tenant_id = $1 and interval_claim.ctid = first.place",
);

/// Gives back the first `limit` claims of a constraint; how many there were.
pub async fn free_first(tx: &mut Tx, of: &Constraint, limit: i64) -> Result<u64> {
    let sql = match of.form {
        Form::Value => &FREE_FIRST_VALUES,
        Form::Interval => &FREE_FIRST_INTERVALS,
    };
    tx.execute(sql, args![tx.tenant(), &of.object, &of.properties, limit]).await
}
