//! Packs: their files, kept once whoever brings them, and which a tenant has installed.
//!
//! Files go by their digest, not by name and version: what one tenant calls `crm` 1.0.0 is nobody else's business.

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
    /// What tells its files from all others.
    pub digest: String,
}

/// The files of a pack.
#[derive(Debug, Clone, FromRow)]
pub struct PackSourceRow {
    /// What tells them from all others.
    pub digest: String,
    /// They themselves, as JSON.
    pub source: String,
}

const INSTALLED: Sql =
    Sql::same("select name, version, digest from tenant_pack where tenant_id = $1 order by position");

/// The tenant's packs, lowest layer first.
pub async fn installed(reader: &mut Reader) -> Result<Vec<TenantPackRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&INSTALLED, args![tenant]).await
}

const SOURCES: Sql = Sql::same(
    "select p.digest, p.source from tenant_pack t join pack p on p.digest = t.digest \
     where t.tenant_id = $1 order by t.position",
);

/// The files of the tenant's packs, lowest layer first.
pub async fn sources(reader: &mut Reader) -> Result<Vec<PackSourceRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&SOURCES, args![tenant]).await
}

const ADD: Sql =
    Sql::same("insert into pack (digest, source, added_at) values ($1, $2, $3) on conflict (digest) do nothing");

const INSTALL: Sql = Sql::same(
    "insert into tenant_pack (tenant_id, name, version, digest, position, installed_at) \
     values ($1, $2, $3, $4, (select coalesce(max(position), 0) + 1 from tenant_pack where tenant_id = $1), $5) \
     on conflict (tenant_id, name) do update set version = excluded.version, digest = excluded.digest, \
       installed_at = excluded.installed_at",
);

/// A pack as it is installed.
#[derive(Debug, Clone, Copy)]
pub struct NewPack<'a> {
    /// The pack's name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its files as JSON.
    pub source: &'a str,
    /// What tells these files from all others.
    pub digest: &'a str,
}

/// Lays a pack over those that the tenant has, or moves it to another version in its place.
pub async fn install(tx: &mut Tx, pack: &NewPack<'_>, at: Timestamp) -> Result<()> {
    tx.execute(&ADD, args![pack.digest, pack.source, at]).await?;
    tx.execute(&INSTALL, args![tx.tenant(), pack.name, pack.version, pack.digest, at]).await.map(drop)
}
