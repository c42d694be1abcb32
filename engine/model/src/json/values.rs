//! How the plain types read themselves from JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::elements::MAX_ELEMENTS;
use super::reading::{FromJson, Reading};

impl<'a> FromJson<'a> for Cow<'a, str> {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        reading.text(raw)
    }
}

impl<'a> FromJson<'a> for String {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        reading.text(raw).map(Cow::into_owned)
    }
}

impl<'a> FromJson<'a> for bool {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        match raw.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                reading.wrong_type("a boolean", raw);
                None
            }
        }
    }
}

impl<'a> FromJson<'a> for i64 {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let text = raw.get();
        let number = text.parse().ok();
        if number.is_none() {
            let is_integer = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
            match is_integer {
                true => reading.problem("out_of_range", "the number is beyond 64 bits"),
                false => reading.wrong_type("an integer", raw),
            }
        }
        number
    }
}

impl<'a> FromJson<'a> for usize {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let number = i64::from_json(raw, reading)?;
        let count = Self::try_from(number).ok();
        if count.is_none() {
            reading.problem("out_of_range", "a number of at least 0 is expected");
        }
        count
    }
}

impl<'a> FromJson<'a> for &'a RawValue {
    fn from_json(raw: &'a RawValue, _: &mut Reading<'a>) -> Option<Self> {
        Some(raw)
    }
}

impl<'a> FromJson<'a> for Box<RawValue> {
    fn from_json(raw: &'a RawValue, _: &mut Reading<'a>) -> Option<Self> {
        Some(raw.to_owned())
    }
}

impl<'a> FromJson<'a> for Value {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let value = serde_json::from_str(raw.get()).ok();
        if value.is_none() {
            reading.problem("invalid", "a string has a broken escape, or a number is beyond what can be held");
        }
        value
    }
}

impl<'a> FromJson<'a> for Map<String, Value> {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        // Reading the members first reports the duplicates, of which a map would keep only one.
        reading.members(raw)?;
        match Value::from_json(raw, reading)? {
            Value::Object(members) => Some(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        }
    }
}

impl<'a, T: FromJson<'a>> FromJson<'a> for Vec<T> {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        reading.list(raw, MAX_ELEMENTS)
    }
}
