//! A thousand lists that are kept while records change: how long after a write who joins and leaves is told.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::super::asker::Asker;
use super::super::histogram::Latencies;
use super::change::is;
use super::report::Line;
use crate::{Tenant, TestServer};

/// Records in one batch.
const BATCH: usize = 500;
/// Changes a second.
const RATE: u32 = 200;
/// Who makes them, each at its own times.
const WRITERS: u32 = 8;
/// Companies that records are linked with.
const FIRMS: usize = 100;
/// What the state of a record may be.
const STATES: [&str; 4] = ["new", "open", "won", "lost"];
/// How long a write may take to be told.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn measure(server: &TestServer, lists: usize, records: usize, time: Duration) -> Result<Vec<Line>> {
    let tenant = server.tenant("generic").await;
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    define(&mut asker).await?;
    let ids = fill(&mut asker, records).await?;
    let began = Instant::now();
    for number in 0..lists {
        let body = json!({"object": "person", "name": format!("List {number}"), "filter": filter(number)});
        asker.expect(201, "POST", "/lists", &body).await?;
    }
    let probe =
        json!({"object": "person", "name": "Probe", "filter": {"property": "probe", "op": "eq", "value": true}});
    let probe = asker.expect(201, "POST", "/lists", &probe).await?;
    let filled = await_filled(&mut asker, lists + 1).await.map(|()| began.elapsed())?;
    let calm = lags(server, &tenant, &ids[0], time / 4).await?;
    let (busy, written) = tokio::join!(lags(server, &tenant, &ids[0], time), write(server, &tenant, &ids[1..], time));
    let (busy, (writes, late)) = (busy?, written?);
    // Once it is quiet, what is kept is what a search finds.
    let filter = json!({"filter": {"list": probe["id"]}, "limit": 0, "count": true});
    let found = asker.expect(200, "POST", "/records/person/search", &filter).await?;
    let path = format!("/lists/{}", probe["id"].as_str().unwrap_or_default());
    let read = asker.expect(200, "GET", &path, &Value::Null).await?;
    is(&read["members"], &found["total"], "the members of the probe")?;
    let rate = f64::from(u32::try_from(writes)?) / time.as_secs_f64();
    let [p50, p99, most] = [50.0, 99.0, 100.0].map(|percent| busy.percentile_ms(percent));
    let text = format!(
        "{lists} dynamic lists over {records} records, made and filled in {:.1} s; at {rate:.0} changes a second who \
         joins is told after p50 {p50:.1} ms, p99 {p99:.1}, longest {most:.1}; a write p50 {:.1} ms, p99 {:.1}; without \
         other changes told after p50 {:.1} ms",
        filled.as_secs_f64(),
        late.percentile_ms(50.0),
        late.percentile_ms(99.0),
        calm.percentile_ms(50.0),
    );
    let values = json!({
        "lists": lists, "records": records, "filled_s": filled.as_secs_f64(), "rate": rate, "lag_p50_ms": p50,
        "lag_p99_ms": p99, "lag_longest_ms": most, "write_p50_ms": late.percentile_ms(50.0),
        "write_p99_ms": late.percentile_ms(99.0), "calm_lag_p50_ms": calm.percentile_ms(50.0),
    });
    Ok(vec![Line { text, values }])
}

async fn define(asker: &mut Asker) -> Result<()> {
    let firm = json!({"name": "firm", "plural": "firms", "properties": {"size": {"type": "integer"}}});
    asker.expect(201, "POST", "/object-definitions", &firm).await?;
    let properties = json!({
        "name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"}, "score": {"type": "integer"},
        "state": {"type": "enum", "options": STATES}, "probe": {"type": "boolean"},
    });
    let person = json!({"name": "person", "plural": "persons", "properties": properties});
    asker.expect(201, "POST", "/object-definitions", &person).await?;
    let link = json!({"name": "person_firm", "from": "person", "to": "firm", "cardinality": "many_to_one"});
    asker.expect(201, "POST", "/association-definitions", &link).await.map(drop)
}

fn person(number: usize) -> Value {
    json!({"name": format!("Person {number}"), "age": number % 90, "city": format!("City {}", number % 200),
        "score": number % 1_000, "state": STATES[number % 4]})
}

/// Nine of ten ask about the records alone, one about the firms that they are linked with.
fn filter(number: usize) -> Value {
    let score = json!({"property": "score", "op": "gte", "value": number % 1_000});
    let city = json!({"property": "city", "op": "eq", "value": format!("City {}", number % 200)});
    let state = json!({"property": "state", "op": "in", "value": ["open", "won"]});
    match number % 10 {
        0 => json!({"all": [state, {"association": "person_firm", "match":
            {"property": "size", "op": "gte", "value": number % 100}}]}),
        1..4 => json!({"all": [score, state]}),
        4..7 => json!({"any": [city, {"all": [score, {"property": "age", "op": "lt", "value": 20}]}]}),
        _ => json!({"all": [city, {"not": state}]}),
    }
}

async fn fill(asker: &mut Asker, records: usize) -> Result<Vec<String>> {
    let firms: Vec<Value> = (0..FIRMS).map(|number| json!({"properties": {"size": number}})).collect();
    let firms = made(&asker.expect(207, "POST", "/records/firm/batch/create", &json!({"inputs": firms})).await?);
    is(&json!(firms.len()), &json!(FIRMS), "the number of firms")?;
    let mut ids = Vec::with_capacity(records);
    for first in (0..records).step_by(BATCH) {
        let input = |number: usize| {
            let link = json!([{"type": "person_firm", "to": firms[number % FIRMS]}]);
            json!({"properties": person(number), "associations": link})
        };
        let inputs: Vec<Value> = (first..records.min(first + BATCH)).map(input).collect();
        let reply = asker.expect(207, "POST", "/records/person/batch/create", &json!({"inputs": inputs})).await?;
        ids.extend(made(&reply));
    }
    is(&json!(ids.len()), &json!(records), "the number of records")?;
    Ok(ids)
}

fn made(reply: &Value) -> Vec<String> {
    let results = reply["results"].as_array().into_iter().flatten();
    results.filter_map(|result| result["record"]["id"].as_str().map(str::to_owned)).collect()
}

async fn await_filled(asker: &mut Asker, lists: usize) -> Result<()> {
    let until = Instant::now() + PATIENCE * 10;
    loop {
        let (mut current, mut path) = (0, "/lists?limit=200".to_owned());
        loop {
            let page = asker.expect(200, "GET", &path, &Value::Null).await?;
            let all = page["results"].as_array().into_iter().flatten();
            current += all.filter(|list| list["state"] == "current").count();
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/lists?limit=200&cursor={cursor}");
        }
        if current == lists {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(anyhow!("only {current} lists of {lists} are filled"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How long after a write has been acknowledged it is told that its record has joined or left.
async fn lags(server: &TestServer, tenant: &Tenant, record: &str, time: Duration) -> Result<Latencies> {
    let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
    // It is no member to begin with.
    let body = json!({"properties": {"probe": null}});
    asker.expect(200, "PATCH", &format!("/records/person/{record}"), &body).await?;
    let mut after = position(&mut asker).await?;
    let (until, mut lags, mut is_member) = (Instant::now() + time, Latencies::new(), true);
    while Instant::now() < until {
        let body = json!({"properties": {"probe": is_member}});
        asker.expect(200, "PATCH", &format!("/records/person/{record}"), &body).await?;
        let (began, kind) = (Instant::now(), if is_member { "segment.joined" } else { "segment.left" });
        'told: loop {
            let path = format!("/changes?after={after}&limit=1000&wait=5");
            let page = asker.expect(200, "GET", &path, &Value::Null).await?;
            for change in page["results"].as_array().into_iter().flatten() {
                after = change["sequence"].as_str().and_then(|text| text.parse().ok()).unwrap_or(after);
                if change["kind"] == kind && change["record_id"] == record {
                    lags.record(began.elapsed());
                    break 'told;
                }
            }
            if began.elapsed() > PATIENCE {
                return Err(anyhow!("a write was not told within {} s", PATIENCE.as_secs()));
            }
        }
        is_member = !is_member;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(lags)
}

async fn position(asker: &mut Asker) -> Result<u64> {
    let mut after = 0;
    loop {
        let page = asker.expect(200, "GET", &format!("/changes?after={after}&limit=1000"), &Value::Null).await?;
        let last = page["results"].as_array().and_then(|all| all.last()?["sequence"].as_str()?.parse().ok());
        let Some(last) = last else { return Ok(after) };
        after = last;
    }
}

/// Changes records at the rate; how many, and how long a write took from when it was due.
async fn write(server: &TestServer, tenant: &Tenant, ids: &[String], time: Duration) -> Result<(usize, Latencies)> {
    let (mut writers, until) = (JoinSet::new(), Instant::now() + time);
    for writer in 0..WRITERS as usize {
        let mut asker = Asker::open(server, tenant.token().context("a token")?).await?;
        let own: Vec<String> = ids.iter().skip(writer).step_by(WRITERS as usize).cloned().collect();
        writers.spawn(async move {
            let (mut late, mut turn) = (Latencies::new(), writer);
            let mut ticks = tokio::time::interval(Duration::from_secs(1) * WRITERS / RATE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while Instant::now() < until {
                let due = ticks.tick().await;
                let record = &own[turn % own.len()];
                let values = match turn % 4 {
                    0 => json!({"score": turn % 1_000}),
                    1 => json!({"city": format!("City {}", turn % 200)}),
                    2 => json!({"state": STATES[turn / 4 % 4]}),
                    _ => json!({"name": format!("Other {turn}")}),
                };
                let body = json!({"properties": values});
                asker.expect(200, "PATCH", &format!("/records/person/{record}"), &body).await?;
                late.record(due.elapsed());
                turn += 7;
            }
            Ok::<_, anyhow::Error>(late)
        });
    }
    let mut all = Latencies::new();
    while let Some(joined) = writers.join_next().await {
        all.add(&joined.map_err(|error| anyhow!("a writer died: {error}"))??);
    }
    Ok((usize::try_from(all.count())?, all))
}
