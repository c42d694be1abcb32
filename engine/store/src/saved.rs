//! Views, reports and dashboards that users have saved.

use engine_model::{TeamId, UserId};
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// Something that a user has saved.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SavedRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// `view`, `report` or `dashboard`.
    pub kind: String,
    /// The object that it is about.
    pub object: Option<String>,
    /// What people read.
    pub label: String,
    /// `private`, `team` or `everyone`.
    pub sharing: String,
    /// Who saved it.
    pub owner_id: i64,
    /// The team that it is shared with.
    pub team_id: Option<i64>,
    /// JSON, as a pack would have it.
    pub spec: String,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
}

macro_rules! columns {
    () => {
        "id, kind, object, label, sharing, owner_id, team_id, spec, created_at, updated_at"
    };
}

const ONE: Sql =
    Sql::same(concat!("select ", columns!(), " from saved_item where tenant_id = $1 and kind = $2 and id = $3"));

/// One of a kind, whoever may see it.
pub async fn get(reader: &mut Reader, kind: &str, id: i64) -> Result<Option<SavedRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&ONE, args![tenant, kind, id]).await
}

/// What a page of saved items is of.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// `view`, `report` or `dashboard`.
    pub kind: &'a str,
    /// Only about this object.
    pub object: Option<&'a str>,
    /// Who looks.
    pub user: UserId,
    /// Of which teams what is shared with them is seen.
    pub sight: Teams,
}

/// Teams of which somebody sees what is shared with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teams {
    /// Every one.
    All,
    /// Those that the user is in.
    These(Vec<i64>),
}

impl Teams {
    /// The kind of sharing that is seen by whomever it is with, and the teams beside that.
    pub(crate) fn args(self) -> (&'static str, Vec<i64>) {
        match self {
            Self::All => ("team", Vec::new()),
            Self::These(teams) => ("everyone", teams),
        }
    }
}

const PAGE: Sql = Sql::each(
    concat!(
        "select ",
        columns!(),
        " from saved_item where tenant_id = $1 and kind = $2 and id > $3 \
         and (owner_id = $4 or sharing in ('everyone', $8) \
           or (sharing = 'team' and team_id in (select value from json_each($5)))) \
         and ($6 is null or object = $6) order by id limit $7"
    ),
    concat!(
        "select ",
        columns!(),
        " from saved_item where tenant_id = $1 and kind = $2 and id > $3 \
         and (owner_id = $4 or sharing in ('everyone', $8) \
           or (sharing = 'team' and team_id = any($5::bigint[]))) \
         and ($6::text is null or object = $6::text) order by id limit $7"
    ),
);

/// Those that a user may see with ids above `after`, lowest first.
pub async fn visible(reader: &mut Reader, wanted: Wanted<'_>, after: i64, limit: i64) -> Result<Vec<SavedRow>> {
    let tenant = reader.tenant();
    let Wanted { kind, object, user, sight } = wanted;
    let (shared, teams) = sight.args();
    reader.fetch_all(&PAGE, args![tenant, kind, after, user, teams, object.map(str::to_owned), limit, shared]).await
}

const PUT: Sql = Sql::same(
    "insert into saved_item (tenant_id, id, kind, object, label, sharing, owner_id, team_id, spec, created_at, updated_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     on conflict (tenant_id, id) do update set object = excluded.object, label = excluded.label, \
       sharing = excluded.sharing, owner_id = excluded.owner_id, team_id = excluded.team_id, spec = excluded.spec, \
       updated_at = excluded.updated_at",
);

/// Writes one.
pub async fn put(tx: &mut Tx, row: &SavedRow) -> Result<()> {
    let values = args![
        tx.tenant(),
        row.id,
        &row.kind,
        row.object.clone(),
        &row.label,
        &row.sharing,
        row.owner_id,
        row.team_id,
        &row.spec,
        row.created_at,
        row.updated_at
    ];
    tx.execute(&PUT, values).await.map(drop)
}

const LEAVE_TEAM: Sql = Sql::same(
    "update saved_item set sharing = 'private', team_id = null, updated_at = $3 \
     where tenant_id = $1 and sharing = 'team' and team_id = $2",
);

/// Makes private what is shared with a team that goes.
pub async fn leave_team(tx: &mut Tx, team: TeamId, at: i64) -> Result<u64> {
    tx.execute(&LEAVE_TEAM, args![tx.tenant(), team, at]).await
}

const DELETE: Sql = Sql::same("delete from saved_item where tenant_id = $1 and id = $2");

/// Takes one away.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute(&DELETE, args![tx.tenant(), id]).await.map(drop)
}
