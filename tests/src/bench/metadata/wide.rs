//! An object with very many properties in every kind of call.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::change::is;
use super::report::Line;
use crate::TestServer;

/// How often each call is made.
const TURNS: usize = 30;

pub(super) async fn measure(server: &TestServer, properties: usize) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    let names: Vec<String> = (0..properties).map(|number| format!("p{number}")).collect();
    let specs: Map<String, Value> =
        names.iter().enumerate().map(|(number, name)| (name.clone(), spec(number))).collect();
    let began = Instant::now();
    let body = json!({"name": "wide", "plural": "wides", "properties": specs});
    asker.expect(201, "POST", "/object-definitions", &body).await?;
    let defined = began.elapsed();
    let values: Map<String, Value> =
        names.iter().enumerate().map(|(number, name)| (name.clone(), value(number))).collect();
    let (mut texts, mut measured, mut id) = (Vec::new(), Map::new(), Value::Null);
    let mut note = |what: &str, latencies: &Latencies| {
        let p50 = latencies.percentile_ms(50.0);
        texts.push(format!("{what} {p50:.1}"));
        measured.insert(what.to_owned(), json!(p50));
    };
    let mut latencies = Latencies::new();
    for _ in 0..TURNS {
        let answer = asker.ask("POST", "/records/wide", &json!({"properties": values}).to_string()).await?;
        latencies.record(answer.took);
        let made: Value = serde_json::from_slice(answer.body)?;
        is(&json!(made["properties"].as_object().map(Map::len)), &json!(properties), "the number of values")?;
        id = made["id"].clone();
    }
    note("create", &latencies);
    let path = format!("/records/wide/{}", id.as_str().unwrap_or_default());
    let last = names.last().cloned().unwrap_or_default();
    let found = json!({"filter": {"property": "p0", "op": "eq", "value": "0"}, "limit": 1, "select": ["p0"]});
    let calls: [(&str, &str, String, Value); 5] = [
        ("read", "GET", path.clone(), Value::Null),
        ("read one property", "GET", format!("{path}?select={last}"), Value::Null),
        ("list of 30", "GET", "/records/wide".to_owned(), Value::Null),
        ("search", "POST", "/records/wide/search".to_owned(), found),
        ("definition", "GET", "/object-definitions/wide".to_owned(), Value::Null),
    ];
    for (what, method, path, body) in calls {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut latencies = Latencies::new();
        for _ in 0..TURNS {
            let answer = asker.ask(method, &path, &body).await?;
            is(&json!(answer.status), &json!(200), what)?;
            latencies.record(answer.took);
        }
        note(what, &latencies);
    }
    let mut latencies = Latencies::new();
    for turn in 0..TURNS {
        let body = json!({"properties": {"p1": turn}}).to_string();
        let answer = asker.ask("PATCH", &path, &body).await?;
        is(&json!(answer.status), &json!(200), "a change")?;
        latencies.record(answer.took);
    }
    note("change", &latencies);
    let mut latencies = Latencies::new();
    for turn in 0..TURNS {
        let body = json!({"name": format!("q{turn}"), "type": "integer"}).to_string();
        let answer = asker.ask("POST", "/object-definitions/wide/properties", &body).await?;
        is(&json!(answer.status), &json!(201), "a property")?;
        latencies.record(answer.took);
    }
    note("one more property", &latencies);
    let text = format!(
        "{properties} properties, all with values; defined in {:.0} ms; p50 in ms: {}",
        defined.as_secs_f64() * 1000.0,
        texts.join(", ")
    );
    Ok(vec![Line { text, values: Value::Object(measured) }])
}

fn spec(number: usize) -> Value {
    match number % 4 {
        0 => json!({"type": "string", "label": format!("Text {number}")}),
        1 => json!({"type": "integer"}),
        2 => json!({"type": "money", "currency": "EUR"}),
        _ => json!({"type": "enum", "options": ["a", "b", "c"]}),
    }
}

fn value(number: usize) -> Value {
    match number % 4 {
        0 => json!(number.to_string()),
        1 => json!(number),
        2 => json!(format!("{number}.50")),
        _ => json!("b"),
    }
}
