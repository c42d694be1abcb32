//! Who was given sensitive values: written before they are given, and kept for a while.

mod recorder;

use engine_model::time::Timestamp;
use engine_model::{RecordId, TenantId, TokenId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args};
use crate::store::{Reader, Store};

pub(crate) use recorder::Recorder;

/// Sensitive values that somebody is about to be given.
#[derive(Debug, Clone)]
pub struct NewRead {
    /// UUIDv7 of the moment.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user: UserId,
    /// With which token.
    pub token: TokenId,
    /// The object's name.
    pub object: String,
    /// Of which record; none where they are drawn together from many.
    pub record: Option<RecordId>,
    /// Names of the properties, separated by commas.
    pub properties: String,
    /// The request that asked for them.
    pub request_id: Option<String>,
    /// Address of the caller.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
}

/// That somebody was given sensitive values.
#[derive(Debug, Clone, FromRow)]
pub struct ReadRow {
    /// UUIDv7; grows with time.
    pub id: Uuid,
    /// Microseconds since 1970.
    pub at: i64,
    /// Who.
    pub user_id: i64,
    /// With which token.
    pub token_id: i64,
    /// The object's name.
    pub object: String,
    /// Of which record; none where they were drawn together from many.
    pub record_id: Option<i64>,
    /// Names of the properties, separated by commas.
    pub properties: String,
    /// The request that asked for them.
    pub request_id: Option<String>,
    /// Address of the caller.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
}

macro_rules! columns {
    () => {
        "id, at, user_id, token_id, object, record_id, properties, request_id, ip, user_agent"
    };
}

const ALL: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from sensitive_read where tenant_id = $1 and id < $2 order by id desc limit $3"
));

/// Everything before `before`, newest first.
pub async fn list(reader: &mut Reader, before: Uuid, limit: i64) -> Result<Vec<ReadRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&ALL, args![tenant, before, limit]).await
}

const OF_RECORD: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from sensitive_read where tenant_id = $1 and record_id = $2 and id < $3 order by id desc limit $4"
));

/// What was given of one record before `before`, newest first.
pub async fn of_record(reader: &mut Reader, record: RecordId, before: Uuid, limit: i64) -> Result<Vec<ReadRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&OF_RECORD, args![tenant, record, before, limit]).await
}

const BY_USER: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from sensitive_read where tenant_id = $1 and user_id = $2 and id < $3 order by id desc limit $4"
));

/// What one user was given before `before`, newest first.
pub async fn by_user(reader: &mut Reader, user: UserId, before: Uuid, limit: i64) -> Result<Vec<ReadRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&BY_USER, args![tenant, user, before, limit]).await
}

const OF_RECORD_BY_USER: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from sensitive_read where tenant_id = $1 and record_id = $2 and user_id = $3 and id < $4 \
     order by id desc limit $5"
));

/// What one user was given of one record before `before`, newest first.
pub async fn of_record_by_user(
    reader: &mut Reader,
    record: RecordId,
    user: UserId,
    before: Uuid,
    limit: i64,
) -> Result<Vec<ReadRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&OF_RECORD_BY_USER, args![tenant, record, user, before, limit]).await
}

const FORGET: Sql = Sql::each(
    "delete from sensitive_read where tenant_id = $1 and id in ( \
       select r.id from sensitive_read r where r.tenant_id = $1 and r.id < $2 order by r.id limit $3)",
    "delete from sensitive_read using ( \
       select ctid as place from sensitive_read r where r.tenant_id = $1 and r.id < $2 order by r.id limit $3) old \
     where sensitive_read.tenant_id = $1 and sensitive_read.ctid = old.place",
);

/// Forgets up to `limit` of what was given before a moment; how many.
pub async fn forget(store: &Store, tenant: TenantId, before: Timestamp, limit: i64) -> Result<u64> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&FORGET, args![tenant, first_at(before), limit]).await
}

/// The first id of a moment: ids begin with their milliseconds.
fn first_at(at: Timestamp) -> Uuid {
    Uuid::from_u128(u128::try_from(at.0.div_euclid(1_000)).unwrap_or_default() << 80)
}
