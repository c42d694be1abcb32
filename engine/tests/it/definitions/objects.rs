use std::sync::Arc;

use engine::records::Target;
use engine::{DefinitionQuery, StoredReply};
use serde_json::{Value, json};

use crate::support::{Home, create, map, read, said};

const ALL: DefinitionQuery = DefinitionQuery { own_layer_only: false, archived: false };

fn ship() -> Value {
    json!({
        "name": "ship", "label": "Ship", "icon": "anchor", "groups": {"size": {"label": "Size"}},
        "properties": {
            "name": {"type": "string", "required": true, "searchable": true},
            "length": {"type": "decimal", "scale": 1, "minimum": 0, "group": "size"},
            "flag": {"type": "enum", "options": {"no": "Norway", "pa": "Panama"}},
        },
        "constraints": [{"rule": "length == null || length < 500.0", "message": "That is no ship."}],
    })
}

#[tokio::test]
async fn a_defined_object_answers_as_it_was_sent_with_what_the_engine_adds() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let defined = session.object_define(map(ship()), None).await.expect("a definition");
    assert_eq!(
        defined.value.definition,
        json!({
            "name": "ship", "label": "Ship", "plural": "ships", "plural_label": "Ships", "display": "{{ name }}",
            "icon": "anchor", "description": null, "capability": null, "features": {}, "groups": {"size": {"label": "Size"}},
            "properties": {
                "name": {"type": "string", "label": "Name", "required": true, "searchable": true, "layer": "custom",
                    "operators": ["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists",
                        "contains", "starts_with"]},
                "length": {"type": "decimal", "label": "Length", "scale": 1, "minimum": 0, "group": "size", "layer": "custom",
                    "operators": ["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"]},
                "flag": {"type": "enum", "label": "Flag", "layer": "custom",
                    "options": [{"key": "no", "label": "Norway", "archived": false},
                        {"key": "pa", "label": "Panama", "archived": false}],
                    "operators": ["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"]},
            },
            "constraints": [{"rule": "length == null || length < 500.0", "message": "That is no ship."}],
            "entry": null, "layer": "custom", "archived_at": null,
        })
    );
    assert_eq!(session.object_definition("ship", ALL).await.expect("a definition"), defined.value.definition);
    let own = DefinitionQuery { own_layer_only: true, ..ALL };
    assert_eq!(session.object_definitions(own).await.expect("definitions"), [defined.value.definition]);
    let id = create(&mut session, "ship", json!({"name": "Fram", "length": 39, "flag": "no"})).await;
    assert_eq!(read(&mut session, "ship", &id).await, json!({"name": "Fram", "length": "39.0", "flag": "no"}));
    let schema = session.object_schema("ship").await.expect("a schema");
    assert_eq!((&schema["required"], &schema["properties"]["flag"]["enum"]), (&json!(["name"]), &json!(["no", "pa"])));
}

#[tokio::test]
async fn every_mistake_is_told_at_once_and_nothing_changes() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let before = session.tenant_read().await.expect("a tenant").metadata_version;
    let body = json!({
        "name": "Ship", "plural": "users", "colour": "red", "layer": "crm", "iconn": null,
        "properties": {
            "a": {"type": "strng"}, "id": {"type": "string"},
            "b": {"type": "json", "schema": {"type": "bogus"}}, "c": {"type": "json", "schema": "adress"},
        },
        "constraints": [{"rule": "aa == 1"}],
    });
    let error = session.object_define(map(body), None).await.expect_err("mistakes");
    assert_eq!(error.code.as_str(), "validation_failed");
    let (_, mut found) = said(&error);
    found.sort();
    assert_eq!(
        found,
        [
            ("/colour".to_owned(), "unknown_key"),
            ("/constraints/0/rule".to_owned(), "unknown"),
            ("/iconn".to_owned(), "unknown_key"),
            ("/layer".to_owned(), "immutable"),
            ("/name".to_owned(), "invalid_name"),
            ("/plural".to_owned(), "reserved"),
            ("/properties/a/type".to_owned(), "unknown_type"),
            ("/properties/id".to_owned(), "reserved"),
        ]
    );
    let schemas = json!({"name": "ship", "properties": {
        "b": {"type": "json", "schema": {"type": "bogus"}}, "c": {"type": "json", "schema": "adress"},
    }});
    let error = session.object_define(map(schemas), None).await.expect_err("mistakes");
    assert_eq!(
        said(&error).1,
        [("/properties/b/schema".to_owned(), "invalid"), ("/properties/c/schema".to_owned(), "unknown")]
    );
    let error = session.object_define(map(json!({"name": "ship", "migration": {}})), None).await.expect_err("later");
    assert_eq!(said(&error), ("validation_failed", vec![("/migration".to_owned(), "not_applicable")]));
    assert_eq!(session.tenant_read().await.expect("a tenant").metadata_version, before);
    assert_eq!(session.object_definition("ship", ALL).await.expect_err("none").code.as_str(), "not_found");
}

#[tokio::test]
async fn a_taken_name_says_whose_it_is() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let define = async |session: &mut engine::Session, name: &str| {
        session.object_define(map(json!({"name": name})), None).await.map(|written| written.value.definition)
    };
    let error = define(&mut session, "deal").await.expect_err("taken");
    assert_eq!(said(&error), ("conflict", vec![("/name".to_owned(), "taken")]));
    assert!(error.detail.contains("the pack `crm`"), "{}", error.detail);
    define(&mut session, "ship").await.expect("a definition");
    assert!(define(&mut session, "ship").await.expect_err("taken").detail.contains("the tenant's own layer"));
    session.object_archive("ship").await.expect("archived");
    assert!(define(&mut session, "ship").await.expect_err("taken").detail.contains("restore it"));
    let error = session.object_definition("deel", ALL).await.expect_err("unknown");
    assert_eq!(error.detail, "there is no object `deel`; did you mean `deal`?");
}

#[tokio::test]
async fn what_was_read_can_be_sent_back_without_any_change() {
    let home = Home::with_profile("construction").await;
    let mut session = home.session().await;
    session.object_define(map(ship()), None).await.expect("a definition");
    let before = session.tenant_read().await.expect("a tenant").metadata_version;
    let objects = session.object_definitions(ALL).await.expect("definitions");
    assert!(objects.len() > 10);
    for object in objects {
        let name = object["name"].as_str().expect("a name").to_owned();
        let answer = session.object_change(&name, map(object.clone())).await.expect("no change").value.definition;
        assert_eq!(answer, object);
        for (property, view) in object["properties"].as_object().expect("properties") {
            let answer =
                session.property_change(&name, property, map(view.clone())).await.expect("no change").value.definition;
            assert_eq!((&answer["name"], &answer["operators"]), (&json!(property), &view["operators"]));
        }
        for pipeline in session.pipelines(&name, ALL).await.expect("pipelines") {
            let key = pipeline["name"].as_str().expect("a name").to_owned();
            let answer =
                session.pipeline_change(&name, &key, map(pipeline.clone())).await.expect("no change").value.definition;
            assert_eq!(answer, pipeline);
        }
    }
    for association in session.association_definitions(ALL).await.expect("associations") {
        let name = association["name"].as_str().expect("a name").to_owned();
        let answer =
            session.association_change(&name, map(association.clone())).await.expect("no change").value.definition;
        assert_eq!(answer, association);
    }
    assert_eq!(session.tenant_read().await.expect("a tenant").metadata_version, before);
}

#[tokio::test]
async fn a_pack_s_object_is_changed_by_an_overlay_that_names_only_what_differs() {
    let home = Home::with_profile("construction").await;
    let mut session = home.session().await;
    let permit = session.object_definition("permit", ALL).await.expect("a definition");
    let mut constraints = permit["constraints"].as_array().expect("constraints").clone();
    constraints.insert(0, json!({"rule": "cost == null || cost < 1000000000.0", "message": "Too much."}));
    let patch = json!({
        "label": "Licence", "icon": null, "groups": {"more": {"label": "More"}}, "constraints": constraints,
        "properties": {"number": {"label": "No."}, "inspector": {"type": "user", "group": "more"}, "class": null},
    });
    let changed = session.object_change("permit", map(patch)).await.expect("a change").value.definition;
    assert_eq!((&changed["label"], &changed["icon"]), (&json!("Licence"), &Value::Null));
    assert_eq!(changed["properties"]["number"]["label"], "No.");
    assert_eq!(changed["properties"]["number"]["layer"], "construction");
    assert_eq!(changed["properties"]["inspector"]["layer"], "custom");
    assert!(changed["properties"].get("class").is_none());
    let history = session.metadata_history(1, None).await.expect("a history");
    let version = &history.results[0];
    assert_eq!((version.summary.as_str(), version.by), ("change object permit", Some(session.caller.user)));
    assert_eq!(
        version.changes,
        json!({"objects.permit": [null, {
            "label": "Licence",
            "groups": {"more": {"label": "More"}},
            "properties": {
                "number": {"label": "No."},
                "class": {"archived": true, "archived_at": "2026-01-02T03:04:05.000000Z"},
                "inspector": {"type": "user", "group": "more"},
            },
            "icon": null,
            "constraints": [{"rule": "cost == null || cost < 1000000000.0", "message": "Too much."}],
        }]})
    );
    constraints.pop();
    let fewer = map(json!({"constraints": constraints}));
    let error = session.object_change("permit", fewer).await.expect_err("a pack's constraint");
    assert_eq!(said(&error), ("validation_failed", vec![("/constraints".to_owned(), "immutable")]));
    let back = json!({"label": permit["label"], "icon": permit["icon"], "groups": {"more": null},
        "constraints": permit["constraints"], "properties": {"inspector": {"group": null}}});
    session.object_change("permit", map(back)).await.expect("a change");
    let history = session.metadata_history(1, None).await.expect("a history");
    let after = &history.results[0].changes["objects.permit"][1];
    assert_eq!(after.as_object().expect("a row").keys().collect::<Vec<_>>(), ["properties"]);
}

#[tokio::test]
async fn an_archived_object_is_out_of_reach_and_comes_back_with_its_records() {
    let home = Home::open().await;
    let mut session = home.session().await;
    session.object_define(map(ship()), None).await.expect("a definition");
    let id = create(&mut session, "ship", json!({"name": "Fram"})).await;
    home.clock.advance(1_000_000);
    let archived = session.object_archive("ship").await.expect("archived");
    assert_eq!(archived.value.definition["archived_at"], "2026-01-02T03:04:06.000000Z");
    home.clock.advance(1_000_000);
    let again = session.object_archive("ship").await.expect("archived");
    assert_eq!((&again.value.definition, again.sequence), (&archived.value.definition, archived.sequence));
    let error = session.record_read("ship", &Target::id(&*id), &Default::default()).await.expect_err("archived");
    assert_eq!(error.code.as_str(), "not_found");
    let own = DefinitionQuery { own_layer_only: true, archived: false };
    assert_eq!(session.object_definitions(own).await.expect("definitions"), [] as [Value; 0]);
    let archived_ones = DefinitionQuery { archived: true, ..own };
    assert_eq!(
        session.object_definitions(archived_ones).await.expect("definitions"),
        std::slice::from_ref(&archived.value.definition)
    );
    assert_eq!(session.object_definition("ship", ALL).await.expect("a definition"), archived.value.definition);
    let restored = session.object_restore("ship", None).await.expect("restored");
    assert_eq!(restored.value.definition["archived_at"], Value::Null);
    assert_eq!(read(&mut session, "ship", &id).await, json!({"name": "Fram"}));
}

#[tokio::test]
async fn only_admins_write() {
    let home = Home::open().await;
    for role in ["member", "viewer"] {
        let mut session = home.session_as(role).await;
        let error = session.object_define(map(ship()), None).await.expect_err("forbidden");
        assert_eq!(error.code.as_str(), "forbidden");
        assert!(session.object_definition("deal", ALL).await.is_ok());
        assert!(session.metadata_history(5, None).await.is_ok());
    }
    home.session_as("admin").await.object_define(map(ship()), None).await.expect("a definition");
}

#[tokio::test]
async fn a_key_makes_a_definition_happen_once() {
    let home = Home::open().await;
    let mut session = home.session().await;
    session.set_idempotency("k", "f".to_owned());
    let reply: engine::records::Reply<engine::Defined> = Arc::new(|written| StoredReply {
        status: 201,
        headers: "{}".to_owned(),
        body: written.value.definition["name"].to_string(),
    });
    session.object_define(map(ship()), Some(Arc::clone(&reply))).await.expect("a definition");
    let error = session.object_define(map(ship()), Some(Arc::clone(&reply))).await.expect_err("the kept reply");
    assert_eq!(error.replay.map(|kept| (kept.status, kept.body)), Some((201, "\"ship\"".to_owned())));
    session.set_idempotency("k", "other".to_owned());
    let error = session.object_define(map(ship()), Some(reply)).await.expect_err("another request");
    assert_eq!(error.code.as_str(), "conflict");
}

#[tokio::test]
async fn a_change_is_in_force_on_every_node_at_once() {
    let home = Home::open().await;
    let mut here = home.session().await;
    let other = home.second_engine().await;
    let mut there = home.session_on(&other).await;
    here.object_define(map(ship()), None).await.expect("a definition");
    create(&mut there, "ship", json!({"name": "Fram"})).await;
    there.property_add("ship", map(json!({"name": "beam", "type": "integer"})), None).await.expect("a property");
    let id = create(&mut here, "ship", json!({"name": "Gjøa", "beam": 6})).await;
    assert_eq!(read(&mut there, "ship", &id).await["beam"], 6);
    here.property_archive("ship", "beam").await.expect("archived");
    let mut stale = home.session_on(&other).await;
    let error =
        stale.record_create("ship", crate::support::input(&json!({"name": "x", "beam": 6}))).await.expect_err("gone");
    assert_eq!(said(&error), ("validation_failed", vec![("/properties/beam".to_owned(), "unknown_property")]));
}

#[tokio::test]
async fn every_version_is_in_the_history_and_in_the_change_log() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let first = session.tenant_read().await.expect("a tenant").metadata_version;
    let written = session.object_define(map(ship()), None).await.expect("a definition");
    session.object_change("ship", map(json!({"label": "Vessel"}))).await.expect("a change");
    session.property_add("ship", map(json!({"name": "beam", "type": "integer"})), None).await.expect("a property");
    let page = session.metadata_history(2, None).await.expect("a history");
    let summaries: Vec<_> = page.results.iter().map(|version| (version.version, version.summary.as_str())).collect();
    assert_eq!(summaries, [(first + 3, "add property ship.beam"), (first + 2, "change object ship")]);
    let before = &page.results[1].changes["objects.ship"];
    assert_eq!((&before[0]["label"], &before[1]["label"]), (&json!("Ship"), &json!("Vessel")));
    let page = session.metadata_history(2, page.next_cursor.as_deref()).await.expect("a history");
    assert_eq!(page.results[0].summary, "define object ship");
    assert_eq!(page.results[0].changes["objects.ship"][0], Value::Null);
    let query = engine::ChangeQuery {
        after: engine::model::Sequence(written.sequence.0 - 1),
        object: None,
        limit: 10,
        wait: std::time::Duration::ZERO,
    };
    let changes = session.changes(&query).await.expect("changes").results;
    assert_eq!(changes.len(), 3);
    assert_eq!((changes[0].kind.as_str(), changes[0].sequence), ("metadata.changed", written.sequence));
    assert_eq!(
        Value::from(changes[0].changes.clone()),
        json!({"metadata_version": [first, first + 1], "summary": [null, "define object ship"]})
    );
}

#[tokio::test]
async fn what_no_record_could_live_by_is_refused() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = json!({
        "name": "ship",
        "features": {"serch": true, "search": "yes"},
        "groups": {"g": 5},
        "properties": {
            "name": {"type": "string"}, "story": {"type": "text"}, "beam": {"type": "integer"}, "built": {"type": "date"},
            "price": {"type": "money", "currency_property": "zz"}, "kind": {"type": "enum", "options": []},
            "flag": {"type": "string", "group": "nogroup"},
        },
        "constraints": [{"unique": []}, {"unique": ["name", "name"]}, {"unique": ["story"]},
            {"no_overlap": {"within": "name", "from": "beam", "to": "built"}}],
    });
    let error = session.object_define(map(body), None).await.expect_err("mistakes");
    let mut found = said(&error).1;
    found.sort();
    let expected = [
        ("/constraints/0/unique", "required"),
        ("/constraints/1/unique/1", "taken"),
        ("/constraints/2/unique/0", "not_applicable"),
        ("/constraints/3/no_overlap/to", "wrong_type"),
        ("/features/search", "wrong_type"),
        ("/features/serch", "unknown_key"),
        ("/groups/g", "wrong_type"),
        ("/properties/flag/group", "unknown"),
        ("/properties/kind/options", "required"),
        ("/properties/price/currency_property", "unknown"),
    ];
    assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
}
