//! What is computed of a record: formulas with every write, and at every look where they depend on the moment.

use engine_model::computed::{Circumstances, Formulas};
use engine_model::object::ObjectDefinition;
use engine_model::property::{Locale, Property, PropertyKind, RollupFunction, normalize_value};
use engine_model::query::Field;
use engine_model::time::Timestamp;
use engine_model::{Properties, UserId};
use engine_store::record::RecordRow;
use serde_json::Value;

use super::draft::in_order;
use super::state::State;
use crate::definitions::catalog::Catalog;

impl Catalog {
    /// What formulas know of a record beside its properties.
    pub(crate) fn circumstances(&self, now: Timestamp, about: &About) -> Circumstances<'_> {
        let About { created_at, updated_at, owner } = *about;
        Circumstances { now, zone: self.zone(), locale: &self.locale, created_at, updated_at, owner }
    }

    /// Whether the values of one of these fields depend on the time.
    pub(crate) fn has_live(&self, fields: &[&Field]) -> bool {
        let is_live =
            |field: &&Field| self.live_formulas(&field.object).is_some_and(|formulas| formulas.is_live(&field.name));
        fields.iter().any(is_live)
    }

    /// The formulas of an object that change while nothing is written.
    pub(crate) fn live_formulas(&self, object: &str) -> Option<&Formulas> {
        self.effective.registry.computed.formulas(object).filter(|formulas| formulas.are_live())
    }
}

/// Fields of a record that formulas read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) owner: Option<UserId>,
}

impl From<&State> for About {
    fn from(state: &State) -> Self {
        Self { created_at: state.created_at, updated_at: state.updated_at, owner: state.owner }
    }
}

impl From<&RecordRow> for About {
    fn from(row: &RecordRow) -> Self {
        let owner = row.owner_id.map(UserId);
        Self { created_at: Timestamp(row.created_at), updated_at: Timestamp(row.updated_at), owner }
    }
}

/// Gives a new record the values that roll-ups have of no records.
pub(crate) fn start_rollups(catalog: &Catalog, object: &ObjectDefinition, properties: &mut Properties) {
    for rollup in catalog.effective.registry.computed.rollups_of(&object.name) {
        let nothing = object.properties.get(&rollup.property).and_then(value_of_nothing);
        properties.extend(nothing.map(|nothing| (rollup.property.to_string(), nothing)));
    }
}

/// Puts what is computed and stored in its place; properties come back in the order of the definition.
pub(crate) fn compute(
    catalog: &Catalog,
    object: &ObjectDefinition,
    mut properties: Properties,
    now: Timestamp,
    about: &About,
) -> Properties {
    let computed = &catalog.effective.registry.computed;
    for rollup in computed.rollups_of(&object.name) {
        drop_other_type(object, &rollup.property, &mut properties);
    }
    let Some(formulas) = computed.formulas(&object.name) else { return properties };
    formulas.compute_stored(object, &mut properties, &catalog.circumstances(now, about));
    in_order(object, properties)
}

/// The value that a roll-up has where nothing is counted; none where it has none then.
fn value_of_nothing(property: &Property) -> Option<Value> {
    let rollup = property.kind.rollup()?;
    match rollup.function {
        RollupFunction::Count | RollupFunction::Sum => {
            normalize_value(rollup.result.as_deref()?, &Value::from(0), &Locale::default()).ok().flatten()
        }
        RollupFunction::Avg
        | RollupFunction::Min
        | RollupFunction::Max
        | RollupFunction::First
        | RollupFunction::Last => None,
    }
}

/// A value of another type than the roll-up has now goes. Whoever gathers gives it the next one; until then it has none,
/// as one has none whose sum is more than its type can hold, since a 0 would be taken for what was counted.
fn drop_other_type(object: &ObjectDefinition, name: &str, properties: &mut Properties) {
    let kind = object.properties.get(name).and_then(|property| property.kind.rollup()?.result.as_deref());
    let is_other = |kind: &dyn PropertyKind| properties.get(name).is_some_and(|value| !fits(kind, value));
    if kind.is_some_and(is_other) {
        properties.shift_remove(name);
    }
}

/// Whether a stored value is of a type, as far as its form tells.
fn fits(kind: &dyn PropertyKind, value: &Value) -> bool {
    let wanted = kind.schema();
    match (wanted.get("type").and_then(Value::as_str), value) {
        (Some("integer" | "number"), value) => value.is_number(),
        (Some("string"), value) => value.is_string(),
        (Some("boolean"), value) => value.is_boolean(),
        (Some("array"), value) => value.is_array(),
        (Some("object"), value) => value.is_object(),
        _ => true,
    }
}
