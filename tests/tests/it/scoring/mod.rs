//! Scores: weighted criteria, assessments with their history and reasons, people who override, and rankings.

mod many;
mod merged;
mod people;
mod protected;
mod ranking;
mod refusals;
mod rights;
mod rules;

use serde_json::{Value, json};
use tests::Client;

use crate::fixture::{create_id, results};

/// A score of other names: what it consists of is said by the pack alone.
const HOTEL: &str = r#"
pack: hotel
version: 1.0.0
objects:
  guest: {plural: guests, display: "{{ name }}", properties: {name: {type: string}, nights: {type: integer}, standing: {type: integer}}}
  question: {plural: questions, display: "{{ text }}", properties: {text: {type: string}, cel: {type: text}, share: {type: integer}}}
  verdict:
    plural: verdicts
    properties:
      points: {type: integer}
      because: {type: text}
      on: {type: datetime}
      kind: {type: enum, options: [person, rule]}
      judge: {type: user}
      state: {type: enum, options: [pending, accepted, rejected]}
      stands: {type: boolean}
      what: {type: string, unique: true}
associations:
  verdict_question: {from: verdict, to: question}
  verdict_guest: {from: verdict, to: guest}
scores:
  welcome:
    label: How welcome
    criteria: {object: question, expression: cel, weight: share}
    assessments: {object: verdict, score: points, rationale: because, at: on, by: kind, user: judge, review: state,
      current: stands, key: what, criterion: verdict_question, subject: verdict_guest}
    totals: {guest: standing}
"#;

async fn contact(tenant: &Client, more: Value) -> String {
    let mut properties = json!({"first_name": "Ada", "last_name": "Lovelace"});
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    create_id(tenant, "contact", properties).await
}

async fn criterion(tenant: &Client, name: &str, expression: &str, weight: &str) -> String {
    create_id(tenant, "fit_criterion", json!({"name": name, "expression": expression, "weight": weight})).await
}

fn score_of(contact: &str) -> String {
    format!("/records/contact/{contact}/scores/fit")
}

async fn assess(tenant: &Client, contact: &str) -> Value {
    tenant.post(&score_of(contact), &json!({})).await.ok(200)
}

/// What stands of each criterion: its name, its points, and who said so.
fn lines(score: &Value) -> Vec<(&str, Option<i64>, Option<&str>)> {
    let mut lines = Vec::new();
    for line in score["criteria"].as_array().unwrap() {
        let name = line["criterion"]["display_name"].as_str().unwrap();
        lines.push((name, line["score"].as_i64(), line["by"].as_str()));
    }
    lines
}

async fn lead_score(tenant: &Client, contact: &str) -> Value {
    tenant.get(&format!("/records/contact/{contact}")).await.ok(200)["properties"]["lead_score"].clone()
}

/// How many assessments there are, and how many of them stand.
async fn counted(tenant: &Client) -> (u64, u64) {
    let count = async |filter: Value| {
        let body = json!({"filter": filter, "count": true, "limit": 0});
        tenant.post("/records/fit_assessment/search", &body).await.ok(200)["total"].as_u64().unwrap()
    };
    (count(Value::Null).await, count(json!({"property": "is_current", "op": "eq", "value": true})).await)
}

async fn history(tenant: &Client, contact: &str, query: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = tenant.get(&format!("{}/history?limit=2{query}{cursor}", score_of(contact))).await.ok(200);
        all.extend(results(&page).iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}
