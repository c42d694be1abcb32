//! Which lists are to be looked at as a whole, and how far that is.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args};
use crate::store::{Store, Tx};

/// How far a list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upkeep {
    /// `current` or `filling`.
    pub state: &'static str,
    /// See [`ListRow::shape`](super::ListRow::shape).
    pub shape: String,
    /// See [`ListRow::filled_to`](super::ListRow::filled_to).
    pub filled_to: Option<i64>,
    /// See [`ListRow::fill_until`](super::ListRow::fill_until).
    pub fill_until: Option<i64>,
    /// See [`ListRow::due_at`](super::ListRow::due_at).
    pub due_at: Option<i64>,
}

const SAVE: Sql = Sql::same(
    "update list set state = $3, shape = $4, filled_to = $5, fill_until = $6, due_at = $7 \
     where tenant_id = $1 and id = $2 and deleted_at is null",
);

/// Keeps how far a list is.
pub async fn save_upkeep(tx: &mut Tx, id: i64, upkeep: &Upkeep) -> Result<()> {
    let Upkeep { state, shape, filled_to, fill_until, due_at } = upkeep;
    tx.execute(&SAVE, args![tx.tenant(), id, *state, shape, *filled_to, *fill_until, *due_at]).await.map(drop)
}

const MAKE_DUE: Sql = Sql::each(
    "update list set due_at = $3, state = 'filling' where tenant_id = $1 and deleted_at is null \
     and id in (select value from json_each($2))",
    "update list set due_at = $3, state = 'filling' where tenant_id = $1 and deleted_at is null \
     and id = any($2::bigint[])",
);

/// Has all records be looked at for these lists.
pub async fn make_due(tx: &mut Tx, ids: Vec<i64>, at: Timestamp) -> Result<()> {
    tx.execute(&MAKE_DUE, args![tx.tenant(), ids, at]).await.map(drop)
}

/// A list that something is to be done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Due {
    /// Whose it is.
    pub tenant_id: i64,
    /// The list.
    pub id: i64,
    /// Since when, microseconds since 1970.
    pub due_at: i64,
    /// When it was deleted, if it is: only its rows are left.
    pub deleted_at: Option<i64>,
}

const DUE: Sql = Sql::same(
    "select tenant_id, id, due_at, deleted_at from list \
     where due_at <= $1 order by due_at, tenant_id, id limit $2",
);

/// Lists that something is to be done with, over all tenants, longest waiting first: ids only.
pub async fn due(store: &Store, now: Timestamp, limit: i64) -> Result<Vec<Due>> {
    store.read_platform().await?.fetch_all(&DUE, args![now, limit]).await
}

const CLAIM: Sql = Sql::same("update list set due_at = $4 where tenant_id = $1 and id = $2 and due_at = $3");

/// Takes a list that is due since `due_at`, so that others leave it alone until `until`; false where somebody else was
/// faster.
pub async fn claim(store: &Store, tenant: TenantId, id: i64, due_at: i64, until: Timestamp) -> Result<bool> {
    // Under the tenant's lock, as everything that changes a list: while members are counted its row stays where it is.
    let mut tx = store.begin(tenant).await?;
    let is_claimed = tx.execute(&CLAIM, args![tenant, id, due_at, until]).await? == 1;
    tx.commit().await?;
    Ok(is_claimed)
}

const FORGET: Sql = Sql::same("delete from list where tenant_id = $1 and id = $2 and deleted_at is not null");

/// Forgets a list that is deleted.
pub async fn forget(store: &Store, tenant: TenantId, id: i64) -> Result<()> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&FORGET, args![tenant, id]).await.map(drop)
}
