//! Formulas: computed from the record itself, in the order in which they read each other.

use std::collections::HashSet;

use chrono_tz::Tz;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value as Json;

use crate::expression::{Scope, Value};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::property::{Formula, Locale, PropertyKind, Storage, normalize_value};
use crate::query::{Clock, Form};
use crate::time::Timestamp;
use crate::{Properties, UserId};

/// Names that a formula reads beside the properties of its record.
pub(crate) const CIRCUMSTANCES: &[&str] = &["now", "today", "created_at", "updated_at", "owner_id"];

/// Those of them that are others at any moment.
pub(super) const MOMENTS: &[&str] = &["now", "today"];

/// The formulas of one object.
#[derive(Debug, Clone, Default)]
pub struct Formulas {
    /// Each after those that it reads.
    pub(super) order: Vec<Name>,
    /// Those whose values change while nothing is written: they are computed whenever they are looked at.
    pub(super) live: HashSet<Name>,
}

/// What a formula knows of its record beside the properties.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// What time it is.
    pub now: Timestamp,
    /// Where days begin.
    pub zone: Tz,
    /// How values are read.
    pub locale: &'a Locale,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who owns it.
    pub owner: Option<UserId>,
}

impl Formulas {
    /// Whether any value changes while nothing is written.
    pub fn are_live(&self) -> bool {
        !self.live.is_empty()
    }

    /// Those whose values change while nothing is written.
    pub fn live(&self) -> impl Iterator<Item = &Name> {
        self.live.iter()
    }

    /// Whether a property's values change while nothing is written.
    pub fn is_live(&self, property: &str) -> bool {
        self.live.contains(property)
    }

    /// Whether a property is one of them.
    pub fn has(&self, property: &str) -> bool {
        self.order.iter().any(|name| name.as_str() == property)
    }

    /// Puts the values that are stored in place of those in `properties`; what cannot be computed has no value.
    pub fn compute_stored(&self, object: &ObjectDefinition, properties: &mut Properties, about: &Circumstances<'_>) {
        for name in self.order.iter().filter(|name| !self.live.contains(*name)) {
            compute(object, name, properties, about);
        }
        for name in &self.live {
            properties.shift_remove(name.as_str());
        }
    }

    /// Adds the values of this moment to those that are stored, and says until when all of them hold; `None` where they
    /// hold for ever.
    pub fn compute_live(
        &self,
        object: &ObjectDefinition,
        properties: &mut Properties,
        about: &Circumstances<'_>,
    ) -> Option<Timestamp> {
        let live = self.order.iter().filter(|name| self.live.contains(*name));
        live.filter_map(|name| compute(object, name, properties, about)).min()
    }
}

/// Computes one formula; until when its value holds.
fn compute(
    object: &ObjectDefinition,
    name: &Name,
    properties: &mut Properties,
    about: &Circumstances<'_>,
) -> Option<Timestamp> {
    let formula = object.properties.get(name.as_str())?.kind.formula()?;
    let (value, until) = {
        let scope = scope(object, properties, about);
        formula.expression.evaluate_at(&scope, about.now, about.zone)
    };
    // A formula that reads what is not there, or divides by zero, has no value.
    match value.ok().and_then(|value| typed(&value, formula, about.locale)) {
        Some(value) => drop(properties.insert(name.to_string(), value)),
        None => drop(properties.shift_remove(name.as_str())),
    }
    until
}

/// Properties come before what else there is to read, since they were named first.
fn scope<'a>(object: &'a ObjectDefinition, properties: &'a Properties, about: &Circumstances<'_>) -> Scope<'a> {
    let owner = about.owner.map(|owner| owner.to_string());
    let values: [(&'static str, Value); 5] = [
        ("now", about.now.into()),
        ("today", Clock { now: about.now, zone: about.zone }.today().into()),
        ("created_at", about.created_at.into()),
        ("updated_at", about.updated_at.into()),
        ("owner_id", owner.into()),
    ];
    let scope = Scope::for_record(&object.properties, properties);
    let free = values.into_iter().filter(|(name, _)| !object.properties.contains_key(*name));
    free.fold(scope, |scope, (name, value)| scope.bind(name, value))
}

/// What was computed as a value of the formula's type; `None` where it is none.
fn typed(value: &Value, formula: &Formula, locale: &Locale) -> Option<Json> {
    let kind = formula.result.as_ref();
    normalize_value(kind, &rounded(value, kind), locale).ok().flatten()
}

/// Numbers have as many digits after the point as their type keeps, rounded half away from zero as accounts are.
pub(crate) fn rounded(value: &Value, kind: &dyn PropertyKind) -> Json {
    let number = match value {
        Value::Integer(number) => Decimal::from(*number),
        Value::Decimal(number) => *number,
        _ => return value.to_json(),
    };
    let Storage::Scaled(digits) = kind.storage() else { return value.to_json() };
    let number = number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    match kind.form() {
        Form::Integer => i64::try_from(number).map_or(Json::Null, Json::from),
        Form::Text | Form::Boolean | Form::Decimal { .. } | Form::Date | Form::Datetime => {
            Json::from(number.to_string())
        }
    }
}
