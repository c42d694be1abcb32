//! What a changed definition asks of stored values that the old one did not.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use engine_model::expression::{Expression, Scope};
use engine_model::object::ObjectDefinition;
use engine_model::property::{Locale, Property, PropertyKind, normalize_value};
use engine_model::{Name, Problem, Properties};
use indexmap::IndexMap;
use jsonschema::Validator;
use serde_json::Value;

use super::Stored;
use crate::records::intervals;

/// Ids that a refusal names.
const MOST_SAMPLES: usize = 10;

/// Records in the way: how many, and some of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finding {
    pub(crate) count: i64,
    /// How many of them are archived, which no list shows unless it is asked.
    archived: i64,
    pub(crate) samples: Vec<String>,
}

impl Finding {
    pub(crate) fn add(&mut self, record: i64) {
        self.count += 1;
        if self.samples.len() < MOST_SAMPLES {
            self.samples.push(record.to_string());
        }
    }

    fn add_of(&mut self, record: &Stored) {
        self.add(record.id);
        self.archived += i64::from(record.is_archived);
    }

    /// The problem that a refusal lists, if there is any record in the way.
    pub(crate) fn problem(&self, pointer: &str, message: String) -> Option<Problem> {
        let message = match self.archived {
            0 => message,
            archived => format!("{message} ({archived} archived, listed with `?archived=true`)"),
        };
        let found = Problem::new(pointer, "records_in_the_way", message);
        (self.count > 0).then(|| Problem { count: Some(self.count), samples: self.samples.clone(), ..found })
    }
}

/// Something asked of every record of an object.
#[derive(Debug)]
pub(crate) struct Check {
    /// Where in the definitions it is asked.
    pub(crate) pointer: String,
    pub(crate) demand: Demand,
    pub(crate) finding: Finding,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Demand {
    /// The property has a value.
    Present(Name),
    /// The value is one that the property's type would have made of it.
    Fits { property: Name, kind: Arc<dyn PropertyKind>, schema: Option<Arc<Validator>>, locale: Locale },
    /// The stored value becomes one of the changed definition.
    Forward(Name),
    /// The rule is true.
    Holds(Arc<Expression>),
    /// The intervals of this constraint end after they begin.
    Ordered { claim: String, from: Name, to: Name },
    /// The record is in a stage of its pipeline, if it is in the pipeline that this is about.
    Staged { pipeline: Option<Name>, stages: HashMap<String, HashSet<String>> },
}

impl Check {
    pub(crate) fn new(pointer: String, demand: Demand) -> Self {
        Self { pointer, demand, finding: Finding::default() }
    }

    /// Looks at a record of `object`, which is defined as it shall be.
    pub(crate) fn look(&mut self, object: &ObjectDefinition, record: &Stored) {
        let is_met = match &self.demand {
            Demand::Forward(property) => !record.stuck.contains(property),
            demand => demand.is_met(object, &record.properties),
        };
        if !is_met {
            self.finding.add_of(record);
        }
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        self.finding.problem(&self.pointer, self.demand.message(&records(self.finding.count)))
    }
}

/// A number of records in words, as the subject of a plural verb would need it said.
pub(crate) fn records(count: i64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}

impl Demand {
    fn is_met(&self, object: &ObjectDefinition, properties: &Properties) -> bool {
        match self {
            Self::Holds(expression) => {
                match expression.evaluate_bool(&Scope::for_record(&object.properties, properties)) {
                    Ok(is_met) => is_met,
                    Err(error) => error.is_missing_value(),
                }
            }
            Self::Ordered { claim, .. } => intervals(object, properties)
                .iter()
                .all(|interval| interval.properties != *claim || interval.starts_at < interval.ends_at),
            Self::Present(_) | Self::Fits { .. } | Self::Staged { .. } | Self::Forward(_) => {
                self.is_met_by_values(properties)
            }
        }
    }

    /// [`Demand::is_met`] for what needs no definitions; a rule or an interval asks for an object's.
    pub(crate) fn is_met_by_values(&self, properties: &Properties) -> bool {
        match self {
            Self::Present(name) => properties.contains_key(name.as_str()),
            Self::Fits { property, kind, schema, locale } => properties.get(property.as_str()).is_none_or(|value| {
                fits(kind.as_ref(), value, locale) && schema.as_ref().is_none_or(|schema| schema.is_valid(value))
            }),
            Self::Staged { pipeline, stages } => is_staged(pipeline.as_ref(), stages, properties),
            Self::Holds(_) | Self::Ordered { .. } | Self::Forward(_) => true,
        }
    }

    pub(crate) fn message(&self, subject: &str) -> String {
        match self {
            Self::Present(name) => format!("{subject} without a value of `{name}`; give them one first"),
            Self::Fits { property, .. } => {
                format!(
                    "{subject} with a value of `{property}` that would no longer be valid; change those values first, or say \
                     with a `migration` what becomes of them"
                )
            }
            Self::Forward(property) => format!(
                "{subject} whose value of `{property}` the migration makes nothing of that the changed definition takes"
            ),
            Self::Holds(_) => format!("{subject} that break the rule; change them first"),
            Self::Ordered { from, to, .. } => {
                format!("{subject} where `{to}` is not after `{from}`; change them first")
            }
            Self::Staged { .. } => format!("{subject} in a stage that would be gone; move them first"),
        }
    }
}

/// Whether the type takes the value and would store it as it is.
fn fits(kind: &dyn PropertyKind, value: &Value, locale: &Locale) -> bool {
    match normalize_value(kind, value, locale) {
        Ok(normal) => normal.as_ref() == Some(value),
        // Stored values keep archived options.
        Err(faults) => !faults.is_empty() && faults.iter().all(|fault| fault.code == "archived_option"),
    }
}

fn is_staged(about: Option<&Name>, stages: &HashMap<String, HashSet<String>>, properties: &Properties) -> bool {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    let Some(pipeline) = text("pipeline") else { return true };
    if about.is_some_and(|about| about.as_str() != pipeline) {
        return true;
    }
    stages.get(pipeline).is_some_and(|stages| text("stage").is_none_or(|stage| stages.contains(stage)))
}

/// What changed properties ask of stored values; `schema` compiles what a type does not check itself.
pub(crate) fn of_properties(
    before: &IndexMap<Name, Property>,
    after: &IndexMap<Name, Property>,
    at: &str,
    locale: &Locale,
    schema: impl Fn(&Property) -> Option<Arc<Validator>>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    for property in after.values() {
        let at = engine_model::problem::push_segment(&format!("{at}/properties"), &property.name);
        let old = before.get(&property.name);
        if is_required(property) && !old.is_some_and(is_required) {
            checks.push(Check::new(format!("{at}/required"), Demand::Present(property.name.clone())));
        }
        let version = |property: &Property| property.migrated.as_ref().map(|migrated| migrated.version);
        if property.migrated.is_some() && old.and_then(version) != version(property) {
            checks.push(Check::new(format!("{at}/migration"), Demand::Forward(property.name.clone())));
        }
        let Some(old) = old else { continue };
        // What pipelines make of their two properties is asked pipeline by pipeline.
        let is_the_engines = [old, property].iter().all(|property| property.layer == engine_model::layer::ENGINE);
        if !is_the_engines && old.kind.narrows_to(property.kind.as_ref()) {
            let demand = Demand::Fits {
                property: property.name.clone(),
                kind: Arc::clone(&property.kind),
                schema: schema(property),
                locale: locale.clone(),
            };
            checks.push(Check::new(at + &narrowed_key(old, property), demand));
        }
    }
    checks
}

fn is_required(property: &Property) -> bool {
    property.required && !property.archived && !property.kind.is_computed()
}

/// The one key that narrows the type, as the end of a pointer; empty where several do.
fn narrowed_key(old: &Property, new: &Property) -> String {
    const SAYS_NOTHING: [&str; 13] = [
        "label",
        "description",
        "group",
        "required",
        "unique",
        "read_only",
        "sensitive",
        "searchable",
        "substring",
        "default",
        "archived",
        "archived_at",
        "unit",
    ];
    if old.kind.name() != new.kind.name() {
        return "/type".to_owned();
    }
    let keys = old.spec.keys().chain(new.spec.keys().filter(|key| !old.spec.contains_key(*key)));
    let differing: Vec<&String> =
        keys.filter(|key| !SAYS_NOTHING.contains(&key.as_str()) && old.spec.get(*key) != new.spec.get(*key)).collect();
    match differing.as_slice() {
        [only] => format!("/{only}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use engine_model::Problems;
    use serde_json::json;

    use super::*;

    fn property(spec: Value) -> Property {
        let mut problems = Problems::new();
        let read = Property::read(Name::new("a").expect("a name"), &spec, "custom", "", &mut problems);
        assert_eq!(problems, []);
        read.expect("a property")
    }

    /// Pointers of the checks that lead from one specification to the other, and which of the values are in the way.
    fn change(old: Option<Value>, new: Value, values: &[Value]) -> (Vec<String>, Vec<usize>) {
        let by_name = |property: Property| IndexMap::from([(property.name.clone(), property)]);
        let old = old.map(|spec| by_name(property(spec))).unwrap_or_default();
        let new = by_name(property(new));
        let schema = |_: &Property| None;
        let checks = of_properties(&old, &new, "/objects/o", &Locale::default(), schema);
        let record = |value: &Value| {
            let value = Some(value).filter(|value| !value.is_null());
            Properties::from_iter(value.map(|value| ("a".to_owned(), value.clone())))
        };
        let in_the_way =
            |properties: Properties| checks.iter().any(|check| !check.demand.is_met_by_values(&properties));
        let found = (0..values.len()).filter(|index| in_the_way(record(&values[*index]))).collect();
        (checks.into_iter().map(|check| check.pointer).collect(), found)
    }

    #[test]
    fn only_what_narrows_is_asked() {
        let string = json!({"type": "string", "max_length": 5});
        let values = [json!("ab"), json!("abcd"), Value::Null];
        let ask = |new: Value| change(Some(string.clone()), new, &values);
        assert_eq!(ask(json!({"type": "string", "max_length": 6, "label": "A"})), (vec![], vec![]));
        assert_eq!(
            ask(json!({"type": "string", "max_length": 3})),
            (vec!["/objects/o/properties/a/max_length".to_owned()], vec![1])
        );
        assert_eq!(
            ask(json!({"type": "string", "max_length": 5, "required": true})),
            (vec!["/objects/o/properties/a/required".to_owned()], vec![2])
        );
        assert_eq!(ask(json!({"type": "integer"})), (vec!["/objects/o/properties/a/type".to_owned()], vec![0, 1]));
        assert_eq!(
            ask(json!({"type": "string", "max_length": 3, "min_length": 3})),
            (vec!["/objects/o/properties/a".to_owned()], vec![0, 1])
        );
        assert_eq!(ask(json!({"type": "integer", "required": true, "archived": true})).1, [0, 1]);
    }

    #[test]
    fn a_new_property_asks_for_nothing_unless_required() {
        assert_eq!(change(None, json!({"type": "integer"}), &[Value::Null]), (vec![], vec![]));
        assert_eq!(change(None, json!({"type": "integer", "required": true}), &[Value::Null]).1, [0]);
    }

    #[test]
    fn values_of_archived_options_stay_and_those_of_removed_ones_do_not() {
        let values = [json!("a"), json!("b"), json!("c")];
        let old = json!({"type": "enum", "options": ["a", "b", "c"]});
        let new = json!({"type": "enum", "options": ["a", {"key": "b", "archived": true}]});
        assert_eq!(
            change(Some(old.clone()), new, &values),
            (vec!["/objects/o/properties/a/options".to_owned()], vec![2])
        );
        let archived = json!({"type": "enum", "options": ["a", "b", {"key": "c", "archived": true}]});
        assert_eq!(change(Some(old), archived, &values), (vec![], vec![]));
    }

    #[test]
    fn a_value_that_would_be_written_differently_is_in_the_way() {
        let values = [json!("1.5"), json!("1.50"), json!("2")];
        let (_, found) = change(Some(json!({"type": "decimal"})), json!({"type": "decimal", "scale": 2}), &values);
        assert_eq!(found, [0, 2]);
    }

    #[test]
    fn stages_are_asked_of_their_pipeline_only() {
        let stages = HashMap::from([("sales".to_owned(), HashSet::from(["open".to_owned()]))]);
        let name = |text: &str| Name::new(text).expect("a name");
        let is_met = |about: Option<&str>, properties: Value| {
            let demand = Demand::Staged { pipeline: about.map(name), stages: stages.clone() };
            demand.is_met_by_values(properties.as_object().expect("an object"))
        };
        assert!(is_met(Some("sales"), json!({"pipeline": "sales", "stage": "open"})));
        assert!(!is_met(Some("sales"), json!({"pipeline": "sales", "stage": "won"})));
        assert!(is_met(Some("sales"), json!({"pipeline": "other", "stage": "won"})));
        assert!(!is_met(None, json!({"pipeline": "other", "stage": "open"})));
        assert!(is_met(None, json!({})));
    }
}
