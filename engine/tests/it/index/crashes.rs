//! What is left of an index after a crash is gone on from; what cannot be used is made anew.

use std::fs;
use std::path::{Path, PathBuf};

use engine::ErrorCode;
use engine::model::Sequence;
use serde_json::json;

use super::fixture::*;
use crate::support::{archive, associate, update};

on_both!(
    after_a_crash_the_log_is_followed_from_what_is_on_disk,
    closing_brings_everything_to_disk_and_leaves_nothing_behind,
    an_index_of_another_log_is_made_anew,
);

/// Writes of every kind, of which the index on disk has the first ones only.
async fn write_more(session: &mut engine::Session, ids: &[String]) {
    let more = new_sites(session, 3).await;
    update(session, "site", &ids[0], json!({"name": "other"})).await.expect("a change");
    associate(session, "near", &more[0], &ids[1], json!({})).await;
    associate(session, "near", &ids[2], &more[1], json!({})).await;
    unlink(session, &ids[0], &ids[1]).await;
    archive(session, "site", &ids[3]).await;
    purge(session, &ids[4]).await;
}

async fn after_a_crash_the_log_is_followed_from_what_is_on_disk(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    let ids = new_sites(&mut session, 5).await;
    associate(&mut session, "near", &ids[0], &ids[1], json!({})).await;
    associate(&mut session, "near", &ids[4], &ids[1], json!({})).await;
    // Made and on disk; what comes from here on is in memory for a while.
    world.indexed(&engine).await;
    write_more(&mut session, &ids).await;
    let before = world.indexed(&engine).await;
    copy(&world.index_dir("index"), &world.index_dir("after the crash"));
    engine.close().await;

    let engine = world.open("after the crash").await;
    assert_eq!(world.indexed(&engine).await, before);
    world.assert_same(&engine).await;
    assert_eq!(engine.index_status().builds.times, 0, "what is on disk is gone on from");
    engine.close().await;
}

async fn closing_brings_everything_to_disk_and_leaves_nothing_behind(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    let ids = new_sites(&mut session, 5).await;
    world.indexed(&engine).await;
    write_more(&mut session, &ids).await;
    let head = head(&session).await;
    drop(session);
    engine.close().await;
    assert_eq!(world.generations("index"), ["1"]);
    let index = engine_search::Index::open(&first_generation(&world)).expect("an index");
    assert_eq!((index.reached().sequence, index.durable()), (head, head));
}

async fn an_index_of_another_log_is_made_anew(world: World) {
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    new_sites(&mut session, 3).await;
    world.indexed(&engine).await;
    engine.close().await;

    // Another database, in which other things have happened at other times.
    let other = World::sqlite().await;
    copy(&world.index_dir("index"), &other.index_dir("index"));
    let engine = other.open("index").await;
    let mut session = other.session(&engine).await;
    let ids = new_sites(&mut session, 5).await;
    archive(&mut session, "site", &ids[0]).await;
    assert_eq!(other.indexed(&engine).await.len(), 5);
    other.assert_same(&engine).await;
    assert_eq!(engine.index_status().builds.times, 1);
    engine.close().await;
}

/// Opens an engine on an index to which something was done, and returns how often it was made anew.
async fn builds_after(harm: impl FnOnce(&World, &Path)) -> u64 {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    new_sites(&mut session, 3).await;
    let before = world.indexed(&engine).await;
    engine.close().await;
    harm(&world, &first_generation(&world));
    let engine = world.open("index").await;
    assert_eq!(world.indexed(&engine).await, before);
    world.assert_same(&engine).await;
    assert_eq!(world.generations("index").len(), 1);
    engine.close().await;
    engine.index_status().builds.times
}

fn first_generation(world: &World) -> PathBuf {
    world.index_dir("index").join(world.tenant.to_string()).join("1")
}

#[tokio::test]
async fn an_index_that_is_missing_or_damaged_is_made_anew() {
    assert_eq!(builds_after(|_, _| ()).await, 0);
    assert_eq!(builds_after(|world, _| fs::remove_dir_all(world.index_dir("index")).expect("removed")).await, 1);
    assert_eq!(builds_after(|_, folder| fs::remove_file(folder.join("meta.json")).expect("removed")).await, 1);
    assert_eq!(builds_after(|_, folder| fs::write(folder.join("meta.json"), "{").expect("written")).await, 1);
    let cut_short = |_: &World, folder: &Path| {
        let files = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
        let terms = files.filter(|path| path.extension().is_some_and(|end| end == "term")).collect::<Vec<_>>();
        let file = fs::File::options().write(true).open(terms.first().expect("a file")).expect("a file");
        file.set_len(7).expect("cut");
    };
    assert_eq!(builds_after(cut_short).await, 1);
}

#[tokio::test]
async fn an_index_that_was_not_finished_is_begun_again() {
    let unfinished = |_: &World, folder: &Path| {
        fs::remove_dir_all(folder).expect("removed");
        let index = engine_search::Index::create(folder, engine_search::Pace::Steady).expect("an index");
        index.persist().expect("persisted");
    };
    assert_eq!(builds_after(unfinished).await, 1);
}

#[tokio::test]
async fn an_index_whose_folder_goes_away_is_made_anew_without_a_restart() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    new_sites(&mut session, 3).await;
    world.indexed(&engine).await;
    fs::remove_dir_all(world.index_dir("index")).expect("removed");
    let made_anew = async {
        // What is written cannot be brought to disk.
        while engine.index_status().builds.times < 2 {
            new_sites(&mut session, 1).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, made_anew).await.expect("in time");
    world.assert_same(&engine).await;
    engine.close().await;
    assert_eq!(world.generations("index").len(), 1);
}

#[tokio::test]
async fn an_index_that_cannot_be_built_is_told_without_its_folder() {
    let world = World::sqlite().await;
    // Where the folder should be is a file.
    fs::write(world.index_dir("index"), "").expect("written");
    let engine = world.open("index").await;
    for _ in 0..2 {
        let error = engine.search_view(world.tenant, Sequence(0)).await.expect_err("none");
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert!(
            error.detail.starts_with("the search index cannot be built; the log of the server"),
            "{}",
            error.detail
        );
    }
    assert!(engine.tenant_index(world.tenant).await.expect("a look").failure.is_some());
    fs::remove_file(world.index_dir("index")).expect("removed");
    world.assert_same(&engine).await;
    assert_eq!(engine.tenant_index(world.tenant).await.expect("a look").failure, None);
    engine.close().await;
}

#[tokio::test]
async fn a_position_that_is_never_reached_is_told() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let error = engine.search_view(world.tenant, Sequence(1_000)).await.expect_err("too far");
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.detail.contains("did not catch up within 5 seconds"), "{}", error.detail);
    engine.close().await;
    let error = engine.search_view(world.tenant, Sequence(1_000)).await.expect_err("closed");
    assert!(error.detail.contains("closing"), "{}", error.detail);
}
