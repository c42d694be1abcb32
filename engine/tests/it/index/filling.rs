//! Properties whose form changes: the index is filled with them while it follows.

use std::sync::Arc;

use engine::model::Name;
use engine::model::json::read;
use engine::model::property::Storage;
use engine::model::query::{Field, Filter, Form, Query, Scope};
use engine::{Result, SearchView, Session};
use engine_search::Limits;
use serde_json::{Value, json};

use super::fixture::*;
use crate::support::{archive, map, update};

on_both!(
    a_property_that_changes_its_form_is_filled_while_the_log_is_followed,
    filling_goes_on_after_a_crash,
    values_from_before_a_migration_answer_until_it_is_over,
);

/// A property of `site`, where it has not been migrated.
pub(super) fn site(property: &str, storage: Storage) -> Field {
    let name = |text| Name::new(text).expect("a name");
    Field { object: name("site"), name: name(property), since: 0, storage, form: Form::Text, options: Arc::from([]) }
}

/// How many active sites have a value where it is looked for that is stored like this.
fn with_value(view: &SearchView, property: &str, storage: Storage) -> u64 {
    let object = Name::new("site").expect("a name");
    let filter = Filter::Exists(site(property, storage));
    let scope = Scope { object, filter, searched: Vec::new(), sort: Vec::new(), aggregates: Vec::new() };
    let query = Query {
        tenant: view.tenant(),
        scopes: vec![scope],
        archived: false,
        words: None,
        limit: 0,
        after: None,
        count: true,
    };
    view.search(&query, Limits::default()).expect("an answer").total.expect("a count")
}

async fn a_property_that_changes_its_form_is_filled_while_the_log_is_followed(world: World) {
    let engine = world.open_asked_only("index").await;
    let mut session = world.session(&engine).await;
    let ids = new_sites(&mut session, 1_200).await;
    archive(&mut session, "site", &ids[0]).await;
    let view = reached(&engine, world.tenant, head(&session).await).await;
    assert_eq!(with_value(&view, "name", Storage::Text), 1_199);

    session.property_change("site", "name", map(json!({"type": "text"}))).await.expect("a change");
    let view = reached(&engine, world.tenant, head(&session).await).await;
    assert_eq!(view.filling().collect::<Vec<_>>(), [("site", "name")]);
    let error = view.check_filled([&site("name", Storage::LongText)]).expect_err("not filled");
    assert_eq!(error.code.as_str(), "unavailable");
    assert!(error.detail.contains("`name` of `site` has changed"), "{}", error.detail);
    for (property, storage) in [("size", Storage::Scaled(1)), ("created_at", Storage::Datetime)] {
        view.check_filled([&site(property, storage)]).expect("what does not change is there");
    }
    let filled = async {
        let mut written = 0;
        loop {
            let id = &ids[1 + written % 1_000];
            update(&mut session, "site", id, json!({"name": format!("at {written}")})).await.expect("a change");
            new_site(&mut session, "new").await;
            written += 1;
            let view = reached(&engine, world.tenant, head(&session).await).await;
            if view.filling().next().is_none() {
                return (view, u64::try_from(written).expect("a count"));
            }
        }
    };
    let (view, written) = tokio::time::timeout(PATIENCE, filled).await.expect("in time");
    view.check_filled([&site("name", Storage::LongText)]).expect("filled");
    view.check_filled([&site("name", Storage::Text)]).expect_err("nothing stands there any more");
    assert_eq!(with_value(&view, "name", Storage::LongText), 1_199 + written);
    assert_eq!(with_value(&view, "name", Storage::Text), 0);
    restore(&mut session, &ids[0]).await;
    let view = reached(&engine, world.tenant, head(&session).await).await;
    assert_eq!(with_value(&view, "name", Storage::LongText), 1_200 + written);
    world.assert_same(&engine).await;
    engine.close().await;
}

async fn filling_goes_on_after_a_crash(world: World) {
    let engine = world.open_asked_only("index").await;
    let mut session = world.session(&engine).await;
    new_sites(&mut session, 600).await;
    world.indexed(&engine).await;
    session.property_change("site", "name", map(json!({"type": "text"}))).await.expect("a change");
    let view = reached(&engine, world.tenant, head(&session).await).await;
    assert!(view.filling().next().is_some());
    // As it is in the middle of it, as far as it is on disk, and as it was before.
    copy(&world.index_dir("index"), &world.index_dir("in between"));
    engine.close().await;
    copy(&world.index_dir("index"), &world.index_dir("closed"));
    for name in ["in between", "closed"] {
        let engine = world.open(name).await;
        let mut session = world.session(&engine).await;
        let view = filled(&engine, &mut session, world.tenant).await;
        view.check_filled([&site("name", Storage::LongText)]).expect("filled");
        let sites = u64::try_from(records(&view).len()).expect("a count");
        assert_eq!(with_value(&view, "name", Storage::LongText), sites);
        assert_eq!(engine.index_status().builds.times, 0);
        engine.close().await;
    }
}

/// How many sites a filter finds, and the groups of a property.
async fn asked(session: &mut Session, filter: Value) -> Result<(u64, Vec<Value>)> {
    let text = json!({"filter": filter, "limit": 0, "count": true, "aggregate": {"codes": {"group": ["code"]}}});
    let text = serde_json::value::to_raw_value(&text).expect("JSON");
    let answer = session.record_search("site", &read(&text).expect("a query"), Vec::new()).await?;
    let groups = answer.tables[0].rows.iter().map(|row| json!(row.key)).collect();
    Ok((answer.total.expect("a count"), groups))
}

async fn values_from_before_a_migration_answer_until_it_is_over(world: World) {
    let engine = world.open_asked_only("index").await;
    let mut session = world.session(&engine).await;
    let code = json!({"name": "code", "type": "string"});
    session.property_add("site", map(code), None).await.expect("a property");
    let ids = new_sites(&mut session, 6_000).await;
    for id in &ids[..2] {
        update(&mut session, "site", id, json!({"code": "1"})).await.expect("a change");
    }
    let is = |value: Value| json!({"property": "code", "op": "eq", "value": value});
    let before = (2, vec![json!(["1"])]);
    assert_eq!(asked(&mut session, is(json!("1"))).await.expect("an answer"), before);

    let migration = json!({"type": "integer", "migration": {"convert": "int(value) * 100"}});
    session.property_change("site", "code", map(migration)).await.expect("a change");
    assert_eq!(asked(&mut session, is(json!("1"))).await.expect("an answer"), before);
    // Records that are written anew are found by what they would have been, as far as that can be said.
    update(&mut session, "site", &ids[1], json!({"name": "renamed"})).await.expect("a change");
    update(&mut session, "site", &ids[2], json!({"code": 7})).await.expect("a change");
    // A fast machine may be over with it at any of these.
    match asked(&mut session, is(json!("1"))).await {
        Ok(found) => assert_eq!(found, before),
        Err(error) => assert_eq!(error.code.as_str(), "validation_failed"),
    }
    match asked(&mut session, is(json!(100))).await {
        Ok(found) => assert_eq!(found, (2, vec![json!([100])])),
        Err(error) => assert!(error.detail.contains("`code` of `site` has changed"), "{}", error.detail),
    }

    filled(&engine, &mut session, world.tenant).await;
    let after = asked(&mut session, json!({"property": "code", "op": "exists"})).await.expect("an answer");
    assert_eq!(after, (3, vec![json!([100]), json!([7])]));
    let error = asked(&mut session, is(json!("1"))).await.expect_err("a number is expected");
    assert_eq!(error.code.as_str(), "validation_failed");
    engine.close().await;
}

#[tokio::test]
async fn what_is_new_or_has_no_records_is_filled_at_once() {
    let world = World::sqlite().await;
    let engine = world.open("index").await;
    let mut session = world.session(&engine).await;
    new_sites(&mut session, 3).await;
    let permit = json!({"name": "permit", "properties": {"number": {"type": "string"}}});
    session.object_define(map(permit), None).await.expect("an object");
    let code = json!({"name": "code", "type": "string"});
    session.property_add("site", map(code), None).await.expect("a property");
    let id = new_site(&mut session, "coded").await;
    update(&mut session, "site", &id, json!({"code": "x"})).await.expect("a change");
    let view = reached(&engine, world.tenant, head(&session).await).await;
    assert_eq!(view.filling().count(), 0);
    view.check_filled([&site("code", Storage::Text)]).expect("there");
    assert_eq!(with_value(&view, "code", Storage::Text), 1);
    session.property_change("permit", "number", map(json!({"type": "text"}))).await.expect("a change");
    filled(&engine, &mut session, world.tenant).await;
    engine.close().await;
}
