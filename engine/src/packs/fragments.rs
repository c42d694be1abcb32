//! JSON Schemas that a pack brings along, each by itself: what a whole record is checked with is made of them.

use engine_model::Problem;
use engine_model::pack::{LocatedProblem, Pack};
use engine_model::problem::push_segment;
use serde_json::{Map, Value};

use crate::definitions::guard::coherence;

/// Schemas of the pack that are none, at their places.
pub(super) fn mistakes(pack: &Pack) -> Vec<LocatedProblem> {
    let layer = &pack.layer;
    let named = layer.schemas.iter().map(|(name, schema)| (push_segment("/schemas", name), schema));
    let sections =
        [("/objects", &layer.objects), ("/extend", &layer.extend), ("/associations", &layer.associations)].into_iter();
    let inline = sections.flat_map(|(section, owners)| {
        owners.iter().flat_map(move |(name, written)| of_properties(&push_segment(section, name), written))
    });
    let wrong = |(at, schema): (String, &Value)| {
        let reason = coherence::compile_schema(schema).err()?;
        Some(pack.located(Problem::new(at, "invalid", coherence::no_schema(&reason))))
    };
    named.chain(inline).filter_map(wrong).collect()
}

/// The schemas that stand in properties themselves.
fn of_properties<'s>(at: &str, written: &'s Map<String, Value>) -> Vec<(String, &'s Value)> {
    let properties = written.get("properties").and_then(Value::as_object).into_iter().flatten();
    let inline = properties.filter_map(|(name, property)| {
        let at = format!("{}/schema", push_segment(&format!("{at}/properties"), name));
        Some((at, property.get("schema").filter(|schema| schema.is_object())?))
    });
    inline.collect()
}
