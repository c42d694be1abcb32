//! Tenants: who there is, and their settings.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::{Reader, Store, Tx};

/// A tenant's settings.
#[derive(Debug, Clone, FromRow)]
pub struct TenantRow {
    /// Identifier.
    pub tenant_id: i64,
    /// Short name in addresses and on the command line; unique.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// The profile it was made with.
    pub profile: String,
    /// IANA time zone.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// ISO 3166 code, for national phone numbers.
    pub country: String,
    /// JSON object: capability to true or false, where it differs from the profile.
    pub capabilities: String,
    /// Microseconds since 1970.
    pub created_at: i64,
}

impl TenantRow {
    /// The tenant's id.
    pub fn id(&self) -> TenantId {
        TenantId(self.tenant_id)
    }
}

macro_rules! columns {
    () => {
        "tenant_id, slug, name, profile, time_zone, currency, country, capabilities, created_at"
    };
}

const GET: Sql = Sql::same(concat!("select ", columns!(), " from tenant where tenant_id = $1"));

/// The tenant itself.
pub async fn get(reader: &mut Reader) -> Result<Option<TenantRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&GET, args![tenant]).await
}

const LIST: Sql =
    Sql::same(concat!("select ", columns!(), " from tenant where tenant_id > $1 order by tenant_id limit $2"));

/// Tenants with ids above `after`, lowest first. For the platform only.
pub async fn list(store: &Store, after: i64, limit: i64) -> Result<Vec<TenantRow>> {
    store.read_platform().await?.fetch_all(&LIST, args![after, limit]).await
}

const BY_SLUG: Sql = Sql::same(concat!("select ", columns!(), " from tenant where slug = $1"));

/// The tenant with this slug. For the platform only.
pub async fn by_slug(store: &Store, slug: &str) -> Result<Option<TenantRow>> {
    store.read_platform().await?.fetch_optional(&BY_SLUG, args![slug]).await
}

const CREATE: Sql = Sql::same(
    "insert into tenant (tenant_id, slug, name, profile, time_zone, currency, country, capabilities, created_at) \
     select coalesce(max(tenant_id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 from tenant where true \
     on conflict do nothing returning tenant_id",
);
const CREATE_HEAD: Sql = Sql::same("insert into tenant_head (tenant_id) values ($1)");
/// Two that are made at once would get the same id.
const TAKE_TURN: Sql = Sql::postgres("select pg_advisory_xact_lock(hashtext('trellis.tenant'))");
const ENTER: Sql = Sql::postgres("select set_config('trellis.tenant', $1, true)");

/// Makes a tenant and leaves the transaction inside it; `None` where the slug was taken.
pub async fn create(store: &Store, tenant: &TenantRow, at: Timestamp) -> Result<Option<Tx>> {
    let mut tx = store.begin_platform().await?;
    if store.is_postgres() {
        tx.execute(&TAKE_TURN, args![]).await?;
    }
    let arguments = args![
        &tenant.slug,
        &tenant.name,
        &tenant.profile,
        &tenant.time_zone,
        &tenant.currency,
        &tenant.country,
        &tenant.capabilities,
        at,
    ];
    let made: Option<(i64,)> = tx.reader().fetch_optional(&CREATE, arguments).await?;
    let Some((id,)) = made else { return Ok(None) };
    if store.is_postgres() {
        tx.execute(&ENTER, args![id.to_string()]).await?;
    }
    tx.execute(&CREATE_HEAD, args![id]).await?;
    tx.enter(TenantId(id)).await?;
    Ok(Some(tx))
}

const UPDATE: Sql = Sql::same(
    "update tenant set name = $2, profile = $3, time_zone = $4, currency = $5, country = $6, capabilities = $7 \
     where tenant_id = $1",
);

/// Writes the tenant's settings; readers of definitions notice by the metadata version, which the caller raises.
pub async fn update(tx: &mut Tx, tenant: &TenantRow) -> Result<()> {
    let arguments = args![
        tx.tenant(),
        &tenant.name,
        &tenant.profile,
        &tenant.time_zone,
        &tenant.currency,
        &tenant.country,
        &tenant.capabilities,
    ];
    tx.execute(&UPDATE, arguments).await.map(drop)
}
