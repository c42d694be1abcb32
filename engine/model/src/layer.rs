//! Layers: what one pack, or the tenant itself, contributes; folded in order they are the effective definitions.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::behavior::Section;
use crate::name::Name;
use crate::problem::{Problem, Problems, push_segment};
use crate::spec::{SpecReader, entries_by, named_entries, shape};
use crate::translation;

/// Name of the tenant's own layer.
pub const CUSTOM: &str = "custom";

/// Name under which properties appear that the engine itself adds.
pub const ENGINE: &str = "engine";

/// What one pack, or the tenant, contributes; specifications are kept as written.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// The pack's name, or [`CUSTOM`].
    pub name: String,
    /// Switches that this layer declares.
    pub capabilities: Vec<Name>,
    /// Named JSON Schema fragments for `json` properties.
    pub schemas: IndexMap<Name, Value>,
    /// Objects that this layer owns.
    pub objects: IndexMap<Name, Map<String, Value>>,
    /// What it adds to objects of layers below.
    pub extend: IndexMap<Name, Map<String, Value>>,
    /// Relations between objects.
    pub associations: IndexMap<Name, Map<String, Value>>,
    /// Pipelines by object and name.
    pub pipelines: IndexMap<(Name, Name), Map<String, Value>>,
    /// Views, reports, workflows, activities, scores and roles by section and name.
    pub behaviors: IndexMap<(Section, Name), Map<String, Value>>,
    /// Texts in other languages, by language.
    pub translations: IndexMap<String, Map<String, Value>>,
    /// What of these belongs to layers below, and is only changed.
    pub changed: Changed,
    /// Pipelines that stand in the document under another key than their name.
    pub keys: BTreeMap<(Name, Name), Name>,
}

/// Associations, pipelines and behaviors of layers below that a layer changes: those written with `extend: true`. The tenant's own
/// layer changes whatever is there, and does not say so.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// Associations.
    pub associations: BTreeSet<Name>,
    /// Pipelines by object and name.
    pub pipelines: BTreeSet<(Name, Name)>,
    /// Behaviors by section and name.
    pub behaviors: BTreeSet<(Section, Name)>,
}

impl Layer {
    /// Sections of a pack's document that [`Layer::read`] reads, in the order in which packs are written.
    pub(crate) const SECTIONS: [&str; 14] = [
        "capabilities",
        "schemas",
        "objects",
        "extend",
        "associations",
        "pipelines",
        "views",
        "reports",
        "dashboards",
        "workflows",
        "activities",
        "scores",
        "roles",
        "translations",
    ];

    /// Reads the sections of a pack's document.
    ///
    /// Only their outer shape is checked here; the contents are checked when layers are folded.
    pub fn read(name: &str, document: &Map<String, Value>, problems: &mut Problems) -> Self {
        let mut layer = Self { name: name.to_owned(), ..Self::default() };
        let mut reader = SpecReader::of_map(document, "", problems);
        layer.capabilities = reader.names("capabilities").unwrap_or_default();
        for section in ["schemas", "objects", "extend", "associations", "pipelines"] {
            let Some(map) = reader.map(section) else { continue };
            let pointer = reader.pointer_of(section);
            for (name, value, at) in named_entries(map, &pointer, reader.problems()) {
                layer.take(section, name, value, &at, reader.problems());
            }
        }
        for section in Section::ALL {
            let Some(map) = reader.map(section.as_str()) else { continue };
            let pointer = reader.pointer_of(section.as_str());
            for (name, value, at) in entries_by(map, &pointer, reader.problems(), |key| section.name(key)) {
                layer.take_behavior(section, name, value, &at, reader.problems());
            }
        }
        layer.translations = translation::read(&mut reader);
        layer
    }

    /// The document of a pack that [`Layer::read`] makes this layer of.
    pub fn document(&self) -> Map<String, Value> {
        let mut document = Map::new();
        if !self.capabilities.is_empty() {
            let names = self.capabilities.iter().map(|name| Value::from(name.as_str()));
            document.insert("capabilities".to_owned(), names.collect());
        }
        let mut put = |section: &str, entries: Map<String, Value>| {
            if !entries.is_empty() {
                document.insert(section.to_owned(), Value::Object(entries));
            }
        };
        let specs = |specs: &IndexMap<Name, Map<String, Value>>| {
            specs.iter().map(|(name, spec)| (name.to_string(), Value::Object(spec.clone()))).collect()
        };
        put("schemas", self.schemas.iter().map(|(name, schema)| (name.to_string(), schema.clone())).collect());
        put("objects", specs(&self.objects));
        put("extend", specs(&self.extend));
        let association = |(name, spec): (&Name, &Map<String, Value>)| {
            let is_change = self.changed.associations.contains(name);
            (name.to_string(), Value::Object(with_head(&[], is_change, spec)))
        };
        put("associations", self.associations.iter().map(association).collect());
        let keys = self.pipeline_keys();
        let pipeline = |(key, spec): (&(Name, Name), &Map<String, Value>)| {
            let (object, name) = key;
            let entry = keys.get(key).unwrap_or(name);
            let name = (entry != name).then_some(("name", name));
            let head: Vec<_> = [("object", object)].into_iter().chain(name).collect();
            let is_change = self.changed.pipelines.contains(key);
            (entry.to_string(), Value::Object(with_head(&head, is_change, spec)))
        };
        put("pipelines", self.pipelines.iter().map(pipeline).collect());
        for section in Section::ALL {
            let behaviors = self.behaviors.iter().filter(|(key, _)| key.0 == section);
            let behavior = |(key, spec): (&(Section, Name), &Map<String, Value>)| {
                let is_change = self.changed.behaviors.contains(key);
                (key.1.to_string(), Value::Object(with_head(&[], is_change, spec)))
            };
            put(section.as_str(), behaviors.map(behavior).collect());
        }
        let translation =
            |(language, texts): (&String, &Map<String, Value>)| (language.clone(), Value::Object(texts.clone()));
        put("translations", self.translations.iter().map(translation).collect());
        document
    }

    /// Pointer of a pipeline in the layer's document.
    pub fn pipeline_pointer(&self, pipeline: &(Name, Name)) -> String {
        push_segment("/pipelines", self.keys.get(pipeline).unwrap_or(&pipeline.1))
    }

    /// The key of each pipeline that does not stand under its name: the pipeline of another object does.
    fn pipeline_keys(&self) -> BTreeMap<(Name, Name), Name> {
        let mut keys = self.keys.clone();
        let mut taken: BTreeSet<Name> = keys.values().cloned().collect();
        let nameless = self.pipelines.keys().filter(|key| !self.keys.contains_key(*key));
        let clashing: Vec<_> = nameless.filter(|(_, name)| !taken.insert(name.clone())).collect();
        for key in clashing {
            let (object, name) = key;
            let stem: String = name.chars().take(50).collect();
            let numbered = (2_usize..).map(|number| format!("{stem}_{number}"));
            let mut free = std::iter::once(format!("{object}_{name}")).chain(numbered);
            let free = free.find_map(|text| Name::new(&text).ok().filter(|name| !taken.contains(name)));
            if let Some(free) = free {
                taken.insert(free.clone());
                keys.insert(key.clone(), free);
            }
        }
        keys
    }

    fn take(&mut self, section: &str, name: Name, value: &Value, at: &str, problems: &mut Problems) {
        let Some(spec) = value.as_object() else {
            let message = format!("an object is expected, not {}", shape(value));
            problems.push(Problem::new(at, "wrong_type", message));
            return;
        };
        match section {
            "schemas" => drop(self.schemas.insert(name, value.clone())),
            "objects" => drop(self.objects.insert(name, spec.clone())),
            "extend" => drop(self.extend.insert(name, spec.clone())),
            "associations" => {
                let mut spec = spec.clone();
                if take_extend(&mut spec, at, problems) {
                    self.changed.associations.insert(name.clone());
                }
                self.associations.insert(name, spec);
            }
            _ => self.take_pipeline(name, spec.clone(), at, problems),
        }
    }

    fn take_behavior(&mut self, section: Section, name: Name, value: &Value, at: &str, problems: &mut Problems) {
        let Some(spec) = value.as_object() else {
            let message = format!("an object is expected, not {}", shape(value));
            problems.push(Problem::new(at, "wrong_type", message));
            return;
        };
        let mut spec = spec.clone();
        let key = (section, name);
        if take_extend(&mut spec, at, problems) {
            self.changed.behaviors.insert(key.clone());
        }
        self.behaviors.insert(key, spec);
    }

    fn take_pipeline(&mut self, entry: Name, mut spec: Map<String, Value>, at: &str, problems: &mut Problems) {
        let is_change = take_extend(&mut spec, at, problems);
        let name = match spec.shift_remove("name").as_ref().map(|name| name.as_str().map(Name::new)) {
            None => entry.clone(),
            Some(Some(Ok(name))) => name,
            Some(_) => {
                let message = "`name` is the pipeline's name, where that is another than its key";
                problems.push(Problem::new(push_segment(at, "name"), "invalid_name", message));
                return;
            }
        };
        let Some(Ok(object)) = spec.get("object").and_then(Value::as_str).map(Name::new) else {
            let message = "`object` names the object that the pipeline is for";
            problems.push(Problem::new(push_segment(at, "object"), "required", message));
            return;
        };
        let key = (object, name);
        if self.pipelines.contains_key(&key) {
            let message = format!("`{}` already has a pipeline `{}`; name this one otherwise", key.0, key.1);
            problems.push(Problem::new(at, "taken", message));
            return;
        }
        if key.1 != entry {
            self.keys.insert(key.clone(), entry);
        }
        if is_change {
            self.changed.pipelines.insert(key.clone());
        }
        self.pipelines.insert(key, spec);
    }
}

/// Takes `extend: true` off a specification: it says how the rest is meant.
fn take_extend(spec: &mut Map<String, Value>, at: &str, problems: &mut Problems) -> bool {
    match spec.shift_remove("extend") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => {
            let message = format!("true or false is expected, not {}", shape(&other));
            problems.push(Problem::new(push_segment(at, "extend"), "wrong_type", message));
            false
        }
    }
}

/// A specification with what says which it is before everything else.
fn with_head(head: &[(&str, &Name)], is_change: bool, spec: &Map<String, Value>) -> Map<String, Value> {
    let mut whole: Map<String, Value> =
        head.iter().map(|(key, name)| ((*key).to_owned(), Value::from(name.as_str()))).collect();
    if is_change {
        whole.insert("extend".to_owned(), Value::Bool(true));
    }
    whole.extend(spec.clone());
    whole
}

/// One definition folded over all layers that contribute to it.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The layer that declared it.
    pub layer: String,
    /// The merged specification.
    pub spec: Map<String, Value>,
    /// For each key of `properties`, the layer that declared it.
    pub property_layers: IndexMap<String, String>,
    /// Where the topmost contribution stands in its layer's document.
    pub pointer: String,
}

impl Folded {
    /// The lowest contribution.
    pub fn new(layer: &str, spec: Map<String, Value>, pointer: String) -> Self {
        let mut folded = Self { layer: layer.to_owned(), spec: Map::new(), property_layers: IndexMap::new(), pointer };
        folded.add(layer, spec, None);
        folded
    }

    /// Lays a contribution of a higher layer over what is there.
    pub fn add(&mut self, layer: &str, mut spec: Map<String, Value>, pointer: Option<String>) {
        if let Some(pointer) = pointer {
            self.pointer = pointer;
        }
        self.rename_in(&mut spec);
        if let Some(properties) = spec.get("properties").and_then(Value::as_object) {
            for (property, value) in properties {
                // A layer that only adjusts a property of a layer below does not give it a type.
                if value.get("type").is_some() || !self.property_layers.contains_key(property) {
                    self.property_layers.entry(property.clone()).or_insert_with(|| layer.to_owned());
                }
            }
        }
        let constraints = spec.shift_remove("constraints");
        merge(&mut self.spec, spec);
        if let Some(constraints) = constraints {
            add_constraints(&mut self.spec, constraints);
        }
    }
}

impl Folded {
    /// What a layer changes of a property by a name that it had, it changes of that property.
    fn rename_in(&self, spec: &mut Map<String, Value>) {
        let Some(known) = self.spec.get("properties").and_then(Value::as_object) else { return };
        let Some(properties) = spec.get_mut("properties").and_then(Value::as_object_mut) else { return };
        let is_former = |name: &str, spec: &Value| match spec.get("was") {
            Some(Value::Array(names)) => names.iter().any(|was| was == name),
            was => was.is_some_and(|was| was == name),
        };
        let now = |name: &str| known.iter().find(|(_, spec)| is_former(name, spec)).map(|(now, _)| now.clone());
        let changes = properties.iter().filter(|(name, spec)| spec.get("type").is_none() && !known.contains_key(*name));
        let renamed: Vec<_> = changes.filter_map(|(name, _)| Some((name.clone(), now(name)?))).collect();
        for (name, now) in renamed {
            let Some(Value::Object(said)) = properties.shift_remove(&name) else { continue };
            if let Value::Object(whole) = properties.entry(now).or_insert_with(|| Value::Object(Map::new())) {
                // What is said of it by its present name goes before.
                let said = said.into_iter().filter(|(key, _)| !whole.contains_key(key)).collect::<Vec<_>>();
                whole.extend(said);
            }
        }
    }
}

/// Lays `over` on `base`: maps merge key by key, `null` removes, `options` merge by option key, the rest replaces.
pub fn merge(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (_, Value::Null) => drop(base.shift_remove(&key)),
            (Some(old), new) if key == "options" => *old = merge_options(old, &new),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, new) => drop(base.insert(key, new)),
        }
    }
}

impl Layer {
    /// Leaves out how stored values became those of properties, which is the business of this store alone.
    pub fn leave_out_migrations(&mut self) {
        for object in self.objects.values_mut().chain(self.extend.values_mut()) {
            let properties = object.get_mut("properties").and_then(Value::as_object_mut);
            if let Some(properties) = properties {
                // What says nothing else says nothing.
                properties.retain(|_, property| {
                    let Some(property) = property.as_object_mut() else { return true };
                    property.shift_remove("migrated").is_none() || !property.is_empty()
                });
            }
        }
    }

    /// Whether it defines a roll-up.
    pub fn has_rollups(&self) -> bool {
        let objects = self.objects.values().chain(self.extend.values());
        let properties = objects.filter_map(|object| object.get("properties")?.as_object());
        properties.flat_map(Map::values).any(|property| property.get("type").is_some_and(|kind| kind == "rollup"))
    }
}

/// Merges two lists of options by key; an entry with `removed: true` takes the option away.
///
/// The upper order holds where it names every option of the lower list; otherwise new options follow the old ones.
fn merge_options(base: &Value, over: &Value) -> Value {
    let (Some(base), Some(over)) = (option_entries(base), option_entries(over)) else { return over.clone() };
    let is_complete = base.keys().all(|key| over.contains_key(key));
    let mut merged = if is_complete { IndexMap::new() } else { base.clone() };
    for (key, spec) in over {
        if spec.get("removed") == Some(&Value::Bool(true)) {
            merged.shift_remove(&key);
            continue;
        }
        let mut whole = base.get(&key).cloned().unwrap_or_default();
        merge(&mut whole, spec);
        merged.insert(key, whole);
    }
    merged.into_values().map(Value::Object).collect()
}

/// The options of a specification by key, each in its object form; `None` where they have no known form.
///
/// Written as a list of keys, a list of objects, or a map of key to label or object.
pub fn option_entries(options: &Value) -> Option<IndexMap<String, Map<String, Value>>> {
    let entry = |key: &str, spec: Map<String, Value>| {
        let mut whole = Map::new();
        whole.insert("key".to_owned(), Value::from(key));
        whole.extend(spec);
        (key.to_owned(), whole)
    };
    match options {
        Value::Array(list) => list
            .iter()
            .map(|item| match item {
                Value::String(key) => Some(entry(key, Map::new())),
                Value::Object(spec) => Some(entry(spec.get("key")?.as_str()?, spec.clone())),
                _ => None,
            })
            .collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| match item {
                Value::String(label) => {
                    Some(entry(key, Map::from_iter([("label".to_owned(), Value::from(label.as_str()))])))
                }
                Value::Object(spec) => Some(entry(key, spec.clone())),
                Value::Null => Some(entry(key, Map::new())),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

pub(crate) fn add_constraints(spec: &mut Map<String, Value>, added: Value) {
    match (spec.get_mut("constraints"), added) {
        (Some(Value::Array(present)), Value::Array(added)) => {
            for constraint in added {
                if !present.contains(&constraint) {
                    present.push(constraint);
                }
            }
        }
        (_, added) => drop(spec.insert("constraints".to_owned(), added)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// The layer that a document without mistakes of form is.
    pub(crate) fn layer(name: &str, document: &Value) -> Layer {
        let mut problems = Problems::new();
        let layer = Layer::read(name, document.as_object().expect("an object"), &mut problems);
        assert_eq!(problems, []);
        layer
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_higher_layer_adjusts_labels_and_adds_options_without_losing_the_lower_ones() {
        let mut folded = Folded::new(
            "crm",
            map(
                json!({"label": "Deal", "properties": {"kind": {"type": "enum", "options": {"new": "New", "old": "Old"}}}}),
            ),
            "/objects/deal".to_owned(),
        );
        folded.add(
            CUSTOM,
            map(json!({"label": "Opportunity", "properties": {
                "kind": {"options": [{"key": "used", "label": "Used"}, {"key": "new", "label": "Brand new"}]},
                "mine": {"type": "string"}}})),
            None,
        );
        assert_eq!(folded.spec["label"], "Opportunity");
        assert_eq!(
            folded.spec["properties"]["kind"]["options"],
            json!([{"key": "new", "label": "Brand new"}, {"key": "old", "label": "Old"}, {"key": "used", "label": "Used"}])
        );
        assert_eq!(folded.property_layers["kind"], "crm");
        assert_eq!(folded.property_layers["mine"], CUSTOM);
    }

    #[test]
    fn null_removes_and_constraints_add_up_without_repeats() {
        let rule = json!({"unique": ["a"]});
        let mut folded = Folded::new("core", map(json!({"icon": "x", "constraints": [rule]})), String::new());
        folded.add(CUSTOM, map(json!({"icon": null, "constraints": [rule, {"unique": ["b"]}]})), None);
        assert_eq!(Value::from(folded.spec), json!({"constraints": [{"unique": ["a"]}, {"unique": ["b"]}]}));
    }
}
