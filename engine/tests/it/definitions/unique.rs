use engine::model::time::Timestamp;
use engine::records::{Target, View};
use engine::{Clock, Session};
use engine_store::claim::{self, Constraint, Form};
use serde_json::json;

use crate::support::{Home, archive, create, create_many, in_the_way, input, map, said, update};

async fn parts(session: &mut Session) {
    let body = json!({"name": "part", "properties": {"code": {"type": "string"}, "plant": {"type": "string"}}});
    session.object_define(map(body), None).await.expect("a definition");
}

async fn find(session: &mut Session, code: &str) -> Option<String> {
    let target = Target { id: code.to_owned(), id_property: Some("code".to_owned()) };
    session.record_read("part", &target, &View::default()).await.ok().map(|found| found.record.id.to_string())
}

#[tokio::test]
async fn duplicates_are_in_the_way_of_unique_and_leave_no_trace() {
    let home = Home::open().await;
    let mut session = home.session().await;
    parts(&mut session).await;
    let codes = (0..2_200).map(|number| json!({"code": format!("{}", number % 2_190)}));
    let ids = create_many(&mut session, "part", codes).await;
    let error = session.property_change("part", "code", map(json!({"unique": true}))).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/unique", 10, ids[2_190..]]]));
    for (index, id) in ids[2_190..].iter().enumerate() {
        if index % 2 == 0 {
            archive(&mut session, "part", id).await;
        } else {
            update(&mut session, "part", id, json!({"code": format!("new {index}")})).await.expect("a change");
        }
    }
    session.property_change("part", "code", map(json!({"unique": true}))).await.expect("a change");
    assert_eq!(find(&mut session, "0").await, Some(ids[0].clone()));
    assert_eq!(find(&mut session, "new 1").await, Some(ids[2_191].clone()));
    let error = session.record_create("part", input(&json!({"code": "2189"}))).await.expect_err("taken");
    assert_eq!(said(&error), ("conflict", vec![("/properties/code".to_owned(), "taken")]));
    let again = session.record_update("part", Target::id(&*ids[5]), input(&json!({"code": "6"}))).await;
    assert_eq!(again.expect_err("taken").code.as_str(), "conflict");
}

#[tokio::test]
async fn what_is_unique_no_more_may_repeat_and_is_claimed_anew_later() {
    let home = Home::open().await;
    let mut session = home.session().await;
    parts(&mut session).await;
    create(&mut session, "part", json!({"code": "a"})).await;
    session.property_change("part", "code", map(json!({"unique": true}))).await.expect("a change");
    session.property_change("part", "code", map(json!({"unique": null}))).await.expect("a change");
    let second = create(&mut session, "part", json!({"code": "a"})).await;
    let error = session.property_change("part", "code", map(json!({"unique": true}))).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/unique", 1, [second]]]));
    update(&mut session, "part", &second, json!({"code": "b"})).await.expect("a change");
    session.property_archive("part", "code").await.expect("archived");
    session.property_change("part", "code", map(json!({"unique": true}))).await.expect("a change");
    session.property_restore("part", "code", None).await.expect("restored");
    assert_eq!(find(&mut session, "b").await, Some(second));
    assert!(session.record_create("part", input(&json!({"code": "a"}))).await.is_err());
}

#[tokio::test]
async fn several_constraints_are_gathered_together() {
    let home = Home::open().await;
    let mut session = home.session().await;
    parts(&mut session).await;
    create(&mut session, "part", json!({"code": "a", "plant": "x"})).await;
    create(&mut session, "part", json!({"code": "a", "plant": "y"})).await;
    create(&mut session, "part", json!({"plant": "y"})).await;
    let patch = json!({"constraints": [{"unique": ["code", "plant"]}], "properties": {"plant": {"unique": true}, "code": {"unique": true}}});
    let error = session.object_change("part", map(patch)).await.expect_err("in the way");
    let pointers: Vec<_> = error.problems.iter().map(|problem| (problem.pointer.as_str(), problem.count)).collect();
    assert_eq!(pointers, [("/properties/code/unique", Some(1)), ("/properties/plant/unique", Some(1))]);
    let patch = json!({"constraints": [{"unique": ["code", "plant"]}]});
    session.object_change("part", map(patch)).await.expect("a change");
    create(&mut session, "part", json!({"code": "b", "plant": "x"})).await;
    let error = session.record_create("part", input(&json!({"code": "a", "plant": "y"}))).await.expect_err("taken");
    assert_eq!(said(&error).0, "conflict");
}

#[tokio::test]
async fn who_gathers_claims_is_left_alone_until_it_is_known_to_have_ended() {
    let home = Home::open().await;
    let mut session = home.session().await;
    parts(&mut session).await;
    create(&mut session, "part", json!({"code": "a"})).await;
    let store = home.store().await;
    let now = home.clock.now();
    let mut tx = store.begin(session.tenant()).await.expect("a transaction");
    let until = Timestamp(now.0 + 30_000_000);
    assert_eq!(claim::begin(&mut tx, now, until).await.expect("a turn"), Some(1));
    let codes = Constraint { form: Form::Value, object: "part".to_owned(), properties: "code".to_owned() };
    claim::take_values(&mut tx, &codes, &[("a".to_owned(), 77)]).await.expect("a claim");
    tx.commit().await.expect("committed");
    let error = session.property_change("part", "code", map(json!({"unique": true}))).await.expect_err("busy");
    assert_eq!(said(&error), ("conflict", vec![]));
    session.property_change("part", "plant", map(json!({"label": "Works"}))).await.expect("nothing to gather");
    home.clock.advance(30_000_000);
    session.property_change("part", "code", map(json!({"unique": true}))).await.expect("what was left is given back");
    assert!(find(&mut session, "a").await.is_some());
}
