//! Files of an index that are overwritten while it is open.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use engine::model::json::read;
use engine::model::query::QueryText;
use engine::records::{ListQuery, View};
use engine::{ErrorCode, Session};

use serde_json::json;

use super::fixture::*;

/// Overwrites all files but the smallest, in place and up to their last 2,000 bytes.
fn damage(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let length = entry.metadata().expect("a length").len();
        if length > 4_096 {
            let mut file = OpenOptions::new().write(true).open(entry.path()).expect("a file");
            let bytes = (0..length - 2_000).map(|at| u8::try_from(128 + at * 31 % 127).expect("a byte"));
            file.write_all(&bytes.collect::<Vec<_>>()).expect("written");
        }
    }
}

/// What a search answers that reads words, values and a dictionary: how many there are, and how many names they have.
async fn found(session: &mut Session) -> engine::Result<(Option<u64>, usize)> {
    let query = json!({
        "q": "site", "filter": {"property": "size", "op": "gte", "value": 1_000}, "sort": ["-name"], "limit": 5,
        "count": true, "aggregate": {"names": {"group": ["name"], "limit": 10_000}},
    });
    let query = serde_json::value::to_raw_value(&query).expect("JSON");
    let query: QueryText = read(&query).expect("a query");
    let answer = session.record_search("site", &query, Vec::new()).await?;
    Ok((answer.total, answer.tables[0].rows.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_damaged_in_place_is_made_anew_by_itself() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    new_sites(&mut world.session(&engine).await, 3_000).await;
    world.indexed(&engine).await;
    engine.close().await;
    assert_eq!(world.generations("index"), ["1"]);

    // All files are on disk now.
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    reached(&engine, world.tenant, head(&session).await).await;
    let right = (Some(2_000), 2_000);
    assert_eq!(found(&mut session).await.expect("found"), right);
    damage(&world.index_dir("index").join(world.tenant.to_string()).join("1"));
    let check = engine.index_check(world.tenant).await.expect("a check");
    assert_eq!(check.count, 1);
    assert!(check.differences[0].starts_with("the index is damaged: "), "{:?}", check.differences);

    let mut refused = 0;
    let healed = async {
        loop {
            match found(&mut session).await {
                Ok(found) if found == right && world.generations("index") == ["2"] => break,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => {
                    assert_eq!(error.code, ErrorCode::Unavailable, "{error:?}");
                    assert!(error.detail.contains("could not be read; its files are looked at"), "{error:?}");
                    refused += 1;
                    let query = ListQuery { archived: false, limit: 2, cursor: None, view: View::default() };
                    assert_eq!(session.record_list("site", &query).await.expect("a list").results.len(), 2);
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, healed).await.expect("in time");
    assert!(refused > 0);
    world.assert_same(&engine).await;
    engine.close().await;
}
