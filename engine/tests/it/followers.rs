//! Followers are handed every tenant's log: in order, from where they were, whatever becomes of others.

mod fixture;

use std::collections::BTreeMap;

use engine::Engine;
use engine::model::TenantId;
use serde_json::json;

use crate::support::{create_many, input};
use fixture::{Acme, Database, follower, tenants};

#[tokio::test]
async fn every_change_of_every_tenant_comes_once_and_in_order() {
    let database = Database::new();
    let engine = database.open([]).await;
    let (tenants, mut before) = tenants::<3>(&engine).await;
    for tenant in [0, 0, 2] {
        let tenant = &tenants[tenant];
        before.entry(tenant.id).or_default().push(tenant.write(&engine).await);
    }
    engine.close().await;

    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    calls.take_over(&before).await;
    let mut since: BTreeMap<TenantId, Vec<i64>> = BTreeMap::new();
    for tenant in tenants.iter().chain(&tenants[1..]) {
        since.entry(tenant.id).or_default().push(tenant.write(&engine).await);
    }
    calls.take_over(&since).await;
    engine.close().await;
    calls.end().await;
}

#[tokio::test]
async fn a_position_outlives_the_engine() {
    let database = Database::new();
    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    let ([acme], before) = tenants(&engine).await;
    calls.take_over(&before).await;
    let second = acme.write(&engine).await;
    assert_eq!(calls.next().await.take_over(), (acme.id, vec![second]));
    let third = acme.write(&engine).await;
    assert_eq!(calls.next().await.fail(), (acme.id, vec![third]));
    engine.close().await;
    calls.end().await;

    // What was taken over does not come again; what failed does.
    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    assert_eq!(calls.next().await.take_over(), (acme.id, vec![third]));
    engine.close().await;
    calls.end().await;

    let (index, calls) = follower("index");
    let (hooks, mut others) = follower("hooks");
    let engine = database.open([index, hooks]).await;
    // One that has never followed begins at the beginning, and the other has nothing to do.
    assert_eq!(others.next().await.take_over(), (acme.id, vec![1, 2, 3]));
    engine.close().await;
    calls.end().await;
    others.end().await;
}

#[test]
fn what_a_crash_interrupted_comes_again() {
    let database = Database::new();
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let (index, mut calls) = follower("index");
    let crashing = runtime();
    let (interrupted, _) = crashing.block_on(async {
        let engine = database.open([index]).await;
        let ([acme], _) = tenants(&engine).await;
        let call = calls.next().await;
        assert_eq!(call.told(), (acme.id, vec![1]));
        (call, engine)
    });
    crashing.shutdown_background();

    let (index, mut calls) = follower("index");
    runtime().block_on(async {
        let engine = database.open([index]).await;
        assert_eq!(calls.next().await.take_over(), interrupted.told());
        engine.close().await;
        calls.end().await;
    });
}

#[tokio::test]
async fn a_failure_is_tried_again_and_stops_nobody_else() {
    let database = Database::new();
    let (index, mut calls) = follower("index");
    let (hooks, mut others) = follower("hooks");
    let engine = database.open([index, hooks]).await;
    let ([acme, globex], before) = tenants(&engine).await;
    calls.take_over(&before).await;
    others.take_over(&before).await;

    let mut unseen = vec![acme.write(&engine).await];
    assert_eq!(calls.next().await.fail(), (acme.id, unseen.clone()));
    assert_eq!(others.next().await.take_over(), (acme.id, unseen.clone()));
    let again = calls.next().await;
    assert_eq!(again.told(), (acme.id, unseen.clone()));
    // Meanwhile the other tenant's changes come at once.
    unseen.push(acme.write(&engine).await);
    let other = globex.write(&engine).await;
    assert_eq!(calls.next().await.take_over(), (globex.id, vec![other]));
    // Dropped, it panics; what has come in since comes with what failed.
    drop(again);
    assert_eq!(calls.next().await.take_over(), (acme.id, unseen.clone()));
    others.take_over(&BTreeMap::from([(acme.id, vec![unseen[1]]), (globex.id, vec![other])])).await;
    engine.close().await;
    calls.end().await;
    others.end().await;
}

#[tokio::test]
async fn a_slow_tenant_holds_up_nobody_but_itself() {
    let database = Database::new();
    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    let ([acme, globex], before) = tenants(&engine).await;
    calls.take_over(&before).await;

    let first = acme.write(&engine).await;
    let slow = calls.next().await;
    assert_eq!(slow.told(), (acme.id, vec![first]));
    let mut unseen = Vec::new();
    for _ in 0..3 {
        unseen.push(acme.write(&engine).await);
        let other = globex.write(&engine).await;
        assert_eq!(calls.next().await.take_over(), (globex.id, vec![other]));
    }
    calls.assert_silent();
    slow.take_over();
    assert_eq!(calls.next().await.take_over(), (acme.id, unseen));
    engine.close().await;
    calls.end().await;
}

#[tokio::test]
async fn eight_tenants_have_their_turns_at_a_time() {
    let database = Database::new();
    let engine = database.open([]).await;
    let (_, mut left) = tenants::<10>(&engine).await;
    engine.close().await;

    let (index, mut calls) = follower("index");
    let (hooks, mut others) = follower("hooks");
    let engine = database.open([index, hooks]).await;
    let mut under_way = Vec::new();
    for _ in 0..8 {
        under_way.push(calls.next().await);
    }
    // In the time in which the other follower is done with all of them, no ninth has begun.
    others.take_over(&left).await;
    calls.assert_silent();
    while let Some(call) = under_way.pop() {
        let (tenant, sequences) = call.take_over();
        assert_eq!(left.remove(&tenant), Some(sequences));
        if under_way.len() < left.len() {
            under_way.push(calls.next().await);
        }
    }
    assert_eq!(left, BTreeMap::new());
    engine.close().await;
    calls.end().await;
    others.end().await;
}

#[tokio::test]
async fn a_page_has_a_thousand_changes_and_closing_waits_for_it() {
    let database = Database::new();
    let engine = database.open([]).await;
    let acme = Acme::new(&engine, "acme").await;
    let rows = (0..2_500).map(|number| json!({"name": format!("{number}")}));
    create_many(&mut acme.session(&engine).await, "company", rows).await;
    engine.close().await;

    let page = |numbers: std::ops::RangeInclusive<i64>| (acme.id, numbers.collect::<Vec<_>>());
    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    assert_eq!(calls.next().await.take_over(), page(1..=1_000));
    let under_way = calls.next().await;
    let mut closing = Box::pin(engine.close());
    assert!(futures::poll!(&mut closing).is_pending());
    assert_eq!(under_way.take_over(), page(1_001..=2_000));
    closing.await;
    calls.end().await;

    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    assert_eq!(calls.next().await.take_over(), page(2_001..=2_500));
    engine.close().await;
    calls.end().await;
}

#[tokio::test]
async fn nothing_new_is_no_call() {
    let database = Database::new();
    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    let ([acme, globex], before) = tenants(&engine).await;
    calls.take_over(&before).await;

    let mut session = acme.session(&engine).await;
    session.record_create("company", input(&json!({"nonsense": 1}))).await.expect_err("an unknown property");
    // The other tenant's change is a signal to look, and a turn of the other tenant alone.
    for _ in 0..3 {
        let other = globex.write(&engine).await;
        assert_eq!(calls.next().await.take_over(), (globex.id, vec![other]));
    }
    engine.close().await;
    calls.end().await;
}

#[tokio::test]
async fn what_no_signal_told_is_found_by_itself() {
    let database = Database::new();
    let (index, mut calls) = follower("index");
    let engine = database.open([index]).await;
    let ([acme], before) = tenants(&engine).await;
    calls.take_over(&before).await;
    // Another engine on the same file; nobody tells the first.
    let silent = database.open([]).await;
    assert_eq!(acme.write(&silent).await, 2);
    assert_eq!(calls.next().await.take_over(), (acme.id, vec![2]));
    silent.close().await;
    engine.close().await;
    calls.end().await;
}

#[tokio::test]
async fn two_followers_of_one_name_are_refused() {
    let database = Database::new();
    let (index, twice) = (follower("index").0, follower("index").0);
    let refused = Engine::open(database.config([index, twice])).await.expect_err("a name twice");
    let cause = refused.source.expect("a cause").to_string();
    assert_eq!(cause, "two followers would share the positions of `index`");
}
