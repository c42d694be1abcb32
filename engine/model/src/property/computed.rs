//! `formula` and `rollup`: values that the engine computes, from the record itself and from records linked to it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{EnumOption, Fault, Faults, Input, Locale, PropertyKind, Storage, TABLE, decimal, integer, widening};
use crate::expression::Expression;
use crate::name::Name;
use crate::query::{Direction, Form};
use crate::spec::SpecReader;

/// Types that a formula can result in.
const RESULTS: &[&str] = &["string", "text", "integer", "decimal", "percent", "money", "boolean", "date", "datetime"];

/// A value computed by a CEL expression over the record.
#[derive(Debug, Clone)]
pub struct Formula {
    /// The expression.
    pub expression: Expression,
    /// The type of its result, with that type's own options; brings what was computed to normal form.
    pub result: Arc<dyn PropertyKind>,
}

/// A value drawn together from linked records.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// The association that leads to the records.
    pub association: Name,
    /// The end at which the record with the value stands; only needed where both are possible.
    pub direction: Option<Direction>,
    /// How their values become one.
    pub function: RollupFunction,
    /// The property of theirs; only a count may do without, and counts records instead of values then.
    pub property: Option<Name>,
    /// The type of its values. Those of a count and of a mean are known; any other function results in a value of the
    /// type of `property`, which is known once all objects are.
    pub result: Option<Arc<dyn PropertyKind>>,
    /// Only records for which it is true.
    pub condition: Option<Expression>,
}

/// How the values of linked records become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RollupFunction {
    /// How many there are.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// That of the record that was made first, of those that have one.
    First,
    /// That of the record that was made last, of those that have one.
    Last,
}

impl RollupFunction {
    const ALL: [(&'static str, Self); 7] = [
        ("count", Self::Count),
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("first", Self::First),
        ("last", Self::Last),
    ];

    /// The type of the result, where the function alone decides it.
    pub(crate) fn result(self) -> Option<Arc<dyn PropertyKind>> {
        match self {
            Self::Count => Some(integer::unbounded()),
            Self::Avg => Some(decimal::unbounded()),
            Self::Sum | Self::Min | Self::Max | Self::First | Self::Last => None,
        }
    }
}

pub(super) fn read_formula(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    require(reader, "formula");
    require(reader, "result");
    let expression = read_expression(reader, "formula");
    let chosen = reader.choice("result", RESULTS);
    let entry = TABLE.iter().find(|entry| Some(entry.name) == chosen);
    // The result's options are read in any case, so that they are not taken for unknown keys.
    let result = entry.and_then(|entry| (entry.read)(reader));
    Some(Arc::new(Formula { expression: expression?, result: result? }))
}

pub(super) fn read_rollup(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    require(reader, "association");
    require(reader, "function");
    let association = reader.name("association");
    let chosen = reader.choice("function", &RollupFunction::ALL.map(|(name, _)| name));
    let function =
        RollupFunction::ALL.into_iter().find(|(name, _)| Some(*name) == chosen).map(|(_, function)| function);
    if function.is_some_and(|function| function != RollupFunction::Count) {
        require(reader, "property");
    }
    let property = reader.name("property");
    let direction = match reader.choice("direction", &["in", "out"]) {
        Some("in") => Some(Direction::In),
        Some(_) => Some(Direction::Out),
        None => None,
    };
    let condition = read_expression(reader, "where");
    let (association, function) = (association?, function?);
    Some(Arc::new(Rollup { association, direction, function, property, result: function.result(), condition }))
}

fn require(reader: &mut SpecReader<'_>, key: &'static str) {
    if reader.value(key).is_none() {
        reader.missing(key);
    }
}

fn read_expression(reader: &mut SpecReader<'_>, key: &'static str) -> Option<Expression> {
    match Expression::compile(reader.string(key)?) {
        Ok(expression) => Some(expression),
        Err(error) => {
            reader.problem(key, "invalid_expression", error.to_string());
            None
        }
    }
}

fn read_only() -> Faults {
    vec![Fault::new("read_only", "the engine computes this value; leave it out")]
}

impl PropertyKind for Formula {
    fn name(&self) -> &'static str {
        "formula"
    }

    fn storage(&self) -> Storage {
        self.result.storage()
    }

    fn form(&self) -> Form {
        self.result.form()
    }

    fn normalize(&self, _: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        Err(read_only())
    }

    fn schema(&self) -> Map<String, Value> {
        self.result.schema()
    }

    fn is_computed(&self) -> bool {
        true
    }

    fn currency(&self) -> Option<&super::Currency> {
        self.result.currency()
    }

    fn formula(&self) -> Option<&Formula> {
        Some(self)
    }

    fn renamed(&self, now: &dyn Fn(&str) -> Option<Name>) -> Option<Arc<dyn PropertyKind>> {
        let result = self.result.renamed(now);
        if result.is_none() && self.expression.names().all(|name| now(name).is_none()) {
            return None;
        }
        let expression = self.expression.renamed(now);
        Some(Arc::new(Self { expression, result: result.unwrap_or_else(|| Arc::clone(&self.result)) }))
    }

    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        narrows(self, next)
    }

    fn operators(&self) -> &'static [&'static str] {
        self.result.operators()
    }
}

impl PropertyKind for Rollup {
    fn name(&self) -> &'static str {
        "rollup"
    }

    /// Opaque where the type is that of a property of another object, which is not known here.
    fn storage(&self) -> Storage {
        self.result.as_ref().map_or(Storage::Opaque, |result| result.storage())
    }

    fn form(&self) -> Form {
        self.result.as_ref().map_or(Form::Text, |result| result.form())
    }

    fn normalize(&self, _: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        Err(read_only())
    }

    /// Any value where the type is that of a property of another object.
    fn schema(&self) -> Map<String, Value> {
        self.result.as_ref().map_or_else(Map::new, |result| result.schema())
    }

    fn is_computed(&self) -> bool {
        true
    }

    fn rollup(&self) -> Option<&Rollup> {
        Some(self)
    }

    fn currency(&self) -> Option<&super::Currency> {
        self.result.as_ref()?.currency()
    }

    fn options(&self) -> &[EnumOption] {
        self.result.as_ref().map_or(&[], |result| result.options())
    }

    fn operators(&self) -> &'static [&'static str] {
        self.result.as_ref().map_or_else(|| self.storage().operators(), |result| result.operators())
    }

    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        narrows(self, next)
    }
}

/// What is computed another way from now on is computed anew; only for callers it has to be looked at.
fn narrows(stored: &dyn PropertyKind, next: &dyn PropertyKind) -> bool {
    !next.is_computed() && !widening::admits(&next.schema(), &stored.schema())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn a_formula_has_the_form_of_its_result() {
        let formula = kind(json!({"type": "formula", "formula": "a + b", "result": "money", "currency": "JPY"}));
        assert_eq!(formula.storage(), Storage::Scaled(0));
        assert_eq!(formula.schema(), kind(json!({"type": "money", "currency": "JPY"})).schema());
        assert!(formula.is_computed());
        let found = formula.formula().expect("a formula");
        assert_eq!(found.expression.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(found.result.name(), "money");
        assert_eq!(codes(&refuse(&formula, "1")), ["read_only"]);
    }

    #[test]
    fn a_rollup_tells_what_it_draws_together() {
        let rollup = kind(json!({
            "type": "rollup", "association": "permit_contractor", "function": "sum", "property": "cost", "where": "cost > 0"
        }));
        let found = rollup.rollup().expect("a roll-up");
        assert_eq!((found.association.as_str(), found.function), ("permit_contractor", RollupFunction::Sum));
        assert_eq!(found.property.as_deref(), Some("cost"));
        assert!(found.condition.is_some());
        assert_eq!((rollup.storage(), rollup.schema()), (Storage::Opaque, Map::new()));
        assert_eq!(codes(&refuse(&rollup, "1")), ["read_only"]);
    }

    #[test]
    fn counts_and_means_have_types_of_their_own() {
        let count = kind(json!({"type": "rollup", "association": "a", "function": "count"}));
        assert_eq!(count.storage(), Storage::Scaled(0));
        assert_eq!(count.schema()["type"], json!("integer"));
        let mean = kind(json!({"type": "rollup", "association": "a", "function": "avg", "property": "b"}));
        assert_eq!(mean.storage(), Storage::Scaled(6));
        assert_eq!(mean.schema(), kind(json!({"type": "decimal"})).schema());
    }

    #[test]
    fn wrong_options_are_reported() {
        assert_eq!(problems(json!({"type": "formula"})), [("/formula", "required"), ("/result", "required")]);
        assert_eq!(
            problems(json!({"type": "formula", "formula": "a +", "result": "decimal", "scale": 20, "where": "x"})),
            [("/formula", "invalid_expression"), ("/scale", "too_large"), ("/where", "unknown_key")]
        );
        assert_eq!(problems(json!({"type": "formula", "formula": "a", "result": "tags"})), [("/result", "unknown")]);
        assert_eq!(problems(json!({"type": "rollup"})), [("/association", "required"), ("/function", "required")]);
        assert_eq!(
            problems(json!({"type": "rollup", "association": "A", "function": "median", "where": "("})),
            [("/association", "invalid_name"), ("/function", "unknown"), ("/where", "invalid_expression")]
        );
        assert_eq!(
            problems(json!({"type": "rollup", "association": "a", "function": "max"})),
            [("/property", "required")]
        );
    }

    #[test]
    fn what_callers_stored_is_never_overwritten_unseen() {
        let formula = kind(json!({"type": "formula", "formula": "a", "result": "integer"}));
        let integer = kind(json!({"type": "integer"}));
        assert!(integer.narrows_to(formula.as_ref()));
        assert!(!formula.narrows_to(integer.as_ref()));
        assert!(
            !formula.narrows_to(kind(json!({"type": "formula", "formula": "a + 1", "result": "integer"})).as_ref())
        );
    }
}
