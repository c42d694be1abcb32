//! Indexes that are made anew: while nothing can be searched, and beside one that answers.

use engine::ErrorCode;
use engine::model::Sequence;
use engine::records::{ListQuery, View};
use serde_json::json;

use super::fixture::*;
use crate::support::{archive, associate, update};

on_both!(an_index_is_made_anew_while_the_former_one_answers);

async fn an_index_is_made_anew_while_the_former_one_answers(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    let ids = new_sites(&mut session, 2_500).await;
    associate(&mut session, "near", &ids[0], &ids[1], json!({})).await;
    world.indexed(&engine).await;
    let (engine_of, tenant) = (engine.clone(), world.tenant);
    let mut making = Box::pin(async move { engine_of.reindex(tenant).await });
    let mut rounds = 0;
    let made = loop {
        if let std::task::Poll::Ready(made) = futures::poll!(&mut making) {
            break made;
        }
        rounds += 1;
        update(&mut session, "site", &ids[rounds], json!({"name": format!("changed {rounds}")}))
            .await
            .expect("a change");
        associate(&mut session, "near", &ids[rounds], &ids[rounds + 1], json!({})).await;
        let new = new_site(&mut session, "new").await;
        archive(&mut session, "site", &ids[2_000 + rounds]).await;
        let seen = world.indexed(&engine).await;
        assert_eq!(seen[&new.parse::<i64>().expect("an id")], site(1, false), "every write is seen meanwhile");
    };
    made.expect("made anew");
    assert!(rounds > 0);
    world.assert_same(&engine).await;
    engine.reindex(world.tenant).await.expect("made anew");
    let size = engine.tenant_index(world.tenant).await.expect("a tenant").disk_bytes;
    assert!(size > 50_000, "{size}");
    world.assert_same(&engine).await;
    engine.close().await;
    assert_eq!(world.generations("index"), ["3"]);
    let status = engine.index_status();
    assert_eq!((status.builds.times, status.building), (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_large_index_is_made_searches_say_so_and_lists_work() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    new_sites(&mut session, 20_001).await;
    engine.close().await;

    let engine = world.open("another").await;
    let mut session = world.session(&engine).await;
    let told = async {
        loop {
            let error = engine.search_view(world.tenant, Sequence(0)).await.expect_err("nothing to be seen");
            assert_eq!(error.code, ErrorCode::Unavailable, "{error:?}");
            if error.detail.contains("of about 20,001 records") {
                return error.detail;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await.expect("in time");
    assert!(told.starts_with("the search index is being built: "), "{told}");
    let query = ListQuery { archived: false, limit: 2, cursor: None, view: View::default() };
    assert_eq!(session.record_list("site", &query).await.expect("a list").results.len(), 2);
    assert_eq!(world.indexed(&engine).await.len(), 20_001);
    world.assert_same(&engine).await;
    engine.close().await;
}

#[tokio::test]
async fn a_tenant_without_changes_costs_nothing_until_it_is_searched() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let new = engine::NewTenant { slug: "silent".to_owned(), ..engine::NewTenant::default() };
    let (silent, _) = engine.tenant_create(new, None).await.expect("a tenant");
    new_sites(&mut world.session(&engine).await, 1).await;
    world.indexed(&engine).await;
    assert!(!world.index_dir("index").join(silent.id.to_string()).exists());
    assert!(records(&reached(&engine, silent.id, Sequence(0)).await).is_empty());
    engine.close().await;
}
