//! Random roles over random records: what the engine gives is what a plain reading of the rules says.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{define, id, results};

const REACHES: [&str; 5] = ["all", "team", "own", "own_or_unclaimed", "none"];

/// How many roles are tried.
const ROUNDS: usize = 8;

/// A record and whose it is.
#[derive(Debug, Clone)]
struct Stored {
    id: String,
    owner: Option<String>,
    team: Option<String>,
}

/// A user, their teams, and everybody in these.
#[derive(Debug, Clone)]
struct Person {
    id: String,
    teams: Vec<String>,
    mates: BTreeSet<String>,
}

/// What one role says, or one token's scopes.
#[derive(Debug, Clone)]
struct Part {
    read: &'static str,
    update: &'static str,
}

/// The rules once more, as people would say them.
fn covers(reach: &str, person: &Person, record: &Stored) -> bool {
    let is_own = record.owner.as_ref() == Some(&person.id);
    match reach {
        "all" => true,
        "none" => false,
        "own" => is_own,
        "own_or_unclaimed" => is_own || record.owner.is_none(),
        "team" => {
            is_own
                || record.owner.as_ref().is_some_and(|owner| person.mates.contains(owner))
                || record.team.as_ref().is_some_and(|team| person.teams.contains(team))
        }
        other => panic!("no reach is called {other}"),
    }
}

struct World {
    tenant: Tenant,
    people: Vec<Person>,
    records: Vec<Stored>,
}

impl World {
    /// Four people in two teams, and a record for each owner and team that there can be.
    async fn make(server: &TestServer) -> Self {
        let tenant = server.tenant("generic").await;
        define(&tenant, json!({"name": "site", "plural": "sites", "properties": {"name": {"type": "string"}}})).await;
        let mut users = Vec::new();
        for name in ["ada", "bob", "cid", "dan"] {
            users.push(id(&tenant.post("/users", &json!({"name": name, "role": "viewer"})).await.ok(201)));
        }
        let members = [vec![users[0].clone(), users[1].clone()], vec![users[1].clone(), users[2].clone()]];
        let mut teams = Vec::new();
        for (name, members) in ["north", "south"].iter().zip(&members) {
            teams.push(id(&tenant.post("/teams", &json!({"name": name, "members": members})).await.ok(201)));
        }
        let people = users.iter().map(|user| {
            let own = || teams.iter().zip(&members).filter(|(_, members)| members.contains(user));
            let mates = own().flat_map(|(_, members)| members.iter().cloned()).collect();
            Person { id: user.clone(), teams: own().map(|(team, _)| team.clone()).collect(), mates }
        });
        let people = people.collect();
        let mut records = Vec::new();
        for owner in [None].into_iter().chain(users.iter().cloned().map(Some)) {
            for team in [None].into_iter().chain(teams.iter().cloned().map(Some)) {
                let body = json!({"properties": {"name": "x"}, "owner_id": owner, "team_id": team});
                let id = id(&tenant.post("/records/site", &body).await.ok(201));
                records.push(Stored { id, owner: owner.clone(), team });
            }
        }
        Self { tenant, people, records }
    }

    /// A token of a person with a role of its own, below the person's role and some scopes.
    async fn caller(&self, person: &Person, scopes: &Value) -> Client {
        let body = json!({"name": "x", "user": person.id, "role": "of_token", "scopes": scopes});
        let made = self.tenant.post("/tokens", &body).await.ok(201);
        self.tenant.with_token(made["secret"].as_str().unwrap())
    }
}

fn ids(page: &Value) -> BTreeSet<String> {
    results(page).iter().map(id).collect()
}

async fn what_is_given_is_what_the_rules_say(server: TestServer) {
    let asked = std::env::var("TRELLIS_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = asked.unwrap_or_else(|| rand::rng().random());
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::make(&server).await;
    let all = json!({"read": "all", "update": "all"});
    for name in ["of_token", "of_user"] {
        world.tenant.post("/roles", &json!({"name": name, "objects": {"site": all}})).await.ok(201);
    }
    for person in &world.people {
        world.tenant.patch(&format!("/users/{}", person.id), &json!({"role": "of_user"})).await.ok(200);
    }
    // Tokens are made while the roles are alike; what they are worth changes with the roles.
    let mut callers = Vec::new();
    for person in &world.people {
        for scopes in [json!([]), json!(["read"]), json!(["site:write"])] {
            callers.push((person, scopes.clone(), world.caller(person, &scopes).await));
        }
    }
    let mut one_of = |list: &[&'static str]| list[random.random_range(0..list.len())];
    for round in 0..ROUNDS {
        let mut parts = Vec::new();
        for name in ["of_token", "of_user"] {
            let part = Part { read: one_of(&REACHES), update: one_of(&REACHES) };
            // By its own name, or as any object.
            let (object, other) = if one_of(&["one", "any"]) == "one" { ("site", "*") } else { ("*", "site") };
            let granted = json!({"read": part.read, "update": part.update});
            let grants = Map::from_iter([(object.to_owned(), granted), (other.to_owned(), Value::Null)]);
            world.tenant.patch(&format!("/roles/{name}"), &json!({"objects": grants})).await.ok(200);
            parts.push(part);
        }
        for (person, scopes, caller) in &callers {
            let scope = Part { read: "all", update: if scopes == &json!(["read"]) { "none" } else { "all" } };
            let allows = |record: &Stored, reach: fn(&Part) -> &'static str| {
                parts.iter().chain([&scope]).all(|part| covers(reach(part), person, record))
            };
            let readable: BTreeSet<String> = world
                .records
                .iter()
                .filter(|record| allows(record, |part| part.read))
                .map(|record| record.id.clone())
                .collect();
            let told = format!("seed {seed} round {round}: {parts:?} {scopes} {person:?}");
            check(&world, caller, &readable, &told).await;
            for record in &world.records {
                for (action, expected) in
                    [("read", allows(record, |part| part.read)), ("update", allows(record, |part| part.update))]
                {
                    // Only an administrator asks about what is not seen; for others there is no such record.
                    let path = format!("/access/explain?record={}&action={action}", record.id);
                    let reply = caller.get(&path).await;
                    match readable.contains(&record.id) {
                        true => assert_eq!(reply.ok(200)["allowed"], expected, "{told} {record:?} {action}"),
                        false => drop(reply.problem(404, "not_found")),
                    }
                }
            }
        }
    }
}

/// Lists, searches and reads by id have exactly what may be read.
async fn check(world: &World, caller: &Client, readable: &BTreeSet<String>, told: &str) {
    let listed = caller.get("/records/site?limit=200").await;
    let searched = caller.post("/records/site/search", &json!({"limit": 200, "count": true})).await;
    // Where no record could be read, the object is refused as a whole.
    if listed.status == 403 {
        assert!(readable.is_empty(), "{told}");
        searched.problem(403, "forbidden");
    } else {
        assert_eq!(ids(&listed.ok(200)), *readable, "{told}");
        let searched = searched.ok(200);
        assert_eq!((ids(&searched), &searched["total"]), (readable.clone(), &json!(readable.len())), "{told}");
    }
    let inputs: Vec<Value> = world.records.iter().map(|record| json!({"id": record.id})).collect();
    let read = caller.post("/records/site/batch/read", &json!({"inputs": inputs})).await.ok(207);
    for (result, record) in results(&read).iter().zip(&world.records) {
        assert_eq!(result["status"] == 200, readable.contains(&record.id), "{told} {record:?}");
    }
}

scenarios![what_is_given_is_what_the_rules_say];
