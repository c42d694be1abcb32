//! Bringing values to normal form, as their type and the tenant's settings have it.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Fault, Faults, Input, PropertyKind, input};

/// What a tenant's settings say about reading values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    /// ISO 3166 code of the country whose national phone numbers are meant, such as `US`.
    pub country: String,
}

impl Default for Locale {
    fn default() -> Self {
        Self { country: "US".to_owned() }
    }
}

/// Brings a value as it came in to normal form. `None` is no value: null and the empty string mean the same.
pub fn normalize(kind: &dyn PropertyKind, raw: &RawValue, locale: &Locale) -> Result<Option<Value>, Faults> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'n') | None => Ok(None),
        Some(b't') => kind.normalize(Input::Boolean(true), locale).map(Some),
        Some(b'f') => kind.normalize(Input::Boolean(false), locale).map(Some),
        Some(b'"') => {
            let string = input::decode_text(raw).map_err(|fault| vec![fault])?;
            if string.is_empty() {
                return Ok(None);
            }
            kind.normalize(Input::String(&string), locale).map(Some)
        }
        Some(b'[' | b'{') => kind.normalize(Input::Json(raw), locale).map(Some),
        Some(_) => kind.normalize(Input::Number(text), locale).map(Some),
    }
}

/// [`normalize`] for a value that is already JSON in memory, such as a default in a definition.
pub fn normalize_value(kind: &dyn PropertyKind, value: &Value, locale: &Locale) -> Result<Option<Value>, Faults> {
    let raw = serde_json::value::to_raw_value(value)
        .map_err(|error| vec![Fault::new("wrong_type", format!("not a JSON value: {error}"))])?;
    normalize(kind, &raw, locale)
}
