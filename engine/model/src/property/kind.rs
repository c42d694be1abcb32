//! What a property type has to say of its values.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{AutoNumber, Currency, EnumOption, Faults, Formula, Input, Locale, Reference, Rollup, Storage, widening};
use crate::name::Name;
use crate::query::Form;

/// A property type with its options: how values are checked, brought to normal form and described.
pub trait PropertyKind: Debug + Send + Sync {
    /// The type's name in definitions, such as `money`.
    fn name(&self) -> &'static str;

    /// How values are stored in the index and compared.
    fn storage(&self) -> Storage;

    /// The same over properties of its object that are called otherwise: `now` gives the name that there is for one that
    /// it names. `None` where it names none of these.
    fn renamed(&self, now: &dyn Fn(&str) -> Option<Name>) -> Option<Arc<dyn PropertyKind>> {
        let _ = now;
        None
    }

    /// How values are written in answers to searches.
    fn form(&self) -> Form {
        match self.storage() {
            Storage::Boolean => Form::Boolean,
            Storage::Scaled(_) => Form::Integer,
            Storage::Date => Form::Date,
            Storage::Datetime => Form::Datetime,
            Storage::Text | Storage::LongText | Storage::Option | Storage::TextList | Storage::Opaque => Form::Text,
        }
    }

    /// Brings a value to normal form, or says everything that is wrong with it.
    ///
    /// `input` is never null nor an empty string: both mean "no value" and are dealt with before.
    fn normalize(&self, input: Input<'_>, locale: &Locale) -> Result<Value, Faults>;

    /// JSON Schema 2020-12 of a value in normal form.
    fn schema(&self) -> Map<String, Value>;

    /// A text, as found in a CSV cell, as the JSON that `normalize` takes. `Err` says why it cannot be.
    #[expect(clippy::wrong_self_convention, reason = "the value comes from the text, the type says how")]
    fn from_text(&self, text: &str) -> Result<Value, String> {
        Ok(Value::from(text.trim()))
    }

    /// Canonical options to show in a definition's reply in place of those written, key by key.
    fn canonical_options(&self) -> Map<String, Value> {
        Map::new()
    }

    /// The text under which a value in normal form is unique.
    fn unique_key(&self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The engine writes it; callers may not.
    fn is_computed(&self) -> bool {
        false
    }

    /// For a `json` property, the name of the JSON Schema fragment that its values follow.
    fn schema_reference(&self) -> Option<&str> {
        None
    }

    /// For `money`, where the currency of its amounts stands.
    fn currency(&self) -> Option<&Currency> {
        None
    }

    /// What a value names, for the engine to see whether it exists.
    fn reference(&self) -> Option<Reference<'_>> {
        None
    }

    /// For `auto_number`, how a counter is written.
    fn auto_number(&self) -> Option<&AutoNumber> {
        None
    }

    /// For `formula`, the expression and the type of its result.
    fn formula(&self) -> Option<&Formula> {
        None
    }

    /// For `rollup`, what it draws together.
    fn rollup(&self) -> Option<&Rollup> {
        None
    }

    /// Filter operators that a search takes for it.
    fn operators(&self) -> &'static [&'static str] {
        self.storage().operators()
    }

    /// The choices of an enumeration, in order; empty for any other type.
    fn options(&self) -> &[EnumOption] {
        &[]
    }

    /// Values stored under `self` that `next` would refuse, or would write differently, must be looked for when the
    /// type changes from one to the other; `false` promises that there can be none.
    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        // A type whose values the engine makes would overwrite what callers stored.
        let is_taken_over = next.is_computed() && self.name() != next.name();
        is_taken_over || !widening::admits(&next.schema(), &self.schema())
    }
}
