//! What holds after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::model::query::QueryText;
use engine::records::{Target, View};
use engine::{ErrorCode, LinkQuery};
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use serde_json::{Map, Value};

use super::definitions::Shot;
use super::perform::Outcome;
use super::world::World;
use super::{fold, packs};

/// What nobody writes.
fn is_computed(kind: &str) -> bool {
    ["formula", "rollup"].contains(&kind)
}

impl World<'_> {
    pub(super) async fn check(
        &mut self,
        before: &Shot,
        after: &Shot,
        outcome: Outcome,
        random: &mut StdRng,
    ) -> Result<(), String> {
        if outcome.is_refused && (before.version, before.position) != (after.version, after.position) {
            return Err(format!("a refused step has led from {} to {}", before.version, after.version));
        }
        self.reference.migrate(before, after);
        if let Some(planned) = &outcome.planned {
            let done = before.differing(after);
            if *planned != done {
                return Err(format!("{done:?} were changed where {planned:?} were planned"));
            }
        }
        if let Some((pack, number)) = &outcome.applied {
            let source = packs::source(pack, *number);
            let again = self.session.pack_plan(source, &BTreeMap::new(), &BTreeMap::new()).await;
            match again {
                Ok(plan) if plan.steps.is_empty() && plan.conflicts.is_empty() => {}
                other => return Err(format!("the plan right after: {other:?}")),
            }
        }
        if outcome.tenant_wins {
            tenant_wins(before, after)?;
        }
        if let Some(version) = outcome.back_to {
            self.is_back(version, after).await?;
        }
        fold::check(&self.reference, after)?;
        self.check_log(before, after, &outcome).await?;
        self.check_records(after).await?;
        self.check_links(after).await?;
        self.check_search(after, random).await?;
        self.reference.past.insert(after.version, after.shown.clone());
        Ok(())
    }

    /// The definitions are those of a version.
    async fn is_back(&mut self, version: i64, after: &Shot) -> Result<(), String> {
        let dry = self.session.metadata_rollback(version, true).await;
        match dry {
            Ok(dry) if dry.value.steps.is_empty() => {}
            other => return Err(format!("the rollback right after: {other:?}")),
        }
        let Some(past) = self.reference.past.get(&version).filter(|_| version >= self.reference.purged_at) else {
            return Ok(());
        };
        let names: BTreeSet<&String> = past.keys().chain(after.shown.keys()).collect();
        let wrong: Vec<String> = names
            .into_iter()
            .filter(|name| past.get(*name) != after.shown.get(*name))
            .map(|name| format!("{name} is {:?} instead of {:?}", after.shown.get(name), past.get(name)))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("rolled back to {version}: {}", wrong.join("\n"))) }
    }

    /// Nothing is in the log but what was asked for.
    async fn check_log(&mut self, before: &Shot, after: &Shot, outcome: &Outcome) -> Result<(), String> {
        let changes =
            self.session.changes_now(before.position, None, 500).await.map_err(|error| format!("{error:?}"))?;
        let metadata = changes.results.iter().filter(|change| change.kind == "metadata.changed").count();
        if metadata as i64 != after.version - before.version {
            return Err(format!("{metadata} changes of metadata between {} and {}", before.version, after.version));
        }
        let history = self.session.metadata_history(200, None).await.map_err(|error| format!("{error:?}"))?;
        let since: Vec<i64> =
            history.results.iter().map(|entry| entry.version).filter(|version| *version > before.version).collect();
        if !since.iter().copied().eq((before.version + 1..=after.version).rev()) {
            return Err(format!("the history has {since:?} since {}", before.version));
        }
        if before.version == after.version && before.shown != after.shown {
            return Err("definitions have changed without a version".to_owned());
        }
        let registry = &after.catalog.effective.registry;
        for change in changes.results.iter().filter(|change| change.record.is_some()) {
            let object = change.object.as_deref().and_then(|name| registry.objects.get(name));
            let is_asked = change.record.is_some_and(|id| outcome.asked.contains(&id.0));
            let is_computed = |name: &String| {
                object
                    .and_then(|object| object.properties.get(name.as_str()))
                    .is_none_or(|property| is_computed(property.kind.name()))
            };
            let is_migrated = || {
                let migrated = object.into_iter().flat_map(|object| object.properties.values());
                migrated
                    .filter_map(|property| property.migrated.as_ref())
                    .any(|migrated| migrated.version > before.version)
            };
            let is_right = match change.source.as_str() {
                "api" => is_asked,
                "migration" => is_migrated(),
                "rollups" | "compute" => change.changes.keys().all(is_computed),
                _ => outcome.purged,
            };
            if !is_right {
                return Err(format!("nobody asked for {change:?}"));
            }
        }
        Ok(())
    }

    /// Every record is there with its values.
    async fn check_records(&mut self, after: &Shot) -> Result<(), String> {
        for (id, known) in &self.reference.records {
            let Some(object) = after.catalog.effective.registry.objects.get(known.object.as_str()) else {
                return Err(format!("the object {} of record {id} is gone", known.object));
            };
            let found = self.session.record_read(&known.object, &Target::id(id.to_string()), &View::default()).await;
            if object.archived {
                match found {
                    Err(error) if error.code == ErrorCode::NotFound => continue,
                    other => return Err(format!("record {id} of an archived object: {other:?}")),
                }
            }
            let record = found.map_err(|error| format!("record {id}: {error:?}"))?.record;
            if record.archived_at.is_some() != known.is_archived {
                return Err(format!("record {id} is archived: {:?}", record.archived_at));
            }
            let in_force = |name: &str| {
                object
                    .properties
                    .get(name)
                    .is_some_and(|property| !property.archived && !is_computed(property.kind.name()))
            };
            let found: BTreeMap<String, Value> = serde_json::from_str(record.properties.get()).expect("properties");
            let (values, computed): (BTreeMap<_, _>, BTreeMap<_, _>) =
                found.into_iter().partition(|(name, _)| in_force(name));
            let mut expected = known.values.clone();
            expected.retain(|name, _| in_force(name));
            if values != expected {
                return Err(format!("record {id} has {values:?} instead of {expected:?}"));
            }
            self.check_computed(*id, after, &computed)?;
        }
        Ok(())
    }

    fn check_computed(&self, id: i64, after: &Shot, computed: &BTreeMap<String, Value>) -> Result<(), String> {
        let registry = &after.catalog.effective.registry;
        let object = &self.reference.records[&id].object;
        for property in registry.objects[object.as_str()].properties.values().filter(|property| !property.archived) {
            let expected = match property.kind.name() {
                // What is archived is hidden and still counts.
                "formula" => self.reference.records[&id].values.get("b").and_then(Value::as_i64).map(|value| value * 2),
                // Over what is archived nothing is counted, and what was stays.
                "rollup" if registry.associations.get("near").is_none_or(|near| near.archived) => continue,
                "rollup" => {
                    let counts = |(kind, from, to): &&(String, i64, i64)| {
                        let far = &self.reference.records[to];
                        kind == "near" && *from == id && !far.is_archived
                    };
                    Some(self.reference.links.iter().filter(counts).count() as i64)
                }
                _ => continue,
            };
            // An archived record is computed again when it comes back.
            if self.reference.records[&id].is_archived {
                continue;
            }
            let found = computed.get(property.name.as_str()).and_then(Value::as_i64);
            if found != expected {
                return Err(format!("record {id} has {}: {found:?} instead of {expected:?}", property.name));
            }
        }
        Ok(())
    }

    /// Every link is there.
    async fn check_links(&mut self, after: &Shot) -> Result<(), String> {
        let registry = &after.catalog.effective.registry;
        let is_active = |object: &str| registry.objects.get(object).is_some_and(|object| !object.archived);
        let mut expected: BTreeMap<(String, i64), BTreeSet<i64>> = BTreeMap::new();
        for (kind, from, to) in &self.reference.links {
            expected.entry((kind.clone(), *from)).or_default().insert(*to);
        }
        for ((kind, from), to) in expected {
            let Some(association) = registry.associations.get(kind.as_str()) else {
                return Err(format!("the association {kind} is gone"));
            };
            let record = &self.reference.records[&from];
            if association.archived || record.is_archived || !is_active(&record.object) {
                continue;
            }
            let query = LinkQuery { kind: kind.clone(), direction: Some("out".to_owned()), limit: 200, cursor: None };
            let found = self.session.links(&record.object, &Target::id(from.to_string()), &query).await;
            let found = found.map_err(|error| format!("links {kind} of {from}: {error:?}"))?;
            let found: BTreeSet<i64> = found.results.iter().map(|link| link.id.0).collect();
            let shown = |id: &i64| {
                let far = &self.reference.records[id];
                !far.is_archived && is_active(&far.object)
            };
            let to: BTreeSet<i64> = to.into_iter().filter(shown).collect();
            if found != to {
                return Err(format!("record {from} is linked by {kind} with {found:?} instead of {to:?}"));
            }
        }
        Ok(())
    }

    /// A search for a value finds who has it.
    async fn check_search(&mut self, after: &Shot, random: &mut StdRng) -> Result<(), String> {
        let objects = after.catalog.effective.registry.objects.values().filter(|object| !object.archived);
        let properties = objects.flat_map(|object| object.properties.values().map(move |property| (object, property)));
        let asked = properties.filter(|(_, property)| {
            !property.archived
                && ["string", "integer", "enum"].contains(&property.kind.name())
                && property.layer != "engine"
        });
        let Some((object, property)) = asked.choose(random) else { return Ok(()) };
        let name = property.name.as_str();
        let of_object = || {
            let records = self.reference.records.iter();
            records.filter(|(_, known)| known.object == object.name.as_str() && !known.is_archived)
        };
        let Some(value) = of_object().filter_map(|(_, known)| known.values.get(name)).choose(random).cloned() else {
            return Ok(());
        };
        let expected: BTreeSet<i64> =
            of_object().filter(|(_, known)| known.values.get(name) == Some(&value)).map(|(id, _)| *id).collect();
        let text = QueryText { expression: Some(format!("{name} == {value}")), limit: 200, ..QueryText::default() };
        for _ in 0..2_000 {
            match self.session.record_search(&object.name, &text, Vec::new()).await {
                Ok(answer) => {
                    let found: BTreeSet<i64> = answer.results.iter().map(|found| found.record.id.0).collect();
                    return match found == expected {
                        true => Ok(()),
                        false => {
                            Err(format!("{}.{name} == {value} finds {found:?} instead of {expected:?}", object.name))
                        }
                    };
                }
                Err(error) if error.code == ErrorCode::Unavailable => {
                    tokio::time::sleep(Duration::from_millis(5)).await
                }
                Err(error) => return Err(format!("{}.{name} == {value}: {error:?}", object.name)),
            }
        }
        Err(format!("{}.{name} cannot be searched in time", object.name))
    }
}

/// What the own layer said before still holds.
fn tenant_wins(before: &Shot, after: &Shot) -> Result<(), String> {
    let mut wrong = Vec::new();
    for section in ["objects", "extend"] {
        for (object, said) in before.own[section].as_object().into_iter().flatten() {
            let objects = [before, after].map(|shot| shot.catalog.effective.registry.objects.get(object.as_str()));
            let [Some(old), Some(new)] = objects else { continue };
            same(object, said, &old.spec, &new.spec, &mut wrong);
            for (property, said) in said["properties"].as_object().into_iter().flatten() {
                let [Some(old), Some(new)] = [old, new].map(|object| object.properties.get(property.as_str())) else {
                    continue;
                };
                let Some(said) = said.as_object() else { continue };
                same(&format!("{object}.{property}"), &Value::Object(said.clone()), &old.spec, &new.spec, &mut wrong);
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("what the tenant said: {}", wrong.join("\n"))) }
}

fn same(name: &str, said: &Value, old: &Map<String, Value>, new: &Map<String, Value>, wrong: &mut Vec<String>) {
    const OTHERS: [&str; 6] = ["properties", "constraints", "options", "migrated", "archived", "archived_at"];
    for key in said.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| !OTHERS.contains(&key.as_str()))
    {
        if old.get(key) != new.get(key) {
            wrong.push(format!("{name}.{key} is {:?} instead of {:?}", new.get(key), old.get(key)));
        }
    }
}
