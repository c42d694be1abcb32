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
            while engine.index_status().writers > 8 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, few).await.expect("in time");
    }
    let status = engine.index_status();
    // The tenant that comes with the world has an index too.
    assert_eq!((status.open, status.lag_changes, status.building), (25, 0, 0));
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
