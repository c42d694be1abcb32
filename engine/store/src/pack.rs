//! Packs: versions that the platform knows, and which of them a tenant has installed.

use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// A pack that a tenant has installed.
#[derive(Debug, Clone, FromRow)]
pub struct TenantPackRow {
    /// The pack's name.
    pub name: String,
    /// The installed version.
    pub version: String,
    /// The pack's files as JSON.
    pub source: String,
}

const INSTALLED: Sql = Sql::same(
    "select t.name, t.version, p.source from tenant_pack t join pack p on p.name = t.name and p.version = t.version \
     where t.tenant_id = $1 order by t.position",
);

/// The tenant's packs, lowest layer first.
pub async fn installed(reader: &mut Reader) -> Result<Vec<TenantPackRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&INSTALLED, args![tenant]).await
}

const ADD: Sql = Sql::same(
    "insert into pack (name, version, source, added_at) values ($1, $2, $3, $4) on conflict (name, version) do nothing",
);

/// Adds a version of a pack; a version that is known already stays as it is.
pub async fn add(tx: &mut Tx, name: &str, version: &str, source: &str, at: Timestamp) -> Result<()> {
    tx.execute(&ADD, args![name, version, source, at]).await.map(drop)
}

const SOURCE: Sql = Sql::same("select source from pack where name = $1 and version = $2");

/// The files of a known version.
pub async fn source(reader: &mut Reader, name: &str, version: &str) -> Result<Option<String>> {
    let row: Option<(String,)> = reader.fetch_optional(&SOURCE, args![name, version]).await?;
    Ok(row.map(|(source,)| source))
}

const INSTALL: Sql = Sql::same(
    "insert into tenant_pack (tenant_id, name, version, position, installed_at) \
     values ($1, $2, $3, (select coalesce(max(position), 0) + 1 from tenant_pack where tenant_id = $1), $4) \
     on conflict (tenant_id, name) do update set version = excluded.version, installed_at = excluded.installed_at",
);

/// Lays a pack over those that the tenant has, or moves it to another version in its place.
pub async fn install(tx: &mut Tx, name: &str, version: &str, at: Timestamp) -> Result<()> {
    tx.execute(&INSTALL, args![tx.tenant(), name, version, at]).await.map(drop)
}
