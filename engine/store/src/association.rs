//! Associations: the links of a record, from either end. Writes go through [`crate::commit`].

use engine_model::RecordId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::Reader;

/// The end from which links are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The record is where the links start.
    Out,
    /// The record is where the links lead.
    In,
}

/// A link seen from one of its ends: the other end, and what the link carries.
#[derive(Debug, Clone, FromRow)]
pub struct LinkRow {
    /// The record that the links were asked of.
    pub near_id: i64,
    /// The record at the other end.
    pub id: i64,
    /// Its identifier anywhere.
    pub uid: Uuid,
    /// Its object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
    /// Who owns it.
    pub owner_id: Option<i64>,
    /// The team that it belongs to.
    pub team_id: Option<i64>,
    /// What the link is called.
    pub label: Option<String>,
    /// JSON object.
    pub properties: String,
    /// When the link was made, microseconds since 1970.
    pub created_at: i64,
}

macro_rules! columns {
    () => {
        "r.id, r.uid, r.object, r.display_name, r.owner_id, r.team_id, l.label, l.properties, l.created_at"
    };
}

/// Looks up the record at the other end of a link `l`, on PostgreSQL; SQLite neither has `lateral` nor needs it.
macro_rules! other_end {
    ($id:literal) => {
        concat!(
            " cross join lateral ( \
               select id, uid, object, display_name, owner_id, team_id, archived_at from record \
               where tenant_id = $1 and id = ",
            $id,
            " offset 0) r"
        )
    };
}

const LIST_OUT: Sql = Sql::each(
    concat!(
        "select l.from_id as near_id, ",
        columns!(),
        " from association l join record r on r.tenant_id = l.tenant_id and r.id = l.to_id \
         where l.tenant_id = $1 and l.from_id = $2 and l.type = $3 and l.to_id > $4 and r.archived_at is null \
         order by l.to_id limit $5"
    ),
    concat!(
        "select l.from_id as near_id, ",
        columns!(),
        " from association l",
        other_end!("l.to_id"),
        " where l.tenant_id = $1 and l.from_id = $2 and l.type = $3 and l.to_id > $4 and r.archived_at is null \
         order by l.to_id limit $5"
    ),
);

const LIST_IN: Sql = Sql::each(
    concat!(
        "select l.to_id as near_id, ",
        columns!(),
        " from association l join record r on r.tenant_id = l.tenant_id and r.id = l.from_id \
         where l.tenant_id = $1 and l.to_id = $2 and l.type = $3 and l.from_id > $4 and r.archived_at is null \
         order by l.from_id limit $5"
    ),
    concat!(
        "select l.to_id as near_id, ",
        columns!(),
        " from association l",
        other_end!("l.from_id"),
        " where l.tenant_id = $1 and l.to_id = $2 and l.type = $3 and l.from_id > $4 and r.archived_at is null \
         order by l.from_id limit $5"
    ),
);

/// Links of one kind of a record whose other end has an id above `after`, lowest first; archived ends are left out.
pub async fn list(
    reader: &mut Reader,
    record: RecordId,
    kind: &str,
    direction: Direction,
    after: i64,
    limit: i64,
) -> Result<Vec<LinkRow>> {
    let tenant = reader.tenant();
    let sql = match direction {
        Direction::Out => &LIST_OUT,
        Direction::In => &LIST_IN,
    };
    reader.fetch_all(sql, args![tenant, record, kind, after, limit]).await
}

const MANY_OUT: Sql = Sql::each(
    concat!(
        "select l.from_id as near_id, ",
        columns!(),
        " from json_each($2) wanted cross join association l \
           on l.tenant_id = $1 and l.from_id = wanted.value and l.type = $3 \
         cross join record r on r.tenant_id = $1 and r.id = l.to_id \
         where r.archived_at is null order by l.from_id, l.to_id limit $4"
    ),
    concat!(
        "select l.from_id as near_id, ",
        columns!(),
        " from unnest($2::bigint[]) wanted(id) cross join lateral ( \
           select from_id, to_id, label, properties, created_at from association \
           where tenant_id = $1 and from_id = wanted.id and type = $3 offset 0) l",
        other_end!("l.to_id"),
        " where r.archived_at is null order by l.from_id, l.to_id limit $4"
    ),
);

/// SQLite takes the key for the cheaper way to a link's end, since it believes that a tenant has ten links.
const MANY_IN: Sql = Sql::each(
    concat!(
        "select l.to_id as near_id, ",
        columns!(),
        " from json_each($2) wanted cross join association l indexed by association_to \
           on l.tenant_id = $1 and l.to_id = wanted.value and l.type = $3 \
         cross join record r on r.tenant_id = $1 and r.id = l.from_id \
         where r.archived_at is null order by l.to_id, l.from_id limit $4"
    ),
    concat!(
        "select l.to_id as near_id, ",
        columns!(),
        " from unnest($2::bigint[]) wanted(id) cross join lateral ( \
           select from_id, to_id, label, properties, created_at from association \
           where tenant_id = $1 and to_id = wanted.id and type = $3 offset 0) l",
        other_end!("l.from_id"),
        " where r.archived_at is null order by l.to_id, l.from_id limit $4"
    ),
);

/// Links of one kind of many records at once, at most `limit` in all; `near_id` says whose each one is.
pub async fn of_many(
    reader: &mut Reader,
    records: Vec<i64>,
    kind: &str,
    direction: Direction,
    limit: i64,
) -> Result<Vec<LinkRow>> {
    let tenant = reader.tenant();
    let sql = match direction {
        Direction::Out => &MANY_OUT,
        Direction::In => &MANY_IN,
    };
    reader.fetch_all(sql, args![tenant, records, kind, limit]).await
}

/// A link as it is told apart from others.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, FromRow)]
pub struct LinkKey {
    /// Where it starts.
    pub from_id: i64,
    /// The association.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// Where it leads.
    pub to_id: i64,
}

const LEADING: Sql = Sql::each(
    "select l.from_id, l.type, l.to_id from json_each($2) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value and l.type = $3 \
     order by l.from_id, l.to_id limit $4",
    "select l.from_id, l.type, l.to_id from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select from_id, type, to_id from association \
       where tenant_id = $1 and from_id = wanted.id and type = $3 offset 0) l \
     order by l.from_id, l.to_id limit $4",
);

/// Where links of one kind of these records lead, archived ends included, at most `limit` in all.
pub async fn leading(reader: &mut Reader, records: Vec<i64>, kind: &str, limit: i64) -> Result<Vec<LinkKey>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LEADING, args![tenant, records, kind, limit]).await
}

const LEADING_TO: Sql = Sql::each(
    "select l.from_id, l.type, l.to_id from json_each($2) wanted cross join association l indexed by association_to \
       on l.tenant_id = $1 and l.to_id = wanted.value and l.type = $3 \
     order by l.to_id, l.from_id limit $4",
    "select l.from_id, l.type, l.to_id from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select from_id, type, to_id from association \
       where tenant_id = $1 and to_id = wanted.id and type = $3 offset 0) l \
     order by l.to_id, l.from_id limit $4",
);

/// Where links of one kind that lead to these records start, archived ends included, at most `limit` in all.
pub async fn leading_to(reader: &mut Reader, records: Vec<i64>, kind: &str, limit: i64) -> Result<Vec<LinkKey>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LEADING_TO, args![tenant, records, kind, limit]).await
}

/// Both who purges and the commit count by it, so that they count the same.
pub(crate) const LINK_COUNTS: Sql = Sql::each(
    "select wanted.value, \
       (select count(*) from association l where l.tenant_id = $1 and l.from_id = wanted.value) + \
       (select count(*) from association l indexed by association_to \
        where l.tenant_id = $1 and l.to_id = wanted.value) \
     from json_each($2) wanted",
    "select wanted.id, \
       (select count(*) from association where tenant_id = $1 and from_id = wanted.id) + \
       (select count(*) from association where tenant_id = $1 and to_id = wanted.id) \
     from unnest($2::bigint[]) wanted(id)",
);

/// How many links each of these records has, from either end.
pub async fn counts(reader: &mut Reader, records: Vec<i64>) -> Result<Vec<(i64, i64)>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LINK_COUNTS, args![tenant, records]).await
}

/// A link as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct StoredLink {
    /// Where it starts.
    pub from_id: i64,
    /// The association.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// Where it leads.
    pub to_id: i64,
    /// What it is called.
    pub label: Option<String>,
    /// JSON object.
    pub properties: String,
    /// When it was made, microseconds since 1970.
    pub created_at: i64,
    /// User who made it.
    pub created_by: Option<i64>,
}

impl StoredLink {
    /// What tells it from others.
    pub fn key(&self) -> LinkKey {
        LinkKey { from_id: self.from_id, kind: self.kind.clone(), to_id: self.to_id }
    }
}

const TOUCHING: Sql = Sql::each(
    "select l.from_id, l.type, l.to_id, l.label, l.properties, l.created_at, l.created_by \
     from json_each($2) wanted cross join association l on l.tenant_id = $1 and l.from_id = wanted.value \
     union all \
     select l.from_id, l.type, l.to_id, l.label, l.properties, l.created_at, l.created_by \
     from json_each($2) wanted cross join association l indexed by association_to \
       on l.tenant_id = $1 and l.to_id = wanted.value \
     limit $3",
    "select l.from_id, l.type, l.to_id, l.label, l.properties, l.created_at, l.created_by \
     from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select from_id, type, to_id, label, properties, created_at, created_by from association \
       where tenant_id = $1 and from_id = wanted.id offset 0) l \
     union all \
     select l.from_id, l.type, l.to_id, l.label, l.properties, l.created_at, l.created_by \
     from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select from_id, type, to_id, label, properties, created_at, created_by from association \
       where tenant_id = $1 and to_id = wanted.id offset 0) l \
     limit $3",
);

/// Links of all kinds that begin or end at these records, archived ends included, at most `limit`; one between two of
/// them comes twice.
pub async fn touching(reader: &mut Reader, records: Vec<i64>, limit: i64) -> Result<Vec<StoredLink>> {
    let tenant = reader.tenant();
    reader.fetch_all(&TOUCHING, args![tenant, records, limit]).await
}

const AMONG: Sql = Sql::each(
    "select l.from_id, l.type, l.to_id, l.label, l.properties, l.created_at, l.created_by \
     from json_each($2) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value->>0 and l.type = wanted.value->>1 \
       and l.to_id = wanted.value->>2",
    "select l.from_id, l.type, l.to_id, l.label, l.properties, l.created_at, l.created_by \
     from unnest($2::bigint[], $3::text[], $4::bigint[]) wanted(from_id, type, to_id) cross join lateral ( \
       select from_id, type, to_id, label, properties, created_at, created_by from association \
       where tenant_id = $1 and from_id = wanted.from_id and type = wanted.type and to_id = wanted.to_id offset 0) l",
);

/// Those of these links that are there.
pub async fn among(reader: &mut Reader, links: &[LinkKey]) -> Result<Vec<StoredLink>> {
    let tenant = reader.tenant();
    let wanted: Rows = rows!(links; link => link.from_id, link.kind.clone(), link.to_id);
    reader.fetch_all(&AMONG, args![tenant, wanted]).await
}

const PAGE: Sql = Sql::same(
    "select from_id, type, to_id from association \
     where tenant_id = $1 and (from_id, type, to_id) > ($2, $3, $4) \
     order by from_id, type, to_id limit $5",
);

/// Links of all kinds after one, in the order of their keys, archived ends included; [`LinkKey::default`] is before all.
pub async fn page(reader: &mut Reader, after: &LinkKey, limit: i64) -> Result<Vec<LinkKey>> {
    let tenant = reader.tenant();
    reader.fetch_all(&PAGE, args![tenant, after.from_id, &after.kind, after.to_id, limit]).await
}

/// How often a kind of link stands at one end more than once.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Crowded {
    /// The end with more than one link.
    pub id: i64,
    /// How many.
    pub links: i64,
}

const CROWDED_FROM: Sql = Sql::same(
    "select l.from_id as id, count(*) as links from association l \
     where l.tenant_id = $1 and l.type = $2 group by l.from_id having count(*) > 1 order by l.from_id limit $3",
);

const CROWDED_TO: Sql = Sql::same(
    "select l.to_id as id, count(*) as links from association l \
     where l.tenant_id = $1 and l.type = $2 group by l.to_id having count(*) > 1 order by l.to_id limit $3",
);

/// Records with more than one link of a kind at the given end, for narrowing a cardinality.
pub async fn crowded(reader: &mut Reader, kind: &str, direction: Direction, limit: i64) -> Result<Vec<Crowded>> {
    let tenant = reader.tenant();
    let sql = match direction {
        Direction::Out => &CROWDED_FROM,
        Direction::In => &CROWDED_TO,
    };
    reader.fetch_all(sql, args![tenant, kind, limit]).await
}
