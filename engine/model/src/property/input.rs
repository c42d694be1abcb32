//! A value as a caller sent it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fault::{Fault, Faults};

/// A value as it came in, number literals kept as written so that decimals stay exact.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// `true` or `false`.
    Boolean(bool),
    /// A number's literal text.
    Number(&'a str),
    /// A text.
    String(&'a str),
    /// A list or an object.
    Json(&'a RawValue),
}

/// Wrong elements of one list that are told one by one: a long list of tiny texts would make a huge reply.
const MOST_FAULTS: usize = 20;

impl<'a> Input<'a> {
    /// What it is, in words.
    pub fn shape(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Json(raw) => shape_of(raw),
        }
    }

    /// `wrong_type` with what was expected.
    pub fn wrong_type(&self, expected: &str) -> Faults {
        vec![Fault::new("wrong_type", format!("{expected} is expected, not {}", self.shape()))]
    }

    /// The text, where it is one.
    pub(super) fn text(&self, expected: &str) -> Result<&'a str, Faults> {
        match self {
            Self::String(text) => Ok(text),
            Self::Boolean(_) | Self::Number(_) | Self::Json(_) => Err(self.wrong_type(expected)),
        }
    }

    /// Reads each text of a list with `read`, and tells of every element that is wrong.
    ///
    /// Lists longer than `limit` are refused whole, and only so many elements are ever held.
    pub(super) fn texts<T>(
        &self,
        expected: &str,
        limit: usize,
        mut read: impl FnMut(&str) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Faults> {
        let Self::Json(raw) = self else { return Err(self.wrong_type(expected)) };
        if !raw.get().starts_with('[') {
            return Err(self.wrong_type(expected));
        }
        let list: FirstElements<'a> =
            serde_json::from_str(raw.get()).map_err(|error| vec![Fault::new("wrong_type", error.to_string())])?;
        if list.length > limit {
            let message = format!("has {} elements; at most {limit} are allowed", list.length);
            return Err(vec![Fault::new("too_many", message)]);
        }
        let (mut values, mut faults, mut untold) = (Vec::with_capacity(list.elements.len()), Faults::new(), 0_usize);
        for (index, element) in list.elements.into_iter().enumerate() {
            match element_text(element).and_then(|text| read(&text)) {
                Ok(value) => values.push(value),
                Err(fault) if faults.len() < MOST_FAULTS => faults.push(fault.at(index)),
                Err(_) => untold += 1,
            }
        }
        if untold > 0 {
            faults.push(Fault::new("invalid", format!("{untold} more elements are wrong")));
        }
        if faults.is_empty() { Ok(values) } else { Err(faults) }
    }
}

/// Reads a JSON string; `raw` begins with a quotation mark.
pub(super) fn decode_text(raw: &RawValue) -> Result<Cow<'_, str>, Fault> {
    let text = serde_json::from_str::<BorrowedText<'_>>(raw.get())
        .map_err(|_| Fault::new("invalid", "the string has a broken escape"))?
        .0;
    // Neither store keeps U+0000 in a text, so both refuse it alike.
    if text.contains('\0') {
        return Err(Fault::new("invalid", "the character U+0000 cannot be stored"));
    }
    Ok(text)
}

fn element_text(raw: &RawValue) -> Result<Cow<'_, str>, Fault> {
    if raw.get().starts_with('"') {
        return decode_text(raw);
    }
    Err(Fault::new("wrong_type", format!("a string is expected, not {}", shape_of(raw))))
}

fn shape_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') | None => "null",
        Some(_) => "a number",
    }
}

#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

/// The beginning of a list, and how long all of it is.
struct FirstElements<'a> {
    elements: Vec<&'a RawValue>,
    length: usize,
}

impl FirstElements<'_> {
    /// No property takes longer lists, so the rest is counted only.
    const HELD: usize = 10_000;
}

impl<'de> Deserialize<'de> for FirstElements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = FirstElements<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut list = FirstElements { elements: Vec::new(), length: 0 };
                while let Some(element) = sequence.next_element::<&RawValue>()? {
                    list.length += 1;
                    if list.elements.len() < FirstElements::HELD {
                        list.elements.push(element);
                    }
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}
