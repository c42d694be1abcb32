//! Criteria of scores: their expressions are checked where they are written.

use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::{Problems, Properties};
use serde_json::Value;

use super::state::State;
use crate::definitions::catalog::Catalog;

/// What is wrong with an expression that is new to a record; one that was there before stands in the way of nothing.
pub(super) fn check_expressions(
    catalog: &Catalog,
    object: &ObjectDefinition,
    before: Option<&State>,
    properties: &Properties,
    problems: &mut Problems,
) {
    for score in catalog.effective.scores_by(&object.name) {
        let Some(property) = object.property_called(&score.criteria.expression) else { continue };
        let name = property.name.as_str();
        let value = properties.get(name);
        if before.is_some_and(|before| before.properties.get(name) == value) {
            continue;
        }
        if let Some(Value::String(source)) = value {
            let at = push_segment("/properties", name);
            problems.extend(score.check_expression(source, &catalog.effective.registry, &at));
        }
    }
}
