//! Pairs of records that are alike: ranked, dismissed, forgotten.

use engine_model::time::Timestamp;
use engine_model::{TenantId, UserId};
use engine_store::duplicate::{self, PairPlace, PairRow};

use crate::fixture::Home;
use crate::on_both;

on_both!(pairs_are_ranked, what_is_dismissed_stays_and_the_rest_is_forgotten);

fn pair(first_id: i64, second_id: i64, doubt: i64) -> PairPlace {
    PairPlace { doubt, first_id, second_id }
}

async fn put(home: &Home, tenant: TenantId, object: &str, pairs: &[PairPlace], at: i64) {
    let mut tx = duplicate::keep(&home.store, tenant).await.unwrap();
    duplicate::put(&mut tx, object, pairs, Timestamp(at)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn page(home: &Home, tenant: TenantId, dismissed: bool, after: PairPlace, limit: i64) -> Vec<PairRow> {
    duplicate::page(&mut home.reader(tenant).await, "visit", dismissed, after, limit).await.unwrap()
}

async fn pairs_are_ranked(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    put(&home, tenant, "visit", &[pair(3, 4, 10), pair(1, 9, 10), pair(1, 2, 40), pair(5, 6, 0)], 1).await;
    put(&home, tenant, "site", &[pair(7, 8, 0)], 1).await;
    let ranked = [pair(5, 6, 0), pair(1, 9, 10), pair(3, 4, 10), pair(1, 2, 40)];
    for limit in 1..=5 {
        let (mut all, mut after) = (Vec::new(), PairPlace::START);
        loop {
            let found = page(&home, tenant, false, after, limit).await;
            let Some(last) = found.last() else { break };
            after = last.place();
            all.extend(found.iter().map(PairRow::place));
        }
        assert_eq!(all, ranked, "{limit}");
    }
    assert!(page(&home, other, false, PairPlace::START, 10).await.is_empty());
    // Found again, it is as it was found last.
    put(&home, tenant, "visit", &[pair(5, 6, 50)], 2).await;
    let last = page(&home, tenant, false, pair(1, 2, 40), 10).await;
    assert_eq!(last.iter().map(|row| (row.place(), row.found_at)).collect::<Vec<_>>(), [(pair(5, 6, 50), 2)]);
}

async fn what_is_dismissed_stays_and_the_rest_is_forgotten(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    put(&home, tenant, "visit", &[pair(1, 2, 10), pair(1, 3, 20), pair(2, 3, 30)], 5).await;
    put(&home, tenant, "visit", &[pair(2, 4, 30)], 7).await;
    put(&home, tenant, "site", &[pair(8, 9, 30)], 5).await;
    let mut tx = duplicate::keep(&home.store, tenant).await.unwrap();
    assert!(duplicate::dismiss(&mut tx, 1, 2, Some((Timestamp(6), Some(UserId(4))))).await.unwrap());
    assert!(!duplicate::dismiss(&mut tx, 1, 4, Some((Timestamp(6), None))).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = duplicate::keep(&home.store, other).await.unwrap();
    assert!(!duplicate::dismiss(&mut tx, 1, 3, None).await.unwrap());
    tx.commit().await.unwrap();
    let dismissed = page(&home, tenant, true, PairPlace::START, 10).await;
    let told: Vec<_> = dismissed.iter().map(|row| (row.place(), row.dismissed_at, row.dismissed_by)).collect();
    assert_eq!(told, [(pair(1, 2, 10), Some(6), Some(4))]);
    let mut tx = duplicate::keep(&home.store, tenant).await.unwrap();
    assert_eq!(duplicate::forget(&mut tx, "visit", Timestamp(7), 1).await.unwrap(), 1);
    assert_eq!(duplicate::forget(&mut tx, "visit", Timestamp(7), 10).await.unwrap(), 1);
    assert_eq!(duplicate::forget(&mut tx, "visit", Timestamp(7), 10).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let open = page(&home, tenant, false, PairPlace::START, 10).await;
    assert_eq!(open.iter().map(PairRow::place).collect::<Vec<_>>(), [pair(2, 4, 30)]);
    // What is found again stays dismissed until somebody takes that back.
    put(&home, tenant, "visit", &[pair(1, 2, 0)], 9).await;
    assert_eq!(page(&home, tenant, true, PairPlace::START, 10).await.len(), 1);
    let mut tx = duplicate::keep(&home.store, tenant).await.unwrap();
    assert!(duplicate::dismiss(&mut tx, 1, 2, None).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(page(&home, tenant, false, PairPlace::START, 10).await[0].place(), pair(1, 2, 0));
}
