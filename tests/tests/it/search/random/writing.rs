//! Random writes, and the model of what they have done.

use std::collections::BTreeSet;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};
use tests::Tenant;

use super::sample;
use crate::fixture::results;
use crate::search::reference::{Link, Model, Record};

/// How many records of each object a round makes.
const MADE: [(&str, usize); 3] = [("part", 60), ("vendor", 12), ("crate", 15)];

/// A tenant, what is in it, and chance.
pub(super) struct World {
    pub(super) tenant: Tenant,
    pub(super) model: Model,
    pub(super) users: Vec<String>,
    pub(super) random: StdRng,
}

impl World {
    /// Makes, changes, archives, restores, erases and links records.
    pub(super) async fn write(&mut self) {
        for (object, count) in MADE {
            self.create(object, count).await;
            // Some are changed again and again.
            for _ in 0..3 {
                self.update(object, count / 2).await;
            }
        }
        for _ in 0..2 {
            self.link("part_vendor", 40).await;
            self.link("part_crate", 60).await;
            self.link("part_fits", 50).await;
            self.unlink(20).await;
        }
        for (object, count) in MADE {
            let (gone, back) = (self.some(object, false, count / 6), self.some(object, true, count / 12));
            self.batch(object, "archive", gone).await;
            self.batch(object, "restore", back).await;
            self.purge(object).await;
        }
    }

    async fn create(&mut self, object: &'static str, count: usize) {
        let inputs = (0..count).map(|_| self.input(object, true)).collect();
        self.batch(object, "create", inputs).await;
    }

    async fn update(&mut self, object: &'static str, count: usize) {
        let ids = self.some(object, false, count);
        let changed = |mut input: Value| {
            let mut change = self.input(object, false);
            change["id"] = input["id"].take();
            change
        };
        let inputs = ids.into_iter().map(changed).collect();
        self.batch(object, "update", inputs).await;
    }

    /// Random properties, a few of them taken away, and an owner.
    fn input(&mut self, object: &str, is_new: bool) -> Value {
        let share = if is_new { 0.7 } else { 0.2 };
        let mut properties = Map::new();
        for (name, kind) in self.model.objects[object].properties.clone() {
            let is_required = name == "name";
            if name != "serial" && (is_required && is_new || self.random.random_bool(share)) {
                let is_taken_away = !is_required && !is_new && self.random.random_bool(0.3);
                let value = sample::stored(name, kind, &self.users, &mut self.random);
                properties.insert(name.to_owned(), if is_taken_away { Value::Null } else { value });
            }
        }
        match self.random.random_range(0..3) {
            0 => json!({"properties": properties, "owner_id": self.users.choose(&mut self.random)}),
            _ => json!({"properties": properties}),
        }
    }

    /// Inputs that name some records, each once.
    fn some(&mut self, object: &str, is_archived: bool, most: usize) -> Vec<Value> {
        let records = self.model.records.values();
        let ids: Vec<u64> = records
            .filter(|record| record.object == object && record.is_archived() == is_archived)
            .map(Record::id)
            .collect();
        ids.choose_multiple(&mut self.random, most).map(|id| json!({"id": id.to_string()})).collect()
    }

    async fn batch(&mut self, object: &'static str, verb: &str, inputs: Vec<Value>) {
        let body = json!({"inputs": inputs});
        let reply = self.tenant.post(&format!("/records/{object}/batch/{verb}"), &body).await.ok(207);
        for result in results(&reply) {
            assert!(result["error"].is_null(), "{result}");
            let record = Record { object, body: result["record"].clone() };
            self.model.records.insert(record.id(), record);
        }
    }

    async fn purge(&mut self, object: &str) {
        let is_archived = self.random.random_bool(0.5);
        for input in self.some(object, is_archived, 1) {
            let id = input["id"].as_str().unwrap();
            assert_eq!(self.tenant.delete(&format!("/records/{object}/{id}?purge=true")).await.status, 204);
            let id: u64 = id.parse().unwrap();
            self.model.records.remove(&id);
            self.model.links.retain(|(_, from, to)| *from != id && *to != id);
        }
    }

    async fn link(&mut self, association: &'static str, most: usize) {
        let (from, to) = self.model.associations[association];
        let (starts, ends) = (self.some(from, false, most), self.some(to, false, most));
        let is_single = association == "part_vendor";
        let links = starts.iter().map(|start| {
            let end = ends.choose(&mut self.random).unwrap();
            json!({"type": association, "from": start["id"], "to": end["id"], "replace": is_single})
        });
        let links: Vec<Value> = links.filter(|link| link["from"] != link["to"]).collect();
        self.link_batch("create", &links).await;
        for link in links {
            let id = |name: &str| link[name].as_str().unwrap().parse::<u64>().unwrap();
            if is_single {
                self.model.links.retain(|(known, from, _)| *known != association || *from != id("from"));
            }
            self.model.links.add((association, id("from"), id("to")));
        }
    }

    async fn unlink(&mut self, most: usize) {
        let is_active = |id: &u64| !self.model.records[id].is_archived();
        let links: Vec<Link> =
            self.model.links.iter().filter(|(_, from, to)| is_active(from) && is_active(to)).copied().collect();
        let gone: BTreeSet<_> = links.choose_multiple(&mut self.random, most).copied().collect();
        let inputs = gone.iter().map(
            |(association, from, to)| json!({"type": association, "from": from.to_string(), "to": to.to_string()}),
        );
        self.link_batch("archive", &inputs.collect::<Vec<_>>()).await;
        self.model.links.retain(|link| !gone.contains(link));
    }

    async fn link_batch(&self, verb: &str, inputs: &[Value]) {
        let reply = self.tenant.post(&format!("/associations/batch/{verb}"), &json!({"inputs": inputs})).await.ok(207);
        assert!(results(&reply).iter().all(|result| result["error"].is_null()), "{reply}");
    }
}
