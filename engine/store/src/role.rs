//! Roles of a tenant's own, and who has one.

use engine_model::{TokenId, UserId};
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// A role of the tenant's own.
#[derive(Debug, Clone, FromRow)]
pub struct RoleRow {
    /// Internal name, unique in the tenant.
    pub name: String,
    /// JSON object: what it is called and what it grants, as a pack would say it.
    pub spec: String,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
}

const ROLE: Sql =
    Sql::same("select name, spec, created_at, updated_at from tenant_role where tenant_id = $1 and name = $2");

/// The role called `name`.
pub async fn get(reader: &mut Reader, name: &str) -> Result<Option<RoleRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&ROLE, args![tenant, name]).await
}

const ROLES: Sql = Sql::same(
    "select name, spec, created_at, updated_at from tenant_role where tenant_id = $1 and name > $2 \
     order by name limit $3",
);

/// Roles with names after `after`, in the order of their names.
pub async fn list(reader: &mut Reader, after: &str, limit: i64) -> Result<Vec<RoleRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&ROLES, args![tenant, after, limit]).await
}

const PUT: Sql = Sql::same(
    "insert into tenant_role (tenant_id, name, spec, created_at, updated_at) values ($1, $2, $3, $4, $5) \
     on conflict (tenant_id, name) do update set spec = excluded.spec, updated_at = excluded.updated_at",
);

/// Writes a role; the caller raises the access version.
pub async fn put(tx: &mut Tx, role: &RoleRow) -> Result<()> {
    let arguments = args![tx.tenant(), &role.name, &role.spec, role.created_at, role.updated_at];
    tx.execute(&PUT, arguments).await.map(drop)
}

const DELETE: Sql = Sql::same("delete from tenant_role where tenant_id = $1 and name = $2");

/// Takes a role away, which nobody has; the caller raises the access version.
pub async fn delete(tx: &mut Tx, name: &str) -> Result<u64> {
    tx.execute(&DELETE, args![tx.tenant(), name]).await
}

const USERS_WITH: Sql = Sql::same(
    "select id from tenant_user where tenant_id = $1 and role = $2 and archived_at is null order by id limit $3",
);

/// Unarchived users who have a role, lowest first.
pub async fn users_with(reader: &mut Reader, role: &str, limit: i64) -> Result<Vec<UserId>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&USERS_WITH, args![tenant, role, limit]).await?;
    Ok(found.into_iter().map(|(id,)| UserId(id)).collect())
}

const TOKENS_WITH: Sql = Sql::same("select id from token where tenant_id = $1 and role = $2 order by id limit $3");

/// Tokens that have a role, lowest first.
pub async fn tokens_with(reader: &mut Reader, role: &str, limit: i64) -> Result<Vec<TokenId>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&TOKENS_WITH, args![tenant, role, limit]).await?;
    Ok(found.into_iter().map(|(id,)| TokenId(id)).collect())
}
