//! Changes of definitions while others write.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::Session;
use engine::records::{ListQuery, Target, View};
use rand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Home, archive, create_many, input, map};

const PARTS: usize = 1_400;
const WRITERS: usize = 4;

/// Parts with codes, and their ids.
async fn parts(session: &mut Session) -> Vec<String> {
    let body = json!({"name": "part", "properties": {"code": {"type": "string"}}});
    session.object_define(map(body), None).await.expect("a definition");
    let ids = create_many(session, "part", (0..PARTS).map(|number| json!({"code": format!("s{number}")}))).await;
    archive(session, "part", &ids[PARTS - 1]).await;
    ids[..PARTS - 1].to_vec()
}

async fn set_code(session: &mut Session, id: &str, code: Value) -> Result<(), engine::Error> {
    session.record_update("part", Target::id(id), input(&json!({"code": code}))).await.map(drop)
}

async fn set_unique(session: &mut Session, unique: bool) -> Result<(), engine::Error> {
    session.property_change("part", "code", map(json!({"unique": unique}))).await.map(drop)
}

/// Active parts: id and code.
async fn all(session: &mut Session) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let query = ListQuery { archived: false, limit: 200, cursor: cursor.take(), view: View::default() };
        let page = session.record_list("part", &query).await.expect("a page");
        found.extend(page.results.into_iter().map(|record| {
            let properties: Value = serde_json::from_str(record.properties.get()).expect("properties");
            (record.id.to_string(), properties.get("code").and_then(Value::as_str).map(str::to_owned))
        }));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

/// Every code is there once and leads to its part; a code that no part has can be taken.
async fn check_claims(session: &mut Session) {
    let parts = all(session).await;
    let coded: Vec<(&String, &String)> = parts.iter().filter_map(|(id, code)| Some((id, code.as_ref()?))).collect();
    let codes: HashSet<&String> = coded.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes.len(), coded.len());
    for (id, code) in &coded {
        let target = Target { id: (*code).clone(), id_property: Some("code".to_owned()) };
        let found = session.record_read("part", &target, &View::default()).await.expect("a record").record;
        assert_eq!(found.id.to_string(), **id);
    }
    let free: Vec<String> =
        (0..PARTS).map(|number| format!("s{number}")).filter(|code| !codes.contains(code)).collect();
    assert!(!free.is_empty());
    let made = create_many(session, "part", free.into_iter().map(|code| json!({"code": code}))).await;
    for id in made {
        archive(session, "part", &id).await;
    }
}

/// Exchanges the codes of its own parts, so that no two parts ever have the same.
async fn exchange(mut session: Session, ids: Vec<String>, first: usize, stop: Arc<AtomicBool>) {
    let mut codes: Vec<String> = (0..ids.len()).map(|index| format!("s{}", first + index)).collect();
    while !stop.load(Ordering::SeqCst) {
        let (one, other) = (rand::rng().random_range(0..ids.len()), rand::rng().random_range(0..ids.len()));
        if one == other {
            continue;
        }
        let (left, right) = (json!(codes[one]), json!(codes[other]));
        set_code(&mut session, &ids[one], Value::Null).await.expect("a change");
        set_code(&mut session, &ids[other], left).await.expect("its code is free");
        set_code(&mut session, &ids[one], right).await.expect("its code is free");
        codes.swap(one, other);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_that_move_between_records_are_never_in_the_way() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let ids = parts(&mut session).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    let share = ids.len().div_ceil(WRITERS);
    for (number, own) in ids.chunks(share).enumerate() {
        writers.spawn(exchange(home.session().await, own.to_vec(), number * share, Arc::clone(&stop)));
    }
    for _ in 0..3 {
        set_unique(&mut session, true).await.expect("no two parts ever have the same code");
        set_unique(&mut session, false).await.expect("a change");
    }
    set_unique(&mut session, true).await.expect("no two parts ever have the same code");
    stop.store(true, Ordering::SeqCst);
    writers.join_all().await;
    check_claims(&mut session).await;
}

/// Sets codes that others may have.
async fn collide(mut session: Session, ids: Arc<Vec<String>>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let (id, code) = (rand::rng().random_range(0..ids.len()), rand::rng().random_range(0..20 * PARTS));
        // Once codes are unique some are refused.
        drop(set_code(&mut session, &ids[id], json!(format!("s{code}"))).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_value_is_made_unique_under_load_or_not_at_all() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let ids = Arc::new(parts(&mut session).await);
    for _ in 0..4 {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            writers.spawn(collide(home.session().await, Arc::clone(&ids), Arc::clone(&stop)));
        }
        let outcome = set_unique(&mut session, true).await;
        stop.store(true, Ordering::SeqCst);
        writers.join_all().await;
        match outcome {
            Ok(()) => {
                check_claims(&mut session).await;
                set_unique(&mut session, false).await.expect("a change");
            }
            Err(error) => assert_eq!(error.code.as_str(), "records_in_the_way", "{error:?}"),
        }
        let mut seen: HashMap<String, String> = HashMap::new();
        for (id, code) in all(&mut session).await {
            let Some(code) = code else { continue };
            if seen.insert(code, id.clone()).is_some() {
                set_code(&mut session, &id, Value::Null).await.expect("a change");
            }
        }
    }
    set_unique(&mut session, true).await.expect("every code is there once");
    check_claims(&mut session).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_definitions_take_turns_and_none_is_lost() {
    let home = Home::open().await;
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let mut session = home.session().await;
        tasks.spawn(async move {
            let body = json!({"name": format!("p{number}"), "type": "string", "unique": number % 2 == 0});
            loop {
                match session.property_add("company", map(body.clone()), None).await {
                    Ok(_) => return,
                    Err(error) => assert_eq!(error.code.as_str(), "conflict", "{error:?}"),
                }
            }
        });
    }
    tasks.join_all().await;
    let mut session = home.session().await;
    let company = session.object_definition("company", Default::default()).await.expect("a definition");
    let views = company["properties"].as_object().expect("properties").values();
    assert_eq!(views.filter(|view| view["layer"] == "custom").count(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_that_gather_claims_do_not_spoil_each_other() {
    let home = Home::open().await;
    let other = home.second_engine().await;
    let mut session = home.session().await;
    let body = json!({"name": "part", "properties": {"code": {"type": "string"}, "serial": {"type": "string"}}});
    session.object_define(map(body), None).await.expect("a definition");
    let all = (0..PARTS).map(|number| json!({"code": format!("s{number}"), "serial": format!("n{number}")}));
    let ids = create_many(&mut session, "part", all).await;
    let mut tasks = JoinSet::new();
    for engine in [&home.engine, &other] {
        for property in ["code", "serial"] {
            let mut session = home.session_on(engine).await;
            tasks.spawn(async move {
                for unique in [true, false, true] {
                    loop {
                        let patch = map(json!({"unique": unique}));
                        match session.property_change("part", property, patch).await {
                            Ok(_) => break,
                            // Who began later goes on; the other begins again.
                            Err(error) => assert_eq!(error.code.as_str(), "conflict", "{error:?}"),
                        }
                    }
                }
            });
        }
    }
    tasks.join_all().await;
    for (property, letter) in [("code", "s"), ("serial", "n")] {
        session.property_change("part", property, map(json!({"unique": true}))).await.expect("a change");
        for (number, id) in ids.iter().enumerate() {
            let target = Target { id: format!("{letter}{number}"), id_property: Some(property.to_owned()) };
            let found = session.record_read("part", &target, &View::default()).await.expect("a record").record;
            assert_eq!(found.id.to_string(), *id);
        }
    }
}
