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
    /// `uploading`, `queued`, `running`, `done`, `failed` or `cancelled`.
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
    " from job where tenant_id = $1 and id < $2 and coalesce(created_by, 0) = coalesce($3, created_by, 0) \
       order by id desc limit $4"
));

/// A job.
pub async fn get(reader: &mut Reader, id: JobId) -> Result<Option<JobRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&GET, args![tenant, id]).await
}

/// Jobs with ids below `before`, newest first; only those that `by` asked for, where given.
pub async fn list(reader: &mut Reader, before: i64, by: Option<UserId>, limit: i64) -> Result<Vec<JobRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LIST, args![tenant, before, by, limit]).await
}

const UNENDED: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from job where tenant_id = $1 and kind = $2 and state in ('queued', 'running') order by id limit $3"
));

/// Jobs of a kind that wait or are under way, oldest first.
pub async fn unended(reader: &mut Reader, kind: &str, limit: i64) -> Result<Vec<JobRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&UNENDED, args![tenant, kind, limit]).await
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
    "update job set state = $4, progress = $5, updated_at = $6 where tenant_id = $1 and id = $2 and state = $3",
);

/// Moves a job that nobody works on from one state to another, or touches it; false where it is not in `from`.
pub async fn save(
    store: &Store,
    tenant: TenantId,
    id: JobId,
    from: &str,
    to: &str,
    progress: &str,
    at: Timestamp,
) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&SAVE, args![tenant, id, from, to, progress, at]).await? == 1)
}

/// A job waits for those of its kind that the tenant asked for earlier.
const CLAIM: Sql = Sql::same(
    "update job set state = 'running', lease_until = $3, updated_at = $4 where tenant_id = $1 and id = $2 \
     and state in ('queued', 'running') and lease_until < $4 \
     and not exists (select 1 from job earlier where earlier.tenant_id = $1 and earlier.state in ('queued', 'running') \
       and earlier.id < $2 and earlier.kind = job.kind)",
);

/// Takes a waiting job, or one whose worker has gone, until `lease_until`; false where somebody else was faster.
pub async fn claim(store: &Store, tenant: TenantId, id: JobId, lease_until: Timestamp, now: Timestamp) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&CLAIM, args![tenant, id, lease_until, now]).await? == 1)
}

const WAITING: Sql = Sql::same(
    "select tenant_id, id from job where state in ('queued', 'running') and lease_until < $1 \
     and not exists (select 1 from job earlier where earlier.tenant_id = job.tenant_id \
       and earlier.state in ('queued', 'running') and earlier.id < job.id and earlier.kind = job.kind) \
     order by created_at, tenant_id, id limit $2",
);

/// Jobs that nobody works on, over all tenants, longest waiting first; of a tenant only the first of each kind. Ids
/// only: with [`stale_uploads`] the one place that looks across tenants.
pub async fn waiting(store: &Store, now: Timestamp, limit: i64) -> Result<Vec<(TenantId, JobId)>> {
    let found: Vec<(i64, i64)> = store.read_platform().await?.fetch_all(&WAITING, args![now, limit]).await?;
    Ok(found.into_iter().map(|(tenant, job)| (TenantId(tenant), JobId(job))).collect())
}

const RELEASE_ABANDONED: Sql =
    Sql::sqlite("update job set state = 'queued', lease_until = 0 where state = 'running' and lease_until > 0");

/// Gives back the jobs of a server that has gone without doing so, before another begins to work: a SQLite store has one
/// at a time. Others of a PostgreSQL store may be at work, so there claims run out by themselves.
pub async fn release_abandoned(store: &Store) -> Result<()> {
    if store.is_postgres() {
        return Ok(());
    }
    let mut lease = store.write_lease(Scope::Platform).await?;
    lease.execute(&RELEASE_ABANDONED, args![]).await.map(drop)
}

const STALE_UPLOADS: Sql = Sql::same(
    "select tenant_id, id from job where state = 'uploading' and updated_at < $1 order by tenant_id, id limit $2",
);

/// Jobs whose input has stopped coming since `before`, over all tenants.
pub async fn stale_uploads(store: &Store, before: Timestamp, limit: i64) -> Result<Vec<(TenantId, JobId)>> {
    let found: Vec<(i64, i64)> = store.read_platform().await?.fetch_all(&STALE_UPLOADS, args![before, limit]).await?;
    Ok(found.into_iter().map(|(tenant, job)| (TenantId(tenant), JobId(job))).collect())
}

const RENEW: Sql = Sql::same(
    "update job set progress = $4, updated_at = $5, lease_until = $6 where tenant_id = $1 and id = $2 \
     and state = 'running' and lease_until = $3",
);

/// Keeps the progress of a job that its worker holds until `held`, and the claim until `lease_until`; false where the
/// job was cancelled, or taken over because the claim had run out.
pub async fn renew(
    store: &Store,
    tenant: TenantId,
    id: JobId,
    held: Timestamp,
    progress: &str,
    at: Timestamp,
    lease_until: Timestamp,
) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&RENEW, args![tenant, id, held, progress, at, lease_until]).await? == 1)
}

const RELEASE: Sql = Sql::same(
    "update job set state = 'queued', updated_at = $4, lease_until = $5 where tenant_id = $1 and id = $2 \
     and state = 'running' and lease_until = $3",
);

/// Gives a job back, to be taken again after `not_before`.
pub async fn release(
    store: &Store,
    tenant: TenantId,
    id: JobId,
    held: Timestamp,
    at: Timestamp,
    not_before: Timestamp,
) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&RELEASE, args![tenant, id, held, at, not_before]).await? == 1)
}

/// In whose hands a job must be for somebody to end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Anybody's.
    Any,
    /// The uploader's: its input is still coming in.
    Uploader,
    /// The worker's whose claim ends then.
    Worker(Timestamp),
}

const END: Sql = Sql::same(
    "update job set state = $5, progress = $6, updated_at = $7, lease_until = 0 where tenant_id = $1 and id = $2 \
     and state in ('uploading', 'queued', 'running') and state = coalesce($3, state) \
     and lease_until = coalesce($4, lease_until)",
);

/// Ends a job that is in the hands of `holder`, and forgets its input; false where it is not, or has ended already.
pub async fn end(
    store: &Store,
    tenant: TenantId,
    id: JobId,
    holder: Holder,
    state: &str,
    progress: &str,
    at: Timestamp,
) -> Result<bool> {
    let (from, held) = match holder {
        Holder::Any => (None, None),
        Holder::Uploader => (Some("uploading".to_owned()), None),
        Holder::Worker(held) => (Some("running".to_owned()), Some(held)),
    };
    let mut tx = store.begin(tenant).await?;
    let has_ended = tx.execute(&END, args![tenant, id, from, held, state, progress, at]).await? == 1;
    if has_ended {
        tx.execute(&CLEAR_INPUT, args![tenant, id]).await?;
    }
    tx.commit().await?;
    Ok(has_ended)
}

const ADD_INPUT: Sql = Sql::same(
    "insert into job_input (tenant_id, job_id, part, content) select $1, id, $3, $4 from job \
     where tenant_id = $1 and id = $2 and state = 'uploading' \
     on conflict (tenant_id, job_id, part) do update set content = excluded.content",
);
const INPUT: Sql = Sql::same("select content from job_input where tenant_id = $1 and job_id = $2 and part = $3");
const CLEAR_INPUT: Sql = Sql::same("delete from job_input where tenant_id = $1 and job_id = $2");

/// Keeps one part of a job's input, counted from 0; a part sent again replaces itself. False where the job does not
/// take input any more.
pub async fn add_input(store: &Store, tenant: TenantId, job: JobId, part: i64, content: Vec<u8>) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&ADD_INPUT, args![tenant, job, part, content]).await? == 1)
}

/// One part of a job's input; `None` after the last.
pub async fn input(reader: &mut Reader, job: JobId, part: i64) -> Result<Option<Vec<u8>>> {
    let tenant = reader.tenant();
    let row: Option<(Vec<u8>,)> = reader.fetch_optional(&INPUT, args![tenant, job, part]).await?;
    Ok(row.map(|(content,)| content))
}

const INPUT_EXTENT: Sql = Sql::same(
    "select count(*) as parts, coalesce(max(part), -1) as last, coalesce(sum(length(content)), 0) as bytes \
     from job_input where tenant_id = $1 and job_id = $2",
);

/// How much of a job's input there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct InputExtent {
    /// How many parts.
    pub parts: i64,
    /// Number of the last one; -1 where there is none.
    pub last: i64,
    /// Bytes in all of them.
    pub bytes: i64,
}

/// How much of a job's input there is.
pub async fn input_extent(reader: &mut Reader, job: JobId) -> Result<InputExtent> {
    let tenant = reader.tenant();
    let extent: Option<InputExtent> = reader.fetch_optional(&INPUT_EXTENT, args![tenant, job]).await?;
    Ok(extent.unwrap_or(InputExtent { parts: 0, last: -1, bytes: 0 }))
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

const OVER: Sql = Sql::same(
    "select id from job where tenant_id = $1 and state in ('done', 'failed', 'cancelled') and updated_at <= $2 \
     order by id limit $3",
);
const FORGET_ERRORS: Sql = Sql::each(
    "delete from job_error where tenant_id = $1 and job_id in (select value from json_each($2))",
    "delete from job_error where tenant_id = $1 and job_id = any($2::bigint[])",
);
const FORGET_FILES: Sql = Sql::each(
    "delete from job_file where tenant_id = $1 and job_id in (select value from json_each($2))",
    "delete from job_file where tenant_id = $1 and job_id = any($2::bigint[])",
);
const FORGET: Sql = Sql::each(
    "delete from job where tenant_id = $1 and id in (select value from json_each($2))",
    "delete from job where tenant_id = $1 and id = any($2::bigint[])",
);

/// Forgets up to `limit` jobs that have been over since `before`, with what went wrong in them and what is left of their
/// files; how many.
pub async fn forget(store: &Store, tenant: TenantId, before: Timestamp, limit: i64) -> Result<u64> {
    let over: Vec<(i64,)> = store.read(tenant).await?.fetch_all(&OVER, args![tenant, before, limit]).await?;
    if over.is_empty() {
        return Ok(0);
    }
    let ids: Vec<i64> = over.into_iter().map(|(id,)| id).collect();
    let mut tx = store.begin(tenant).await?;
    tx.execute(&FORGET_ERRORS, args![tenant, ids.clone()]).await?;
    tx.execute(&FORGET_FILES, args![tenant, ids.clone()]).await?;
    let forgotten = tx.execute(&FORGET, args![tenant, ids]).await?;
    tx.commit().await?;
    Ok(forgotten)
}
