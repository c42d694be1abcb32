//! Values that name something outside of the record: users and files.

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, FileRules, Input};
use crate::name::Name;

/// What the value of a property names. Whether it exists is for the engine to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A user; of this team, where one is named.
    User {
        /// The team's name.
        team: Option<&'a Name>,
    },
    /// An uploaded file.
    File(&'a FileRules),
}

/// Reads an identifier: a positive 64-bit integer as a decimal string.
pub(super) fn read_id(input: Input<'_>, noun: &str) -> Result<Value, Faults> {
    if let Input::Number(number) = input
        && is_id(number)
    {
        let message = format!("ids are strings: write \"{number}\"");
        return Err(vec![Fault::new("wrong_type", message)]);
    }
    let text = input.text(&format!("the id of a {noun} as a string"))?.trim();
    if is_id(text) {
        return Ok(Value::from(text));
    }
    let message = format!("`{}` is no id of a {noun}: a positive whole number is expected", excerpt(text));
    Err(vec![Fault::new("invalid", message)])
}

fn is_id(text: &str) -> bool {
    let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_canonical && text.parse::<i64>().is_ok()
}

/// JSON Schema of an identifier.
pub(super) fn id_schema() -> Map<String, Value> {
    Map::from_iter([
        ("type".to_owned(), json!("string")),
        ("pattern".to_owned(), json!("^[1-9][0-9]{0,18}$")),
        ("maxLength".to_owned(), json!(19)),
    ])
}
