//! What rules of access cost a search: the same searches by somebody who sees all records and by somebody whose role
//! shows those of their team and those that nobody owns, who are made to find as many.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::change::is;
use super::report::Line;
use crate::TestServer;

/// Records in one batch.
const BATCH: usize = 500;
/// Searches of each kind, taken in turns.
const TURNS: usize = 300;

pub(super) async fn measure(server: &TestServer, records: usize) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut owner = Asker::open(server, tenant.token().context("a token")?).await?;
    let properties = json!({"name": {"type": "string", "searchable": true}, "size": {"type": "integer"},
        "secret": {"type": "string", "sensitive": true}});
    owner
        .expect(
            201,
            "POST",
            "/object-definitions",
            &json!({"name": "card", "plural": "cards", "properties": properties}),
        )
        .await?;
    let role = |name: &str, reach: &str, sees: bool| json!({"name": name, "label": name, "objects": {"card": {"read": reach}}, "properties": {"card.secret": {"read": sees}}});
    for body in [role("near", "own_or_unclaimed", false), role("open", "all", true)] {
        owner.expect(201, "POST", "/roles", &body).await?;
    }
    let mut users = Vec::new();
    for name in ["ann", "ben"] {
        let user = owner.expect(201, "POST", "/users", &json!({"name": name, "role": "near"})).await?;
        users.push(user["id"].as_str().context("an id")?.to_owned());
    }
    let mut token = async |body: Value| -> Result<String> {
        let made = owner.expect(201, "POST", "/tokens", &body).await?;
        Ok(made["secret"].as_str().context("a token")?.to_owned())
    };
    let near = token(json!({"name": "near", "user": users[0]})).await?;
    let open = token(json!({"name": "open", "role": "open"})).await?;
    let plain = token(json!({"name": "plain", "role": "viewer"})).await?;
    for first in (0..records).step_by(BATCH) {
        // A third of them are nobody's, a third the one's, a third the other's.
        let input = |number: usize| {
            let owner = [Value::Null, json!(users[0]), json!(users[1])][number % 3].clone();
            json!({"properties": {"name": format!("Card {}", number % 977), "size": number % 1_000,
                "secret": format!("s{number}")}, "owner_id": owner})
        };
        let inputs: Vec<Value> = (first..records.min(first + BATCH)).map(input).collect();
        owner.expect(207, "POST", "/records/card/batch/create", &json!({"inputs": inputs})).await?;
    }
    let (mut near, mut open) = (Asker::open(server, &near).await?, Asker::open(server, &open).await?);
    let mut plain = Asker::open(server, &plain).await?;
    let rules = by_rules(&mut plain, &mut near).await?;
    let log = with_log(&mut plain, &mut open).await?;
    Ok(vec![rules, log])
}

async fn search(asker: &mut Asker, body: &str, latencies: &mut Latencies) -> Result<u64> {
    let answer = asker.ask("POST", "/records/card/search", body).await?;
    is(&json!(answer.status), &json!(200), "a search")?;
    latencies.record(answer.took);
    let found: Value = serde_json::from_slice(answer.body)?;
    Ok(found["total"].as_u64().unwrap_or_default())
}

/// The same page and count, of all records and of those that a role shows.
async fn by_rules(all: &mut Asker, near: &mut Asker) -> Result<Line> {
    let (mut of_all, mut of_near) = (Latencies::new(), Latencies::new());
    let body = |turn: usize| {
        let low = turn % 500;
        json!({"filter": {"property": "size", "op": "between", "value": [low, low + 300]}, "sort": ["-size"],
            "select": ["name", "size"], "count": true, "limit": 50})
        .to_string()
    };
    let (mut total, mut shown) = (0, 0);
    for turn in 0..TURNS {
        total += search(all, &body(turn), &mut of_all).await?;
        shown += search(near, &body(turn), &mut of_near).await?;
    }
    anyhow::ensure!(shown > total / 2 && shown < total, "{shown} of {total} are shown");
    Ok(line("a page of 50 with its count", "all records", &of_all, "a role that shows two thirds", &of_near))
}

/// The same page with a sensitive value in each record, whose reading is written down, and without.
async fn with_log(plain: &mut Asker, open: &mut Asker) -> Result<Line> {
    let (mut of_plain, mut of_open) = (Latencies::new(), Latencies::new());
    for turn in 0..TURNS {
        let body = json!({"filter": {"property": "size", "op": "eq", "value": turn % 500}, "limit": 50}).to_string();
        search(plain, &body, &mut of_plain).await?;
        search(open, &body, &mut of_open).await?;
    }
    Ok(line("a page of 50", "without sensitive values", &of_plain, "with one in each, written down", &of_open))
}

fn line(what: &str, one: &str, ones: &Latencies, other: &str, others: &Latencies) -> Line {
    let p50 = [ones.percentile_ms(50.0), others.percentile_ms(50.0)];
    let p99 = [ones.percentile_ms(99.0), others.percentile_ms(99.0)];
    let ratio = p50[1] / p50[0];
    let text = format!(
        "{what}: {one} p50 {:.2} ms, p99 {:.2}; {other} p50 {:.2}, p99 {:.2}; ratio {ratio:.2}",
        p50[0], p99[0], p50[1], p99[1]
    );
    Line { text, values: json!({"what": what, "p50_ms": p50, "p99_ms": p99, "ratio": ratio}) }
}
