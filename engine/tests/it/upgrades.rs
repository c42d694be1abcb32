//! Packs that move on, and packs that go: nothing is lost, and nothing is done that was not planned.

use std::collections::BTreeMap;

use engine::packs::{Action, Consent, PackSource, Plan, Side};
use engine::records::Target;
use engine::{DefinitionQuery, Error, LinkQuery, Session};
use serde_json::{Value, json};

use crate::support::{Home, associate, create, in_the_way, map, read, said};

const ALL: DefinitionQuery = DefinitionQuery { own_layer_only: false, archived: false };

/// A pack called `building` in a version.
fn building(version: &str, body: &str) -> PackSource {
    PackSource::Files(vec![("pack.yaml".to_owned(), format!("pack: building\nversion: {version}\n{body}"))])
}

/// An object `crane` with a name and further properties.
fn crane(version: &str, further: &str) -> PackSource {
    let name = "name: {type: string, label: Name}";
    building(version, &format!("objects: {{crane: {{label: Crane, plural: cranes, properties: {{{name}{further}}}}}}}"))
}

async fn plan(session: &mut Session, source: PackSource) -> Plan {
    session.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await.expect("a plan")
}

async fn apply(session: &mut Session, source: PackSource, consent: &Consent) -> Result<bool, Error> {
    let plan = session.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await?;
    Ok(session.pack_apply(&plan.id, consent).await?.value.is_new)
}

async fn install(session: &mut Session, source: PackSource) {
    assert!(apply(session, source, &Consent::default()).await.expect("installed"));
}

fn destructive() -> Consent {
    Consent { allows_destructive: true, ..Consent::default() }
}

/// Action, kind, name, number of records and samples of each step.
fn steps(plan: &Plan) -> Vec<(Action, &str, &str, u64, Vec<&str>)> {
    plan.steps
        .iter()
        .map(|step| {
            let samples = step.samples.iter().map(String::as_str).collect();
            (step.action, step.kind, step.name.as_str(), step.records.expect("counted"), samples)
        })
        .collect()
}

async fn properties(session: &mut Session, object: &str) -> Vec<String> {
    let definition = session.object_definition(object, ALL).await.expect("a definition");
    definition["properties"].as_object().expect("properties").keys().cloned().collect()
}

#[tokio::test]
async fn a_version_adds_changes_and_archives_what_it_says_and_the_next_plan_is_empty() {
    let home = Home::open().await;
    let mut session = home.session().await;
    install(&mut session, crane("1.0.0", ", reach: {type: integer}, colour: {type: string}")).await;
    let tall = create(&mut session, "crane", json!({"name": "Tall", "reach": 60, "colour": "red"})).await;
    create(&mut session, "crane", json!({"name": "Short", "reach": 10})).await;
    let next = || crane("1.1.0", ", reach: {type: integer, label: Reach in metres}, load: {type: decimal}");
    let planned = plan(&mut session, next()).await;
    assert_eq!(
        steps(&planned),
        [
            (Action::Change, "property", "crane.reach", 0, vec![]),
            (Action::Add, "property", "crane.load", 0, vec![]),
            (Action::Remove, "property", "crane.colour", 1, vec![tall.as_str()]),
        ]
    );
    assert_eq!(
        (&planned.steps[0].before["label"], &planned.steps[0].after["label"]),
        (&json!("Reach"), &json!("Reach in metres"))
    );
    let before = session.log_position().await.expect("a position");
    let refused = session.pack_apply(&planned.id, &Consent::default()).await.expect_err("destructive");
    assert_eq!(said(&refused), ("destructive", vec![("/steps/2".to_owned(), "destructive")]));
    assert_eq!(session.log_position().await.expect("a position"), before, "nothing was done");
    assert!(session.pack_apply(&planned.id, &destructive()).await.expect("applied").value.is_new);
    assert_eq!(properties(&mut session, "crane").await, ["name", "reach", "load"]);
    assert_eq!(read(&mut session, "crane", &tall).await, json!({"name": "Tall", "reach": 60}));
    assert_eq!(plan(&mut session, next()).await.steps, []);
    // The version before brings back what it had, with what was stored.
    assert!(
        apply(&mut session, crane("1.0.0", ", reach: {type: integer}, colour: {type: string}"), &destructive())
            .await
            .expect("moved back")
    );
    assert_eq!(read(&mut session, "crane", &tall).await, json!({"name": "Tall", "reach": 60, "colour": "red"}));
}

#[tokio::test]
async fn records_in_the_way_of_a_version_are_named_and_nothing_is_done() {
    let home = Home::open().await;
    let mut session = home.session().await;
    install(&mut session, crane("1.0.0", ", reach: {type: integer}")).await;
    let tall = create(&mut session, "crane", json!({"name": "Tall", "reach": 60})).await;
    let narrower = || crane("2.0.0", ", reach: {type: integer, maximum: 50}");
    let planned = plan(&mut session, narrower()).await;
    assert_eq!(steps(&planned), [(Action::Change, "property", "crane.reach", 1, vec![tall.as_str()])]);
    assert!(planned.steps[0].takes_job() && !planned.steps[0].destructive);
    let refused = session.pack_apply(&planned.id, &destructive()).await.expect_err("in the way");
    assert_eq!(in_the_way(&refused)[0], json!(["/objects/crane/properties/reach/maximum", 1, [tall]]));
    assert_eq!(plan(&mut session, crane("1.0.0", ", reach: {type: integer}")).await.steps, []);
}

#[tokio::test]
async fn a_pack_that_goes_hides_what_it_brought_and_brings_it_back() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let body = "objects: {crane: {label: Crane, plural: cranes, properties: {name: {type: string}}}}\n\
                extend: {contact: {properties: {badge: {type: string}}}}\n\
                associations: {crane_driver: {from: crane, to: contact}}\n\
                pipelines: {use: {object: crane, stages: {free: {}, busy: {}}}}\n";
    install(&mut session, building("1.0.0", body)).await;
    session.property_add("crane", map(json!({"name": "mine", "type": "string"})), None).await.expect("a property");
    let tall = create(&mut session, "crane", json!({"name": "Tall", "mine": "x", "stage": "busy"})).await;
    let ada =
        create(&mut session, "contact", json!({"first_name": "Ada", "last_name": "Lovelace", "badge": "7"})).await;
    let planned = session.pack_uninstall_plan("building").await.expect("a plan");
    let removed: Vec<(&str, u64)> =
        planned.steps.iter().map(|step| (step.name.as_str(), step.records.expect("counted"))).collect();
    assert!(planned.steps.iter().all(|step| step.action == Action::Remove && step.destructive), "{planned:?}");
    for expected in [
        ("contact.badge", 1),
        ("crane", 1),
        ("crane.name", 1),
        ("crane.mine", 1),
        ("crane_driver", 0),
        ("crane.use", 1),
    ] {
        assert!(removed.contains(&expected), "{expected:?} in {removed:?}");
    }
    let gone = session.pack_uninstall("building").await.expect("uninstalled").value;
    assert_eq!((gone.pack.as_str(), gone.version, gone.is_new), ("building", None, true));
    assert!(session.object_definition("crane", ALL).await.is_ok_and(|shown| !shown["archived_at"].is_null()));
    assert_eq!(read(&mut session, "contact", &ada).await.get("badge"), None);
    let list = session.object_definitions(ALL).await.expect("definitions");
    assert!(list.iter().all(|object| object["name"] != "crane"));
    let found = session.packs().await.expect("packs");
    assert_eq!(found.iter().find(|view| view.pack == "building").map(|view| view.installed.clone()), Some(None));
    assert_eq!(session.pack_uninstall("building").await.expect_err("gone").code.as_str(), "not_found");
    // Known by name, since the tenant had it.
    install(&mut session, PackSource::Known { name: "building".to_owned(), version: None }).await;
    assert_eq!(read(&mut session, "contact", &ada).await["badge"], "7");
    assert_eq!(
        read(&mut session, "crane", &tall).await,
        json!({"name": "Tall", "mine": "x", "pipeline": "use", "stage": "busy"})
    );
}

#[tokio::test]
async fn what_a_pack_builds_on_stays_as_long_as_it_is_there() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let refused = session.pack_uninstall("core").await.expect_err("others build on it");
    assert_eq!(refused.code.as_str(), "conflict");
    assert!(refused.problems.iter().all(|problem| problem.code == "required_by"), "{refused:?}");
    let old = building("1.0.0", "requires: {core: '>=99'}\n");
    let refused = session.pack_plan(old, &BTreeMap::new(), &BTreeMap::new()).await.expect_err("another version");
    assert_eq!(said(&refused), ("validation_failed", vec![("/requires/core".to_owned(), "pack_version")]));
}

#[tokio::test]
async fn the_tenant_s_side_of_a_conflict_holds_unless_the_pack_s_is_accepted() {
    let home = Home::open().await;
    let mut session = home.session().await;
    install(&mut session, crane("1.0.0", ", reach: {type: integer, label: Reach}")).await;
    session.property_change("crane", "reach", map(json!({"label": "Length"}))).await.expect("a label");
    session.property_add("crane", map(json!({"name": "load", "type": "string"})), None).await.expect("a property");
    let tall = create(&mut session, "crane", json!({"name": "Tall", "load": "much"})).await;
    let next = || {
        crane("1.1.0", ", reach: {type: integer, label: Range}, load: {type: string, label: Safe load, max_length: 3}")
    };
    let planned = plan(&mut session, next()).await;
    let told: Vec<(&str, &Value, &Value)> =
        planned.conflicts.iter().map(|conflict| (conflict.name.as_str(), &conflict.pack, &conflict.tenant)).collect();
    assert_eq!(told, [("crane.reach", &json!({"label": "Range"}), &json!({"label": "Length"}))]);
    let unknown = Consent { accept: BTreeMap::from([("crane.raech".to_owned(), Side::Pack)]), ..Consent::default() };
    let refused = session.pack_apply(&planned.id, &unknown).await.expect_err("no conflict");
    assert_eq!(said(&refused), ("validation_failed", vec![("/accept/crane.raech".to_owned(), "unknown")]));
    assert!(session.pack_apply(&planned.id, &Consent::default()).await.expect("applied").value.is_new);
    let shown = session.object_definition("crane", ALL).await.expect("a definition");
    assert_eq!(shown["properties"]["reach"]["label"], "Length");
    assert_eq!(shown["properties"]["load"].get("max_length"), None, "what the tenant defined holds as a whole");
    assert_eq!(read(&mut session, "crane", &tall).await["load"], "much");
    assert_eq!(plan(&mut session, next()).await.steps, []);
}

#[tokio::test]
async fn a_plan_is_applied_with_the_sides_that_it_was_made_with() {
    let home = Home::open().await;
    let mut session = home.session().await;
    install(&mut session, crane("1.0.0", ", reach: {type: integer, label: Reach}")).await;
    session.property_change("crane", "reach", map(json!({"label": "Length"}))).await.expect("a label");
    let next = || crane("1.1.0", ", reach: {type: integer, label: Range}");
    let unknown = BTreeMap::from([("crane.raech".to_owned(), Side::Pack)]);
    let refused = session.pack_plan(next(), &unknown, &BTreeMap::new()).await.expect_err("no conflict");
    assert_eq!(said(&refused), ("validation_failed", vec![("/accept/crane.raech".to_owned(), "unknown")]));
    let accept = BTreeMap::from([("crane.reach".to_owned(), Side::Pack)]);
    let planned = session.pack_plan(next(), &accept, &BTreeMap::new()).await.expect("a plan");
    assert_eq!(steps(&planned), [(Action::Change, "property", "crane.reach", 0, vec![])]);
    assert!(session.pack_apply(&planned.id, &Consent::default()).await.expect("applied").value.is_new);
    let shown = session.object_definition("crane", ALL).await.expect("a definition");
    assert_eq!(shown["properties"]["reach"]["label"], "Range");
}

#[tokio::test]
async fn a_plan_of_yesterday_is_out_of_date() {
    let home = Home::open().await;
    let mut session = home.session().await;
    install(&mut session, crane("1.0.0", "")).await;
    let planned = plan(&mut session, crane("1.1.0", ", reach: {type: integer}")).await;
    session.property_add("crane", map(json!({"name": "mine", "type": "string"})), None).await.expect("a property");
    let refused = session.pack_apply(&planned.id, &Consent::default()).await.expect_err("out of date");
    assert_eq!(refused.code.as_str(), "plan_out_of_date");
    assert_eq!(properties(&mut session, "crane").await, ["name", "mine"]);
}

/// A pack that has a property of the crane's, too.
fn safety() -> PackSource {
    let text = "pack: safety\nversion: 1.0.0\nrequires: {building: ^1.0}\n\
                extend: {crane: {properties: {reach: {type: integer, label: Range}, checked: {type: string}}}}\n";
    PackSource::Files(vec![("pack.yaml".to_owned(), text.to_owned())])
}

#[tokio::test]
async fn a_property_that_two_packs_have_stays_with_the_one_that_stays() {
    let home = Home::open().await;
    let mut session = home.session().await;
    install(&mut session, crane("1.0.0", ", reach: {type: integer}")).await;
    install(&mut session, safety()).await;
    let tall = create(&mut session, "crane", json!({"name": "Tall", "reach": 60, "checked": "yes"})).await;
    session.pack_uninstall("safety").await.expect("uninstalled");
    assert_eq!(read(&mut session, "crane", &tall).await, json!({"name": "Tall", "reach": 60}));
    // What the other one still has is not erased with it.
    let purge = session.pack_purge("safety").await.expect("a purge").value.jobs;
    ended(&mut session, &purge[0].to_string()).await;
    assert_eq!(read(&mut session, "crane", &tall).await, json!({"name": "Tall", "reach": 60}));
    // Nor does it go with the first one's next version.
    install(&mut session, safety()).await;
    assert!(apply(&mut session, crane("1.1.0", ""), &destructive()).await.expect("applied"));
    assert_eq!(read(&mut session, "crane", &tall).await, json!({"name": "Tall", "reach": 60}));
}

#[tokio::test]
async fn purging_a_pack_that_changes_an_association_leaves_its_links() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let text = "pack: people\nversion: 1.0.0\nrequires: {crm: '>=0.1'}\n\
                associations: {deal_contact: {extend: true, label: People}}\n";
    install(&mut session, PackSource::Files(vec![("pack.yaml".to_owned(), text.to_owned())])).await;
    let deal = create(&mut session, "deal", json!({"name": "Roof"})).await;
    let ada = create(&mut session, "contact", json!({"first_name": "Ada", "last_name": "Lovelace"})).await;
    associate(&mut session, "deal_contact", &deal, &ada, json!({})).await;
    let purge = session.pack_purge("people").await.expect("a purge").value.jobs;
    ended(&mut session, &purge[0].to_string()).await;
    let query = LinkQuery { kind: "deal_contact".to_owned(), direction: None, limit: 10, cursor: None };
    let links = session.links("deal", &Target::id(deal), &query).await.expect("links").results;
    assert_eq!(links.iter().map(|link| link.id.to_string()).collect::<Vec<_>>(), [ada]);
}

async fn ended(session: &mut Session, job: &str) {
    while !session.job(job).await.expect("a job").state.has_ended() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn rolling_back_a_change_of_a_pack_s_association_or_pipeline_leaves_these_in_force() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let version = session.tenant_read().await.expect("a tenant").metadata_version;
    let shown = async |session: &mut Session| {
        let association = session.association_definition("deal_contact").await.expect("an association");
        (association, session.pipeline("deal", "sales").await.expect("a pipeline"))
    };
    let before = shown(&mut session).await;
    session.association_change("deal_contact", map(json!({"label": "People"}))).await.expect("changed");
    session.pipeline_change("deal", "sales", map(json!({"label": "Selling"}))).await.expect("changed");
    let steps = session.metadata_rollback(version, false).await.expect("rolled back").value.steps;
    let told: Vec<(Action, &str)> = steps.iter().map(|step| (step.action, step.name.as_str())).collect();
    assert_eq!(told, [(Action::Change, "deal_contact"), (Action::Change, "deal.sales")]);
    assert_eq!(shown(&mut session).await, before);
    assert_eq!(session.metadata_rollback(version, true).await.expect("looked").value.steps, []);
}

#[tokio::test]
async fn a_plan_tells_of_the_pipelines_that_come_and_go_with_their_object() {
    let home = Home::open().await;
    let mut session = home.session().await;
    session
        .object_define(map(json!({"name": "crane", "properties": {"name": {"type": "string"}}})), None)
        .await
        .expect("an object");
    let stages = json!({"name": "use", "stages": {"free": {}, "busy": {}}});
    session.pipeline_define("crane", map(stages), None).await.expect("a pipeline");
    let version = session.tenant_read().await.expect("a tenant").metadata_version;
    session.object_archive("crane").await.expect("archived");
    let back = session.metadata_rollback(version, false).await.expect("rolled back").value.steps;
    let told: Vec<(Action, &str)> = back.iter().map(|step| (step.action, step.name.as_str())).collect();
    assert_eq!(told, [(Action::Add, "crane"), (Action::Add, "crane.name"), (Action::Add, "crane.use")]);
}
