use engine::DefinitionQuery;
use serde_json::{Value, json};

use crate::support::{Home, create, input, map, read, said};

const ALL: DefinitionQuery = DefinitionQuery { own_layer_only: false, archived: false };

#[tokio::test]
async fn a_property_is_added_changed_archived_and_restored_on_a_pack_s_object() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let old = create(&mut session, "company", json!({"name": "Acme"})).await;
    let body = json!({"name": "tier", "type": "enum", "options": ["gold", {"key": "silver", "color": "grey"}]});
    let added = session.property_add("company", map(body), None).await.expect("a property").value.definition;
    assert_eq!(
        added,
        json!({
            "name": "tier", "type": "enum", "label": "Tier",
            "options": [{"key": "gold", "label": "Gold", "archived": false},
                {"key": "silver", "label": "Silver", "color": "grey", "archived": false}],
            "layer": "custom",
            "operators": ["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"],
            "archived_at": null,
        })
    );
    let id = create(&mut session, "company", json!({"name": "Globex", "tier": "gold"})).await;
    let patch = json!({"label": "Tier of service", "options": ["bronze", "gold", "silver"]});
    let changed = session.property_change("company", "tier", map(patch)).await.expect("a change").value.definition;
    assert_eq!(changed["options"][0]["key"], "bronze");
    let archived = session.property_archive("company", "tier").await.expect("archived").value.definition;
    assert_eq!(archived["archived_at"], "2026-01-02T03:04:05.000000Z");
    assert!(read(&mut session, "company", &id).await.get("tier").is_none());
    let shown = session.object_definition("company", ALL).await.expect("a definition");
    assert!(shown["properties"].get("tier").is_none());
    let all = DefinitionQuery { archived: true, ..ALL };
    let shown = session.object_definition("company", all).await.expect("a definition");
    assert_eq!(shown["properties"]["tier"]["archived_at"], "2026-01-02T03:04:05.000000Z");
    let error =
        session.property_add("company", map(json!({"name": "tier", "type": "date"})), None).await.expect_err("taken");
    assert!(error.detail.contains("restore it"), "{}", error.detail);
    let restored = session.property_restore("company", "tier", None).await.expect("restored").value.definition;
    assert_eq!((&restored["archived_at"], &restored["label"]), (&Value::Null, &json!("Tier of service")));
    assert_eq!(read(&mut session, "company", &id).await["tier"], "gold");
    assert!(read(&mut session, "company", &old).await.get("tier").is_none());
}

#[tokio::test]
async fn a_pack_s_property_takes_labels_and_options_but_no_other_type() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let shown = session.object_definition("contact", ALL).await.expect("a definition");
    let mut options = shown["properties"]["lead_status"]["options"].as_array().expect("options").clone();
    options.remove(1);
    options.insert(0, json!("asleep"));
    let patch = json!({"label": "Lead", "options": options});
    let changed =
        session.property_change("contact", "lead_status", map(patch)).await.expect("a change").value.definition;
    let keys: Vec<_> =
        changed["options"].as_array().expect("options").iter().map(|option| option["key"].clone()).collect();
    assert_eq!(keys, ["asleep", "new", "qualified"]);
    assert_eq!((&changed["layer"], &changed["label"]), (&json!("core"), &json!("Lead")));
    let wrong = json!({"type": "string", "options": ["a", "a"], "max_lenght": null, "operators": ["eq"]});
    let error = session.property_change("contact", "lead_status", map(wrong)).await.expect_err("mistakes");
    let (code, mut found) = said(&error);
    found.sort();
    assert_eq!(code, "validation_failed");
    assert_eq!(
        found,
        [
            ("/max_lenght".to_owned(), "unknown_key"),
            ("/operators".to_owned(), "immutable"),
            ("/options".to_owned(), "taken"),
            ("/options".to_owned(), "unknown_key"),
            ("/type".to_owned(), "immutable"),
        ]
    );
    let error =
        session.property_change("deal", "stage", map(json!({"label": "Phase"}))).await.expect_err("the engine's");
    assert_eq!(said(&error).1, [(String::new(), "immutable")]);
    let error = session.property_change("contact", "lead_statsu", map(json!({}))).await.expect_err("unknown");
    assert_eq!(error.detail, "`lead_statsu` is no property of `contact`; did you mean `lead_status`?");
}

#[tokio::test]
async fn mistakes_in_a_property_s_body_are_placed_in_it() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = json!({"name": "tier", "type": "decimal", "scale": 40, "minimun": 1, "group": 7});
    let error = session.property_add("company", map(body), None).await.expect_err("mistakes");
    let (_, mut found) = said(&error);
    found.sort();
    assert_eq!(
        found,
        [
            ("/group".to_owned(), "wrong_type"),
            ("/minimun".to_owned(), "unknown_key"),
            ("/scale".to_owned(), "too_large")
        ]
    );
    let error = session
        .property_add("company", map(json!({"name": "id", "type": "string"})), None)
        .await
        .expect_err("reserved");
    assert_eq!(said(&error).1, [("/name".to_owned(), "reserved")]);
    let error = session.property_add("company", map(json!({"type": "string"})), None).await.expect_err("nameless");
    assert_eq!(said(&error).1, [("/name".to_owned(), "required")]);
    let error =
        session.property_add("compny", map(json!({"name": "x", "type": "string"})), None).await.expect_err("unknown");
    assert_eq!(error.code.as_str(), "not_found");
}

#[tokio::test]
async fn an_own_property_may_change_its_type_where_values_allow_it() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = json!({"name": "code", "type": "string", "max_length": 10});
    session.property_add("company", map(body), None).await.expect("a property");
    let id = create(&mut session, "company", json!({"name": "Acme", "code": "7"})).await;
    let error = session.property_change("company", "code", map(json!({"type": "integer"}))).await.expect_err("a text");
    assert_eq!(crate::support::in_the_way(&error), json!([["/type", 1, [id]]]));
    let patch = json!({"type": "enum", "options": ["7", "8"]});
    let changed = session.property_change("company", "code", map(patch)).await.expect("a change").value.definition;
    assert_eq!((&changed["type"], changed.get("max_length")), (&json!("enum"), None));
    let error =
        session.record_create("company", input(&json!({"name": "x", "code": "9"}))).await.expect_err("no option");
    assert_eq!(said(&error).1, [("/properties/code".to_owned(), "unknown_option")]);
}

#[tokio::test]
async fn records_are_not_called_by_what_is_archived() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let site = json!({"name": "site", "properties": {"title": {"type": "string"}, "place": {"type": "string"}}});
    session.object_define(map(site), None).await.expect("an object");
    session.property_archive("site", "title").await.expect("archived");
    let shown = session.object_definition("site", DefinitionQuery::default()).await.expect("a definition");
    assert_eq!(shown["display"], "{{ place }}");
}
