//! Packs on tenants: what one installs is nobody else's business, and stored records may be in the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::packs::{Consent, PackSource};
use engine::{Catalog, Error, NewTenant, Session};
use serde_json::json;

use crate::support::{Home, create, in_the_way, map, read};

fn pack(text: &str) -> PackSource {
    PackSource::Files(vec![("pack.yaml".to_owned(), text.to_owned())])
}

/// A pack called `local` that requires nothing.
fn local(body: &str) -> PackSource {
    pack(&format!("pack: local\nversion: 1.0.0\n{body}"))
}

async fn install(session: &mut Session, source: PackSource) -> Result<bool, Error> {
    let plan = session.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await?;
    Ok(session.pack_apply(&plan.id, &Consent::default()).await?.value.is_new)
}

fn object(name: &str) -> PackSource {
    local(&format!("objects: {{{name}: {{label: Thing, plural: {name}s, properties: {{name: {{type: string}}}}}}}}"))
}

/// A session of another tenant.
async fn second_tenant(home: &Home) -> Session {
    let new = NewTenant { slug: "second".to_owned(), ..NewTenant::default() };
    let (_, secret) = home.engine.tenant_create(new, None).await.expect("a tenant");
    let origin = engine::Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
    home.engine.session(&secret, origin).await.expect("a session")
}

/// The definitions in force.
async fn catalog(session: &mut Session) -> Arc<Catalog> {
    session.tenant_read().await.expect("a tenant");
    Arc::clone(&session.catalog)
}

#[tokio::test]
async fn tenants_with_the_same_layers_share_what_these_come_to() {
    let home = Home::open().await;
    let (mut ours, mut theirs) = (home.session().await, second_tenant(&home).await);
    let (one, other) = (catalog(&mut ours).await, catalog(&mut theirs).await);
    assert_ne!(one.tenant.tenant_id, other.tenant.tenant_id);
    assert!(Arc::ptr_eq(&one.effective, &other.effective));
    assert!(install(&mut ours, object("gadget")).await.expect("installed"));
    let ours_alone = catalog(&mut ours).await;
    assert!(ours_alone.object("gadget").is_ok());
    let unchanged = catalog(&mut theirs).await;
    assert!(unchanged.object("gadget").is_err() && Arc::ptr_eq(&unchanged.effective, &one.effective));
    assert!(install(&mut theirs, object("gadget")).await.expect("installed"));
    assert!(Arc::ptr_eq(&ours_alone.effective, &catalog(&mut theirs).await.effective));
}

#[tokio::test]
async fn tenants_may_have_different_packs_of_one_name_and_version() {
    let home = Home::open().await;
    let (mut ours, mut theirs) = (home.session().await, second_tenant(&home).await);
    assert!(install(&mut ours, object("gadget")).await.expect("installed"));
    assert!(install(&mut theirs, object("widget")).await.expect("installed"));
    create(&mut ours, "gadget", json!({"name": "a"})).await;
    create(&mut theirs, "widget", json!({"name": "a"})).await;
    assert!(!install(&mut ours, object("gadget")).await.expect("the same again"));
    let refused = install(&mut ours, object("widget")).await.expect_err("other contents");
    assert_eq!(refused.code.as_str(), "conflict");
}

#[tokio::test]
async fn records_that_a_pack_would_make_invalid_stand_in_its_way() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let ada = create(&mut session, "contact", json!({"first_name": "Ada", "last_name": "Lovelace"})).await;
    let before = session.log_position().await.expect("a position");
    let badge =
        |option: &str| local(&format!("extend: {{contact: {{properties: {{badge: {{type: string{option}}}}}}}}}"));
    let refused = install(&mut session, badge(", required: true")).await.expect_err("a contact has no badge");
    assert_eq!(in_the_way(&refused)[0][1], 1, "{refused:?}");
    assert_eq!(session.log_position().await.expect("a position"), before);
    assert_eq!(read(&mut session, "contact", &ada).await["first_name"], "Ada");
    assert!(install(&mut session, badge("")).await.expect("nobody in the way"));
}

#[tokio::test]
async fn a_pack_that_is_being_purged_is_not_installed_again_meanwhile() {
    let home = Home::without_workers().await;
    let mut session = home.session().await;
    assert!(install(&mut session, object("gadget")).await.expect("installed"));
    create(&mut session, "gadget", json!({"name": "A"})).await;
    let purged = session.pack_purge("local").await.expect("a purge").value;
    let error = install(&mut session, object("gadget")).await.expect_err("a job erases what it left");
    assert_eq!(error.code.as_str(), "conflict");
    let job = purged.jobs[0].to_string();
    assert_eq!(error.detail, format!("job {job} is purging `local`; install it again when that is done"));
    session.job_cancel(&job).await.expect("cancelled");
    assert!(install(&mut session, object("gadget")).await.expect("installed"));
}

#[tokio::test]
async fn a_migration_is_not_left_half_done() {
    let home = Home::without_workers().await;
    let mut session = home.session().await;
    let gadget = json!({"name": "gadget", "properties": {"name": {"type": "string"}}});
    session.object_define(map(gadget), None).await.expect("an object");
    create(&mut session, "gadget", json!({"name": "1"})).await;
    let change = map(json!({"type": "integer", "migration": {"convert": "int(value)"}}));
    session.property_change("gadget", "name", change).await.expect("a migration");
    let jobs = session.job_list(10, None).await.expect("jobs").results;
    assert_eq!(jobs.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["migration"]);
    let error = session.job_cancel(&jobs[0].id.to_string()).await.expect_err("half done");
    assert!(error.detail.starts_with("a job of the kind `migration` is not cancelled"), "{}", error.detail);
    assert_eq!(session.job(&jobs[0].id.to_string()).await.expect("a job").state.as_str(), "queued");
}
