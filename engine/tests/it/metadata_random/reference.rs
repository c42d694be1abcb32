//! What should be there: plain maps of records, links and packs.

use std::collections::{BTreeMap, BTreeSet};

use engine::Catalog;
use engine::model::object::ObjectDefinition;
use engine::model::property::Property;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::definitions::{Shot, Shown};
use super::packs;

/// A record, with the values that are hidden at the moment.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) object: String,
    pub(super) values: BTreeMap<String, Value>,
    pub(super) is_archived: bool,
    /// Values from before migrations: version, property, value.
    before: Vec<(i64, String, Value)>,
}

/// A pack that the tenant has or had.
#[derive(Debug, Default)]
pub(super) struct KnownPack {
    pub(super) installed: Option<u64>,
    /// What earlier versions had, by section, object and property; objects without one.
    pub(super) left: BTreeMap<(String, Option<String>), Value>,
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    pub(super) records: BTreeMap<i64, Known>,
    /// Kind, from, to.
    pub(super) links: BTreeSet<(String, i64, i64)>,
    /// In the order in which they were installed.
    pub(super) packs: IndexMap<String, KnownPack>,
    /// What was in force at metadata versions.
    pub(super) past: BTreeMap<i64, Shown>,
    /// Packs that were purged; what goes back before that is another matter.
    pub(super) purged_at: i64,
}

impl Reference {
    pub(super) fn create(&mut self, id: i64, object: &str, values: Map<String, Value>) {
        let values = values.into_iter().filter(|(_, value)| !value.is_null()).collect();
        self.records.insert(id, Known { object: object.to_owned(), values, is_archived: false, before: Vec::new() });
    }

    pub(super) fn update(&mut self, id: i64, values: &Map<String, Value>) {
        let Some(known) = self.records.get_mut(&id) else { return };
        for (name, value) in values {
            if known.values.get(name).unwrap_or(&Value::Null) == value {
                continue;
            }
            known.before.retain(|(_, of, _)| of != name);
            match value {
                Value::Null => drop(known.values.remove(name)),
                value => drop(known.values.insert(name.clone(), value.clone())),
            }
        }
    }

    pub(super) fn purge_record(&mut self, id: i64) {
        self.records.remove(&id);
        self.links.retain(|(_, from, to)| *from != id && *to != id);
    }

    /// A pack in another version, or in none.
    pub(super) fn move_pack(&mut self, name: &str, next: Option<u64>, before: &Catalog, renames: bool) {
        let beside = self.packs.iter().filter(|(other, _)| *other != name);
        let beside = beside.filter_map(|(other, pack)| Some(typed(&packs::document(other, pack.installed?))));
        let declared_beside: BTreeSet<_> = beside.flat_map(BTreeMap::into_keys).collect();
        let pack = self.packs.entry(name.to_owned()).or_default();
        let present = pack.installed.map(|number| typed(&packs::document(name, number))).unwrap_or_default();
        let document = next.map(|number| packs::document(name, number)).unwrap_or_default();
        let mut left = std::mem::take(&mut pack.left);
        left.extend(present);
        let taken = typed(&document);
        left.retain(|key, _| !taken.contains_key(key));
        for ((object, property), spec) in taken.iter().filter(|_| renames) {
            if let (Some(property), Some(was)) = (property, spec["was"].as_str())
                && let Some(definition) = before.effective.registry.objects.get(object.as_str())
                && definition.property(property).is_none()
                && definition.property(was).is_some_and(|old| old.layer == name)
                && !declared_beside.contains(&(object.clone(), Some(was.to_owned())))
            {
                left.remove(&(object.clone(), Some(was.to_owned())));
            }
        }
        let gone: BTreeSet<String> =
            left.keys().filter(|(_, property)| property.is_none()).map(|(object, _)| object.clone()).collect();
        for ((object, property), spec) in &mut left {
            // Where the object is left behind, what it had is part of it.
            if property.is_none() || !gone.contains(object) {
                spec["archived"] = json!(true);
            }
        }
        (pack.left, pack.installed) = (left, next);
    }

    /// A pack that goes for good. `after` are the definitions that are left.
    pub(super) fn purge_pack(&mut self, name: &str, before: &Catalog, after: &Catalog) {
        self.packs.shift_remove(name);
        let objects = |catalog: &Catalog| -> BTreeSet<String> {
            catalog.effective.registry.objects.keys().map(ToString::to_string).collect()
        };
        let gone: Vec<String> = objects(before).difference(&objects(after)).cloned().collect();
        let records: Vec<i64> =
            self.records.iter().filter(|(_, known)| gone.contains(&known.object)).map(|(id, _)| *id).collect();
        records.into_iter().for_each(|id| self.purge_record(id));
        self.links.retain(|(kind, ..)| after.effective.registry.associations.contains_key(kind.as_str()));
        for known in self.records.values_mut() {
            let Some(object) = after.effective.registry.objects.get(known.object.as_str()) else { continue };
            // Those that the engine declares come with a pipeline.
            known.values.retain(|name, _| {
                object.properties.contains_key(name.as_str()) || ["pipeline", "stage"].contains(&name.as_str())
            });
        }
    }

    /// Takes along the values of properties whose definitions came with a migration.
    pub(super) fn migrate(&mut self, before: &Shot, after: &Shot) {
        for object in after.catalog.effective.registry.objects.values() {
            let steps: Vec<_> =
                object.properties.values().filter_map(|property| news(object, property, before, after)).collect();
            for known in self.records.values_mut().filter(|known| known.object == object.name.as_str()) {
                known.migrate(object, &steps);
            }
        }
    }
}

/// A migration that has come since.
fn news<'a>(
    object: &'a ObjectDefinition,
    property: &'a Property,
    before: &Shot,
    after: &Shot,
) -> Option<(&'a Property, i64, &'a Value)> {
    let migrated = object.spec.get("properties")?.get(property.name.as_str())?.get("migrated")?;
    let version = migrated["version"].as_i64()?;
    (before.version < version && version <= after.version).then_some((property, version, migrated))
}

impl Known {
    fn migrate(&mut self, object: &ObjectDefinition, steps: &[(&Property, i64, &Value)]) {
        let old = self.values.clone();
        for (property, version, how) in steps {
            let name = property.name.as_str();
            let mut stored = old.get(name).cloned();
            if let Some(was) = how["rename"].as_str() {
                if let Some(value) = self.values.remove(was) {
                    self.before.push((*version, was.to_owned(), value));
                }
                stored = old.get(was).cloned().or(stored);
            }
            let next = self.next(property, how, stored);
            let now = self.values.get(name).cloned();
            if next != now {
                self.before.push((*version, name.to_owned(), now.unwrap_or_default()));
                match next {
                    Some(next) => drop(self.values.insert(name.to_owned(), next)),
                    None => drop(self.values.remove(name)),
                }
            }
        }
        debug_assert_eq!(self.object, object.name.as_str());
    }

    fn next(&self, property: &Property, how: &Value, stored: Option<Value>) -> Option<Value> {
        if let Some(default) = how.get("default") {
            return stored.filter(|value| fits(property, value)).or_else(|| Some(default.clone()));
        }
        if let Some(pairs) = how["map"].as_array() {
            let stored = stored?;
            let pair = pairs.iter().find(|pair| pair[0] == stored);
            return pair.map_or(Some(stored), |pair| Some(pair[1].clone())).filter(|value| !value.is_null());
        }
        if let Some(undone) = how["undo"].as_i64() {
            let name = property.name.as_str();
            let kept = self.before.iter().find(|(version, of, _)| *version == undone && of == name);
            return kept.map_or(stored, |(.., value)| Some(value.clone())).filter(|value| !value.is_null());
        }
        match how["convert"].as_str() {
            Some("value + '!'") => Some(json!(format!("{}!", stored?.as_str()?))),
            Some(_) => stored.map(|value| json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned))),
            None => stored,
        }
    }
}

/// Whether a property takes a value, as far as these tests go.
pub(super) fn fits(property: &Property, value: &Value) -> bool {
    match property.kind.name() {
        "string" => value.is_string(),
        "integer" => {
            value.is_i64() && property.spec.get("minimum").is_none_or(|least| value.as_i64() >= least.as_i64())
        }
        "enum" => property.kind.options().iter().any(|option| *value == *option.key),
        _ => true,
    }
}

/// Objects and typed properties that a pack's document declares.
pub(super) fn typed(document: &Value) -> BTreeMap<(String, Option<String>), Value> {
    let mut all = BTreeMap::new();
    for section in ["objects", "extend"] {
        for (object, spec) in document[section].as_object().into_iter().flatten() {
            for (property, spec) in spec["properties"].as_object().into_iter().flatten() {
                if spec.get("type").is_some() {
                    all.insert((object.clone(), Some(property.clone())), spec.clone());
                }
            }
            if section == "objects" {
                all.insert((object.clone(), None), spec.clone());
            }
        }
    }
    all
}
