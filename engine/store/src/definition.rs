//! The tenant's own layer of definitions, and the history of metadata versions.

use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Tx};

/// What a row of the own layer defines or adjusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object, or what the tenant adds to a pack's object.
    Object,
    /// An association.
    Association,
}

/// One row of the own layer.
#[derive(Debug, Clone, FromRow)]
pub struct DefinitionRow {
    /// Internal name.
    pub name: String,
    /// JSON object.
    pub spec: String,
}

/// One pipeline of the own layer.
#[derive(Debug, Clone, FromRow)]
pub struct PipelineRow {
    /// The object's name.
    pub object: String,
    /// Internal name.
    pub name: String,
    /// JSON object.
    pub spec: String,
}

const OBJECTS: Sql = Sql::same("select name, spec from object_definition where tenant_id = $1 order by name");
const ASSOCIATIONS: Sql = Sql::same("select name, spec from association_definition where tenant_id = $1 order by name");
const PIPELINES: Sql = Sql::same("select object, name, spec from pipeline where tenant_id = $1 order by object, name");

/// Everything the tenant itself defines or adjusts, of one kind.
pub async fn list(reader: &mut Reader, kind: Kind) -> Result<Vec<DefinitionRow>> {
    let tenant = reader.tenant();
    let sql = match kind {
        Kind::Object => &OBJECTS,
        Kind::Association => &ASSOCIATIONS,
    };
    reader.fetch_all(sql, args![tenant]).await
}

/// Every pipeline that the tenant itself defines or adjusts.
pub async fn pipelines(reader: &mut Reader) -> Result<Vec<PipelineRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&PIPELINES, args![tenant]).await
}

const PUT_OBJECT: Sql = Sql::same(
    "insert into object_definition (tenant_id, name, spec, updated_at) values ($1, $2, $3, $4) \
     on conflict (tenant_id, name) do update set spec = excluded.spec, updated_at = excluded.updated_at",
);
const PUT_ASSOCIATION: Sql = Sql::same(
    "insert into association_definition (tenant_id, name, spec, updated_at) values ($1, $2, $3, $4) \
     on conflict (tenant_id, name) do update set spec = excluded.spec, updated_at = excluded.updated_at",
);
const PUT_PIPELINE: Sql = Sql::same(
    "insert into pipeline (tenant_id, object, name, spec, updated_at) values ($1, $2, $3, $4, $5) \
     on conflict (tenant_id, object, name) do update set spec = excluded.spec, updated_at = excluded.updated_at",
);

/// Writes a row of the own layer.
pub async fn put(tx: &mut Tx, kind: Kind, name: &str, spec: String, at: Timestamp) -> Result<()> {
    let sql = match kind {
        Kind::Object => &PUT_OBJECT,
        Kind::Association => &PUT_ASSOCIATION,
    };
    tx.execute(sql, args![tx.tenant(), name, spec, at]).await.map(drop)
}

/// Writes a pipeline of the own layer.
pub async fn put_pipeline(tx: &mut Tx, object: &str, name: &str, spec: String, at: Timestamp) -> Result<()> {
    tx.execute(&PUT_PIPELINE, args![tx.tenant(), object, name, spec, at]).await.map(drop)
}

const REMOVE_OBJECT: Sql = Sql::same("delete from object_definition where tenant_id = $1 and name = $2");
const REMOVE_ASSOCIATION: Sql = Sql::same("delete from association_definition where tenant_id = $1 and name = $2");
const REMOVE_PIPELINE: Sql = Sql::same("delete from pipeline where tenant_id = $1 and object = $2 and name = $3");

/// Takes a row of the own layer away for good.
pub async fn remove(tx: &mut Tx, kind: Kind, name: &str) -> Result<()> {
    let sql = match kind {
        Kind::Object => &REMOVE_OBJECT,
        Kind::Association => &REMOVE_ASSOCIATION,
    };
    tx.execute(sql, args![tx.tenant(), name]).await.map(drop)
}

/// Takes a pipeline of the own layer away for good.
pub async fn remove_pipeline(tx: &mut Tx, object: &str, name: &str) -> Result<()> {
    tx.execute(&REMOVE_PIPELINE, args![tx.tenant(), object, name]).await.map(drop)
}

/// One change of definitions.
#[derive(Debug, Clone, FromRow)]
pub struct MetadataVersionRow {
    /// Counts from 1.
    pub version: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// User who made it.
    pub actor: Option<i64>,
    /// One line for people.
    pub summary: String,
    /// JSON: what was before and after.
    pub changes: String,
}

const ADD_VERSION: Sql = Sql::same(
    "insert into metadata_version (tenant_id, version, at, actor, summary, changes) values ($1, $2, $3, $4, $5, $6)",
);

/// Raises the metadata version and says what changed.
pub async fn add_version(
    tx: &mut Tx,
    actor: Option<engine_model::UserId>,
    at: Timestamp,
    summary: &str,
    changes: String,
) -> Result<()> {
    tx.head.metadata_version += 1;
    let arguments = args![tx.tenant(), tx.head.metadata_version, at, actor, summary, changes];
    tx.execute(&ADD_VERSION, arguments).await.map(drop)
}

const VERSIONS: Sql = Sql::same(
    "select version, at, actor, summary, changes from metadata_version \
     where tenant_id = $1 and version < $2 order by version desc limit $3",
);

/// Metadata versions below `before`, newest first.
pub async fn versions(reader: &mut Reader, before: i64, limit: i64) -> Result<Vec<MetadataVersionRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&VERSIONS, args![tenant, before, limit]).await
}
