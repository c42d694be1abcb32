//! Pairs of records that are alike.

use engine_model::UserId;
use engine_model::time::Timestamp;
use engine_store::duplicate::{self, PairPlace};

use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    let mut tx = duplicate::keep(&home.store, tenant).await.unwrap();
    duplicate::put(&mut tx, "visit", &[PairPlace { doubt: 10, first_id: 1, second_id: 2 }], Timestamp(5))
        .await
        .unwrap();
    duplicate::dismiss(&mut tx, 1, 2, Some((Timestamp(6), Some(UserId(1))))).await.unwrap();
    duplicate::forget(&mut tx, "visit", Timestamp(6), 100).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    for dismissed in [false, true] {
        duplicate::page(&mut reader, "visit", dismissed, PairPlace::START, 10).await.unwrap();
    }
}
