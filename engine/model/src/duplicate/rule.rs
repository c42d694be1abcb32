//! A rule by which records are duplicates of each other, as `features.duplicates` of an object has it.

use indexmap::IndexMap;
use serde_json::Value;

use crate::former::called;
use crate::name::{Name, did_you_mean};
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Property, Storage};
use crate::spec::{SpecReader, shape};

/// Rules that an object may have.
const MOST_RULES: usize = 20;

/// Properties that one rule may name.
const MOST_PROPERTIES: usize = 10;

/// Percent that texts are alike where a rule is content with similar ones and says no more.
const SIMILAR: u8 = 92;

/// What happens when a record is made that a rule takes for a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum OnCreate {
    /// Nothing: it is found by whoever asks, and by scans.
    #[default]
    Ignore,
    /// It is made, and the answer names what it resembles.
    Warn,
    /// It is not made.
    Refuse,
}

impl OnCreate {
    /// The words of specifications.
    pub const NAMES: [(&'static str, Self); 3] =
        [("ignore", Self::Ignore), ("warn", Self::Warn), ("refuse", Self::Refuse)];
}

/// A rule: records are duplicates of each other where all parts agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateRule {
    /// What must agree; of each part, the value of one of its properties with that of one of them in the other record.
    pub parts: Vec<Vec<Name>>,
    /// Percent that texts must be alike; none where values must be equal but for case and accents.
    pub similar: Option<u8>,
    /// What happens when a duplicate is made.
    pub on_create: OnCreate,
    /// Percent sure that records which agree are the same; follows from the properties unless given.
    pub weight: Option<u8>,
}

impl DuplicateRule {
    /// Reads `features.duplicates`; a rule that cannot stand is told and left out.
    pub(crate) fn read_all(
        features: &Value,
        pointer: &str,
        properties: &IndexMap<Name, Property>,
        problems: &mut Problems,
    ) -> Vec<Self> {
        let at = push_segment(pointer, "duplicates");
        match features.get("duplicates") {
            None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
            Some(Value::Array(rules)) if rules.len() <= MOST_RULES => {
                let rules = rules.iter().enumerate();
                rules
                    .filter_map(|(index, rule)| Self::read(rule, &format!("{at}/{index}"), properties, problems))
                    .collect()
            }
            Some(Value::Array(rules)) => {
                let message = format!("has {} rules; an object has at most {MOST_RULES}", rules.len());
                problems.push(Problem::new(at, "too_many", message));
                Vec::new()
            }
            Some(other) => {
                let message =
                    format!("a list of rules is expected, such as `[[email], [phone]]`, not {}", shape(other));
                problems.push(Problem::new(at, "wrong_type", message));
                Vec::new()
            }
        }
    }

    fn read(rule: &Value, at: &str, properties: &IndexMap<Name, Property>, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let read = match rule {
            Value::Array(names) => {
                let parts = read_parts(names, at, properties, problems);
                Self { parts, similar: None, on_create: OnCreate::default(), weight: None }
            }
            Value::Object(map) => {
                let mut reader = SpecReader::of_map(map, at, problems);
                let on_create = reader.choice("on_create", &OnCreate::NAMES.map(|(name, _)| name)).unwrap_or("ignore");
                let on_create = OnCreate::NAMES.into_iter().find(|(name, _)| *name == on_create);
                let weight = percent(&mut reader, "weight", 1);
                let similar = match reader.value("similar") {
                    None | Some(Value::Bool(false)) => None,
                    Some(Value::Bool(true)) => Some(SIMILAR),
                    Some(_) => percent(&mut reader, "similar", 50),
                };
                let names = reader.list("properties").cloned();
                if names.is_none() {
                    reader.missing("properties");
                }
                reader.finish();
                let names = names.unwrap_or_default();
                let parts = read_parts(&names, &push_segment(at, "properties"), properties, problems);
                Self { parts, similar, on_create: on_create.map_or(OnCreate::Ignore, |(_, found)| found), weight }
            }
            other => {
                let message = format!(
                    "a list of properties, or `{{properties: […], similar?, on_create?, weight?}}` is expected, not {}",
                    shape(other)
                );
                problems.push(Problem::new(at, "wrong_type", message));
                return None;
            }
        };
        read.check_similar(at, properties, problems);
        (problems.len() == before).then_some(read)
    }

    fn check_similar(&self, at: &str, properties: &IndexMap<Name, Property>, problems: &mut Problems) {
        let named = self.names().filter_map(|name| properties.get(name));
        for property in named.filter(|property| self.similar.is_some() && property.kind.storage() != Storage::Text) {
            let message = format!(
                "`{}` is of type {}; only texts can be similar, such as a string",
                property.name,
                property.kind.name()
            );
            problems.push(Problem::new(push_segment(at, "similar"), "not_applicable", message));
        }
    }

    /// Every property that it names.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.parts.iter().flatten()
    }

    /// Percent sure that two records which agree are the same: an address, a number or what is unique says more than a
    /// name, and two names more than one.
    pub fn weight(&self, object: &ObjectDefinition) -> u8 {
        let tells = |property: &Property| {
            property.unique || matches!(property.kind.name(), "email" | "phone" | "domain" | "url" | "auto_number")
        };
        self.weight.unwrap_or_else(|| {
            if self.names().filter_map(|name| object.property(name)).any(tells) {
                90
            } else if self.parts.len() > 1 {
                75
            } else {
                60
            }
        })
    }

    /// Whether something of every part is there.
    pub fn is_in_force(&self, object: &ObjectDefinition) -> bool {
        self.parts.iter().all(|part| part.iter().any(|name| object.property(name).is_some()))
    }
}

fn percent(reader: &mut SpecReader<'_>, key: &'static str, least: u64) -> Option<u8> {
    let number = reader.count(key)?;
    let percent = u8::try_from(number).ok().filter(|percent| (least..=100).contains(&u64::from(*percent)));
    if percent.is_none() {
        reader.problem(key, "out_of_range", format!("a percentage from {least} to 100 is expected"));
    }
    percent
}

/// Parts as written: a property, or a list of those of which one must agree.
fn read_parts(
    written: &[Value],
    at: &str,
    properties: &IndexMap<Name, Property>,
    problems: &mut Problems,
) -> Vec<Vec<Name>> {
    let mut parts: Vec<Vec<Name>> = Vec::with_capacity(written.len());
    for (index, part) in written.iter().enumerate() {
        let at = format!("{at}/{index}");
        let names: Vec<(String, &Value)> = match part {
            Value::Array(names) => names.iter().enumerate().map(|(nth, name)| (format!("{at}/{nth}"), name)).collect(),
            name => vec![(at.clone(), name)],
        };
        if names.is_empty() {
            problems.push(Problem::new(at, "required", "name at least one property"));
            continue;
        }
        let known: Vec<&Name> = parts.iter().flatten().collect();
        let read: Vec<Option<Name>> =
            names.iter().map(|(at, name)| read_name(name, at, properties, &known, problems)).collect();
        parts.extend(read.into_iter().collect::<Option<Vec<Name>>>());
    }
    if written.is_empty() {
        problems.push(Problem::new(at, "required", "name at least one property"));
    } else if parts.iter().flatten().count() > MOST_PROPERTIES {
        problems.push(Problem::new(at, "too_many", format!("a rule names at most {MOST_PROPERTIES} properties")));
    }
    parts
}

fn read_name(
    written: &Value,
    at: &str,
    properties: &IndexMap<Name, Property>,
    known: &[&Name],
    problems: &mut Problems,
) -> Option<Name> {
    let mut tell = |code, message: String| {
        problems.push(Problem::new(at, code, message));
        None
    };
    let Value::String(name) = written else {
        return tell("wrong_type", format!("the name of a property is expected, not {}", shape(written)));
    };
    let Some(property) = called(properties, name) else {
        let hint = did_you_mean(name, properties.keys().map(Name::as_str));
        return tell("unknown", format!("`{name}` is no property of this object{hint}"));
    };
    let name = &property.name;
    if known.contains(&name) {
        return tell("duplicate", format!("`{name}` is named more than once"));
    }
    if !property.kind.operators().contains(&"eq") {
        let message = format!("`{name}` is of type {}, whose values cannot be compared", property.kind.name());
        return tell("not_applicable", message);
    }
    Some(name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layer::tests::layer;
    use crate::registry::Registry;

    fn fold(duplicates: &Value) -> (Registry, Vec<(String, &'static str)>) {
        let properties = json!({"name": {"type": "string"}, "given": {"type": "string"}, "mail": {"type": "email"},
            "phone": {"type": "phone"}, "mobile": {"type": "phone"}, "size": {"type": "integer"},
            "tags": {"type": "tags"}, "called": {"type": "string", "was": "titled"}, "gone": {"type": "string", "archived": true}});
        let object = json!({"properties": properties, "features": {"duplicates": duplicates}});
        let (registry, problems) = Registry::fold(&[layer("own", &json!({"objects": {"visit": object}}))]);
        (registry, problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect())
    }

    fn name(name: &str) -> Name {
        Name::new(name).expect("a name")
    }

    #[test]
    fn rules_are_read_in_both_forms() {
        let (registry, problems) = fold(&json!([
            ["mail"],
            [["phone", "mobile"], "size"],
            {"properties": ["given", "name"], "similar": true, "on_create": "warn"},
            {"properties": ["name"], "similar": 80, "on_create": "refuse", "weight": 33},
            ["gone"],
            ["titled"]
        ]));
        assert_eq!(problems, []);
        let object = &registry.objects["visit"];
        let rules = &object.duplicates;
        assert_eq!(rules[0].parts, [[name("mail")]]);
        assert_eq!(rules[1].parts, [vec![name("phone"), name("mobile")], vec![name("size")]]);
        let told: Vec<_> = rules.iter().map(|rule| (rule.similar, rule.on_create, rule.weight(object))).collect();
        let expected = [
            (None, OnCreate::Ignore, 90),
            (None, OnCreate::Ignore, 90),
            (Some(92), OnCreate::Warn, 75),
            (Some(80), OnCreate::Refuse, 33),
            (None, OnCreate::Ignore, 60),
            (None, OnCreate::Ignore, 60),
        ];
        assert_eq!(told, expected);
        let in_force: Vec<bool> = rules.iter().map(|rule| rule.is_in_force(object)).collect();
        assert_eq!(in_force, [true, true, true, true, false, true]);
        assert_eq!(rules[5].parts, [[name("called")]]);
        let used: Vec<_> =
            registry.uses("visit", "mobile").into_iter().map(|found| (found.kind, found.pointer)).collect();
        assert_eq!(used, [("duplicates", "/objects/visit/features/duplicates".to_owned())]);
        for nothing in [json!(null), json!(false), json!([])] {
            assert_eq!(fold(&nothing).0.objects["visit"].duplicates, []);
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place_and_the_object_stands() {
        let at = |rest: &str| format!("/objects/visit/features/duplicates{rest}");
        let (registry, problems) = fold(&json!([
            [],
            ["mial", 1],
            [["phone", "phon"]],
            ["name", "name"],
            ["tags"],
            "name",
            {"similar": true},
            {"properties": ["size"], "similar": true},
            {"properties": ["name"], "similar": 20, "weight": 101, "on_create": "wrn", "wieght": 1},
            ["name"]
        ]));
        let expected = [
            (at("/0"), "required"),
            (at("/1/0"), "unknown"),
            (at("/1/1"), "wrong_type"),
            (at("/2/0/1"), "unknown"),
            (at("/3/1"), "duplicate"),
            (at("/4/0"), "not_applicable"),
            (at("/5"), "wrong_type"),
            (at("/6/properties"), "required"),
            (at("/6/properties"), "required"),
            (at("/7/similar"), "not_applicable"),
            (at("/8/on_create"), "unknown"),
            (at("/8/weight"), "out_of_range"),
            (at("/8/similar"), "out_of_range"),
            (at("/8/wieght"), "unknown_key"),
        ];
        assert_eq!(problems, expected);
        assert_eq!(registry.objects["visit"].duplicates.len(), 1);
        assert_eq!(fold(&json!(true)).1, [(at(""), "wrong_type")]);
        assert_eq!(fold(&json!(vec![json!(["name"]); 21])).1, [(at(""), "too_many")]);
    }
}
