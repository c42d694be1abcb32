//! Members of lists.

use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// A member of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct MemberRow {
    /// The record.
    pub record_id: i64,
    /// Microseconds since 1970.
    pub joined_at: i64,
}

/// A record in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct MembershipRow {
    /// The record.
    pub record_id: i64,
    /// The list.
    pub list_id: i64,
    /// 1 where the record is archived, and will be in the list again when it is restored; else 0.
    pub is_away: i64,
}

/// A record that becomes a member, or is one in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The list.
    pub list_id: i64,
    /// The record.
    pub record_id: i64,
    /// Whether it is only remembered.
    pub is_away: bool,
}

const MEMBERSHIPS: Sql = Sql::each(
    "select m.record_id, m.list_id, m.is_away from json_each($2) wanted cross join list_member m \
       on m.tenant_id = $1 and m.record_id = wanted.value limit $3",
    "select m.record_id, m.list_id, m.is_away from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select record_id, list_id, is_away from list_member where tenant_id = $1 and record_id = wanted.id offset 0) m \
     limit $3",
);

/// Every list that these records are in, as far as `limit`.
pub async fn memberships(reader: &mut Reader, records: Vec<i64>, limit: i64) -> Result<Vec<MembershipRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&MEMBERSHIPS, args![tenant, records, limit]).await
}

const MEMBERSHIPS_IN: Sql = Sql::each(
    "select m.record_id, m.list_id, m.is_away from json_each($3) wanted cross join list_member m \
       on m.tenant_id = $1 and m.list_id = $2 and m.record_id = wanted.value",
    "select m.record_id, m.list_id, m.is_away from unnest($3::bigint[]) wanted(id) cross join lateral ( \
       select record_id, list_id, is_away from list_member \
       where tenant_id = $1 and list_id = $2 and record_id = wanted.id offset 0) m",
);

/// Those of these records that are in one list.
pub async fn memberships_in(reader: &mut Reader, list: i64, records: Vec<i64>) -> Result<Vec<MembershipRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&MEMBERSHIPS_IN, args![tenant, list, records]).await
}

const PAGE: Sql = Sql::same(
    "select record_id, joined_at from list_member \
     where tenant_id = $1 and list_id = $2 and record_id > $3 and is_away = 0 order by record_id limit $4",
);

/// Members of a list with ids above `after`, lowest first.
pub async fn page(reader: &mut Reader, list: i64, after: i64, limit: i64) -> Result<Vec<MemberRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&PAGE, args![tenant, list, after, limit]).await
}

const IDS: Sql = Sql::same(
    "select record_id from list_member where tenant_id = $1 and list_id = $2 and record_id > $3 \
     order by record_id limit $4",
);

/// Records in a list, those that are away among them, with ids above `after`, lowest first.
pub async fn ids(reader: &mut Reader, list: i64, after: i64, limit: i64) -> Result<Vec<i64>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&IDS, args![tenant, list, after, limit]).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

const ADD: Sql = Sql::each(
    "insert into list_member (tenant_id, list_id, record_id, joined_at, is_away) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true \
     on conflict (tenant_id, list_id, record_id) do update set is_away = excluded.is_away, \
       joined_at = case excluded.is_away when 0 then excluded.joined_at else list_member.joined_at end",
    "insert into list_member (tenant_id, list_id, record_id, joined_at, is_away) \
     select $1, m.* from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) m \
     on conflict (tenant_id, list_id, record_id) do update set is_away = excluded.is_away, \
       joined_at = case excluded.is_away when 0 then excluded.joined_at else list_member.joined_at end",
);

/// Keeps members, each named once; `at` is when those join that are not away.
pub async fn add(tx: &mut Tx, members: &[Mark], at: i64) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant();
    let rows = rows!(members; row => row.list_id, row.record_id, at, i64::from(row.is_away));
    tx.execute(&ADD, args![tenant, rows]).await.map(drop)
}

const REMOVE: Sql = Sql::each(
    "delete from list_member where (tenant_id, list_id, record_id) in ( \
       select $1, value->>0, value->>1 from json_each($2))",
    "delete from list_member using ( \
       select place from (select * from unnest($2::bigint[], $3::bigint[]) gone(list_id, record_id) \
         limit cardinality($2::bigint[])) gone \
       cross join lateral (select ctid as place from list_member where tenant_id = $1 \
         and list_id = gone.list_id and record_id = gone.record_id offset 0) its) found \
     where list_member.tenant_id = $1 and list_member.ctid = found.place",
);

/// Takes members away, each given by its list and its record.
pub async fn remove(tx: &mut Tx, members: &[(i64, i64)]) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant();
    let rows = rows!(members; row => row.0, row.1);
    tx.execute(&REMOVE, args![tenant, rows]).await.map(drop)
}

const COUNT: Sql = Sql::each(
    "with changed as materialized (select value->>0 as id, value->>1 as more from json_each($2)) \
     update list set members = members + changed.more, revision = revision + 1 from changed where list.tenant_id = $1 and list.id = changed.id",
    "update list set members = members + found.more, revision = revision + 1 from ( \
       select place, more from (select * from unnest($2::bigint[], $3::bigint[]) changed(id, more) \
         limit cardinality($2::bigint[])) changed \
       cross join lateral (select ctid as place from list where tenant_id = $1 and id = changed.id offset 0) its) found \
     where list.tenant_id = $1 and list.ctid = found.place",
);

/// Counts members that lists have more, or fewer, or just others; each list named once.
pub async fn count(tx: &mut Tx, changes: &[(i64, i64)]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let tenant = tx.tenant();
    let rows = rows!(changes; row => row.0, row.1);
    tx.execute(&COUNT, args![tenant, rows]).await.map(drop)
}
