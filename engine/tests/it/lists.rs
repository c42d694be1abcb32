//! Lists whose members change with the time, and lists that two engines keep.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::lists::{ListInput, ListState};
use engine::model::Sequence;
use engine::model::json::read;
use engine::{Engine, Session};
use serde_json::{Value, json};

use crate::support::{Home, archive, create, update};

const MINUTE: i64 = 60 * 1_000_000;

fn input(body: &Value) -> ListInput {
    let raw = serde_json::value::to_raw_value(body).expect("JSON");
    read(&raw).expect("a list")
}

async fn make(session: &mut Session, filter: &Value) -> String {
    let body = json!({"object": "deal", "name": "A list", "filter": filter});
    session.list_create(input(&body), Vec::new(), None).await.expect("a list").value.id
}

async fn members(session: &mut Session, list: &str) -> Vec<String> {
    let page = session.list_members(list, None, 200, None).await.expect("members");
    page.results.iter().map(|member| member.record.id.to_string()).collect()
}

async fn until(session: &mut Session, list: &str, expected: &[String]) {
    for _ in 0..1_000 {
        if members(session, list).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(members(session, list).await, expected);
}

/// Who has joined and left, in order: kind, list and record.
async fn told(session: &mut Session) -> Vec<(String, String, String)> {
    let (mut told, mut after) = (Vec::new(), Sequence(0));
    loop {
        let page = session.changes_now(after, None, 500).await.expect("changes");
        after = page.position;
        told.extend(page.results.iter().filter(|change| change.kind.starts_with("segment.")).map(|change| {
            let list = change.changes["list"].as_array().expect("a pair").iter().find_map(Value::as_str);
            let record = change.record.expect("a record").to_string();
            (change.kind.clone(), list.expect("a list").to_owned(), record)
        }));
        if !page.has_more {
            return told;
        }
    }
}

#[tokio::test]
async fn members_come_and_go_with_the_time() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let recent = json!({"property": "created_at", "op": "gte", "value": "now-1h"});
    let old = json!({"property": "created_at", "op": "lt", "value": "now-1h"});
    let (recent, old) = (make(&mut session, &recent).await, make(&mut session, &old).await);
    let last_week = make(&mut session, &json!({"property": "created_at", "op": "eq", "value": "last_week"})).await;
    let first = create(&mut session, "deal", json!({"name": "First"})).await;
    assert_eq!(members(&mut session, &recent).await, std::slice::from_ref(&first));
    home.clock.advance(40 * MINUTE);
    let second = create(&mut session, "deal", json!({"name": "Second"})).await;
    assert_eq!(members(&mut session, &recent).await, [first.clone(), second.clone()]);
    assert_eq!(members(&mut session, &old).await, [] as [String; 0]);
    home.clock.advance(40 * MINUTE);
    until(&mut session, &recent, std::slice::from_ref(&second)).await;
    until(&mut session, &old, std::slice::from_ref(&first)).await;
    home.clock.advance(7 * 24 * 60 * MINUTE);
    until(&mut session, &recent, &[]).await;
    until(&mut session, &old, &[first.clone(), second.clone()]).await;
    until(&mut session, &last_week, &[first.clone(), second.clone()]).await;
    let read = session.list(&old).await.expect("a list");
    assert_eq!((read.members, read.state), (Some(2), ListState::Current));
    let of_recent: Vec<(String, String)> = told(&mut session)
        .await
        .into_iter()
        .filter(|(_, list, _)| *list == recent)
        .map(|(kind, _, record)| (kind, record))
        .collect();
    let event = |kind: &str, record: &str| (format!("segment.{kind}"), record.to_owned());
    let expected = [event("joined", &first), event("joined", &second), event("left", &first), event("left", &second)];
    assert_eq!(of_recent, expected);
}

/// Both follow the same log and look at the same lists; each coming and going is told once.
#[tokio::test]
async fn two_engines_keep_the_members_of_one() {
    let home = Home::open().await;
    let other: Engine = home.second_engine().await;
    let (mut one, mut two) = (home.session().await, home.session_on(&other).await);
    let mut lists = Vec::new();
    for least in [0, 20, 40, 60] {
        lists.push(make(&mut one, &json!({"property": "amount", "op": "gte", "value": least})).await);
    }
    let mut deals = Vec::new();
    for number in 0..20 {
        let session = if number % 2 == 0 { &mut one } else { &mut two };
        deals.push(create(session, "deal", json!({"name": "Deal", "amount": number * 4})).await);
    }
    for turn in 0..60 {
        let session = if turn % 2 == 0 { &mut one } else { &mut two };
        let deal = &deals[turn * 7 % deals.len()];
        update(session, "deal", deal, json!({"amount": turn * 13 % 80})).await.expect("a change");
        if turn == 30 {
            let patch = json!({"filter": {"property": "amount", "op": "lt", "value": 40}});
            one.list_change(&lists[0], input(&patch), Vec::new()).await.expect("a change");
        }
    }
    archive(&mut two, "deal", &deals[0]).await;
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for list in &lists {
        let raw = serde_json::value::to_raw_value(&json!({"filter": {"list": list}, "limit": 200})).expect("JSON");
        let found = one.record_search("deal", &read(&raw).expect("a query"), Vec::new()).await.expect("a search");
        let mut found: Vec<String> = found.results.iter().map(|found| found.record.id.to_string()).collect();
        found.sort_by_key(|id| id.parse::<i64>().expect("an id"));
        until(&mut one, list, &found).await;
        until(&mut two, list, &found).await;
        expected.insert(list.clone(), found.into_iter().collect());
    }
    let mut folded: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (kind, list, record) in told(&mut one).await {
        let members = folded.entry(list).or_default();
        let is_news = if kind == "segment.joined" { members.insert(record) } else { members.remove(&record) };
        assert!(is_news, "nobody joins or leaves twice");
    }
    folded.retain(|_, members| !members.is_empty());
    expected.retain(|_, members| !members.is_empty());
    assert_eq!(folded, expected);
    other.close().await;
}
