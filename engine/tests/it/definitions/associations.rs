use engine::DefinitionQuery;
use serde_json::{Value, json};

use crate::support::{Home, associate, create, in_the_way, map, said};

const ALL: DefinitionQuery = DefinitionQuery { own_layer_only: false, archived: false };

fn visit() -> Value {
    json!({"name": "visit_by", "from": "contact", "to": ["company", "deal"], "label": "Visits", "inverse": "Visitors",
        "labels": {"boss": "Boss"}, "properties": {"since": {"type": "date"}}})
}

#[tokio::test]
async fn an_association_is_defined_changed_archived_and_restored() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let defined = session.association_define(map(visit()), None).await.expect("a definition").value.definition;
    assert_eq!(
        defined,
        json!({
            "name": "visit_by", "from": "contact", "to": ["company", "deal"], "label": "Visits", "inverse": "Visitors",
            "cardinality": "many_to_many", "labels": {"boss": "Boss"},
            "properties": {"since": {"type": "date", "label": "Since", "layer": "custom",
                "operators": ["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"]}},
            "layer": "custom", "archived_at": null,
        })
    );
    let patch = json!({"labels": {"boss": null, "guest": "Guest"}, "to": "any", "properties": {"until": {"type": "date"}, "since": null}});
    let changed = session.association_change("visit_by", map(patch)).await.expect("a change").value.definition;
    assert_eq!((&changed["to"], &changed["labels"]), (&json!("any"), &json!({"guest": "Guest"})));
    assert_eq!(changed["properties"].as_object().expect("properties").keys().collect::<Vec<_>>(), ["until"]);
    let archived = session.association_archive("visit_by").await.expect("archived").value.definition;
    assert_eq!(archived["archived_at"], "2026-01-02T03:04:05.000000Z");
    let names = |list: Vec<Value>| list.into_iter().filter(|view| view["name"] == "visit_by").count();
    assert_eq!(names(session.association_definitions(ALL).await.expect("definitions")), 0);
    let gone = DefinitionQuery { archived: true, ..ALL };
    assert_eq!(names(session.association_definitions(gone).await.expect("definitions")), 1);
    assert_eq!(session.association_definition("visit_by").await.expect("a definition"), archived);
    session.association_restore("visit_by", None).await.expect("restored");
    let error = session.association_definition("visit_bye").await.expect_err("unknown");
    assert_eq!(error.detail, "there is no association `visit_bye`; did you mean `visit_by`?");
    let error = session.association_define(map(visit()), None).await.expect_err("taken");
    assert_eq!(said(&error), ("conflict", vec![("/name".to_owned(), "taken")]));
    let wrong =
        json!({"name": "w", "from": "contct", "to": [], "cardinality": "many", "properties": {"a": {"type": "dat"}}});
    let error = session.association_define(map(wrong), None).await.expect_err("mistakes");
    assert_eq!(
        said(&error).1,
        [
            ("/to".to_owned(), "wrong_type"),
            ("/cardinality".to_owned(), "unknown"),
            ("/properties/a/type".to_owned(), "unknown_type"),
            ("/from".to_owned(), "unknown"),
        ]
    );
}

#[tokio::test]
async fn a_pack_s_association_is_adjusted_by_an_overlay() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let patch = json!({"label": "Firm", "labels": {"owner": "Owner"}});
    let changed = session.association_change("contact_company", map(patch)).await.expect("a change").value.definition;
    assert_eq!((&changed["label"], &changed["layer"]), (&json!("Firm"), &json!("core")));
    let changes = session.metadata_history(1, None).await.expect("a history").results.remove(0).changes;
    assert_eq!(
        changes,
        json!({"associations.contact_company": [null, {"label": "Firm", "labels": {"owner": "Owner"}}]})
    );
}

#[tokio::test]
async fn links_are_in_the_way_of_a_narrower_association() {
    let home = Home::open().await;
    let mut session = home.session().await;
    session.association_define(map(visit()), None).await.expect("a definition");
    let ada = create(&mut session, "contact", json!({"first_name": "Ada", "last_name": "L"})).await;
    let bob = create(&mut session, "contact", json!({"first_name": "Bob", "last_name": "M"})).await;
    let firm = create(&mut session, "company", json!({"name": "Acme"})).await;
    let deal = create(&mut session, "deal", json!({"name": "Roof"})).await;
    associate(&mut session, "visit_by", &ada, &firm, json!({"since": "2026-01-01"})).await;
    associate(&mut session, "visit_by", &ada, &deal, json!({})).await;
    associate(&mut session, "visit_by", &bob, &firm, json!({})).await;
    let mut refused = async |patch: Value| {
        let error = session.association_change("visit_by", map(patch)).await.expect_err("in the way");
        in_the_way(&error)
    };
    assert_eq!(
        refused(json!({"cardinality": "one_to_one"})).await,
        json!([["/cardinality", 1, [ada]], ["/cardinality", 1, [firm]]])
    );
    assert_eq!(refused(json!({"cardinality": "many_to_one"})).await, json!([["/cardinality", 1, [ada]]]));
    assert_eq!(refused(json!({"to": ["company"]})).await, json!([["/to", 1, [ada]]]));
    assert_eq!(refused(json!({"from": "company"})).await, json!([["/from", 3, [ada, ada, bob]]]));
    assert_eq!(
        refused(json!({"properties": {"since": {"required": true}}})).await,
        json!([["/properties/since/required", 2, [ada, bob]]])
    );
    assert_eq!(
        refused(json!({"properties": {"since": {"type": "integer"}}})).await,
        json!([["/properties/since/type", 1, [ada]]])
    );
    session
        .association_change("visit_by", map(json!({"to": "any", "labels": {"boss": null}})))
        .await
        .expect("a change");
}
