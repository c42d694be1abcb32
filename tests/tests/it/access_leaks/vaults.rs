//! A tenant with secrets in all that a tenant has.

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use super::{LAST, SECRETS};
use crate::fixture::{create_id, define, id};

/// A score whose criteria read what is secret.
const WORTH: &str = r#"
pack: worth
version: 1.0.0
objects:
  question: {plural: questions, display: "{{ name }}", properties: {name: {type: string}, rule: {type: text}, weight: {type: integer}}}
  answer:
    plural: answers
    properties:
      points: {type: integer}
      why: {type: text}
      at: {type: datetime}
      by: {type: enum, options: [person, rule]}
      who: {type: user}
      review: {type: enum, options: [pending, accepted, rejected]}
      stands: {type: boolean}
      key: {type: string, unique: true}
associations:
  answer_question: {from: answer, to: question}
  answer_about: {from: answer, to: any}
scores:
  worth:
    criteria: {object: question, expression: rule, weight: weight}
    assessments: {object: answer, score: points, rationale: why, at: at, by: by, user: who, review: review, current: stands,
      key: key, criterion: answer_question, subject: answer_about}
"#;
/// A tenant with secrets, and who may not see which of them.
pub(super) struct Vaults {
    pub(super) tenant: Tenant,
    /// Callers, and how many of the secrets each may not see, from the first on; the second sees the sensitive one.
    pub(super) callers: Vec<(&'static str, Client, Vec<&'static str>)>,
    /// A record with secrets; it is linked to itself.
    pub(super) one: String,
    /// A record that was merged into the first, and one that is archived.
    pub(super) merged: String,
    pub(super) archived: String,
    /// A record that is not linked to anything.
    pub(super) other: String,
    /// The request that has changed the first record's secrets.
    pub(super) request: String,
    /// Views, reports and a dashboard of them all that name what is secret, for everyone.
    pub(super) views: Vec<String>,
    pub(super) reports: Vec<String>,
    pub(super) dashboard: String,
    /// Lists of them all that ask about what is secret, for everyone.
    pub(super) lists: Vec<String>,
    /// Criteria that read what is secret.
    pub(super) questions: Vec<String>,
}

impl Vaults {
    pub(super) async fn make(server: &TestServer) -> Self {
        let tenant = server.tenant("generic").await;
        let text = |more: Value| {
            let mut spec = json!({"type": "string", "searchable": true});
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            spec
        };
        let properties = json!({
            "name": text(json!({"required": true})), "code": text(json!({"unique": true})),
            "secret": text(json!({"sensitive": true, "unique": true})), "hidden": text(json!({"substring": true})),
            "shouted": {"type": "formula", "formula": "hidden + '!'", "result": "string"},
        });
        // A rule that fails quotes what it is about.
        let rule = json!({"rule": "size(hidden) < 100 || int(hidden) > 0", "message": "no number", "at": "hidden"});
        define(
            &tenant,
            json!({"name": "vault", "plural": "vaults", "display": "{{ name }} {{ hidden }}",
            "features": {"duplicates": [["hidden"], [["secret", "name"]]]},
            "properties": properties, "constraints": [rule]}),
        )
        .await;
        let link = json!({"name": "vault_vault", "from": "vault", "to": "vault",
            "properties": {"note": {"type": "string", "sensitive": true}}});
        tenant.post("/association-definitions", &link).await.ok(201);
        let pipeline = json!({"name": "course", "stages": {"open": {}, "done": {"requires": ["hidden"]}}});
        tenant.post("/pipelines/vault", &pipeline).await.ok(201);
        let all = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
        let own = json!({"create": true, "read": "own", "update": "own", "archive": "own"});
        for (name, grants, properties) in [
            ("blind", &all, json!({"vault.hidden": {"read": false}, "vault.secret": {"read": true}})),
            ("plain", &all, json!({})),
            ("lonely", &own, json!({})),
        ] {
            tenant
                .post("/roles", &json!({"name": name, "objects": {"*": grants}, "properties": properties}))
                .await
                .ok(201);
        }
        let [sensitive, hidden, unseen] = SECRETS;
        let mut callers = Vec::new();
        for (role, secrets) in
            [("plain", vec![sensitive]), ("blind", vec![hidden]), ("lonely", vec![sensitive, hidden, unseen])]
        {
            callers.push((role, tenant.user(role, role).await.0, secrets));
        }
        let vault = async |name: &str, code: &str| {
            let secret = format!("{sensitive} {code}");
            let properties = json!({"name": name, "code": code, "secret": secret, "hidden": hidden});
            create_id(&tenant, "vault", properties).await
        };
        let (one, merged) = (vault(unseen, "c1").await, vault("Merged", "c2").await);
        let (archived, other) = (vault("Archived", "c3").await, vault("Other", "c4").await);
        let before = json!({"properties": {"secret": format!("{sensitive} old"), "hidden": format!("{hidden} old")}});
        let request = "changes-secrets".to_owned();
        tenant.patch(&format!("/records/vault/{one}"), &before).header("x-request-id", &request).await.ok(200);
        tenant.post(&format!("/records/vault/{one}/merge"), &json!({"from": [merged]})).await.ok(200);
        tenant.delete(&format!("/records/vault/{archived}")).await.ok(204);
        let link = json!({"properties": {"note": format!("{sensitive} note")}});
        tenant.put(&format!("/records/vault/{one}/associations/vault_vault/{other}"), &link).await.ok(204);
        let questions = judged(&tenant, &[&one, &other]).await;
        create_id(&tenant, "vault", json!({"name": LAST, "code": LAST})).await;
        let (views, reports, dashboard) = saved(&tenant).await;
        let lists = listed(&tenant, &one).await;
        Self { tenant, callers, one, merged, archived, other, request, views, reports, dashboard, lists, questions }
    }
}

/// Criteria that read what is secret, and what they answer of these records.
async fn judged(tenant: &Tenant, vaults: &[&String]) -> Vec<String> {
    let planned = tenant.post("/packs/plan", &json!({"source": WORTH})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    let mut questions = Vec::new();
    for rule in [
        "size(subject.hidden) > 3",
        "int(subject.secret)",
        "subject.hidden == 'x' ? 3 : subject.hidden",
        "{'a': 1}[subject.hidden]",
    ] {
        questions.push(create_id(tenant, "question", json!({"name": "Worth", "rule": rule})).await);
    }
    for vault in vaults {
        tenant.post(&format!("/records/vault/{vault}/scores/worth"), &json!({})).await.ok(200);
    }
    questions
}

/// Views and reports that name what is secret, and a dashboard of them all.
async fn saved(tenant: &Tenant) -> (Vec<String>, Vec<String>, String) {
    let of = |property: &str| json!({"property": property, "op": "exists"});
    let save = async |path: &str, more: Value| {
        let mut item = json!({"label": "Named", "object": "vault", "sharing": "everyone"});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        id(&tenant.post(path, &item).await.ok(201))
    };
    let (mut views, mut reports, mut items) = (Vec::new(), Vec::new(), Vec::new());
    views.push(save("/views", json!({"columns": ["name", "secret", "hidden", "shouted", "code"]})).await);
    views.push(save("/views", json!({})).await);
    for property in ["secret", "hidden", "shouted"] {
        views.push(save("/views", json!({"filter": of(property), "group": property})).await);
        views.push(save("/views", json!({"sort": [{"property": property}]})).await);
        reports.push(save("/reports", json!({"group": [property], "measures": {"n": {"count": true}}})).await);
        reports.push(
            save("/reports", json!({"measures": {"m": {"count_distinct": property}}, "filter": of(property)})).await,
        );
    }
    items.extend(views.iter().map(|view| json!({"view": view})));
    items.extend(reports.iter().map(|report| json!({"report": report})));
    let dashboard = json!({"label": "All", "items": items, "sharing": "everyone"});
    let dashboard = id(&tenant.post("/dashboards", &dashboard).await.ok(201));
    (views, reports, dashboard)
}

/// Lists that ask about what is secret, and one with everything in it.
async fn listed(tenant: &Tenant, one: &str) -> Vec<String> {
    let mut lists = Vec::new();
    for property in ["secret", "hidden", "shouted", "name"] {
        let filter = json!({"property": property, "op": "exists"});
        let linked = json!({"association": "vault_vault", "direction": "out", "match": filter});
        for filter in [filter, linked] {
            let body = json!({"object": "vault", "name": "Asks", "filter": filter});
            lists.push(id(&tenant.post("/lists", &body).await.ok(201)));
        }
    }
    let by_hand = id(&tenant.post("/lists", &json!({"object": "vault", "name": "By hand"})).await.ok(201));
    tenant.put(&format!("/lists/{by_hand}/members/{one}"), &Value::Null).await.ok(204);
    lists.push(by_hand);
    lists
}
