//! Many tenants, few writers.

use futures::future::join_all;

use super::fixture::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tenants_share_few_writers() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let mut tenants = Vec::new();
    for number in 0..24 {
        tenants.push(world.add_tenant(&engine, &format!("tenant-{number}")).await);
    }
    for round in 1..=3 {
        let write_and_look = tenants.iter().map(async |(tenant, secret)| {
            let mut session = session(&engine, secret).await;
            new_sites(&mut session, 2).await;
            let view = reached(&engine, *tenant, head(&session).await).await;
            assert_eq!(records(&view).len(), 2 * round);
        });
        join_all(write_and_look).await;
        // Those at work are not counted until they are done, and those that give way until they have.
        let few = async {
            while engine.index_status().writers > 4 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, few).await.expect("in time");
    }
    let status = engine.index_status();
    // The tenant that comes with the world has an index too.
    assert_eq!((status.open, status.lag_changes, status.building, status.documents), (25, 0, 0, 24 * 6));
    for (tenant, secret) in &tenants {
        let view = reached(&engine, *tenant, head(&session(&engine, secret).await).await).await;
        assert_eq!(records(&view).len(), 6);
    }
    engine.close().await;
    let engine = world.open("index").await;
    for (tenant, secret) in &tenants {
        let view = reached(&engine, *tenant, head(&session(&engine, secret).await).await).await;
        assert_eq!(records(&view).len(), 6);
    }
    assert_eq!(engine.index_status().builds.times, 0);
    engine.close().await;
}

/// Indexes that a server opens when it starts, although nobody asks for them.
const OPENED_UNASKED: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_opens_few_indexes_and_those_that_miss_something() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let mut tenants = Vec::new();
    for number in 0..OPENED_UNASKED + 8 {
        let (tenant, secret) = world.add_tenant(&engine, &format!("tenant-{number}")).await;
        let mut session = session(&engine, &secret).await;
        new_sites(&mut session, 1).await;
        reached(&engine, tenant, head(&session).await).await;
        tenants.push((tenant, secret));
    }
    engine.close().await;
    // The last one's log goes on where nobody follows it.
    let (last, others) = tenants.split_last().expect("tenants");
    let elsewhere = world.open("elsewhere").await;
    new_sites(&mut session(&elsewhere, &last.1).await, 1).await;
    elsewhere.close().await;
    let engine = world.open("index").await;
    let caught_up = async {
        while engine.tenant_index(last.0).await.expect("a tenant").documents < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, caught_up).await.expect("in time");
    assert_eq!(engine.index_status().open, u64::try_from(OPENED_UNASKED + 1).expect("few"));
    for (tenant, secret) in others {
        let view = reached(&engine, *tenant, head(&session(&engine, secret).await).await).await;
        assert_eq!(records(&view).len(), 1);
    }
    let status = engine.index_status();
    assert_eq!((status.builds.times, status.lag_changes), (0, 0));
    engine.close().await;
}
