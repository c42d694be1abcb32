//! Random lists over random writes: members are what a search finds, and what is told of them comes to the same.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tests::{Tenant, TestServer};

use super::{check_all, found, list, members, objects, until};
use crate::fixture::create_id;

/// Tenants that are tried, lists of each, and what is done to each.
const ROUNDS: u64 = 6;
const LISTS: usize = 8;
const STEPS: usize = 120;

/// A filter of persons, with lists among what it asks.
fn filter(random: &mut StdRng, lists: &[String], firm_lists: &[String], depth: usize) -> Value {
    let op = *["eq", "gte", "lt", "neq"].choose(random).unwrap();
    let quantifier = *["any", "none", "all"].choose(random).unwrap();
    let number = random.random_range(0..6);
    let inner = |random: &mut StdRng| filter(random, lists, firm_lists, depth + 1);
    match random.random_range(0..if depth < 3 { 10 } else { 7 }) {
        0 | 1 => json!({"property": "age", "op": op, "value": number}),
        2 => json!({"property": "city", "op": "eq", "value": *["a", "b"].choose(random).unwrap()}),
        3 => json!({"association": "person_firm", "quantifier": quantifier,
            "match": {"property": "size", "op": "gte", "value": number}}),
        4 => json!({"association": "person_firm", "count": {"op": "gte", "value": number % 3}}),
        5 => json!({"list": lists.choose(random).unwrap()}),
        6 => json!({"association": "person_firm", "match": {"list": firm_lists.choose(random).unwrap()}}),
        7 => json!({"all": [inner(random), inner(random)]}),
        8 => json!({"any": [inner(random), inner(random)]}),
        _ => json!({"not": inner(random)}),
    }
}

/// What there is, but for what was purged or merged into something else.
struct World<'t> {
    tenant: &'t Tenant,
    persons: Vec<String>,
    firms: Vec<String>,
    /// Lists of persons, the first one by hand.
    lists: Vec<String>,
    /// Lists of firms, the first one by hand.
    firm_lists: Vec<String>,
}

impl World<'_> {
    async fn step(&mut self, random: &mut StdRng) {
        let tenant = self.tenant;
        let is_person = random.random_bool(0.6);
        let object = if is_person { "person" } else { "firm" };
        let age = random.random_bool(0.8).then(|| random.random_range(0..6));
        let values = match is_person {
            true => json!({"age": age, "city": *["a", "b", ""].choose(random).unwrap()}),
            false => json!({"size": age}),
        };
        let any = |random: &mut StdRng, records: &[String]| records.choose(random).cloned();
        let (person, firm) = (any(random, &self.persons), any(random, &self.firms));
        let (Some(person), Some(firm)) = (person, firm) else { return self.create(object, values).await };
        let record = if is_person { &person } else { &firm };
        let link = format!("/records/person/{person}/associations/person_firm/{firm}");
        let list = if is_person { &self.lists[0] } else { &self.firm_lists[0] };
        let reply = match random.random_range(0..34) {
            0..5 => return self.create(object, values).await,
            5..13 => tenant.patch(&format!("/records/{object}/{record}"), &json!({"properties": values})).await,
            13..15 => tenant.delete(&format!("/records/{object}/{record}")).await,
            15..18 => tenant.post(&format!("/records/{object}/{record}/restore"), &Value::Null).await,
            18 => {
                self.firms.retain(|known| *known != firm);
                tenant.delete(&format!("/records/firm/{firm}?purge=true")).await
            }
            19 => {
                let other = any(random, &self.persons).unwrap();
                let merged = tenant.post(&format!("/records/person/{person}/merge"), &json!({"from": [other]})).await;
                if merged.status == 200 {
                    self.persons.retain(|known| *known != other);
                }
                merged
            }
            20..25 => tenant.put(&link, &json!({})).await,
            25..28 => tenant.delete(&link).await,
            28..31 => tenant.put(&format!("/lists/{list}/members/{record}"), &Value::Null).await,
            31..33 => tenant.delete(&format!("/lists/{list}/members/{record}")).await,
            _ => {
                let filter = filter(random, &self.lists, &self.firm_lists, 0);
                let list = any(random, &self.lists[1..]).unwrap();
                tenant.patch(&format!("/lists/{list}"), &json!({"filter": filter})).await
            }
        };
        assert!(reply.status < 500, "{}", reply.text);
    }

    async fn create(&mut self, object: &str, values: Value) {
        let made = create_id(self.tenant, object, values).await;
        if object == "person" { self.persons.push(made) } else { self.firms.push(made) }
    }
}

async fn members_are_what_a_search_finds(server: TestServer) {
    for seed in 0..ROUNDS {
        let (mut random, tenant) = (StdRng::seed_from_u64(seed), server.tenant("generic").await);
        objects(&tenant).await;
        let by_hand = list(&tenant, json!({"object": "person", "name": "By hand"})).await;
        let firms_by_hand = list(&tenant, json!({"object": "firm", "name": "Firms by hand"})).await;
        let large = json!({"property": "size", "op": "gte", "value": 3});
        let large = list(&tenant, json!({"object": "firm", "name": "Large", "filter": large})).await;
        let (lists, firm_lists) = (vec![by_hand], vec![firms_by_hand, large]);
        let mut world = World { tenant: &tenant, persons: Vec::new(), firms: Vec::new(), lists, firm_lists };
        // Lists are there before the first record, so that all who are in one have joined it.
        for number in 0..LISTS {
            let filter = filter(&mut random, &world.lists, &world.firm_lists, 0);
            let body = json!({"object": "person", "name": format!("List {number}"), "filter": filter});
            let made = list(&tenant, body).await;
            world.lists.push(made);
        }
        for _ in 0..STEPS {
            world.step(&mut random).await;
        }
        eprintln!("seed {seed}");
        check_all(&tenant, "person", &world.lists).await;
        for list in &world.firm_lists {
            let both = async || (found(&tenant, "firm", list).await, members(&tenant, list).await);
            until(both, |(found, members)| found == members).await;
        }
    }
}

scenarios![members_are_what_a_search_finds];
