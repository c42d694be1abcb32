//! Cursors: where a page ended, and of which search it was a page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ast::QueryText;
use super::typed::{Key, Place, Scope, SortKey};
use crate::RecordId;
use crate::property::Storage;

/// Raised whenever cursors are written another way.
const FORM: i64 = 1;

/// Longest cursor that is looked at, in bytes: eight texts and some room.
const LONGEST: usize = 16 * 1024;

/// Bytes of the hash that tells searches apart.
const FINGERPRINT: usize = 12;

/// The end of a page as callers get it: opaque, and of use for the same search only.
///
/// The search is known by what was sent, since relative dates resolve to something else a moment later; `limit`,
/// `select` and the like may change from page to page.
#[derive(Debug)]
pub struct Cursor;

impl Cursor {
    /// The cursor for what comes after `place` in a search that was resolved to `scopes`.
    pub fn write(place: &Place, text: &QueryText, scopes: &[Scope]) -> String {
        let keys = place.keys.iter().map(|key| match key {
            Key::Null => Value::Null,
            Key::Number(number) => Value::from(*number),
            Key::Text(text) => Value::from(text.as_str()),
        });
        let parts = json!([FORM, fingerprint(text, scopes), place.id.0, keys.collect::<Vec<_>>()]);
        URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    /// The place that a cursor marks, or why it is of no use for this search.
    pub fn read(cursor: &str, text: &QueryText, scopes: &[Scope]) -> Result<Place, &'static str> {
        const BROKEN: &str = "this is no cursor that a search has given";
        const EARLIER: &str = "this cursor is of an earlier release; begin again without it";
        const OTHER: &str = "this cursor is of another search: objects, `q`, `fuzzy`, `filter`, `sort` and `archived` stay \
                             the same from page to page, and what is sorted by keeps its type";
        let bytes = Some(cursor)
            .filter(|cursor| cursor.len() <= LONGEST)
            .and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok());
        let parts: Option<Value> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let parts = parts.as_ref().and_then(Value::as_array).ok_or(BROKEN)?;
        match parts.first().and_then(Value::as_i64) {
            Some(FORM) => {}
            Some(_) => return Err(EARLIER),
            None => return Err(BROKEN),
        }
        let [_, found, id, keys] = parts.as_slice() else { return Err(BROKEN) };
        if found.as_str() != Some(&fingerprint(text, scopes)) {
            return Err(OTHER);
        }
        let sort = scopes.first().map_or(&[][..], |scope| scope.sort.as_slice());
        let keys = keys.as_array().filter(|keys| keys.len() == sort.len()).ok_or(BROKEN)?;
        let keys = keys.iter().zip(sort).map(|(key, by)| read_key(key, by)).collect::<Option<Vec<_>>>();
        let id = id.as_i64().filter(|id| *id > 0).map(RecordId);
        Ok(Place { keys: keys.ok_or(BROKEN)?, id: id.ok_or(BROKEN)? })
    }
}

/// A key as the order has it; `None` where it is no value of what is sorted by.
fn read_key(key: &Value, by: &SortKey) -> Option<Key> {
    let is_text = matches!(by, SortKey::Value { field, .. }
        if matches!(field.storage, Storage::Text | Storage::TextList | Storage::Boolean));
    match key {
        Value::Null => Some(Key::Null),
        Value::String(text) if is_text => Some(Key::Text(text.clone())),
        Value::Number(number) if !is_text => number.as_i64().map(Key::Number),
        _ => None,
    }
}

/// What tells one search from another: all that decides which records it finds and in which order.
fn fingerprint(text: &QueryText, scopes: &[Scope]) -> String {
    let objects: Vec<_> = scopes.iter().map(|scope| &scope.object).collect();
    let sort: Vec<_> = scopes.first().into_iter().flat_map(|scope| &scope.sort).map(described).collect();
    let told = json!([text.q, text.fuzzy, text.expression, text.archived, objects, sort]).to_string();
    let filter = serde_json::to_string(&text.filter).unwrap_or_default();
    let hash = Sha256::new().chain_update(told).chain_update([0]).chain_update(filter).finalize();
    URL_SAFE_NO_PAD.encode(hash.get(..FINGERPRINT).unwrap_or_default())
}

/// A key of the order with the type that its values are compared by.
fn described(key: &SortKey) -> Value {
    match key {
        SortKey::Relevance => json!("relevance"),
        SortKey::Id { is_descending } => json!(["id", is_descending]),
        SortKey::Value { field, is_descending } => {
            json!([field.name, is_descending, format!("{:?}", field.storage), field.options.as_ref()])
        }
    }
}
