//! Tests of the language as its users meet it: a source, names, a value or an error.

mod check;
mod conformance;
mod dates;
mod errors;
mod hostile;
mod language;
mod numbers;
mod records;
mod texts;

use super::{Expression, Scope, Value};

/// The value of `source` as JSON, or its error as shown.
fn evaluate(source: &str, scope: &Scope<'_>) -> Result<serde_json::Value, String> {
    let expression = Expression::compile(source).map_err(|error| error.to_string())?;
    expression.evaluate(scope).map(|value| value.to_json()).map_err(|error| error.to_string())
}

/// The value of `source` without names, in words: its JSON.
fn value(source: &str) -> String {
    evaluate(source, &Scope::new()).map_or_else(|error| format!("error: {error}"), |value| value.to_string())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().expect("a decimal"))
}

fn date(text: &str) -> Value {
    Value::Date(text.parse().expect("a date"))
}
