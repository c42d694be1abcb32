//! Packs: their files, kept once whoever brings them, and which a tenant has installed.
//!
//! Files go by their digest, not by name and version: what one tenant calls `crm` 1.0.0 is nobody else's business.

use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// A pack that a tenant has or had.
#[derive(Debug, Clone, FromRow)]
pub struct TenantPackRow {
    /// The pack's name.
    pub name: String,
    /// The version that is installed, or was last.
    pub version: String,
    /// What tells its files from all others.
    pub digest: String,
    /// Definitions that it left behind, as a pack's document; empty where there are none.
    pub remnant: String,
    /// Since when it is not installed.
    pub uninstalled_at: Option<i64>,
}

impl TenantPackRow {
    /// Whether the tenant has it now.
    pub fn is_installed(&self) -> bool {
        self.uninstalled_at.is_none()
    }
}

/// The files of a pack.
#[derive(Debug, Clone, FromRow)]
pub struct PackSourceRow {
    /// What tells them from all others.
    pub digest: String,
    /// They themselves, as JSON.
    pub source: String,
}

const ALL: Sql = Sql::same(
    "select name, version, digest, remnant, uninstalled_at from tenant_pack where tenant_id = $1 order by position",
);

/// The packs that the tenant has or had, lowest layer first.
pub async fn all(reader: &mut Reader) -> Result<Vec<TenantPackRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&ALL, args![tenant]).await
}

const SOURCES: Sql = Sql::same(
    "select p.digest, p.source from tenant_pack t join pack p on p.digest = t.digest \
     where t.tenant_id = $1 order by t.position",
);

/// The files of the packs that the tenant has or had, lowest layer first.
pub async fn sources(reader: &mut Reader) -> Result<Vec<PackSourceRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&SOURCES, args![tenant]).await
}

/// What a pack says.
#[derive(Debug, Clone, FromRow)]
pub struct PackDocumentRow {
    /// What tells the pack's files from all others.
    pub digest: String,
    /// What they say, as one JSON document.
    pub document: Option<String>,
    /// They themselves, as JSON, where nobody has made a document of them.
    pub source: Option<String>,
}

const DOCUMENTS: Sql = Sql::same(
    "select p.digest, p.document, case when p.document is null then p.source end as source \
     from tenant_pack t join pack p on p.digest = t.digest where t.tenant_id = $1 order by t.position",
);

/// What the packs say that the tenant has or had, lowest layer first.
pub async fn documents(reader: &mut Reader) -> Result<Vec<PackDocumentRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&DOCUMENTS, args![tenant]).await
}

const SOURCE: Sql = Sql::same("select source from pack where digest = $1");

/// The files of a pack, as JSON, by what tells them from all others; whoever asks has had them.
pub async fn source(reader: &mut Reader, digest: &str) -> Result<Option<String>> {
    let found: Option<(String,)> = reader.fetch_optional(&SOURCE, args![digest]).await?;
    Ok(found.map(|(source,)| source))
}

const ADD: Sql = Sql::same(
    "insert into pack (digest, source, document, added_at) values ($1, $2, $3, $4) \
     on conflict (digest) do update set document = excluded.document where pack.document is null",
);

const INSTALL: Sql = Sql::same(
    "insert into tenant_pack (tenant_id, name, version, digest, position, installed_at, remnant) \
     values ($1, $2, $3, $4, (select coalesce(max(position), 0) + 1 from tenant_pack where tenant_id = $1), $5, $6) \
     on conflict (tenant_id, name) do update set version = excluded.version, digest = excluded.digest, \
       installed_at = excluded.installed_at, remnant = excluded.remnant, uninstalled_at = null",
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
    /// What they say, as one JSON document.
    pub document: &'a str,
    /// What tells these files from all others.
    pub digest: &'a str,
    /// What earlier versions left behind, as a pack's document; empty where that is nothing.
    pub remnant: &'a str,
}

/// Lays a pack over those that the tenant has, or moves it to another version in its place.
pub async fn install(tx: &mut Tx, pack: &NewPack<'_>, at: Timestamp) -> Result<()> {
    tx.execute(&ADD, args![pack.digest, pack.source, pack.document, at]).await?;
    tx.execute(&INSTALL, args![tx.tenant(), pack.name, pack.version, pack.digest, at, pack.remnant]).await.map(drop)
}

const FORGET: Sql = Sql::same("delete from tenant_pack where tenant_id = $1 and name = $2");

/// Forgets that the tenant ever had a pack, with what it has left behind.
pub async fn forget(tx: &mut Tx, name: &str) -> Result<()> {
    tx.execute(&FORGET, args![tx.tenant(), name]).await.map(drop)
}

const UNINSTALL: Sql =
    Sql::same("update tenant_pack set remnant = $3, uninstalled_at = $4 where tenant_id = $1 and name = $2");

/// Takes a pack away; what it leaves behind keeps its place.
pub async fn uninstall(tx: &mut Tx, name: &str, remnant: &str, at: Timestamp) -> Result<()> {
    tx.execute(&UNINSTALL, args![tx.tenant(), name, remnant, at]).await.map(drop)
}
