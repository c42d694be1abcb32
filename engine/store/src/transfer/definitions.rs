//! What defines a tenant's objects: packs, the own layer, and how it came to be.

use engine_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Carried, json_text};
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// The files of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// What tells them from all others.
    pub digest: String,
    /// They themselves, as JSON.
    pub source: String,
}

impl Pack {
    /// What such a line is called in the file.
    pub const KIND: &'static str = "pack";
}

const ADD_PACK: Sql =
    Sql::same("insert into pack (digest, source, added_at) values ($1, $2, $3) on conflict (digest) do nothing");

/// Keeps the files of a pack, which all tenants share: the caller has seen that they are those of the digest.
pub async fn add_pack(tx: &mut Tx, pack: &Pack, at: Timestamp) -> Result<()> {
    tx.execute(&ADD_PACK, args![&pack.digest, &pack.source, at]).await.map(drop)
}

/// A pack that the tenant has or had.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    name: String,
    version: String,
    /// What tells its files from all others.
    pub digest: String,
    position: i64,
    installed_at: i64,
    #[serde(with = "json_text")]
    remnant: String,
    uninstalled_at: Option<i64>,
}

const INSTALLED: Sql = Sql::same(
    "select name, version, digest, position, installed_at, remnant, uninstalled_at from tenant_pack \
     where tenant_id = $1 and name > $2 order by name limit $3",
);
const INSTALL: Sql = Sql::each(
    "insert into tenant_pack (tenant_id, name, version, digest, position, installed_at, remnant, uninstalled_at) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($2) \
     where true on conflict do nothing",
    "insert into tenant_pack (tenant_id, name, version, digest, position, installed_at, remnant, uninstalled_at) \
     select $1, p.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], \
       $8::bigint[]) p on conflict do nothing",
);

impl Carried for Installed {
    const KIND: &'static str = "installed_pack";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| &row.name);
        let tenant = reader.tenant();
        reader.fetch_all(&INSTALLED, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.name.as_str(), row.version.as_str(), row.digest.as_str(), row.position,
            row.installed_at, row.remnant.as_str(), row.uninstalled_at);
        tx.execute(&INSTALL, args![tx.tenant(), rows]).await
    }
}

/// An object of the own layer, or what it adds to one.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectDefinition {
    name: String,
    #[serde(with = "json_text")]
    spec: String,
    updated_at: i64,
}

const OBJECTS: Sql = Sql::same(
    "select name, spec, updated_at from object_definition where tenant_id = $1 and name > $2 order by name limit $3",
);
const ADD_OBJECTS: Sql = Sql::each(
    "insert into object_definition (tenant_id, name, spec, updated_at) \
     select $1, value->>0, value->>1, value->>2 from json_each($2) where true on conflict do nothing",
    "insert into object_definition (tenant_id, name, spec, updated_at) \
     select $1, o.* from unnest($2::text[], $3::text[], $4::bigint[]) o on conflict do nothing",
);

impl Carried for ObjectDefinition {
    const KIND: &'static str = "object_definition";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| &row.name);
        let tenant = reader.tenant();
        reader.fetch_all(&OBJECTS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.name.as_str(), row.spec.as_str(), row.updated_at);
        tx.execute(&ADD_OBJECTS, args![tx.tenant(), rows]).await
    }
}

/// An association of the own layer, or what it adds to one.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssociationDefinition {
    name: String,
    #[serde(with = "json_text")]
    spec: String,
    updated_at: i64,
}

const ASSOCIATIONS: Sql = Sql::same(
    "select name, spec, updated_at from association_definition \
     where tenant_id = $1 and name > $2 order by name limit $3",
);
const ADD_ASSOCIATIONS: Sql = Sql::each(
    "insert into association_definition (tenant_id, name, spec, updated_at) \
     select $1, value->>0, value->>1, value->>2 from json_each($2) where true on conflict do nothing",
    "insert into association_definition (tenant_id, name, spec, updated_at) \
     select $1, a.* from unnest($2::text[], $3::text[], $4::bigint[]) a on conflict do nothing",
);

impl Carried for AssociationDefinition {
    const KIND: &'static str = "association_definition";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| &row.name);
        let tenant = reader.tenant();
        reader.fetch_all(&ASSOCIATIONS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.name.as_str(), row.spec.as_str(), row.updated_at);
        tx.execute(&ADD_ASSOCIATIONS, args![tx.tenant(), rows]).await
    }
}

/// A pipeline of the own layer, or what it adds to one.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    object: String,
    name: String,
    #[serde(with = "json_text")]
    spec: String,
    updated_at: i64,
}

const PIPELINES: Sql = Sql::same(
    "select object, name, spec, updated_at from pipeline \
     where tenant_id = $1 and (object, name) > ($2, $3) order by object, name limit $4",
);
const ADD_PIPELINES: Sql = Sql::each(
    "insert into pipeline (tenant_id, object, name, spec, updated_at) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into pipeline (tenant_id, object, name, spec, updated_at) \
     select $1, p.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) p on conflict do nothing",
);

impl Carried for Pipeline {
    const KIND: &'static str = "pipeline";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (object, name) = after.map_or(("", ""), |row| (row.object.as_str(), row.name.as_str()));
        let tenant = reader.tenant();
        reader.fetch_all(&PIPELINES, args![tenant, object, name, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.object.as_str(), row.name.as_str(), row.spec.as_str(), row.updated_at);
        tx.execute(&ADD_PIPELINES, args![tx.tenant(), rows]).await
    }
}

/// One change of definitions.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataVersion {
    version: i64,
    at: i64,
    actor: Option<i64>,
    summary: String,
    #[serde(with = "json_text")]
    changes: String,
}

const VERSIONS: Sql = Sql::same(
    "select version, at, actor, summary, changes from metadata_version \
     where tenant_id = $1 and version > $2 order by version limit $3",
);
const ADD_VERSIONS: Sql = Sql::each(
    "insert into metadata_version (tenant_id, version, at, actor, summary, changes) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4 from json_each($2) where true \
     on conflict do nothing",
    "insert into metadata_version (tenant_id, version, at, actor, summary, changes) \
     select $1, v.* from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[]) v \
     on conflict do nothing",
);

impl Carried for MetadataVersion {
    const KIND: &'static str = "metadata_version";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.version);
        let tenant = reader.tenant();
        reader.fetch_all(&VERSIONS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.version, row.at, row.actor, row.summary.as_str(), row.changes.as_str());
        tx.execute(&ADD_VERSIONS, args![tx.tenant(), rows]).await
    }
}
