use engine::Session;
use serde_json::{Value, json};

use crate::support::{Home, archive, create, create_many, in_the_way, input, map, said, update};

async fn visits(session: &mut Session, constraints: Value) {
    let body = json!({"name": "visit", "properties": {
        "title": {"type": "string"}, "room": {"type": "string"},
        "begins": {"type": "datetime"}, "ends": {"type": "datetime"}, "cost": {"type": "money", "currency": "USD"},
    }, "constraints": constraints});
    session.object_define(map(body), None).await.expect("a definition");
}

#[tokio::test]
async fn required_is_refused_with_count_and_samples_over_many_pages() {
    let home = Home::open().await;
    let mut session = home.session().await;
    visits(&mut session, json!([])).await;
    let rooms = (0..2_500)
        .map(|number| if number % 2 == 0 { json!({"title": "a"}) } else { json!({"title": "a", "room": "1"}) });
    let ids = create_many(&mut session, "visit", rooms).await;
    archive(&mut session, "visit", &ids[0]).await;
    let before = session.tenant_read().await.expect("a tenant").metadata_version;
    let error = session.property_change("visit", "room", map(json!({"required": true}))).await.expect_err("in the way");
    let first: Vec<&String> = ids.iter().skip(2).step_by(2).take(10).collect();
    assert_eq!(in_the_way(&error), json!([["/required", 1_250, first]]));
    let message =
        "1250 records without a value of `room`; give them one first (1 archived, listed with `?archived=true`)";
    assert_eq!(error.problems[0].message, message);
    let in_object = json!({"properties": {"room": {"required": true}}});
    let error = session.object_change("visit", map(in_object)).await.expect_err("in the way");
    assert_eq!(error.problems[0].pointer, "/properties/room/required");
    assert_eq!(session.tenant_read().await.expect("a tenant").metadata_version, before);
    let body = json!({"name": "more", "type": "string", "required": true});
    let error = session.property_add("visit", map(body), None).await.expect_err("in the way");
    assert_eq!(error.problems[0].count, Some(2_500));
}

#[tokio::test]
async fn what_no_record_contradicts_takes_effect() {
    let home = Home::open().await;
    let mut session = home.session().await;
    visits(&mut session, json!([])).await;
    create(&mut session, "visit", json!({"title": "a", "room": "1"})).await;
    session.property_change("visit", "room", map(json!({"required": true, "max_length": 3}))).await.expect("a change");
    let error = session.record_create("visit", input(&json!({"title": "a"}))).await.expect_err("required");
    assert_eq!(said(&error).1, [("/properties/room".to_owned(), "required")]);
}

#[tokio::test]
async fn rules_are_checked_against_active_and_archived_records() {
    let home = Home::open().await;
    let mut session = home.session().await;
    visits(&mut session, json!([])).await;
    create(&mut session, "visit", json!({"title": "free"})).await;
    create(&mut session, "visit", json!({"title": "cheap", "cost": "10"})).await;
    let dear = create(&mut session, "visit", json!({"title": "dear", "cost": "100"})).await;
    archive(&mut session, "visit", &dear).await;
    let rule =
        json!({"constraints": [{"unique": ["room", "begins"]}, {"rule": "cost < 50.0", "message": "Too dear."}]});
    let error = session.object_change("visit", map(rule)).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/constraints/1", 1, [dear]]]));
    let rule = json!({"constraints": [{"rule": "cost < 150.0", "message": "Too dear."}]});
    session.object_change("visit", map(rule)).await.expect("a change");
    let error = session.record_create("visit", input(&json!({"cost": "200"}))).await.expect_err("the rule");
    assert_eq!(error.problems[0].message, "Too dear.");
}

#[tokio::test]
async fn intervals_that_overlap_are_in_the_way_and_then_claimed() {
    let home = Home::open().await;
    let mut session = home.session().await;
    visits(&mut session, json!([])).await;
    let visit = |room: &str, begins: &str, ends: Option<&str>| {
        let at = |hour: &str| format!("2026-03-01T{hour}:00:00Z");
        json!({"room": room, "begins": at(begins), "ends": ends.map(at)})
    };
    create(&mut session, "visit", visit("1", "08", Some("10"))).await;
    create(&mut session, "visit", visit("1", "10", Some("12"))).await;
    create(&mut session, "visit", visit("2", "08", None)).await;
    let overlapping = create(&mut session, "visit", visit("1", "11", Some("13"))).await;
    let backwards = create(&mut session, "visit", visit("3", "11", Some("09"))).await;
    let gone = create(&mut session, "visit", visit("1", "08", Some("12"))).await;
    archive(&mut session, "visit", &gone).await;
    let constraint = json!({"constraints": [{"no_overlap": {"within": "room", "from": "begins", "to": "ends"}}]});
    let error = session.object_change("visit", map(constraint.clone())).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/constraints/0", 1, [backwards]], ["/constraints/0", 1, [overlapping]]]));
    update(&mut session, "visit", &backwards, json!({"ends": "2026-03-01T12:00:00Z"})).await.expect("a change");
    update(&mut session, "visit", &overlapping, json!({"begins": "2026-03-01T12:00:00Z"})).await.expect("a change");
    session.object_change("visit", map(constraint)).await.expect("a change");
    let error =
        session.record_create("visit", input(&visit("2", "20", Some("21")))).await.expect_err("room 2 has no end");
    assert_eq!(said(&error), ("conflict", vec![("/properties/begins".to_owned(), "overlap")]));
    create(&mut session, "visit", visit("1", "07", Some("08"))).await;
    for patch in [json!({"type": "date"}), json!({"archived": true})] {
        let error = session.property_change("visit", "begins", map(patch)).await.expect_err("in use");
        assert_eq!(said(&error).1.last(), Some(&(String::new(), "in_use")));
    }
    session.object_change("visit", map(json!({"constraints": []}))).await.expect("a change");
    create(&mut session, "visit", visit("2", "20", Some("21"))).await;
}

#[tokio::test]
async fn options_of_stored_values_are_archived_not_removed() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = json!({"name": "tiers", "type": "multi_enum", "options": ["gold", "silver", "bronze"]});
    session.property_add("company", map(body), None).await.expect("a property");
    let id = create(&mut session, "company", json!({"name": "a", "tiers": ["gold", "bronze"]})).await;
    let patch = json!({"options": ["silver", {"key": "gold", "archived": true}]});
    let error = session.property_change("company", "tiers", map(patch)).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/options", 1, [id]]]));
    let patch = json!({"options": ["bronze", {"key": "gold", "archived": true}]});
    session.property_change("company", "tiers", map(patch)).await.expect("a change");
    update(&mut session, "company", &id, json!({"name": "b"})).await.expect("a change");
}

#[tokio::test]
async fn json_values_must_meet_their_new_schema() {
    let home = Home::open().await;
    let mut session = home.session().await;
    session.property_add("company", map(json!({"name": "extra", "type": "json"})), None).await.expect("a property");
    create(&mut session, "company", json!({"name": "a", "extra": {"size": 1}})).await;
    let wrong = create(&mut session, "company", json!({"name": "b", "extra": {"size": "x"}})).await;
    let patch = json!({"schema": {"type": "object", "properties": {"size": {"type": "integer"}}}});
    let error = session.property_change("company", "extra", map(patch)).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/schema", 1, [wrong]]]));
}
