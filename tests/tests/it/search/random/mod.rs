//! Random questions about random records, held against a plain reference.
//!
//! `TRELLIS_TEST_QUERIES` says how many, `TRELLIS_TEST_SEED` repeats a run that has failed.

mod asking;
mod sample;
mod shape;
mod shrinking;
mod writing;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tests::{Tenant, TestServer};

use super::reference::Model;
use crate::fixture::results;
use asking::Asker;
use writing::World;

/// Questions on each store unless asked otherwise.
const QUERIES: usize = 1_200;

/// Between them records are written.
const ROUNDS: usize = 4;

/// What is searched, each as often as another.
const OBJECTS: [&[&str]; 7] =
    [&["part"], &["part"], &["part"], &["vendor"], &["crate"], &["part", "crate"], &["vendor", "part", "crate"]];

/// Most pages that are read of one question.
const PAGES: usize = 6;

async fn answers_are_those_of_a_plain_reference(server: TestServer) {
    let seed = asked("TRELLIS_TEST_SEED").unwrap_or_else(|| rand::rng().random());
    let queries = asked("TRELLIS_TEST_QUERIES").map_or(QUERIES, |queries| queries as usize);
    let tenant = server.tenant("generic").await;
    let (_, ann) = tenant.user("ann", "member").await;
    let (_, bob) = tenant.user("bob", "member").await;
    let model = shape::define_all(&tenant).await;
    let mut world = World { tenant, model, users: vec![ann, bob], random: StdRng::seed_from_u64(seed) };
    for _ in 0..ROUNDS {
        world.write().await;
        for _ in 0..queries.div_ceil(ROUNDS) {
            let World { tenant, model, users, random } = &mut world;
            let objects = OBJECTS[random.random_range(0..OBJECTS.len())];
            let query = Asker { model, users, random }.query(objects);
            if let Some(difference) = difference(tenant, model, objects, &query).await {
                let (query, difference) = smallest(tenant, model, objects, query, difference).await;
                panic!("TRELLIS_TEST_SEED={seed}: {objects:?}: {query}\n{}", difference.text);
            }
        }
    }
}

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// What is wrong with an answer.
struct Difference {
    /// Whether there was an answer at all.
    status: u16,
    text: String,
}

/// The least that is asked with an answer that is as wrong.
async fn smallest(
    tenant: &Tenant,
    model: &Model,
    objects: &[&str],
    mut query: Value,
    mut found: Difference,
) -> (Value, Difference) {
    'smaller: loop {
        for smaller in shrinking::smaller(&query) {
            let difference = difference(tenant, model, objects, &smaller).await;
            if let Some(difference) = difference.filter(|difference| difference.status == found.status) {
                (query, found) = (smaller, difference);
                continue 'smaller;
            }
        }
        return (query, found);
    }
}

/// Asks, page by page, and compares.
async fn difference(tenant: &Tenant, model: &Model, objects: &[&str], query: &Value) -> Option<Difference> {
    let expected = model.answer(objects, query);
    let limit = query["limit"].as_u64().unwrap_or(50) as usize;
    let mut page = query.clone();
    let path = match objects {
        [object] => format!("/records/{object}/search"),
        _ => {
            page["objects"] = json!(objects);
            "/search".to_owned()
        }
    };
    page["limit"] = json!(if limit == 0 { 0 } else { limit.max(expected.ids.len() / PAGES).min(200) });
    let (mut found, mut is_first) = (Vec::new(), true);
    loop {
        let reply = tenant.post(&path, &page).await;
        let wrong = |text: String| Some(Difference { status: reply.status, text });
        if reply.status != 200 {
            return wrong(reply.text);
        }
        let answer = reply.json();
        if is_first {
            if answer["total"] != json!(expected.ids.len()) {
                return wrong(format!(
                    "total {} instead of {}: {:?}",
                    answer["total"],
                    expected.ids.len(),
                    expected.ids
                ));
            }
            let tables = if query["aggregate"].is_object() { &answer["aggregates"] } else { &json!({}) };
            if !is_same(tables, &expected.aggregates) {
                return wrong(format!("tables {tables:#}\ninstead of {:#}", expected.aggregates));
            }
        }
        for record in results(&answer) {
            let mut record = record.clone();
            record.as_object_mut().unwrap().remove("highlights");
            let id: u64 = record["id"].as_str().unwrap().parse().unwrap();
            if model.records.get(&id).is_none_or(|known| known.body != record) {
                return wrong(format!("{record:#}\ninstead of {:#?}", model.records.get(&id)));
            }
            found.push(id);
        }
        let wanted = if limit == 0 { &[] } else { expected.ids.as_slice() };
        if !wanted.starts_with(&found) || answer["next_cursor"].is_null() && found.len() != wanted.len() {
            return wrong(format!("found {found:?}\ninstead of {wanted:?}"));
        }
        if answer["next_cursor"].is_null() {
            return None;
        }
        // A page is the same whatever else was asked for with the one before.
        page.as_object_mut().unwrap().remove("aggregate");
        page.as_object_mut().unwrap().remove("count");
        page["cursor"] = answer["next_cursor"].clone();
        is_first = false;
    }
}

/// Whether two tables are equal: everything exactly, but percentiles within 1 % of the value.
fn is_same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| is_same(found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && expected.iter().all(|(name, expected)| match found.get(name) {
                    Some(found) if name.parse::<f64>().is_ok() => is_near(found, expected),
                    Some(found) => is_same(found, expected),
                    None => false,
                })
        }
        _ => found == expected,
    }
}

/// Within 1 % of a number, and of its JSON type.
fn is_near(found: &Value, expected: &Value) -> bool {
    let number = |value: &Value| value.as_str().map_or_else(|| value.as_f64(), |text| text.parse().ok());
    match (number(found), number(expected)) {
        (Some(one), Some(other)) => {
            found.is_string() == expected.is_string() && (one - other).abs() <= other.abs() / 100.0
        }
        _ => found == expected,
    }
}

scenarios![answers_are_those_of_a_plain_reference];
