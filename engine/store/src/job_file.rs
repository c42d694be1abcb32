//! Files that jobs have made, in parts.
//!
//! A file belongs to whoever holds its job: parts are written, and those of an earlier attempt taken away, only as long
//! as the claim is the one that is named.

use engine_model::time::Timestamp;
use engine_model::{JobId, TenantId};

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args};
use crate::store::{Reader, Store};

/// Parts that go at a time, so that nobody waits long for the one writer that SQLite has.
const AT_A_TIME: i64 = 16;

/// On PostgreSQL the job is held until the part is there, so that none comes after the job has ended.
const ADD: Sql = Sql::each(
    "insert into job_file (tenant_id, job_id, part, content) select $1, id, $4, $5 from job \
     where tenant_id = $1 and id = $2 and state = 'running' and lease_until = $3",
    "insert into job_file (tenant_id, job_id, part, content) select $1, id, $4, $5 from job \
     where tenant_id = $1 and id = $2 and state = 'running' and lease_until = $3 for share",
);

/// Keeps one part of the file of a job that its worker holds until `held`, counted from 0; false where the job was
/// cancelled or is in other hands.
pub async fn add(
    store: &Store,
    tenant: TenantId,
    job: JobId,
    held: Timestamp,
    part: i64,
    content: Vec<u8>,
) -> Result<bool> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    Ok(lease.execute(&ADD, args![tenant, job, held, part, content]).await? == 1)
}

const PART: Sql = Sql::same("select content from job_file where tenant_id = $1 and job_id = $2 and part = $3");

/// One part of a job's file; `None` after the last, and where the file is gone.
pub async fn part(reader: &mut Reader, job: JobId, part: i64) -> Result<Option<Vec<u8>>> {
    let tenant = reader.tenant();
    let row: Option<(Vec<u8>,)> = reader.fetch_optional(&PART, args![tenant, job, part]).await?;
    Ok(row.map(|(content,)| content))
}

const RESTART: Sql = Sql::each(
    "delete from job_file where tenant_id = $1 and job_id = $2 and part in ( \
       select f.part from job_file f where f.tenant_id = $1 and f.job_id = $2 order by f.part limit $4) \
     and exists (select 1 from job where tenant_id = $1 and id = $2 and state = 'running' and lease_until = $3)",
    "delete from job_file where tenant_id = $1 and job_id = $2 and part = any(array( \
       select f.part from job_file f where f.tenant_id = $1 and f.job_id = $2 order by f.part limit $4)) \
     and exists (select 1 from job where tenant_id = $1 and id = $2 and state = 'running' and lease_until = $3)",
);

/// Takes away what an earlier attempt has left, for whoever holds the job until `held`; nothing for anybody else.
pub async fn restart(store: &Store, tenant: TenantId, job: JobId, held: Timestamp) -> Result<()> {
    loop {
        let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
        if lease.execute(&RESTART, args![tenant, job, held, AT_A_TIME]).await? == 0 {
            return Ok(());
        }
    }
}

const DISCARD: Sql = Sql::each(
    "delete from job_file where tenant_id = $1 and job_id = $2 and part in ( \
       select f.part from job_file f where f.tenant_id = $1 and f.job_id = $2 order by f.part limit $3)",
    "delete from job_file where tenant_id = $1 and job_id = $2 and part = any(array( \
       select f.part from job_file f where f.tenant_id = $1 and f.job_id = $2 order by f.part limit $3))",
);

/// Takes the file of a job away that is over.
pub async fn discard(store: &Store, tenant: TenantId, job: JobId) -> Result<()> {
    loop {
        let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
        if lease.execute(&DISCARD, args![tenant, job, AT_A_TIME]).await? == 0 {
            return Ok(());
        }
    }
}

const OVER: Sql = Sql::same(
    "select j.id from job j where j.tenant_id = $1 \
     and (j.state in ('failed', 'cancelled') or (j.state = 'done' and j.updated_at <= $2)) \
     and exists (select 1 from job_file f where f.tenant_id = $1 and f.job_id = j.id) order by j.id limit $3",
);

/// Jobs with a file that nobody is to have any more: those that came to nothing, and those that were done by `before`.
pub async fn over(reader: &mut Reader, before: Timestamp, limit: i64) -> Result<Vec<JobId>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&OVER, args![tenant, before, limit]).await?;
    Ok(found.into_iter().map(|(id,)| JobId(id)).collect())
}

const KEPT: Sql = Sql::same(
    "select count(*) as parts from (select part from job_file where tenant_id = $1 order by job_id, part limit $2) kept",
);

/// How many parts all files of the tenant have; no more than `limit` are counted.
pub async fn kept(reader: &mut Reader, limit: i64) -> Result<i64> {
    let tenant = reader.tenant();
    let found: Option<(i64,)> = reader.fetch_optional(&KEPT, args![tenant, limit]).await?;
    Ok(found.map_or(0, |(parts,)| parts))
}
