//! Jobs: long work that survives a restart, with its input, progress and errors.

use engine_model::time::Timestamp;
use engine_model::{JobId, TenantId, UserId};
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Reader, Store, Tx};

/// A job.
#[derive(Debug, Clone, FromRow)]
pub struct JobRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// What it does, such as `import`.
    pub kind: String,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// JSON object: what was asked for.
    pub spec: String,
    /// JSON object: how far it has got.
    pub progress: String,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// User who asked for it.
    pub created_by: Option<i64>,
    /// Microseconds since 1970.
    pub updated_at: i64,
}

macro_rules! columns {
    () => {
        "id, kind, state, spec, progress, created_at, created_by, updated_at"
    };
}

const GET: Sql = Sql::same(concat!("select ", columns!(), " from job where tenant_id = $1 and id = $2"));
const LIST: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from job where tenant_id = $1 and id < $2 order by id desc limit $3"
));

/// A job.
pub async fn get(reader: &mut Reader, id: JobId) -> Result<Option<JobRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&GET, args![tenant, id]).await
}

/// Jobs with ids below `before`, newest first.
pub async fn list(reader: &mut Reader, before: i64, limit: i64) -> Result<Vec<JobRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LIST, args![tenant, before, limit]).await
}

const CREATE: Sql = Sql::same(
    "insert into job (tenant_id, id, kind, state, spec, progress, created_at, created_by, updated_at) \
     values ($1, $2, $3, $4, $5, '{}', $6, $7, $6)",
);

/// Adds a job.
pub async fn create(
    tx: &mut Tx,
    id: JobId,
    kind: &str,
    state: &str,
    spec: &str,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<()> {
    tx.execute(&CREATE, args![tx.tenant(), id, kind, state, spec, at, by]).await.map(drop)
}

const SAVE: Sql = Sql::same(
    "update job set state = $3, progress = $4, updated_at = $5, lease_until = $6 where tenant_id = $1 and id = $2 \
     and state in ('queued', 'running', 'uploading')",
);

/// Keeps a job's state and progress, and its worker's claim until `lease_until`; false where the job has ended.
pub async fn save(
    store: &Store,
    tenant: TenantId,
    id: JobId,
    state: &str,
    progress: &str,
    at: Timestamp,
    lease_until: Timestamp,
) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&SAVE, args![tenant, id, state, progress, at, lease_until]).await? == 1)
}

const CLAIM: Sql = Sql::same(
    "update job set state = 'running', lease_until = $3 where tenant_id = $1 and id = $2 \
     and state in ('queued', 'running') and lease_until < $4",
);

/// Takes a waiting job, or one whose worker has gone, until `lease_until`; false where somebody else was faster.
pub async fn claim(store: &Store, tenant: TenantId, id: JobId, lease_until: Timestamp, now: Timestamp) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&CLAIM, args![tenant, id, lease_until, now]).await? == 1)
}

const WAITING: Sql = Sql::same(
    "select tenant_id, id from job where state in ('queued', 'running') and lease_until < $1 \
     order by tenant_id, id limit $2",
);

/// Jobs that nobody works on, over all tenants: ids only, the one place that looks across tenants.
pub async fn waiting(store: &Store, now: Timestamp, limit: i64) -> Result<Vec<(TenantId, JobId)>> {
    let found: Vec<(i64, i64)> = store.read_platform().await?.fetch_all(&WAITING, args![now, limit]).await?;
    Ok(found.into_iter().map(|(tenant, job)| (TenantId(tenant), JobId(job))).collect())
}

const ADD_INPUT: Sql =
    Sql::same("insert into job_input (tenant_id, job_id, part, content) values ($1, $2, $3, $4)");
const INPUT: Sql =
    Sql::same("select content from job_input where tenant_id = $1 and job_id = $2 and part = $3");
const CLEAR_INPUT: Sql = Sql::same("delete from job_input where tenant_id = $1 and job_id = $2");

/// Keeps one part of a job's input, counted from 0.
pub async fn add_input(store: &Store, tenant: TenantId, job: JobId, part: i64, content: Vec<u8>) -> Result<()> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&ADD_INPUT, args![tenant, job, part, content]).await.map(drop)
}

/// One part of a job's input; `None` after the last.
pub async fn input(reader: &mut Reader, job: JobId, part: i64) -> Result<Option<Vec<u8>>> {
    let tenant = reader.tenant();
    let row: Option<(Vec<u8>,)> = reader.fetch_optional(&INPUT, args![tenant, job, part]).await?;
    Ok(row.map(|(content,)| content))
}

/// Forgets a job's input.
pub async fn clear_input(store: &Store, tenant: TenantId, job: JobId) -> Result<()> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&CLEAR_INPUT, args![tenant, job]).await.map(drop)
}

const ADD_ERRORS: Sql = Sql::each(
    "insert into job_error (tenant_id, job_id, position, detail) select $1, $2, value->>0, value->>1 \
     from json_each($3) where true on conflict (tenant_id, job_id, position) do update set detail = excluded.detail",
    "insert into job_error (tenant_id, job_id, position, detail) select $1, $2, e.* \
     from unnest($3::bigint[], $4::text[]) e \
     on conflict (tenant_id, job_id, position) do update set detail = excluded.detail",
);
const ERRORS: Sql = Sql::same(
    "select position, detail from job_error where tenant_id = $1 and job_id = $2 and position > $3 \
     order by position limit $4",
);

/// Keeps what went wrong at positions of the input; a position said again replaces what was said.
pub async fn add_errors(store: &Store, tenant: TenantId, job: JobId, errors: &[(i64, String)]) -> Result<()> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    let errors: Rows = rows!(errors; error => error.0, error.1.clone());
    lease.execute(&ADD_ERRORS, args![tenant, job, errors]).await.map(drop)
}

/// What went wrong after a position of the input, in order.
pub async fn errors(reader: &mut Reader, job: JobId, after: i64, limit: i64) -> Result<Vec<(i64, String)>> {
    let tenant = reader.tenant();
    reader.fetch_all(&ERRORS, args![tenant, job, after, limit]).await
}
