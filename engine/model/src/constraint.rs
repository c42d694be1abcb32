//! Constraints: what holds of every record of an object, over several properties and several records.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::former::called;
use crate::layer::Folded;
use crate::name::Name;
use crate::object::known_name;
use crate::problem::{Problem, Problems};
use crate::property::Property;
use crate::reserved::Reserved;
use crate::rule::{NO_CLOCK, Rule};
use crate::spec::SpecReader;

/// A rule that every record of an object meets.
#[derive(Debug, Clone)]
pub enum Constraint {
    /// No two unarchived records share the values of these properties; a record that lacks one is exempt.
    Unique {
        /// Two or more properties, or one.
        properties: Vec<Name>,
    },
    /// A CEL expression that must be true.
    Rule(Rule),
    /// Half-open intervals of records that share a value may not overlap.
    NoOverlap {
        /// Records with the same value here compete.
        within: Name,
        /// Where the interval begins, included.
        from: Name,
        /// Where it ends, not included.
        to: Name,
    },
    /// Values that only administrators and automation set.
    Reserved(Reserved),
}

impl Constraint {
    /// Key under which claimed values are stored: the property names joined by `,`.
    pub fn claim_name(properties: &[Name]) -> String {
        properties.iter().map(Name::as_str).collect::<Vec<_>>().join(",")
    }
}

/// Each constraint that reads, with its place in the list.
pub(crate) fn read_constraints(
    reader: &mut SpecReader<'_>,
    properties: &IndexMap<Name, Property>,
) -> Vec<(usize, Constraint)> {
    let Some(list) = reader.list("constraints") else { return Vec::new() };
    let pointer = reader.pointer_of("constraints");
    let read = |(index, spec)| {
        let constraint = read_constraint(spec, &format!("{pointer}/{index}"), properties, reader.problems())?;
        Some((index, constraint))
    };
    list.iter().enumerate().filter_map(read).collect()
}

fn read_constraint(
    spec: &Value,
    at: &str,
    properties: &IndexMap<Name, Property>,
    problems: &mut Problems,
) -> Option<Constraint> {
    let mut reader = SpecReader::new(spec, at, problems)?;
    let constraint = if let Some(names) = reader.names("unique") {
        let known: Vec<Name> =
            names.iter().filter_map(|name| known_name(&mut reader, "unique", name, properties)).collect();
        (known.len() == names.len() && !names.is_empty()).then_some(Constraint::Unique { properties: known })
    } else if spec.get("rule").is_some_and(|rule| !rule.is_null()) {
        let mut rule = Rule::read(&mut reader, "the record breaks a rule of its object");
        if let Some(rule) = &mut rule {
            rule.rename(properties);
            for name in rule.expression.names().filter_map(|name| Name::new(name).ok()) {
                match NO_CLOCK.iter().find(|(moment, _)| *moment == name.as_str() && !properties.contains_key(&name)) {
                    Some((_, message)) => reader.problem("rule", "unknown", *message),
                    None => drop(known_name(&mut reader, "rule", &name, properties)),
                }
            }
            if let Some(name) = &rule.at {
                known_name(&mut reader, "at", name, properties);
            }
        }
        rule.map(Constraint::Rule)
    } else if let Some(map) = reader.map("no_overlap") {
        let at = reader.pointer_of("no_overlap");
        read_no_overlap(map, &at, properties, reader.problems())
    } else if let Some(map) = reader.map("reserved") {
        let at = reader.pointer_of("reserved");
        Reserved::read(map, &at, properties, reader.problems()).map(Constraint::Reserved)
    } else {
        let message = "a constraint is `unique: [properties]`, `rule: expression`, `no_overlap: {within, from, to}` or \
                       `reserved: {property, prefixes}`";
        let at = reader.pointer().to_owned();
        reader.problems().push(Problem::new(at, "invalid", message));
        None
    };
    reader.finish();
    constraint
}

fn read_no_overlap(
    map: &Map<String, Value>,
    at: &str,
    properties: &IndexMap<Name, Property>,
    problems: &mut Problems,
) -> Option<Constraint> {
    let mut reader = SpecReader::of_map(map, at, problems);
    let mut read = |key: &'static str| {
        let name = reader.name(key);
        if name.is_none() && !map.contains_key(key) {
            reader.missing(key);
        }
        name.and_then(|name| known_name(&mut reader, key, &name, properties))
    };
    let (within, from, to) = (read("within"), read("from"), read("to"));
    for (key, name) in [("from", &from), ("to", &to)] {
        let storage = name.as_ref().and_then(|name| properties.get(name.as_str())).map(|found| found.kind.storage());
        if storage.is_some_and(|storage| !storage.has_intervals()) {
            reader.problem(key, "wrong_type", "an interval is made of dates, moments or numbers");
        }
    }
    reader.finish();
    Some(Constraint::NoOverlap { within: within?, from: from?, to: to? })
}

/// What of the constraints no record could ever meet, or none could break.
///
/// One that was stored before this was asked for stands all the same, so that the object is not lost.
pub(crate) fn check_constraints(folded: &Folded, properties: &IndexMap<Name, Property>, problems: &mut Problems) {
    let list = folded.spec.get("constraints").and_then(Value::as_array).into_iter().flatten();
    for (index, spec) in list.enumerate() {
        let at = format!("{}/constraints/{index}", folded.pointer);
        if let Some(names) = spec.get("unique").and_then(Value::as_array) {
            check_unique(names, &format!("{at}/unique"), properties, problems);
        } else if let Some(map) = spec.get("no_overlap").and_then(Value::as_object) {
            check_ends(map, &format!("{at}/no_overlap"), properties, problems);
        }
    }
}

fn check_unique(names: &[Value], at: &str, properties: &IndexMap<Name, Property>, problems: &mut Problems) {
    if names.is_empty() {
        problems.push(Problem::new(at, "required", "name at least one property whose values no two records share"));
    }
    let mut seen = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        let (Some(name), at) = (name.as_str(), format!("{at}/{index}")) else { continue };
        if !seen.insert(name) {
            problems.push(Problem::new(at, "taken", format!("`{name}` is there twice; leave one out")));
        } else if let Some(kind) =
            called(properties, name).map(|property| &property.kind).filter(|kind| !kind.storage().can_be_unique())
        {
            let message = format!("`{name}` is of type {}, and that cannot be unique", kind.name());
            problems.push(Problem::new(at, "not_applicable", message));
        }
    }
}

/// Both ends of an interval are points on the same line.
fn check_ends(map: &Map<String, Value>, at: &str, properties: &IndexMap<Name, Property>, problems: &mut Problems) {
    let named = |key: &str| called(properties, map.get(key)?.as_str()?);
    let (Some(from), Some(to)) = (named("from"), named("to")) else { return };
    let (begin, end) = (from.kind.storage(), to.kind.storage());
    if from.name == to.name {
        let message = format!("`{}` is where the interval begins; it ends at another property", from.name);
        problems.push(Problem::new(format!("{at}/to"), "invalid", message));
    } else if begin != end && begin.has_intervals() && end.has_intervals() {
        let message = match (from.kind.name(), to.kind.name()) {
            (begins, ends) if begins == ends => {
                format!(
                    "`{}` and `{}` have other digits after the point; give both the same `scale`",
                    from.name, to.name
                )
            }
            (begins, ends) => format!(
                "`{}` is of type {begins} and `{}` of type {ends}; an interval begins and ends with values of one type",
                from.name, to.name
            ),
        };
        problems.push(Problem::new(format!("{at}/to"), "wrong_type", message));
    }
}
