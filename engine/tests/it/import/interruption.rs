//! Imports whose process ends in the middle.

use std::time::Duration;

use engine::model::JobId;
use engine::transfer::{Format, ImportRequest};
use tokio::runtime::Runtime;

use super::fixture::{World, all_records, counts, done, ended, request, session_on, upload};

const ROWS: u64 = 6_000;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn file() -> String {
    (0..ROWS).fold("code,name\n".to_owned(), |file, number| file + &format!("S{number},\"Site\n{number}\"\n"))
}

/// Begins an import in a process of its own, as far as a runtime is one, and lets go of it after `rows` rows.
fn interrupted(world: &World, runtime: Runtime, request: ImportRequest, rows: u64) -> JobId {
    let job = runtime.block_on(async {
        let mut session = world.session().await;
        let job = upload(&mut session, request, file().as_bytes()).await;
        while session.job(&job.to_string()).await.expect("a job").progress["rows"].as_u64() < Some(rows) {
            tokio::task::yield_now().await;
        }
        job
    });
    // Whatever runs is dropped where it waits; nothing is closed or given back.
    runtime.shutdown_timeout(Duration::from_secs(10));
    job
}

/// What an import came to in the end.
struct Outcome {
    counts: [u64; 5],
    line: u64,
    names: Vec<String>,
}

/// Goes on with `job` in another process.
fn resumed(world: &World, job: JobId) -> Outcome {
    runtime().block_on(async {
        world.home.clock.advance(31_000_000);
        let engine = world.home.second_engine().await;
        let mut session = session_on(&engine, &world.secret).await;
        let progress = done(ended(&mut session, job).await);
        let names = all_records(&mut session, "site").await.into_iter().map(|record| record.display_name).collect();
        engine.close().await;
        Outcome { counts: counts(&progress), line: progress.line, names }
    })
}

fn expected_names() -> Vec<String> {
    (0..ROWS).map(|number| format!("Site {number}")).collect()
}

#[test]
fn an_import_by_key_goes_on_where_it_stopped() {
    let runtime = runtime();
    let world = runtime.block_on(World::with_sites());
    let job = interrupted(&world, runtime, request("site", "key: code", Format::Csv), 500);
    let Outcome { counts: [created, updated, unchanged, skipped, failed], line, names } = resumed(&world, job);
    // The chunk that was under way may have happened before, and then changes nothing.
    assert_eq!(created + unchanged, ROWS);
    assert!(unchanged <= 500, "{unchanged}");
    assert_eq!((updated, skipped, failed, line), (0, 0, 0, 2 * ROWS + 1));
    assert_eq!(names, expected_names());
}

#[test]
fn an_import_without_a_key_makes_no_record_twice() {
    for rows in [500, 1_500] {
        let runtime = runtime();
        let world = runtime.block_on(World::with_sites());
        let job = interrupted(&world, runtime, request("site", "", Format::Csv), rows);
        let outcome = resumed(&world, job);
        assert_eq!(outcome.counts, [ROWS, 0, 0, 0, 0]);
        assert_eq!(outcome.names, expected_names());
    }
}

#[test]
fn keys_that_came_before_the_interruption_are_remembered() {
    let runtime = runtime();
    let world = runtime.block_on(World::with_sites());
    let map = "key: code\ndistinct: true\ncolumns: {code: {property: code, match: '^S(.)'}, name: name}";
    let job = interrupted(&world, runtime, request("site", map, Format::Csv), 500);
    let Outcome { counts: [created, updated, unchanged, skipped, failed], names, .. } = resumed(&world, job);
    assert_eq!((created, updated, unchanged, skipped, failed), (10, 0, 0, ROWS - 10, 0));
    assert_eq!(names, expected_names()[..10]);
}

#[tokio::test]
async fn an_engine_that_closes_gives_its_jobs_back_at_once() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    let job = upload(&mut session, request("site", "key: code", Format::Csv), file().as_bytes()).await;
    world.home.engine.close().await;
    // No time passes, so that a lease that was still held would keep the job waiting.
    let engine = world.home.second_engine().await;
    let mut session = session_on(&engine, &world.secret).await;
    assert_eq!(counts(&done(ended(&mut session, job).await)), [ROWS, 0, 0, 0, 0]);
}
