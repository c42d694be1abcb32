//! Packs on tenants: what one installs is nobody else's business, and stored records may be in the way.

use engine::packs::PackSource;
use engine::{Error, NewTenant, Session};
use serde_json::json;

use crate::support::{Home, create, in_the_way, read};

fn pack(text: &str) -> PackSource {
    PackSource::Files(vec![("pack.yaml".to_owned(), text.to_owned())])
}

/// A pack called `local` that requires nothing.
fn local(body: &str) -> PackSource {
    pack(&format!("pack: local\nversion: 1.0.0\n{body}"))
}

async fn install(session: &mut Session, source: PackSource) -> Result<bool, Error> {
    let plan = session.pack_plan(source).await?;
    Ok(session.pack_apply(&plan.id).await?.value.is_new)
}

fn object(name: &str) -> PackSource {
    local(&format!("objects: {{{name}: {{label: Thing, plural: {name}s, properties: {{name: {{type: string}}}}}}}}"))
}

#[tokio::test]
async fn tenants_may_have_different_packs_of_one_name_and_version() {
    let home = Home::open().await;
    let new = NewTenant { slug: "second".to_owned(), ..NewTenant::default() };
    let (_, secret) = home.engine.tenant_create(new, None).await.expect("a tenant");
    let origin = engine::Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
    let mut theirs = home.engine.session(&secret, origin).await.expect("a session");
    let mut ours = home.session().await;
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
