//! What is left of a pack when it goes, and of what its next version no longer has: definitions kept archived, so that
//! nothing stored loses its meaning, and all of it comes back with the pack.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::layer::Layer;
use crate::name::Name;
use crate::time::Timestamp;

impl Layer {
    /// What this layer, and what was left of it `earlier`, define and `next` does not, archived. It belongs right above
    /// `next`; without one, right where this layer was.
    pub fn left_behind(&self, earlier: &Self, next: Option<&Self>, at: Timestamp) -> Self {
        let mut remnant = Self { name: self.name.clone(), ..Self::default() };
        let nothing = Self::default();
        let next = next.unwrap_or(&nothing);
        for layer in [self, earlier] {
            remnant.keep_objects(layer, next, at);
            let changes = |name: &Name| layer.changed.associations.contains(name);
            let changed = keep_specs(&mut remnant.associations, &layer.associations, &next.associations, changes, at);
            remnant.changed.associations.extend(changed);
            let changes = |key: &(Name, Name)| layer.changed.pipelines.contains(key);
            let changed = keep_specs(&mut remnant.pipelines, &layer.pipelines, &next.pipelines, changes, at);
            remnant.changed.pipelines.extend(changed);
            // Archived properties are still read by their schemas.
            let gone = layer.schemas.iter().filter(|(name, _)| !next.schemas.contains_key(*name));
            remnant.schemas.extend(gone.map(|(name, schema)| (name.clone(), schema.clone())));
        }
        remnant
    }

    /// Whether it defines nothing.
    pub fn is_empty(&self) -> bool {
        self.capabilities.is_empty()
            && self.schemas.is_empty()
            && self.objects.is_empty()
            && self.extend.is_empty()
            && self.associations.is_empty()
            && self.pipelines.is_empty()
            && self.behaviors.is_empty()
            && self.translations.is_empty()
    }

    /// Says nothing more of a property, and nothing of an object that it was there for alone.
    fn drop_property(&mut self, (kind, of, property): &Place) {
        let section = if *kind == "object" { &mut self.extend } else { &mut self.associations };
        let Some(spec) = section.get_mut(of) else { return };
        if let Some(properties) = spec.get_mut("properties").and_then(Value::as_object_mut) {
            properties.shift_remove(property);
        }
        if spec.values().all(|value| value.as_object().is_some_and(Map::is_empty)) {
            section.shift_remove(of);
        }
    }

    fn keep_objects(&mut self, layer: &Self, next: &Self, at: Timestamp) {
        for (name, spec) in &layer.objects {
            match next.objects.get(name) {
                None => drop(self.objects.insert(name.clone(), archived(spec, at))),
                Some(kept) => self.keep_properties(name, spec, Some(kept), next, at),
            }
        }
        for (name, spec) in &layer.extend {
            self.keep_properties(name, spec, next.objects.get(name), next, at);
        }
    }

    /// Keeps the properties that an object gained by this layer and has no more.
    fn keep_properties(
        &mut self,
        object: &Name,
        spec: &Map<String, Value>,
        kept: Option<&Map<String, Value>>,
        next: &Self,
        at: Timestamp,
    ) {
        let kept = [kept, next.extend.get(object)];
        let has = |name: &str| kept.iter().flatten().any(|spec| properties(spec).any(|(kept, _)| kept == name));
        let gone: Vec<_> = gained(spec).filter(|(name, _)| !has(name)).collect();
        if gone.is_empty() {
            return;
        }
        // Where the object itself is left behind, its properties are part of it.
        let target = match self.objects.get_mut(object) {
            Some(left) => left,
            None => self.extend.entry(object.clone()).or_default(),
        };
        add_properties(target, gone, at);
    }
}

/// Where a property is defined: an object or an association, by name.
type Place = (&'static str, Name, String);

/// Takes out of what packs have left behind the properties that another pack defines: these are not gone, and look as
/// that one says.
pub fn leave_shared(layers: &mut [Arc<Layer>]) {
    let has_left = |layer: &&Arc<Layer>| extending(layer).any(|(.., spec)| properties(spec).any(is_left));
    let leaving: Vec<usize> = (0..layers.len()).filter(|index| has_left(&&layers[*index])).collect();
    for index in leaving {
        let name = layers[index].name.clone();
        let others = layers.iter().filter(|layer| layer.name != name);
        let defined: BTreeSet<Place> = others.flat_map(|layer| defined(layer)).collect();
        let left = |(kind, of, spec): (&'static str, &Name, &Map<String, Value>)| -> Vec<Place> {
            let left = properties(spec).filter(|property| is_left(*property));
            left.map(|(property, _)| (kind, of.clone(), property.clone())).collect()
        };
        let shared: Vec<Place> =
            extending(&layers[index]).flat_map(left).filter(|place| defined.contains(place)).collect();
        if !shared.is_empty() {
            let layer = Arc::make_mut(&mut layers[index]);
            shared.iter().for_each(|place| layer.drop_property(place));
        }
    }
}

/// Every property that a layer defines and does not archive, also where another layer's object gains it.
fn defined(layer: &Layer) -> impl Iterator<Item = Place> {
    let objects = layer.objects.iter().map(|(name, spec)| ("object", name, spec));
    let active = objects.chain(extending(layer)).filter(|(.., spec)| spec.get("archived") != Some(&Value::Bool(true)));
    active.flat_map(|(kind, of, spec)| {
        let gained = gained(spec).filter(|(_, spec)| spec.get("archived") != Some(&Value::Bool(true)));
        gained.map(move |(property, _)| (kind, of.clone(), property.clone()))
    })
}

/// What a layer says of objects that are another's, and of associations.
fn extending(layer: &Layer) -> impl Iterator<Item = (&'static str, &Name, &Map<String, Value>)> {
    let objects = layer.extend.iter().map(|(name, spec)| ("object", name, spec));
    objects.chain(layer.associations.iter().map(|(name, spec)| ("association", name, spec)))
}

fn is_left((_, spec): (&String, &Value)) -> bool {
    spec.get("archived") == Some(&Value::Bool(true)) && spec.get("type").is_some()
}

/// Keeps associations or pipelines that are no more, and properties that they have no more; which of those kept are
/// another layer's, and only changed.
fn keep_specs<K: std::hash::Hash + Eq + Clone>(
    remnant: &mut IndexMap<K, Map<String, Value>>,
    before: &IndexMap<K, Map<String, Value>>,
    next: &IndexMap<K, Map<String, Value>>,
    changes: impl Fn(&K) -> bool,
    at: Timestamp,
) -> Vec<K> {
    let mut changed = Vec::new();
    for (key, spec) in before {
        let kept = next.get(key);
        if kept.is_none() && !remnant.contains_key(key) && !changes(key) {
            remnant.insert(key.clone(), archived(spec, at));
            continue;
        }
        let has = |name: &str| kept.is_some_and(|kept| properties(kept).any(|(kept, _)| kept == name));
        let gone: Vec<_> = gained(spec).filter(|(name, _)| !has(name)).collect();
        if !gone.is_empty() {
            add_properties(remnant.entry(key.clone()).or_default(), gone, at);
            changed.extend(changes(key).then(|| key.clone()));
        }
    }
    changed
}

fn properties(spec: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    spec.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// The properties that a specification declares; those that it only adjusts belong to somebody else.
fn gained(spec: &Map<String, Value>) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
    let all = properties(spec).filter_map(|(name, spec)| Some((name, spec.as_object()?)));
    all.filter(|(_, spec)| spec.contains_key("type"))
}

fn add_properties(target: &mut Map<String, Value>, gone: Vec<(&String, &Map<String, Value>)>, at: Timestamp) {
    let entry = target.entry("properties").or_insert_with(|| json!({}));
    let Some(all) = entry.as_object_mut() else { return };
    for (name, spec) in gone {
        let mut left = archived(spec, at);
        // The group that it was shown in may be gone, too.
        left.shift_remove("group");
        all.insert(name.clone(), Value::Object(left));
    }
}

fn archived(spec: &Map<String, Value>, at: Timestamp) -> Map<String, Value> {
    let mut spec = spec.clone();
    spec.insert("archived".to_owned(), json!(true));
    spec.entry("archived_at").or_insert_with(|| json!(at));
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn layer(document: Value) -> Layer {
        crate::layer::tests::layer("building", &document)
    }

    fn first() -> Layer {
        layer(json!({
            "schemas": {"site": {"type": "object"}},
            "objects": {
                "permit": {"plural": "permits", "groups": {"cost": {"label": "Cost"}}, "properties": {
                    "number": {"type": "string"}, "fee": {"type": "integer", "group": "cost"},
                    "place": {"type": "json", "schema": "site"}}},
                "crane": {"plural": "cranes", "properties": {"number": {"type": "string"}}}},
            "associations": {"permit_crane": {"from": "permit", "to": "crane", "properties": {"days": {"type": "integer"}}}},
            "pipelines": {"approval": {"object": "permit", "stages": {"applied": {}, "issued": {}}}},
        }))
    }

    fn fold(layers: &[&Layer]) -> Registry {
        let (registry, problems) = Registry::fold(layers);
        assert_eq!(problems, []);
        registry
    }

    #[test]
    fn what_the_next_version_lacks_is_archived_and_comes_back() {
        let (first, nothing) = (first(), Layer::default());
        let second = layer(json!({
            "objects": {"permit": {"plural": "permits", "properties": {"number": {"type": "string"}}}},
        }));
        let remnant = first.left_behind(&nothing, Some(&second), Timestamp(0));
        let registry = fold(&[&second, &remnant]);
        let permit = &registry.objects["permit"];
        assert!(!permit.archived && registry.objects["crane"].archived);
        let is_archived = |name: &str| permit.properties[name].archived;
        assert_eq!(["number", "fee", "place"].map(is_archived), [false, true, true]);
        assert!(registry.associations["permit_crane"].archived && registry.pipelines["permit"]["approval"].archived);
        assert!(registry.schemas.contains_key("site"));
        assert_eq!(permit.properties["fee"].layer, "building");
        // The first version again leaves nothing behind.
        assert!(second.left_behind(&remnant, Some(&first), Timestamp(1)).is_empty());
    }

    #[test]
    fn a_pack_that_goes_leaves_everything() {
        let first = first();
        let remnant = first.left_behind(&Layer::default(), None, Timestamp(0));
        let registry = fold(&[&remnant]);
        assert!(registry.objects.values().all(|object| object.archived));
        assert_eq!(registry.objects.len(), 2);
        assert!(remnant.left_behind(&Layer::default(), Some(&first), Timestamp(0)).is_empty());
    }

    #[test]
    fn what_is_only_adjusted_is_nobody_s_loss() {
        let extending = layer(json!({"extend": {"contact": {"label": "Client", "properties": {
            "name": {"label": "Full name"}, "licence": {"type": "string"}}}}}));
        let remnant = extending.left_behind(&Layer::default(), None, Timestamp(0));
        let left: Vec<_> = properties(&remnant.extend["contact"]).map(|(name, _)| name.as_str()).collect();
        assert_eq!(left, ["licence"]);
        assert_eq!(remnant.extend["contact"].get("label"), None);
    }

    #[test]
    fn what_another_pack_defines_too_is_not_left_behind() {
        let extending = layer(json!({"extend": {"permit": {"properties": {
            "number": {"type": "string", "label": "No."}, "zone": {"type": "string"}}}}}));
        let extending = Layer { name: "zoning".to_owned(), ..extending };
        let remnant = extending.left_behind(&Layer::default(), None, Timestamp(0));
        let mut layers = [first(), remnant.clone()].map(Arc::new);
        leave_shared(&mut layers);
        let registry = fold(&[&layers[0], &layers[1]]);
        let permit = &registry.objects["permit"];
        assert_eq!(["number", "zone"].map(|name| permit.properties[name].archived), [false, true]);
        assert_eq!(permit.properties["number"].label, "Number");
        // Once the other one goes, too, both have it.
        let mut layers = [first().left_behind(&Layer::default(), None, Timestamp(0)), remnant].map(Arc::new);
        leave_shared(&mut layers);
        assert!(layers[1].extend["permit"]["properties"].get("number").is_some());
    }

    #[test]
    fn what_is_only_changed_of_another_pack_s_stays_with_that() {
        let changing = layer(json!({
            "associations": {"deal_contact": {"extend": true, "label": "People", "properties": {"since": {"type": "date"}}}},
            "pipelines": {"sales": {"object": "deal", "extend": true, "stages": {"signed": "Signed"}}},
        }));
        let remnant = changing.left_behind(&Layer::default(), None, Timestamp(0));
        assert_eq!(
            Value::Object(remnant.document()),
            json!({"associations": {"deal_contact": {"extend": true, "properties": {"since": {"type": "date",
                "archived": true, "archived_at": "1970-01-01T00:00:00.000000Z"}}}}})
        );
    }
}
