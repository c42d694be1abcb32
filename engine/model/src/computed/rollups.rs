//! Roll-ups with what their definitions lead to.

use std::collections::HashSet;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::formulas::rounded;
use crate::RecordId;
use crate::expression::Value;
use crate::name::Name;
use crate::object::SYSTEM_FIELDS;
use crate::property::{Locale, Rollup, RollupFunction, normalize_value};
use crate::query::{Direction, Form, Gathered};
use crate::registry::Registry;

/// A roll-up with the association and the objects that it leads to.
#[derive(Debug, Clone)]
pub struct LinkedRollup {
    /// The object whose records have the value.
    pub object: Name,
    /// The property that holds it.
    pub property: Name,
    /// The association that leads to the records it is made of.
    pub association: Name,
    /// The end at which a record of `object` stands.
    pub direction: Direction,
    /// The objects of the records it is made of.
    pub others: Vec<Name>,
    /// Their properties and fields that it reads.
    pub reads: HashSet<String>,
    /// How often the log is to be followed until a write is in the value: once, and once more for each roll-up between.
    pub depth: usize,
}

impl LinkedRollup {
    /// The end at which a record stands that it is made of.
    pub fn other_direction(&self) -> Direction {
        match self.direction {
            Direction::Out => Direction::In,
            Direction::In => Direction::Out,
        }
    }
    /// Whether it reads what changes with every write.
    pub fn reads_system_fields(&self) -> bool {
        self.reads.iter().any(|name| SYSTEM_FIELDS.contains(&name.as_str()))
    }
}

impl RollupFunction {
    /// Whether the value is that of one of the linked records.
    pub fn is_of_one_record(self) -> bool {
        matches!(self, Self::First | Self::Last)
    }
}

impl Rollup {
    /// The record whose value it is, where it is that of one.
    pub fn chosen(&self, gathered: &Gathered) -> Option<RecordId> {
        match self.function {
            RollupFunction::First => gathered.first,
            RollupFunction::Last => gathered.last,
            RollupFunction::Count
            | RollupFunction::Sum
            | RollupFunction::Avg
            | RollupFunction::Min
            | RollupFunction::Max => None,
        }
    }

    /// What was gathered as a value of its type; `form` is how the values are written that it is made of. `None` where
    /// there is no value, or one that its type cannot hold.
    pub fn value(&self, gathered: &Gathered, form: Form) -> Option<Json> {
        let value = match self.function {
            RollupFunction::Count => Json::from(gathered.count),
            RollupFunction::Sum => form.number(gathered.sum),
            RollupFunction::Avg => self.mean(gathered, form)?,
            RollupFunction::Min => form.number(i128::from(gathered.min?)),
            RollupFunction::Max => form.number(i128::from(gathered.max?)),
            RollupFunction::First | RollupFunction::Last => return None,
        };
        normalize_value(self.result.as_deref()?, &value, &Locale::default()).ok().flatten()
    }

    fn mean(&self, gathered: &Gathered, form: Form) -> Option<Json> {
        if gathered.count == 0 {
            return None;
        }
        let mean = form.mean(gathered.sum, gathered.count);
        let mean: Decimal = mean.as_str()?.parse().ok()?;
        Some(rounded(&Value::Decimal(mean), self.result.as_deref()?))
    }
}

impl Registry {
    /// The definition of a roll-up.
    pub fn rollup(&self, linked: &LinkedRollup) -> Option<&Rollup> {
        self.objects.get(&linked.object)?.properties.get(&linked.property)?.kind.rollup()
    }

    /// How the values are written that a roll-up is made of.
    pub fn form_of_parts(&self, linked: &LinkedRollup) -> Form {
        let name = self.rollup(linked).and_then(|rollup| rollup.property.as_deref()).unwrap_or_default();
        let mut others = linked.others.iter().filter_map(|other| self.objects.get(other));
        others.find_map(|other| other.property(name)).map_or(Form::Integer, |property| property.kind.form())
    }
}
