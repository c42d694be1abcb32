//! What a property asks of those that stand beside it, and of itself once all layers have had their say.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Currency, Property, Storage};
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};

/// Whether what `properties` name of each other is there, and their options leave something to choose; `at` is where they
/// stand.
///
/// What was stored before this was asked for stands all the same, so that nobody loses the object. `written` has those
/// that do not read, too, which were told already.
pub(crate) fn check_beside(
    properties: &IndexMap<Name, Property>,
    written: Option<&Value>,
    at: &str,
    problems: &mut Problems,
) {
    let is_written = |name: &Name| written.is_some_and(|written| written.get(name.as_str()).is_some());
    for property in properties.values().filter(|property| !property.archived) {
        let at = push_segment(at, &property.name);
        if let Some(Currency::Property(name)) = property.kind.currency()
            && (properties.contains_key(name) || !is_written(name))
        {
            check_currency(name, properties, format!("{at}/currency_property"), problems);
        }
        let is_choice = matches!(property.kind.name(), "enum" | "multi_enum");
        // What the engine gives has the options of what is behind it.
        if is_choice && property.kind.options().is_empty() && property.layer != crate::layer::ENGINE {
            problems.push(Problem::new(
                format!("{at}/options"),
                "required",
                "there is nothing to choose; give an option",
            ));
        }
    }
}

fn check_currency(name: &Name, properties: &IndexMap<Name, Property>, at: String, problems: &mut Problems) {
    let Some(found) = properties.get(name.as_str()) else {
        let texts = properties.values().filter(|property| holds_codes(property));
        let hint = did_you_mean(name, texts.map(|property| property.name.as_str()));
        problems.push(Problem::new(at, "unknown", format!("there is no property `{name}` beside this one{hint}")));
        return;
    };
    if !holds_codes(found) {
        let message =
            format!("`{name}` is of type {}; the code of a currency stands in a string or an enum", found.kind.name());
        problems.push(Problem::new(at, "wrong_type", message));
    }
}

fn holds_codes(property: &Property) -> bool {
    matches!(property.kind.storage(), Storage::Text | Storage::Option)
}
