//! Claims of stored records under a constraint that is about to be added: values that become unique, intervals that
//! may not overlap.
//!
//! They are gathered in short transactions before the constraint is in force, so nobody minds them until then, and
//! whoever gathers holds the tenant's last ticket: a later taker may free what an earlier one has claimed.

use crate::counter;
use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Reader, Tx};

const COUNTER: &str = "claims";

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

/// Takes the tenant's next ticket.
pub async fn take_ticket(tx: &mut Tx) -> Result<i64> {
    counter::next(tx, COUNTER).await
}

const LAST_TICKET: Sql = Sql::same("select value from counter where tenant_id = $1 and name = $2");

/// The ticket that was taken last; 0 where none was.
pub async fn last_ticket(reader: &mut Reader) -> Result<i64> {
    let tenant = reader.tenant();
    let row: Option<(i64,)> = reader.fetch_optional(&LAST_TICKET, args![tenant, COUNTER]).await?;
    Ok(row.map_or(0, |(ticket,)| ticket))
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
       wanted(within_value, starts_at, ends_at, record_id) join interval_claim i \
       on i.tenant_id = $1 and i.object = $2 and i.properties = $3 and i.within_value = wanted.within_value \
       and i.starts_at < wanted.ends_at \
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

const FREE_FIRST_VALUES: Sql = Sql::same(
    "delete from unique_value where tenant_id = $1 and object = $2 and properties = $3 and value in ( \
       select u.value from unique_value u where u.tenant_id = $1 and u.object = $2 and u.properties = $3 \
       order by u.value limit $4)",
);

const FREE_FIRST_INTERVALS: Sql = Sql::same(
    "delete from interval_claim where tenant_id = $1 and object = $2 and properties = $3 \
       and (within_value, starts_at, record_id) in ( \
         select i.within_value, i.starts_at, i.record_id from interval_claim i \
         where i.tenant_id = $1 and i.object = $2 and i.properties = $3 \
         order by i.within_value, i.starts_at, i.record_id limit $4)",
);

/// Gives back the first `limit` claims of a constraint; how many there were.
pub async fn free_first(tx: &mut Tx, of: &Constraint, limit: i64) -> Result<u64> {
    let sql = match of.form {
        Form::Value => &FREE_FIRST_VALUES,
        Form::Interval => &FREE_FIRST_INTERVALS,
    };
    tx.execute(sql, args![tx.tenant(), &of.object, &of.properties, limit]).await
}
