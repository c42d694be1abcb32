//! Assignment rules: who gets records that nobody was given.

use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// An assignment rule.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RuleRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// The object whose records it is about.
    pub object: String,
    /// What people read.
    pub label: String,
    /// Rules of an object are tried from the lowest on.
    pub position: i64,
    /// CEL that a record must meet.
    pub condition: Option<String>,
    /// JSON list of the ids of those who take turns; empty where a team does.
    pub users: String,
    /// The team whose members take turns.
    pub team_id: Option<i64>,
    /// 0 where it is not applied.
    pub is_active: i64,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
}

macro_rules! columns {
    () => {
        "id, object, label, position, condition, users, team_id, is_active, created_at, updated_at"
    };
}

const ONE: Sql = Sql::same(concat!("select ", columns!(), " from assignment_rule where tenant_id = $1 and id = $2"));

/// A rule.
pub async fn get(reader: &mut Reader, id: i64) -> Result<Option<RuleRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&ONE, args![tenant, id]).await
}

const PAGE: Sql = Sql::each(
    concat!(
        "select ",
        columns!(),
        " from assignment_rule where tenant_id = $1 and id > $2 and ($3 is null or object = $3) order by id limit $4"
    ),
    concat!(
        "select ",
        columns!(),
        " from assignment_rule where tenant_id = $1 and id > $2 and ($3::text is null or object = $3::text) \
         order by id limit $4"
    ),
);

/// Rules with ids above `after`, lowest first; only those of an object where one is named.
pub async fn page(reader: &mut Reader, object: Option<&str>, after: i64, limit: i64) -> Result<Vec<RuleRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&PAGE, args![tenant, after, object.map(str::to_owned), limit]).await
}

const PUT: Sql = Sql::same(
    "insert into assignment_rule (tenant_id, id, object, label, position, condition, users, team_id, is_active, \
       created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     on conflict (tenant_id, id) do update set label = excluded.label, position = excluded.position, \
       condition = excluded.condition, users = excluded.users, team_id = excluded.team_id, \
       is_active = excluded.is_active, updated_at = excluded.updated_at",
);

/// Writes a rule; the caller raises the access version, by which rules are known.
pub async fn put(tx: &mut Tx, row: &RuleRow) -> Result<()> {
    let values = args![
        tx.tenant(),
        row.id,
        &row.object,
        &row.label,
        row.position,
        row.condition.clone(),
        &row.users,
        row.team_id,
        row.is_active,
        row.created_at,
        row.updated_at
    ];
    tx.execute(&PUT, values).await.map(drop)
}

const DELETE: Sql = Sql::same("delete from assignment_rule where tenant_id = $1 and id = $2");

/// Takes a rule away; the caller raises the access version.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute(&DELETE, args![tx.tenant(), id]).await.map(drop)
}
