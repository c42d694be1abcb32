use engine::DefinitionQuery;
use engine::records::{Operation, Target};
use serde_json::{Value, json};

use crate::support::{Home, archive, create, in_the_way, map, read, said, update};

const ALL: DefinitionQuery = DefinitionQuery { own_layer_only: false, archived: false };

fn keys(pipeline: &Value) -> Vec<&str> {
    let stages = pipeline["stages"].as_array().expect("stages");
    stages.iter().map(|stage| stage["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_pipeline_gives_its_object_stages() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let old = create(&mut session, "company", json!({"name": "Acme"})).await;
    let body = json!({
        "name": "onboarding", "label": "Onboarding", "object": "company",
        "stages": [{"name": "invited"}, {"name": "active", "label": "Is here", "type": "won", "probability": 100, "requires": ["phone"]}],
        "transitions": {"invited": ["active"]},
    });
    let defined = session.pipeline_define("company", map(body), None).await.expect("a pipeline").value.definition;
    let invited = json!({"name": "invited", "label": "Invited", "type": "open", "probability": null, "requires": [],
        "rules": [], "color": null, "archived": false});
    let active = json!({"name": "active", "label": "Is here", "type": "won", "probability": 100, "requires": ["phone"],
        "rules": [], "color": null, "archived": false});
    assert_eq!(
        defined,
        json!({
            "name": "onboarding", "object": "company", "label": "Onboarding", "default": true,
            "categories": {}, "stages": [invited, active], "transitions": {"invited": ["active"]},
            "defaults": {}, "layer": "custom", "archived_at": null,
        })
    );
    assert_eq!(session.pipelines("company", ALL).await.expect("pipelines"), std::slice::from_ref(&defined));
    assert_eq!(session.pipeline("company", "onboarding").await.expect("a pipeline"), defined);
    let id = create(&mut session, "company", json!({"name": "Globex"})).await;
    assert_eq!(read(&mut session, "company", &id).await["stage"], "invited");
    assert!(read(&mut session, "company", &old).await.get("stage").is_none());
    let error = session.pipeline("company", "onbording").await.expect_err("unknown");
    assert_eq!(error.detail, "`company` has no pipeline `onbording`; did you mean `onboarding`?");
}

#[tokio::test]
async fn stages_of_a_pack_s_pipeline_are_inserted_relabelled_and_taken_away() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let sales = session.pipeline("deal", "sales").await.expect("a pipeline");
    let mut stages = sales["stages"].as_array().expect("stages").clone();
    stages.insert(1, json!({"name": "demo", "probability": 15}));
    let changed = session
        .pipeline_change("deal", "sales", map(json!({"stages": stages})))
        .await
        .expect("a change")
        .value
        .definition;
    assert_eq!(
        keys(&changed),
        ["prospecting", "demo", "qualification", "proposal", "negotiation", "closed_won", "closed_lost"]
    );
    assert_eq!((&changed["layer"], &changed["stages"][4]), (&json!("crm"), &sales["stages"][3]));
    let patch = json!({"stages": {"demo": null, "proposal": {"label": "Offer"}}});
    let changed = session.pipeline_change("deal", "sales", map(patch)).await.expect("a change").value.definition;
    assert_eq!(keys(&changed), keys(&sales));
    assert_eq!(changed["stages"][2]["label"], "Offer");
    let changes = session.metadata_history(1, None).await.expect("a history").results.remove(0).changes;
    assert_eq!(changes["pipelines.deal.sales"][1], json!({"stages": {"proposal": {"label": "Offer"}}}));
}

#[tokio::test]
async fn a_stage_with_records_in_it_stays() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let deal = create(&mut session, "deal", json!({"name": "Roof", "stage": "proposal"})).await;
    create(&mut session, "deal", json!({"name": "Wall", "pipeline": "simple", "stage": "open"})).await;
    let gone = json!({"stages": {"proposal": null}});
    let error = session.pipeline_change("deal", "sales", map(gone.clone())).await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["/stages", 1, [deal]]]));
    let error = session.pipeline_archive("deal", "sales").await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["", 1, [deal]]]));
    update(&mut session, "deal", &deal, json!({"stage": "negotiation"})).await.expect("a change");
    session.pipeline_change("deal", "sales", map(gone)).await.expect("a change");
    update(&mut session, "deal", &deal, json!({"pipeline": "simple", "stage": "open"})).await.expect("a change");
    let archived = session.pipeline_archive("deal", "sales").await.expect("archived").value.definition;
    assert_eq!(
        (&archived["archived_at"], &archived["default"]),
        (&json!("2026-01-02T03:04:05.000000Z"), &json!(false))
    );
    assert_eq!(session.pipelines("deal", ALL).await.expect("pipelines").len(), 1);
}

#[tokio::test]
async fn the_last_pipeline_goes_once_no_record_is_in_it() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = json!({"name": "flow", "stages": {"open": "Open", "shut": "Shut"}});
    session.pipeline_define("company", map(body), None).await.expect("a pipeline");
    let id = create(&mut session, "company", json!({"name": "Acme", "stage": "shut"})).await;
    let error = session.pipeline_archive("company", "flow").await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["", 1, [id]]]));
    // Archived records may come back, so they count.
    archive(&mut session, "company", &id).await;
    let error = session.pipeline_archive("company", "flow").await.expect_err("in the way");
    assert_eq!(in_the_way(&error), json!([["", 1, [id]]]));
    let purge = Operation::Purge { object: "company".to_owned(), target: Target::id(&id) };
    session.perform(purge, None).await.expect("purged");
    session.pipeline_archive("company", "flow").await.expect("archived");
    let schema = session.object_schema("company").await.expect("a schema");
    assert!(schema["properties"].get("stage").is_none());
    let other = json!({"name": "other", "stages": ["open"]});
    let error = session.pipeline_define("company", map(other), None).await.expect_err("no stages");
    assert_eq!(said(&error).1, [("/stages/0".to_owned(), "wrong_type")]);
    session.pipeline_restore("company", "flow", None).await.expect("restored");
    let id = create(&mut session, "company", json!({"name": "Globex"})).await;
    assert_eq!(read(&mut session, "company", &id).await["stage"], "open");
}

#[tokio::test]
async fn one_pipeline_is_the_default() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let changed = session
        .pipeline_change("deal", "simple", map(json!({"default": true})))
        .await
        .expect("a change")
        .value
        .definition;
    assert_eq!(changed["default"], true);
    assert_eq!(session.pipeline("deal", "sales").await.expect("a pipeline")["default"], false);
    let id = create(&mut session, "deal", json!({"name": "Roof"})).await;
    assert_eq!(read(&mut session, "deal", &id).await["pipeline"], "simple");
}

#[tokio::test]
async fn mistakes_are_placed_where_the_body_has_them() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = json!({
        "name": "sails", "object": "contact", "lable": "x",
        "stages": [{"name": "open"}, {"name": "done", "requires": ["nmae"], "rules": [{"rule": "nmae != null"}],
            "probability": 200}],
        "transitions": {"open": ["shut"]}, "defaults": {"nmae": "x"},
    });
    let error = session.pipeline_define("deal", map(body), None).await.expect_err("mistakes");
    let (_, mut found) = said(&error);
    found.sort();
    assert_eq!(
        found,
        [
            ("/defaults/nmae".to_owned(), "unknown"),
            ("/lable".to_owned(), "unknown_key"),
            ("/object".to_owned(), "immutable"),
            ("/stages/1/probability".to_owned(), "too_large"),
            ("/stages/1/requires".to_owned(), "unknown"),
            ("/stages/1/rules/0/rule".to_owned(), "unknown"),
            ("/transitions/open/0".to_owned(), "unknown"),
        ]
    );
    let taken = session.pipeline_define("deal", map(json!({"name": "sales", "stages": {"a": {}}})), None).await;
    assert_eq!(said(&taken.expect_err("taken")), ("conflict", vec![("/name".to_owned(), "taken")]));
}
