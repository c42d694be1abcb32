//! Stored JSON in a line of JSON: as it is where it reads back as the same text, else as a string.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

pub(super) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match as_is(text) {
        Some(raw) => raw.serialize(serializer),
        None => serializer.serialize_str(text),
    }
}

/// A line holds no line break, and what begins with a quote is read as a string.
fn as_is(text: &str) -> Option<&RawValue> {
    if !text.starts_with(['{', '[']) || text.contains(['\n', '\r']) {
        return None;
    }
    serde_json::from_str::<&RawValue>(text).ok().filter(|raw| raw.get().len() == text.len())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(D::Error::custom),
        Some(b'{' | b'[') => Ok(Box::<str>::from(raw).into()),
        _ => Err(D::Error::custom("an object, a list or a string is expected")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Line(#[serde(with = "super")] String);

    #[test]
    fn every_text_comes_back_as_it_was() {
        let plain = [r#"{"a":1.50,"b":"é\u0000"}"#, "[]", r#"{"a" : {}}"#];
        let others = ["", " {}", "{} ", "{\n}", "{", "\"text\"", "12", "null", "{} {}"];
        for text in plain.into_iter().chain(others) {
            let line = serde_json::to_string(&Line(text.to_owned())).expect("a line");
            assert_eq!(plain.contains(&text), line == text, "{line}");
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Line>(&line).expect(&line).0, text);
        }
        assert!(serde_json::from_str::<Line>("12").is_err());
    }
}
