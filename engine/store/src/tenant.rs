//! Tenants: who there is, and their settings.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::{Result, StoreError};
use crate::sql::{Sql, args};
use crate::store::{Head, Reader, Store, Tx};

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

/// No slug begins with this: what does is a tenant that is still being imported.
const UNFINISHED: &str = "!";

const LIST: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from tenant where tenant_id > $1 and substr(slug, 1, 1) <> '!' order by tenant_id limit $2"
));

/// Tenants with ids above `after`, lowest first, without those that are still being imported. For the platform only.
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
    let Some((mut tx, id)) = insert(store, tenant, at).await? else { return Ok(None) };
    make_head(&mut tx, id).await?;
    Ok(Some(tx))
}

/// Adds the row of a tenant, which has nothing else yet.
async fn insert(store: &Store, tenant: &TenantRow, at: Timestamp) -> Result<Option<(Tx, TenantId)>> {
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
    Ok(Some((tx, TenantId(id))))
}

/// Without a head nobody follows, indexes or reads a tenant; with it the transaction is one of the tenant.
async fn make_head(tx: &mut Tx, tenant: TenantId) -> Result<()> {
    tx.execute(&CREATE_HEAD, args![tenant]).await?;
    tx.enter(tenant).await
}

/// A tenant that is being imported: its rows are there, and nobody can find it or get into it until [`finish`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The id that it has and will have.
    pub tenant: TenantId,
    /// What only this import has in place of a slug, so that nobody else goes on with it.
    slug: String,
}

/// Takes an id for a tenant that is about to be imported. `mark` is text that no other import has.
pub async fn begin_unfinished(store: &Store, tenant: &TenantRow, mark: &str, at: Timestamp) -> Result<Unfinished> {
    let row = TenantRow { slug: format!("{UNFINISHED}{mark}"), ..tenant.clone() };
    let made = insert(store, &row, at).await?;
    let (tx, id) = made.ok_or_else(|| StoreError::Damaged("the mark of an import is taken".to_owned()))?;
    tx.commit().await?;
    Ok(Unfinished { tenant: id, slug: row.slug })
}

const TOUCH: Sql = Sql::same("update tenant set created_at = $2, slug = $4 where tenant_id = $1 and slug = $3");

/// A transaction of a tenant that is being imported, and a sign of life of who imports it; `None` where it was given up.
pub async fn write_unfinished(store: &Store, unfinished: &Unfinished, now: Timestamp) -> Result<Option<Tx>> {
    touch(store, unfinished, &unfinished.slug, now).await
}

/// Keeps whoever has imported a tenant from going on; `None` where it was finished, or is gone.
pub(crate) async fn give_up(store: &Store, unfinished: &Unfinished, now: Timestamp) -> Result<Option<Unfinished>> {
    let slug = format!("{UNFINISHED}given-up-{}", unfinished.tenant);
    let Some(tx) = touch(store, unfinished, &slug, now).await? else { return Ok(None) };
    tx.commit().await?;
    Ok(Some(Unfinished { tenant: unfinished.tenant, slug }))
}

async fn touch(store: &Store, unfinished: &Unfinished, slug: &str, now: Timestamp) -> Result<Option<Tx>> {
    let Unfinished { tenant, slug: known } = unfinished;
    let mut tx = store.begin_without_head(*tenant).await?;
    let touched = tx.execute(&TOUCH, args![*tenant, now, known, slug]).await?;
    Ok((touched == 1).then_some(tx))
}

const FINISH: Sql = Sql::same("update tenant set slug = $2, created_at = $3 where tenant_id = $1");

/// Gives a tenant that was imported its slug and its head, in the transaction of [`write_unfinished`]; false where the
/// slug is taken, after which the transaction is of no use.
pub async fn finish(tx: &mut Tx, slug: &str, head: Head, created_at: Timestamp) -> Result<bool> {
    let tenant = tx.tenant();
    match tx.execute(&FINISH, args![tenant, slug, created_at]).await {
        Err(error) if error.is_unique_violation() => return Ok(false),
        named => named?,
    };
    make_head(tx, tenant).await?;
    tx.head = head;
    Ok(true)
}

const GIVEN_UP: Sql = Sql::same(
    "select tenant_id, slug from tenant where tenant_id > $1 and substr(slug, 1, 1) = '!' and created_at < $2 \
     order by tenant_id limit $3",
);

/// Tenants with ids above `after` that nobody has gone on importing since `before`, lowest first.
pub async fn given_up(store: &Store, after: i64, before: Timestamp, limit: i64) -> Result<Vec<Unfinished>> {
    let arguments = args![after, before, limit];
    let found: Vec<(i64, String)> = store.read_platform().await?.fetch_all(&GIVEN_UP, arguments).await?;
    Ok(found.into_iter().map(|(tenant, slug)| Unfinished { tenant: TenantId(tenant), slug }).collect())
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
