//! Pairs of records that scans have found to be alike, and which of them somebody has dismissed.

use engine_model::time::Timestamp;
use engine_model::{TenantId, UserId};
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Reader, Store, Tx};

/// A pair; the first record has the lower id.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PairRow {
    /// A record.
    pub first_id: i64,
    /// Another one of the same object.
    pub second_id: i64,
    /// Percent sure that they are not the same.
    pub doubt: i64,
    /// Microseconds since 1970.
    pub found_at: i64,
    /// When somebody said that they are not the same, microseconds since 1970.
    pub dismissed_at: Option<i64>,
    /// Who that was.
    pub dismissed_by: Option<i64>,
}

/// A place in the order of an object's pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairPlace {
    /// Percent.
    pub doubt: i64,
    /// The first record.
    pub first_id: i64,
    /// The second one.
    pub second_id: i64,
}

impl PairPlace {
    /// Before any.
    pub const START: Self = Self { doubt: -1, first_id: 0, second_id: 0 };
}

impl PairRow {
    /// Where it stands.
    pub fn place(&self) -> PairPlace {
        PairPlace { doubt: self.doubt, first_id: self.first_id, second_id: self.second_id }
    }
}

macro_rules! page {
    ($which:literal) => {
        concat!(
            "select first_id, second_id, doubt, found_at, dismissed_at, dismissed_by from duplicate \
             where tenant_id = $1 and object = $2 and (doubt, first_id, second_id) > ($3, $4, $5) and dismissed_at is ",
            $which,
            " order by doubt, first_id, second_id limit $6"
        )
    };
}

const OPEN: Sql = Sql::same(page!("null"));
const DISMISSED: Sql = Sql::same(page!("not null"));

/// Pairs of an object behind a place, the surest first: those that nobody has dismissed, or those that somebody has.
pub async fn page(
    reader: &mut Reader,
    object: &str,
    dismissed: bool,
    after: PairPlace,
    limit: i64,
) -> Result<Vec<PairRow>> {
    let tenant = reader.tenant();
    let sql = if dismissed { &DISMISSED } else { &OPEN };
    reader.fetch_all(sql, args![tenant, object, after.doubt, after.first_id, after.second_id, limit]).await
}

/// A transaction that keeps pairs, without the tenant's lock.
pub async fn keep(store: &Store, tenant: TenantId) -> Result<Tx> {
    store.begin_without_head(tenant).await
}

const PUT: Sql = Sql::each(
    "insert into duplicate (tenant_id, object, found_at, first_id, second_id, doubt) \
     select $1, $2, $3, value->>0, value->>1, value->>2 from json_each($4) where true \
     on conflict (tenant_id, first_id, second_id) \
     do update set doubt = excluded.doubt, found_at = excluded.found_at, object = excluded.object",
    "insert into duplicate (tenant_id, object, found_at, first_id, second_id, doubt) \
     select $1, $2, $3, p.* from unnest($4::bigint[], $5::bigint[], $6::bigint[]) p \
     on conflict (tenant_id, first_id, second_id) \
     do update set doubt = excluded.doubt, found_at = excluded.found_at, object = excluded.object",
);

/// Keeps pairs of an object, each of which is there once.
pub async fn put(tx: &mut Tx, object: &str, pairs: &[PairPlace], at: Timestamp) -> Result<()> {
    let rows: Rows<'_> = rows!(pairs; pair => pair.first_id, pair.second_id, pair.doubt);
    tx.execute(&PUT, args![tx.tenant(), object, at, rows]).await.map(drop)
}

const DISMISS: Sql = Sql::same(
    "update duplicate set dismissed_at = $4, dismissed_by = $5 \
     where tenant_id = $1 and first_id = $2 and second_id = $3",
);

/// Says that a pair is none, or with nobody that it may be one; whether it is known.
pub async fn dismiss(tx: &mut Tx, first: i64, second: i64, by: Option<(Timestamp, Option<UserId>)>) -> Result<bool> {
    let (at, user) = by.map_or((None, None), |(at, user)| (Some(at.0), user.map(|user| user.0)));
    Ok(tx.execute(&DISMISS, args![tx.tenant(), first, second, at, user]).await? > 0)
}

const FORGET: Sql = Sql::each(
    "delete from duplicate where tenant_id = $1 and (first_id, second_id) in ( \
       select x.first_id, x.second_id from duplicate x indexed by duplicate_found \
       where x.tenant_id = $1 and x.object = $2 and x.found_at < $3 and x.dismissed_at is null \
       order by x.found_at limit $4)",
    "delete from duplicate using ( \
       select ctid as place from duplicate \
       where tenant_id = $1 and object = $2 and found_at < $3 and dismissed_at is null order by found_at limit $4) old \
     where duplicate.tenant_id = $1 and duplicate.ctid = old.place",
);

/// Forgets some pairs that were found before a moment and that nobody has dismissed; how many.
pub async fn forget(tx: &mut Tx, object: &str, before: Timestamp, limit: i64) -> Result<u64> {
    tx.execute(&FORGET, args![tx.tenant(), object, before, limit]).await
}
