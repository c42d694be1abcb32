//! Counters give each number once.

use engine_store::counter;
use futures::future::join_all;

use crate::fixture::Home;
use crate::on_both;

on_both!(counters_count_by_name_and_tenant, number_taken_in_a_transaction_goes_back_with_it);

mod concurrent {
    use super::concurrent_takers_get_distinct_numbers;
    use crate::on_both;

    on_both!(threads; concurrent_takers_get_distinct_numbers);
}

async fn counters_count_by_name_and_tenant(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    for (tenant, name, count, last) in
        [(tenant, "a", 1, 1), (tenant, "a", 5, 6), (tenant, "b", 2, 2), (other, "a", 3, 3), (tenant, "a", 1, 7)]
    {
        assert_eq!(counter::take(&home.store, tenant, name, count).await.unwrap(), last);
    }
}

async fn number_taken_in_a_transaction_goes_back_with_it(home: Home) {
    let tenant = home.tenant().await;
    for is_kept in [false, true] {
        let mut tx = home.store.begin(tenant).await.unwrap();
        assert_eq!(counter::next(&mut tx, "a").await.unwrap(), 1);
        assert_eq!(counter::next(&mut tx, "a").await.unwrap(), 2);
        if is_kept {
            tx.commit().await.unwrap();
        }
    }
    assert_eq!(counter::take(&home.store, tenant, "a", 1).await.unwrap(), 3);
}

async fn concurrent_takers_get_distinct_numbers(home: Home) {
    let tenant = home.tenant().await;
    let takers = (0..40).map(|taker| {
        let store = home.store.clone();
        tokio::spawn(async move {
            let count = i64::from(taker % 3 + 1);
            let last = counter::take(&store, tenant, "a", count).await.unwrap();
            (last - count + 1..=last).collect::<Vec<_>>()
        })
    });
    let mut numbers: Vec<i64> = join_all(takers).await.into_iter().flat_map(Result::unwrap).collect();
    numbers.sort_unstable();
    let expected: Vec<i64> = (1..=i64::try_from(numbers.len()).unwrap()).collect();
    assert_eq!((numbers.len(), numbers), (79, expected));
}
