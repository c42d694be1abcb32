//! Migrations: how stored values of a property become those of its changed definition.
//!
//! A definition that says how stays beside the stored values, so that changing it costs the same for ten records and for
//! ten million: a record that was written before is brought forward whenever it is read, and written anew by and by.
//! Which ones are forward already is noted in the record itself, under a key that no property can have; so is the value
//! from before, which makes the way back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::Properties;
use crate::computed::rounded;
use crate::expression::{Expression, Scope};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems};
use crate::property::{Locale, Property, PropertyKind, normalize_value};
use crate::spec::SpecReader;

/// What keys begin with that are stored in a record and are no properties.
const HIDDEN: char = '\u{1}';

/// The key of the version up to which a record was brought forward.
const MARK: &str = "\u{1}m";

/// How stored values become those of the definition of which it is part.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The metadata version that it came with; later ones are higher.
    pub version: i64,
    /// Every record has been written anew.
    pub is_settled: bool,
    /// The type of the values before; none where there were none.
    before: Option<Arc<dyn PropertyKind>>,
    /// What the property was called whose values it takes over.
    renamed: Option<Name>,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    /// This, where there is no value, or one that the definition does not take.
    Default(Json),
    /// Another value for each of these.
    Map(BTreeMap<String, Option<Json>>),
    /// What an expression makes of `value` and `record`.
    Convert(Expression),
    /// The values from before another migration.
    Undo(i64),
    /// The same values, which the property had under another name.
    Keep,
}

/// Whether a key in stored properties belongs to no property, and to nobody but the engine.
pub fn is_hidden(key: &str) -> bool {
    key.starts_with(HIDDEN)
}

/// Takes away what is kept of a property from before migrations: it has another value now, to which no way leads back.
pub fn forget_before(properties: &mut Properties, property: &str) {
    let is_before = |key: &str| is_hidden(key) && key.split_once(':').is_some_and(|(_, name)| name == property);
    properties.retain(|key, _| !is_before(key));
}

/// The key of the value from before a migration that a property took over from one of another name.
fn renamed_key(version: i64, property: &str) -> String {
    format!("{HIDDEN}r{version}:{property}")
}

/// The key of a value from before a migration.
fn before_key(version: i64, property: &str) -> String {
    format!("{HIDDEN}b{version}:{property}")
}

impl Migration {
    /// What a caller asks for: exactly one of `default`, `map`, `convert` and `undo`, as it is kept with the property.
    ///
    /// `before` is the definition in force, if there is one; `version` is the metadata version that it will come with.
    pub fn specify(
        asked: &Json,
        before: Option<&Property>,
        version: i64,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Json> {
        let known = problems.len();
        let mut reader = SpecReader::new(asked, pointer, problems)?;
        let how = read_how(&mut reader, None);
        reader.finish();
        let mut kept = asked.as_object().cloned()?;
        if how.is_none() || problems.len() > known {
            return None;
        }
        // As a list, since null takes an entry of a map away where layers are laid over each other.
        if let Some(Json::Object(map)) = kept.get("map") {
            let pairs: Json = map.iter().map(|(key, value)| json!([key, value])).collect();
            kept.insert("map".to_owned(), pairs);
        }
        kept.insert("version".to_owned(), json!(version));
        if let Some(before) = before.filter(|before| !before.kind.is_computed()) {
            let mut spec = before.spec.clone();
            spec.shift_remove("migration");
            kept.insert("before".to_owned(), Json::Object(spec));
        }
        Some(Json::Object(kept))
    }

    /// What is kept with a property that takes over the values of `old`, which it was called before; `kept` is what
    /// becomes of them, where that is said.
    pub fn of_rename(old: &Property, version: i64, kept: Option<Json>) -> Json {
        let mut before = old.spec.clone();
        before.shift_remove("migration");
        let mut kept = kept.unwrap_or_else(|| json!({"version": version}));
        kept["rename"] = json!(old.name);
        kept["before"] = Json::Object(before);
        kept
    }

    /// What is kept with the property of the former name that takes its values back from `new`, which had them by this
    /// migration: as they were, unless they have been changed since.
    pub fn of_return(&self, new: &Property, version: i64) -> Json {
        let undone = match &self.how {
            How::Keep => None,
            How::Default(_) | How::Map(_) | How::Convert(_) | How::Undo(_) => {
                Some(json!({"undo": self.version, "version": version}))
            }
        };
        Self::of_rename(new, version, undone)
    }

    /// What the property was called whose values it takes over.
    pub fn renamed_from(&self) -> Option<&Name> {
        self.renamed.as_ref()
    }

    /// Reads what is kept with a property.
    pub(crate) fn read(spec: &Map<String, Json>, pointer: &str, problems: &mut Problems) -> Option<Self> {
        let mut reader = SpecReader::of_map(spec, pointer, problems);
        let version = reader.count("version").and_then(|version| i64::try_from(version).ok());
        let is_settled = reader.boolean("settled").unwrap_or(false);
        let renamed = reader.name("rename");
        let how = read_how(&mut reader, renamed.as_ref());
        let before = reader.map("before").cloned();
        reader.finish();
        let before = match before {
            Some(spec) => {
                let name = Name::new("before").ok()?;
                Some(Property::read(name, &Json::Object(spec), "", &format!("{pointer}/before"), problems)?.kind)
            }
            None => None,
        };
        Some(Self { version: version?, is_settled, before, renamed, how: how? })
    }

    /// Whether stored values may differ from what they were before it.
    pub fn is_pending(&self, mark: i64) -> bool {
        !self.is_settled && self.version > mark
    }

    /// What the value of `property` becomes in a record whose properties are these.
    ///
    /// # Errors
    /// Why there is none.
    pub fn next(
        &self,
        object: &ObjectDefinition,
        property: &Property,
        properties: &Properties,
    ) -> Result<Option<Json>, String> {
        let stored = self.stored(property, properties);
        let kind = property.kind.as_ref();
        match &self.how {
            How::Default(default) => match stored {
                Some(value) if is_valid(kind, value) => Ok(Some(value.clone())),
                Some(_) | None => normal(kind, default),
            },
            How::Map(map) => stored.map_or(Ok(None), |value| mapped(map, kind, value)),
            How::Convert(expression) => self.converted(expression, object, property, properties),
            How::Keep => stored.map_or(Ok(None), |value| normal(kind, value)),
            How::Undo(version) => match properties.get(&self.key_before(*version, property)) {
                Some(Json::Null) => Ok(None),
                Some(value) => normal(kind, value),
                None => stored.map_or(Ok(None), |value| normal(kind, value)),
            },
        }
    }

    /// The value that there is, under the name that it has or had.
    fn stored<'p>(&self, property: &Property, properties: &'p Properties) -> Option<&'p Json> {
        let before = || properties.get(self.renamed.as_ref()?.as_str());
        properties.get(property.name.as_str()).or_else(before)
    }

    /// The key of the value from before the migration that is undone.
    fn key_before(&self, version: i64, property: &Property) -> String {
        match &self.renamed {
            Some(new) => renamed_key(version, new),
            None => before_key(version, &property.name),
        }
    }

    fn converted(
        &self,
        expression: &Expression,
        object: &ObjectDefinition,
        property: &Property,
        properties: &Properties,
    ) -> Result<Option<Json>, String> {
        let null = Json::Null;
        let stored = self.stored(property, properties).unwrap_or(&null);
        let before = self.before.as_deref().unwrap_or(property.kind.as_ref());
        let scope = Scope::new()
            .bind_record_with("record", &object.properties, properties, (&property.name, before))
            .bind_property("value", before, stored);
        match expression.evaluate(&scope) {
            Ok(value) => normal(property.kind.as_ref(), &rounded(&value, property.kind.as_ref())),
            Err(error) if error.is_missing_value() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What becomes of values; those of a property that was `renamed` may stay as they are.
fn read_how(reader: &mut SpecReader<'_>, renamed: Option<&Name>) -> Option<How> {
    let default = reader.value("default").cloned();
    let map = reader.value("map").cloned();
    let convert = reader.string("convert").map(str::to_owned);
    let undo = reader.count("undo").and_then(|version| i64::try_from(version).ok());
    let given = [default.is_some(), map.is_some(), convert.is_some(), undo.is_some()];
    let given = given.iter().filter(|given| **given).count();
    if renamed.is_some() && given == 0 {
        return Some(How::Keep);
    }
    if given != 1 {
        let at = reader.pointer().to_owned();
        let message = "a migration has exactly one of `default`, `map`, `convert` and `undo`";
        reader.problems().push(Problem::new(at, "invalid", message));
        return None;
    }
    if let Some(source) = convert {
        let compiled = Expression::compile(&source).map_err(|error| error.to_string());
        let compiled = compiled.and_then(|expression| {
            let unknown = expression.names().find(|name| !["value", "record"].contains(name)).map(str::to_owned);
            match unknown {
                None => Ok(expression),
                Some(name) => Err(format!("there is no `{name}` here; an expression sees `value` and `record`")),
            }
        });
        return match compiled {
            Ok(expression) => Some(How::Convert(expression)),
            Err(message) => {
                reader.problem("convert", "invalid_expression", message);
                None
            }
        };
    }
    if let Some(map) = map {
        let pairs = pairs(&map);
        if pairs.is_none() {
            reader.problem("map", "wrong_type", "an object is expected: what each value becomes, null for no value");
        }
        return pairs.map(How::Map);
    }
    default.map(How::Default).or_else(|| undo.map(How::Undo))
}

/// What each value becomes, from an object or a list of pairs.
fn pairs(map: &Json) -> Option<BTreeMap<String, Option<Json>>> {
    let some = |value: &Json| Some(value.clone()).filter(|value| !value.is_null());
    match map {
        Json::Object(map) => Some(map.iter().map(|(key, value)| (key.clone(), some(value))).collect()),
        Json::Array(list) => list
            .iter()
            .map(|pair| match pair.as_array()?.as_slice() {
                [key, value] => Some((key.as_str()?.to_owned(), some(value))),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// Another value where the map has one; each element of a list by itself.
fn mapped(map: &BTreeMap<String, Option<Json>>, kind: &dyn PropertyKind, value: &Json) -> Result<Option<Json>, String> {
    let one = |value: &Json| {
        let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        map.get(&key).cloned().unwrap_or_else(|| Some(value.clone()))
    };
    match value {
        Json::Array(list) => normal(kind, &list.iter().filter_map(one).collect()),
        value => one(value).map_or(Ok(None), |value| normal(kind, &value)),
    }
}

/// A value as the type keeps it; archived options are kept as they are.
fn normal(kind: &dyn PropertyKind, value: &Json) -> Result<Option<Json>, String> {
    match normalize_value(kind, value, &Locale::default()) {
        Ok(value) => Ok(value),
        Err(faults) if faults.iter().all(|fault| fault.code == "archived_option") => Ok(Some(value.clone())),
        Err(faults) => Err(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")),
    }
}

fn is_valid(kind: &dyn PropertyKind, value: &Json) -> bool {
    normal(kind, value).is_ok_and(|normal| normal.as_ref() == Some(value))
}

impl ObjectDefinition {
    /// Properties whose stored values may still have to be brought forward.
    pub fn migrating(&self) -> impl Iterator<Item = (&Property, &Migration)> {
        let migrating = self.properties.values().filter_map(|property| Some((property, property.migrated.as_ref()?)));
        migrating.filter(|(_, migration)| !migration.is_settled)
    }

    /// Whether stored values of a property were ever brought forward, or are to be.
    pub fn has_migrated(&self) -> bool {
        self.properties.values().any(|property| property.migrated.is_some())
    }

    /// The version to which a record is brought forward that is written now; 0 where there is nothing to do.
    fn mark(&self) -> i64 {
        self.migrating().map(|(_, migration)| migration.version).max().unwrap_or_default()
    }

    /// Notes that a record is as the definition has it now.
    pub fn mark_forward(&self, properties: &mut Properties) {
        if self.is_migrating {
            properties.insert(MARK.to_owned(), json!(self.mark()));
        }
    }

    /// Brings stored properties to what the definition says now; whether a value has become another. A value that cannot
    /// be brought forward, which is looked for before a definition changes, goes.
    pub fn bring_forward(&self, properties: &mut Properties) -> bool {
        if !self.is_migrating {
            return false;
        }
        self.forward(properties).0
    }

    /// The same with the properties whose values cannot be brought forward, each with the reason.
    pub fn forward(&self, properties: &mut Properties) -> (bool, Vec<(&Name, String)>) {
        let mark = properties.get(MARK).and_then(Json::as_i64).unwrap_or_default();
        let pending = self.migrating().filter(|(_, migration)| migration.is_pending(mark));
        let (mut next, mut failed) = (Vec::new(), Vec::new());
        for (property, migration) in pending {
            match migration.next(self, property, properties) {
                Ok(value) => next.push((property, migration.version, value)),
                Err(reason) => {
                    failed.push((&property.name, reason));
                    next.push((property, migration.version, None));
                }
            }
        }
        if next.is_empty() {
            return (false, failed);
        }
        let mut is_other = false;
        for (property, version, value) in next {
            let old = property.migrated.as_ref().and_then(Migration::renamed_from);
            if let Some((old, stored)) = old.and_then(|old| properties.shift_remove_entry(old.as_str())) {
                properties.insert(renamed_key(version, &property.name), stored.clone());
                properties.insert(before_key(version, &old), stored);
            }
            let stored = properties.get(property.name.as_str());
            if stored == value.as_ref() {
                continue;
            }
            is_other = true;
            let before = stored.cloned().unwrap_or_default();
            properties.insert(before_key(version, &property.name), before);
            match value {
                Some(value) => drop(properties.insert(property.name.to_string(), value)),
                None => drop(properties.shift_remove(property.name.as_str())),
            }
        }
        self.mark_forward(properties);
        (is_other, failed)
    }

    /// The values that properties had before they were brought forward, as far as they differ: name and value.
    pub fn values_before<'a>(&'a self, properties: &'a Properties) -> impl Iterator<Item = (&'a Name, Option<Json>)> {
        let names = self.migrating().flat_map(|(property, migration)| {
            let names = [Some(&property.name), migration.renamed_from()];
            names.into_iter().flatten().map(move |name| (name, migration.version))
        });
        names.filter_map(|(name, version)| {
            let before = properties.get(&before_key(version, name))?;
            Some((name, Some(before.clone()).filter(|before| !before.is_null())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::tests::layer;
    use crate::registry::Registry;

    fn object(property: Json) -> ObjectDefinition {
        let properties = json!({"a": property, "other": {"type": "string"}});
        let (registry, problems) =
            Registry::fold(&[layer("core", &json!({"objects": {"o": {"properties": properties}}}))]);
        assert_eq!(problems, []);
        registry.objects["o"].clone()
    }

    /// What a record becomes, without what is hidden; and why a value has none.
    fn forward(property: Json, stored: Json) -> (Json, Vec<String>) {
        let object = object(property);
        let mut properties = stored.as_object().cloned().expect("an object");
        let (_, failed) = object.forward(&mut properties);
        properties.retain(|key, _| !is_hidden(key));
        (Json::Object(properties), failed.into_iter().map(|(_, reason)| reason).collect())
    }

    fn with(spec: Json, how: Json) -> Json {
        let (mut spec, mut how) = (spec, how);
        how["version"] = json!(7);
        spec["migrated"] = how;
        spec
    }

    #[test]
    fn a_default_is_for_what_is_missing_or_not_valid_any_more() {
        let spec = with(json!({"type": "integer", "maximum": 9, "required": true}), json!({"default": 5}));
        assert_eq!(forward(spec.clone(), json!({"a": 3})).0, json!({"a": 3}));
        assert_eq!(forward(spec.clone(), json!({"a": 30})).0, json!({"a": 5}));
        assert_eq!(forward(spec, json!({"other": "x"})).0, json!({"other": "x", "a": 5}));
    }

    #[test]
    fn a_property_takes_over_what_another_name_had_and_gives_it_back() {
        let way = |how: Json| with(json!({"type": "string"}), how);
        let there = way(json!({"rename": "old", "convert": "'S' + string(value)", "before": {"type": "integer"}}));
        let back = json!({"properties": {"old": {"type": "integer", "migrated":
            {"rename": "a", "undo": 7, "version": 8, "before": {"type": "string"}}}}});
        let layers = [layer("core", &json!({"objects": {"o": back}}))];
        let (back, problems) = Registry::fold(&layers);
        assert_eq!(problems, []);
        let mut properties = json!({"old": 1}).as_object().cloned().expect("an object");
        let object = object(there);
        let shown = |properties: &Properties| {
            let mut shown = properties.clone();
            shown.retain(|key, _| !is_hidden(key));
            Json::Object(shown)
        };
        assert!(object.bring_forward(&mut properties));
        assert_eq!(shown(&properties), json!({"a": "S1"}));
        let before: Vec<_> = object.values_before(&properties).map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(before, [("a", None), ("old", Some(json!(1)))]);
        let mut changed = properties.clone();
        assert!(back.objects["o"].bring_forward(&mut properties));
        assert_eq!(shown(&properties), json!({"old": 1}));
        // What has been changed since goes back as it is, as far as it may.
        forget_before(&mut changed, "a");
        changed.insert("a".to_owned(), json!("7"));
        let (_, failed) = back.objects["o"].forward(&mut changed);
        assert_eq!((shown(&changed), failed.len()), (json!({}), 1));
    }

    #[test]
    fn a_map_says_what_each_value_becomes() {
        let spec =
            with(json!({"type": "enum", "options": ["new", "gone"]}), json!({"map": {"old": "new", "odd": null}}));
        let of = |value: &str| forward(spec.clone(), json!({"a": value}));
        assert_eq!([of("old").0, of("gone").0, of("odd").0], [json!({"a": "new"}), json!({"a": "gone"}), json!({})]);
        assert_eq!((of("bad").0, of("bad").1.len()), (json!({}), 1));
        let list = with(json!({"type": "multi_enum", "options": ["b", "c"]}), json!({"map": {"a": "b", "d": null}}));
        assert_eq!(forward(list, json!({"a": ["a", "c", "d"]})).0, json!({"a": ["b", "c"]}));
    }

    #[test]
    fn an_expression_sees_the_value_as_it_was_and_the_record() {
        let before = json!({"type": "string"});
        let convert = |source: &str| json!({"convert": source, "before": before});
        let to_integer = with(json!({"type": "integer"}), convert("int(value)"));
        assert_eq!(forward(to_integer.clone(), json!({"a": "12"})).0, json!({"a": 12}));
        assert_eq!(forward(to_integer.clone(), json!({})).0, json!({}));
        assert_eq!(forward(to_integer, json!({"a": "x"})).1.len(), 1);
        let joined = with(json!({"type": "string"}), json!({"convert": "record.other + '!'"}));
        assert_eq!(forward(joined, json!({"other": "y"})).0, json!({"other": "y", "a": "y!"}));
        let own = with(json!({"type": "integer"}), convert("size(record.a)"));
        assert_eq!(forward(own, json!({"a": "four"})).0, json!({"a": 4}));
    }

    #[test]
    fn a_record_is_brought_forward_once_and_can_go_back() {
        let to_integer = json!({"convert": "int(value) + 1", "before": {"type": "string"}});
        let object = object(with(json!({"type": "integer"}), to_integer));
        let mut properties = json!({"a": "1"}).as_object().cloned().expect("an object");
        assert!(object.bring_forward(&mut properties));
        assert!(!object.bring_forward(&mut properties));
        assert_eq!(properties["a"], 2);
        assert_eq!(
            object.values_before(&properties).collect::<Vec<_>>(),
            [(&Name::new("a").expect("a name"), Some(json!("1")))]
        );
        let mut back = self::object(json!({"type": "string", "migrated": {"undo": 7, "version": 9}}));
        assert!(back.bring_forward(&mut properties));
        assert_eq!(properties["a"], "1");
        let mut changed = json!({"a": 5, "\u{1}m": 7}).as_object().cloned().expect("an object");
        assert_eq!(back.forward(&mut changed).1.len(), 1, "5 is no string");
        back = self::object(json!({"type": "string", "migrated": {"undo": 7, "version": 9, "settled": true}}));
        assert!(!back.bring_forward(&mut properties.clone()));
    }

    #[test]
    fn what_is_asked_for_is_checked() {
        let ask = |asked: Json| {
            let mut problems = Problems::new();
            let kept = Migration::specify(&asked, None, 3, "/migration", &mut problems);
            assert_eq!(kept.is_none(), !problems.is_empty());
            problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
        };
        assert_eq!(ask(json!({"default": 1})), []);
        assert_eq!(ask(json!({})), [("/migration".to_owned(), "invalid")]);
        assert_eq!(ask(json!({"default": 1, "map": {}})), [("/migration".to_owned(), "invalid")]);
        assert_eq!(ask(json!({"convert": "vale + 1"})), [("/migration/convert".to_owned(), "invalid_expression")]);
        assert_eq!(ask(json!({"convert": "value", "version": 3})), [("/migration/version".to_owned(), "unknown_key")]);
    }
}
