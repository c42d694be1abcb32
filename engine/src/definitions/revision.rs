//! From a definition and a patch to the definition wanted; what is wrong with the patch itself is collected.

use engine_model::layer::ENGINE;
use engine_model::name::did_you_mean;
use engine_model::problem::push_segment;
use engine_model::property::Property;
use engine_model::spec::shape;
use engine_model::time::Timestamp;
use engine_model::{Name, Problem, Problems};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::body::misplaced_migration;
use super::patch::{check_nulls, merge, news, options, stamp};
use super::show::Showing;
use super::source::{Source, section};

/// One call's way from what is to what is wanted.
pub(crate) struct Revision<'a> {
    pub(crate) showing: Showing<'a>,
    pub(crate) now: Timestamp,
    /// What is wrong with the patch itself.
    pub(crate) problems: Problems,
}

/// An object or an association before the call.
pub(crate) struct Before<'a> {
    pub(crate) source: Source,
    /// What a reply shows of it.
    pub(crate) shown: Map<String, Value>,
    pub(crate) is_archived: bool,
    pub(crate) properties: Option<&'a IndexMap<Name, Property>>,
}

impl Before<'_> {
    /// Nothing: the definition is new.
    pub(crate) fn nothing() -> Self {
        Self { source: Source::default(), shown: unborn(), is_archived: false, properties: None }
    }
}

/// A property before the call.
#[derive(Clone, Copy, Default)]
pub(crate) struct PropertyBefore<'a> {
    /// What packs say of it.
    pub(crate) base: Option<&'a Map<String, Value>>,
    /// What packs and tenant say of it.
    pub(crate) written: Option<&'a Map<String, Value>>,
    pub(crate) property: Option<&'a Property>,
}

/// What a new definition may say of itself without saying anything.
fn unborn() -> Map<String, Value> {
    Map::from_iter([
        ("layer".to_owned(), json!(engine_model::layer::CUSTOM)),
        ("archived_at".to_owned(), Value::Null),
        ("archived".to_owned(), json!(false)),
        ("properties".to_owned(), Value::Null),
    ])
}

/// What a reply shows, with the switch that stands behind `archived_at`.
pub(crate) fn shown_map(view: Value, is_archived: bool) -> Map<String, Value> {
    let Value::Object(mut shown) = view else { return Map::new() };
    shown.insert("archived".to_owned(), json!(is_archived));
    shown
}

impl Revision<'_> {
    /// An object or an association with a patch applied; `known` are the keys that it may have.
    pub(crate) fn definition(
        &mut self,
        before: &Before<'_>,
        known: &[&str],
        patch: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut news = news(patch, &before.shown, "", &mut self.problems);
        check_nulls(&news, known, "", &mut self.problems);
        let properties = news.shift_remove("properties");
        let mut wanted = before.source.effective.clone();
        merge(&mut wanted, news);
        stamp(&mut wanted, before.is_archived, self.now);
        match properties {
            None => {}
            Some(Value::Object(patches)) => {
                let written = self.properties(before, section(&wanted, "properties"), &patches);
                wanted.insert("properties".to_owned(), Value::Object(written));
            }
            Some(other) => {
                let message = format!("an object of properties by name is expected, not {}", shape(&other));
                self.problems.push(Problem::new("/properties", "wrong_type", message));
            }
        }
        wanted
    }

    fn properties(
        &mut self,
        before: &Before<'_>,
        written: Option<&Map<String, Value>>,
        patches: &Map<String, Value>,
    ) -> Map<String, Value> {
        let base = before.source.base.as_ref().and_then(|base| section(base, "properties"));
        let mut wanted = written.cloned().unwrap_or_default();
        for (name, patch) in patches {
            let at = push_segment("/properties", name);
            let property = before.properties.and_then(|properties| properties.get(name.as_str()));
            let archive;
            let patch = match patch {
                Value::Object(patch) => patch,
                Value::Null => {
                    if property.is_none() {
                        let known = before.properties.into_iter().flat_map(IndexMap::keys).map(Name::as_str);
                        let message = format!("there is no property `{name}`{}", did_you_mean(name, known));
                        self.problems.push(Problem::new(at, "unknown_property", message));
                        continue;
                    }
                    archive = Map::from_iter([("archived".to_owned(), json!(true))]);
                    &archive
                }
                other => {
                    let message = format!("an object is expected, not {}", shape(other));
                    self.problems.push(Problem::new(at, "wrong_type", message));
                    continue;
                }
            };
            self.problems.extend(misplaced_migration(patch, &at));
            let old = PropertyBefore {
                base: base.and_then(|base| section(base, name)),
                written: written.and_then(|written| section(written, name)),
                property,
            };
            if let Some(spec) = self.property(name, old, patch, &at) {
                wanted.insert(name.clone(), Value::Object(spec));
            }
        }
        wanted
    }

    /// A property with a patch applied; `None` where nothing is to be written.
    pub(crate) fn property(
        &mut self,
        name: &str,
        before: PropertyBefore<'_>,
        patch: &Map<String, Value>,
        at: &str,
    ) -> Option<Map<String, Value>> {
        let is_archived = before.property.is_some_and(|property| property.archived);
        let shown = match before.property {
            Some(property) => shown_map(self.showing.property(property), is_archived),
            None => Map::from_iter(unborn().into_iter().chain([("name".to_owned(), json!(name))])),
        };
        let mut news = news(patch, &shown, at, &mut self.problems);
        if news.is_empty() && before.property.is_some() {
            return before.written.cloned();
        }
        if before.property.is_some_and(|property| property.layer == ENGINE) {
            let message = format!("`{name}` is made from the object's pipelines; change those");
            self.problems.push(Problem::new(at, "immutable", message));
            return None;
        }
        if before.base.is_some() && news.contains_key("type") {
            let message = "the type of a pack's property cannot be changed; add a property of your own";
            self.problems.push(Problem::new(push_segment(at, "type"), "immutable", message));
        }
        let given_options = news.shift_remove("options");
        let changes_type = before.written.is_some() && news.contains_key("type");
        let taken_away: Vec<String> =
            news.iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key.clone()).collect();
        let mut spec = before.written.cloned().unwrap_or_default();
        merge(&mut spec, news);
        match given_options {
            None => {}
            Some(Value::Null) => drop(spec.shift_remove("options")),
            Some(given) => {
                let at = push_segment(at, "options");
                let written = before.written.and_then(|written| written.get("options"));
                spec.insert(
                    "options".to_owned(),
                    options(given, shown.get("options"), written, &at, &mut self.problems),
                );
            }
        }
        if changes_type {
            forget_old_type(&mut spec, patch);
        }
        stamp(&mut spec, is_archived, self.now);
        self.problems.extend(unknown_nulls(&spec, &taken_away).into_iter().map(|problem| problem.within(at)));
        Some(spec)
    }
}

/// Options that only the old type knows go with it.
fn forget_old_type(spec: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for key in unknown_keys(spec).into_iter().map(|(key, _)| key).filter(|key| !patch.contains_key(key)) {
        spec.shift_remove(&key);
    }
}

/// Keys that a patch takes away and no property of this type could have.
fn unknown_nulls(spec: &Map<String, Value>, taken_away: &[String]) -> Problems {
    if taken_away.is_empty() {
        return Problems::new();
    }
    let mut probe = spec.clone();
    probe.extend(taken_away.iter().map(|key| (key.clone(), Value::Null)));
    let is_meant = |key: &String| taken_away.contains(key) && !spec.contains_key(key);
    unknown_keys(&probe).into_iter().filter(|(key, _)| is_meant(key)).map(|(_, problem)| problem).collect()
}

/// Keys of a property's specification that its type does not know.
fn unknown_keys(spec: &Map<String, Value>) -> Vec<(String, Problem)> {
    let mut found = Problems::new();
    let Ok(name) = Name::new("any") else { return Vec::new() };
    // Only the problems matter here.
    drop(Property::read(name, &Value::Object(spec.clone()), "", "", &mut found));
    let is_unknown = |key: &str| {
        found.iter().find(|problem| problem.code == "unknown_key" && problem.pointer == push_segment("", key))
    };
    spec.keys().filter_map(|key| Some((key.clone(), is_unknown(key)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use engine_model::layer::{CUSTOM, Layer};
    use engine_model::registry::Registry;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn registry() -> Registry {
        let document = json!({
            "objects": {"deal": {"properties": {
                "kind": {"type": "enum", "options": {"new": "New", "old": "Old"}},
                "name": {"type": "string", "max_length": 20},
            }}},
            "pipelines": {"sales": {"object": "deal", "stages": {"open": {}}}},
        });
        let mut problems = Problems::new();
        let layer = Layer::read("crm", &map(document), &mut problems);
        let (registry, found) = Registry::fold(&[layer]);
        assert_eq!((problems, found), (vec![], vec![]));
        registry
    }

    /// What becomes of a property, written as `spec`, and the pointers and codes of what is wrong with the patch.
    fn revise(
        name: &str,
        written: Option<Value>,
        is_of_pack: bool,
        patch: Value,
    ) -> (Option<Value>, Vec<(String, &'static str)>) {
        let registry = registry();
        let showing = Showing { registry: &registry, since: Timestamp(0), properties: Default::default() };
        let mut revision = Revision { showing, now: Timestamp(0), problems: Problems::new() };
        let written = written.map(map);
        let mut problems = Problems::new();
        let own = written.as_ref().and_then(|spec| {
            let spec = Value::Object(spec.clone());
            Property::read(Name::new(name).expect("a name"), &spec, CUSTOM, "", &mut problems)
        });
        let property = own.as_ref().or_else(|| registry.objects["deal"].properties.get(name));
        let before =
            PropertyBefore { base: written.as_ref().filter(|_| is_of_pack), written: written.as_ref(), property };
        let wanted = revision.property(name, before, &map(patch), "");
        let problems = revision.problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect();
        (wanted.map(Value::from), problems)
    }

    #[test]
    fn a_type_takes_its_options_with_it() {
        let written = json!({"type": "enum", "label": "A", "options": ["a"]});
        assert_eq!(
            revise("a", Some(written.clone()), false, json!({"type": "string", "max_length": 9})),
            (Some(json!({"type": "string", "label": "A", "max_length": 9})), vec![])
        );
        let (wanted, _) = revise("a", Some(written), false, json!({"type": "string", "options": ["b"]}));
        assert_eq!(wanted, Some(json!({"type": "string", "label": "A", "options": [{"key": "b"}]})));
    }

    #[test]
    fn a_pack_s_type_and_the_engine_s_properties_stay() {
        let (_, problems) = revise("a", Some(json!({"type": "string"})), true, json!({"type": "text", "label": "A"}));
        assert_eq!(problems, [("/type".to_owned(), "immutable")]);
        let (wanted, problems) = revise("stage", None, false, json!({"label": "Phase", "type": "enum"}));
        assert_eq!((wanted, problems), (None, vec![(String::new(), "immutable")]));
        assert_eq!(revise("stage", None, false, json!({"type": "enum", "label": "Stage"})), (None, vec![]));
    }

    #[test]
    fn what_is_taken_away_must_be_something_that_could_be_there() {
        let written = json!({"type": "string", "label": "A"});
        assert_eq!(
            revise("a", Some(written.clone()), false, json!({"label": null, "max_length": null, "max_lenght": null})),
            (Some(json!({"type": "string"})), vec![("/max_lenght".to_owned(), "unknown_key")])
        );
        assert_eq!(revise("a", Some(written.clone()), false, json!({"label": "A"})), (Some(written), vec![]));
    }

    #[test]
    fn a_new_property_may_say_that_it_is_new() {
        let body = json!({"type": "string", "layer": "custom", "archived_at": null, "name": "b", "operators": null});
        assert_eq!(revise("b", None, false, body), (Some(json!({"type": "string"})), vec![]));
        let (_, problems) = revise("b", None, false, json!({"type": "string", "layer": "crm"}));
        assert_eq!(problems, [("/layer".to_owned(), "immutable")]);
    }

    #[test]
    fn properties_of_a_definition_are_changed_added_and_archived_in_one_patch() {
        let registry = registry();
        let showing = Showing { registry: &registry, since: Timestamp(0), properties: Default::default() };
        let mut revision = Revision { showing, now: Timestamp(0), problems: Problems::new() };
        let object = &registry.objects["deal"];
        let effective = map(json!({"properties": {
            "kind": {"type": "enum", "options": {"new": "New", "old": "Old"}}, "name": {"type": "string", "max_length": 20},
        }}));
        let before = Before {
            source: Source { base: Some(effective.clone()), effective },
            shown: shown_map(showing.object(object), false),
            is_archived: false,
            properties: Some(&object.properties),
        };
        let patch = json!({"label": "Deal", "icon": "x", "colour": null, "properties": {
            "name": {"max_length": null}, "kind": null, "more": {"type": "date"}, "nmae": null, "bad": 1,
        }});
        let wanted = revision.definition(&before, &["label", "icon", "properties"], &map(patch));
        assert_eq!(
            Value::from(wanted),
            json!({"properties": {
                "kind": {"type": "enum", "options": {"new": "New", "old": "Old"}, "archived": true,
                    "archived_at": "1970-01-01T00:00:00.000000Z"},
                "name": {"type": "string"},
                "more": {"type": "date"},
            }, "icon": "x"})
        );
        let problems: Vec<_> =
            revision.problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        assert_eq!(
            problems,
            [("/colour", "unknown_key"), ("/properties/nmae", "unknown_property"), ("/properties/bad", "wrong_type")]
        );
    }
}
