//! Replies kept under the caller's key, so that a request that is sent again happens once.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args};
use crate::store::{Reader, Store, Tx};

/// How long a reply is kept: 24 hours.
pub const LIFETIME_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// A reply as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredReply {
    /// HTTP status, or what stands for it.
    pub status: i64,
    /// JSON object of header names and values.
    pub headers: String,
    /// The body.
    pub body: String,
}

/// What is kept under a key.
#[derive(Debug, Clone, FromRow)]
pub struct KeptReply {
    /// Hash of the request.
    pub fingerprint: String,
    /// HTTP status, or what stands for it.
    pub status: i64,
    /// JSON object of header names and values.
    pub headers: String,
    /// The body.
    pub body: String,
    /// Microseconds since 1970.
    pub created_at: i64,
}

const GET: Sql = Sql::same(
    "select fingerprint, status, headers, body, created_at from idempotency \
     where tenant_id = $1 and key = $2 and created_at > $3",
);

/// The reply kept under `key`, unless it has expired.
pub async fn get(reader: &mut Reader, key: &str, now: Timestamp) -> Result<Option<KeptReply>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&GET, args![tenant, key, now.0 - LIFETIME_MICROS]).await
}

const PUT: Sql = Sql::same(
    "insert into idempotency (tenant_id, key, fingerprint, status, headers, body, created_at) \
     values ($1, $2, $3, $4, $5, $6, $7) \
     on conflict (tenant_id, key) do update set fingerprint = excluded.fingerprint, status = excluded.status, \
       headers = excluded.headers, body = excluded.body, created_at = excluded.created_at",
);

/// Keeps a reply under `key`, in the transaction that did what it answers.
pub async fn put(tx: &mut Tx, key: &str, fingerprint: &str, reply: &StoredReply, now: Timestamp) -> Result<()> {
    let arguments = args![tx.tenant(), key, fingerprint, reply.status, &reply.headers, &reply.body, now];
    tx.execute(&PUT, arguments).await.map(drop)
}

/// By their places on PostgreSQL: a row that is replaced meanwhile has another, and stays.
const EXPIRE: Sql = Sql::each(
    "delete from idempotency where tenant_id = $1 and key in ( \
       select k.key from idempotency k where k.tenant_id = $1 and k.created_at <= $2 order by k.created_at limit $3)",
    "delete from idempotency using ( \
       select ctid as place from idempotency k where k.tenant_id = $1 and k.created_at <= $2 \
       order by k.created_at limit $3) old \
     where idempotency.tenant_id = $1 and idempotency.ctid = old.place",
);

/// Forgets up to `limit` replies older than their lifetime; how many.
pub async fn expire(store: &Store, tenant: TenantId, now: Timestamp, limit: i64) -> Result<u64> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&EXPIRE, args![tenant, now.0 - LIFETIME_MICROS, limit]).await
}
