//! Named counters of a tenant: numbers for `auto_number` properties, ids of users, tokens and jobs.

use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args};
use crate::store::{Reader, Store, Tx};
use engine_model::TenantId;

const TAKE: Sql = Sql::same(
    "insert into counter (tenant_id, name, value) values ($1, $2, $3) \
     on conflict (tenant_id, name) do update set value = counter.value + excluded.value returning value",
);

/// Takes the next `count` numbers, durably; the last of them. A number is never given twice; gaps are possible.
pub async fn take(store: &Store, tenant: TenantId, name: &str, count: i64) -> Result<i64> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    let row: Option<(i64,)> = lease.fetch_optional(&TAKE, args![tenant, name, count]).await?;
    row.map(|(value,)| value).ok_or_else(|| crate::StoreError::Damaged(format!("counter `{name}` gave no number")))
}

const LAST: Sql = Sql::same("select value from counter where tenant_id = $1 and name = $2");

/// The number that was given last; 0 before the first.
pub async fn last(reader: &mut Reader, name: &str) -> Result<i64> {
    let tenant = reader.tenant();
    let row: Option<(i64,)> = reader.fetch_optional(&LAST, args![tenant, name]).await?;
    Ok(row.map_or(0, |(value,)| value))
}

/// The next number, in a transaction: given back if the transaction is.
pub async fn next(tx: &mut Tx, name: &str) -> Result<i64> {
    let tenant = tx.tenant();
    let row: Option<(i64,)> = tx.reader().fetch_optional(&TAKE, args![tenant, name, 1_i64]).await?;
    row.map(|(value,)| value).ok_or_else(|| crate::StoreError::Damaged(format!("counter `{name}` gave no number")))
}
