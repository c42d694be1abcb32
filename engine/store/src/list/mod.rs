//! Lists of records.

mod member;
mod upkeep;

use engine_model::time::Timestamp;
use engine_model::{TeamId, UserId};
use sqlx::FromRow;

pub use member::{Mark, MemberRow, MembershipRow, add, count, ids, memberships, memberships_in, page, remove};
pub use upkeep::{Due, Upkeep, claim, due, forget, make_due, save_upkeep};

use crate::error::Result;
use crate::saved::Teams;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ListRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// Whose records are in it.
    pub object: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// JSON, as in a search; none where members are put by hand.
    pub filter: Option<String>,
    /// `private`, `team` or `everyone`.
    pub sharing: String,
    /// The team that it is shared with.
    pub team_id: Option<i64>,
    /// Counts its states from 1.
    pub version: i64,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Who made it.
    pub created_by: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
    /// Who changed it last.
    pub updated_by: i64,
    /// How many members it has, those that are away not counted.
    pub members: i64,
    /// Counts changes of its members.
    pub revision: i64,
    /// `current`, or `filling` while all records are looked at.
    pub state: String,
    /// What its filter comes to, in short, by the definitions that its members are those of.
    pub shape: String,
    /// While it is filled for the first time: records up to this one have been looked at.
    pub filled_to: Option<i64>,
    /// While it is filled for the first time: the last record that was there when it was made.
    pub fill_until: Option<i64>,
    /// From when on all records are to be looked at, microseconds since 1970.
    pub due_at: Option<i64>,
}

macro_rules! columns {
    () => {
        "id, object, name, description, filter, sharing, team_id, version, created_at, created_by, updated_at, \
         updated_by, members, revision, state, shape, filled_to, fill_until, due_at"
    };
}

const ONE: Sql =
    Sql::same(concat!("select ", columns!(), " from list where tenant_id = $1 and id = $2 and deleted_at is null"));

/// A list, whoever may see it.
pub async fn get(reader: &mut Reader, id: i64) -> Result<Option<ListRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&ONE, args![tenant, id]).await
}

const MANY: Sql = Sql::each(
    concat!(
        "select ",
        columns!(),
        " from (select value as wanted from json_each($2)) cross join list on list.tenant_id = $1 and list.id = wanted \
         where deleted_at is null"
    ),
    concat!(
        "select ",
        columns!(),
        " from unnest($2::bigint[]) wanted(list_id) cross join lateral ( \
           select * from list where tenant_id = $1 and id = wanted.list_id and deleted_at is null offset 0) found"
    ),
);

/// The lists with these ids, whoever may see them.
pub async fn many(reader: &mut Reader, ids: Vec<i64>) -> Result<Vec<ListRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&MANY, args![tenant, ids]).await
}

const DYNAMIC: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from list where tenant_id = $1 and id > $2 and filter is not null and deleted_at is null order by id limit $3"
));

/// Lists with a filter and with ids above `after`, lowest first.
pub async fn dynamic(reader: &mut Reader, after: i64, limit: i64) -> Result<Vec<ListRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&DYNAMIC, args![tenant, after, limit]).await
}

/// What a page of lists is of.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Only of this object.
    pub object: Option<&'a str>,
    /// Who looks.
    pub user: UserId,
    /// Of which teams what is shared with them is seen.
    pub sight: Teams,
}

const VISIBLE: Sql = Sql::each(
    concat!(
        "select ",
        columns!(),
        " from list where tenant_id = $1 and id > $2 and deleted_at is null \
         and (created_by = $3 or sharing in ('everyone', $7) \
           or (sharing = 'team' and team_id in (select value from json_each($4)))) \
         and ($5 is null or object = $5) order by id limit $6"
    ),
    concat!(
        "select ",
        columns!(),
        " from list where tenant_id = $1 and id > $2 and deleted_at is null \
         and (created_by = $3 or sharing in ('everyone', $7) \
           or (sharing = 'team' and team_id = any($4::bigint[]))) \
         and ($5::text is null or object = $5::text) order by id limit $6"
    ),
);

/// Those that a user may see with ids above `after`, lowest first.
pub async fn visible(reader: &mut Reader, wanted: Wanted<'_>, after: i64, limit: i64) -> Result<Vec<ListRow>> {
    let tenant = reader.tenant();
    let Wanted { object, user, sight } = wanted;
    let (shared, teams) = sight.args();
    reader.fetch_all(&VISIBLE, args![tenant, after, user, teams, object.map(str::to_owned), limit, shared]).await
}

const LEAVE_TEAM: Sql = Sql::same(
    "update list set sharing = 'private', team_id = null, version = version + 1, updated_at = $3, updated_by = $4 \
     where tenant_id = $1 and sharing = 'team' and team_id = $2 and deleted_at is null",
);

/// Makes private the lists that are shared with a team that somebody takes away.
pub async fn leave_team(tx: &mut Tx, team: TeamId, at: i64, by: UserId) -> Result<u64> {
    tx.execute(&LEAVE_TEAM, args![tx.tenant(), team, at, by]).await
}

const HOW_MANY: Sql = Sql::same(
    "select count(*), count(filter) from ( \
       select filter from list where tenant_id = $1 and deleted_at is null limit $2) counted",
);

/// How many lists there are, and how many of them have a filter, counted as far as `limit`.
pub async fn how_many(reader: &mut Reader, limit: i64) -> Result<(i64, i64)> {
    let tenant = reader.tenant();
    let counted: Option<(i64, i64)> = reader.fetch_optional(&HOW_MANY, args![tenant, limit]).await?;
    Ok(counted.unwrap_or_default())
}

const PUT: Sql = Sql::same(
    "insert into list (tenant_id, id, object, name, description, filter, sharing, team_id, version, created_at, \
       created_by, updated_at, updated_by, members, revision, state, shape, filled_to, fill_until, due_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
     on conflict (tenant_id, id) do update set name = excluded.name, description = excluded.description, \
       filter = excluded.filter, sharing = excluded.sharing, team_id = excluded.team_id, version = excluded.version, \
       updated_at = excluded.updated_at, updated_by = excluded.updated_by, state = excluded.state, \
       shape = excluded.shape, due_at = excluded.due_at",
);

/// Writes a list; how many members it has, and how far it is filled, is kept of one that is there.
pub async fn put(tx: &mut Tx, row: &ListRow) -> Result<()> {
    let values = args![
        tx.tenant(),
        row.id,
        &row.object,
        &row.name,
        row.description.clone(),
        row.filter.clone(),
        &row.sharing,
        row.team_id,
        row.version,
        row.created_at,
        row.created_by,
        row.updated_at,
        row.updated_by,
        row.members,
        row.revision,
        &row.state,
        &row.shape,
        row.filled_to,
        row.fill_until,
        row.due_at,
    ];
    tx.execute(&PUT, values).await.map(drop)
}

const DELETE: Sql = Sql::same("update list set deleted_at = $3, due_at = $3 where tenant_id = $1 and id = $2");

/// Has a list be gone; its rows, of which there may be very many, are to be forgotten later.
pub async fn delete(tx: &mut Tx, id: i64, at: Timestamp) -> Result<()> {
    tx.execute(&DELETE, args![tx.tenant(), id, at]).await.map(drop)
}
