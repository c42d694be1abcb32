//! What is written is found, whatever it is.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use engine::model::Sequence;
use serde_json::json;

use super::fixture::*;
use crate::support::{archive, associate, create_many, update};

on_both!(
    each_write_is_found_by_whoever_asks_for_its_position,
    links_come_and_go_with_their_ends,
    what_is_purged_leaves_the_files_too,
    what_nobody_waits_for_is_found_too,
    writers_and_searchers_at_once_see_every_write,
);

async fn each_write_is_found_by_whoever_asks_for_its_position(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    assert_eq!(world.indexed(&engine).await, Records::new());
    let (a, b) = (new_site(&mut session, "a").await, new_site(&mut session, "b").await);
    assert_eq!(world.indexed(&engine).await, Records::from([(1, site(1, false)), (2, site(1, false))]));
    update(&mut session, "site", &a, json!({"name": "c"})).await.expect("a change");
    archive(&mut session, "site", &b).await;
    assert_eq!(world.indexed(&engine).await, Records::from([(1, site(2, false)), (2, site(2, true))]));
    restore(&mut session, &b).await;
    purge(&mut session, &a).await;
    assert_eq!(world.indexed(&engine).await, Records::from([(2, site(3, false))]));
    world.assert_same(&engine).await;
    engine.close().await;
}

async fn links_come_and_go_with_their_ends(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    let ids = new_sites(&mut session, 4).await;
    let now = async |session: &_| links(&reached(&engine, world.tenant, head(session).await).await);
    for (from, to) in [(0, 1), (1, 2), (3, 0), (0, 2)] {
        associate(&mut session, "near", &ids[from], &ids[to], json!({})).await;
    }
    assert_eq!(now(&session).await, [(1, 2), (1, 3), (2, 3), (4, 1)]);
    unlink(&mut session, &ids[0], &ids[1]).await;
    associate(&mut session, "near", &ids[0], &ids[1], json!({})).await;
    unlink(&mut session, &ids[1], &ids[2]).await;
    archive(&mut session, "site", &ids[3]).await;
    assert_eq!(now(&session).await, [(1, 2), (1, 3), (4, 1)]);
    purge(&mut session, &ids[0]).await;
    assert_eq!(now(&session).await, []);
    world.assert_same(&engine).await;
    engine.close().await;
}

async fn what_is_purged_leaves_the_files_too(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    let ids = new_sites(&mut session, 30).await;
    world.indexed(&engine).await;
    engine.close().await;
    let folder = world.index_dir("index").join(world.tenant.to_string()).join("1");
    let segments = || -> BTreeSet<OsString> {
        let names = std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.file_name());
        names.filter(|name| !name.to_string_lossy().contains("meta")).collect()
    };
    let before = segments();
    assert!(!before.is_empty());

    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    purge(&mut session, &ids[3]).await;
    assert_eq!(world.indexed(&engine).await.len(), 29);
    // Nothing tells of it but the folder.
    let erased = async {
        while segments().intersection(&before).next().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, erased).await.expect("in time");
    world.assert_same(&engine).await;
    engine.close().await;
}

async fn what_nobody_waits_for_is_found_too(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    world.indexed(&engine).await;
    new_sites(&mut session, 3).await;
    let found = async {
        let mut seen = 0;
        // Whatever can be seen is taken; asking for it makes nothing happen.
        while seen < 3 {
            seen = records(&engine.search_view(world.tenant, Sequence(0)).await.expect("a view")).len();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("in time");
    engine.close().await;
}

async fn writers_and_searchers_at_once_see_every_write(world: World) {
    let engine = world.open("index").await;
    let mut tasks = Vec::new();
    for writer in 0..4 {
        let mut session = world.session(&engine).await;
        let (engine, tenant) = (engine.clone(), world.tenant);
        tasks.push(async move {
            for number in 0..25 {
                let rows = (0..=number % 3).map(|row| json!({"name": format!("{writer} {number} {row}")}));
                let ids = create_many(&mut session, "site", rows).await;
                let view = reached(&engine, tenant, head(&session).await).await;
                let found = records(&view);
                let missing: Vec<_> =
                    ids.iter().filter(|id| !found.contains_key(&id.parse().expect("an id"))).collect();
                assert_eq!(missing, Vec::<&String>::new(), "at {}", view.sequence());
            }
        });
    }
    futures::future::join_all(tasks).await;
    world.assert_same(&engine).await;
    engine.close().await;
}
