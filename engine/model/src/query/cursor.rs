//! Cursors: where a page ended, and of which search it was a page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ast::QueryText;
use super::typed::{Key, Place, Scope, SortKey};
use crate::property::Storage;
use crate::{RecordId, TenantId};

/// Raised whenever cursors are written another way.
const FORM: i64 = 2;

/// Longest cursor that is looked at, in bytes: eight texts and some room.
const LONGEST: usize = 16 * 1024;

/// Bytes of the hash that tells searches apart.
const FINGERPRINT: usize = 12;

const BROKEN: &str = "this is no cursor that a search has given";

/// The end of a page as callers get it: opaque, and of use for the same search of the same tenant only.
///
/// The search is known by what was sent, since relative dates resolve to something else a moment later; `limit`,
/// `select` and the like may change from page to page.
#[derive(Debug)]
pub struct Cursor {
    fingerprint: String,
    keys: Vec<Value>,
    id: RecordId,
}

impl Cursor {
    /// The cursor for what comes after `place` in a tenant's search that was resolved to `scopes`.
    pub fn write(place: &Place, tenant: TenantId, text: &QueryText, scopes: &[Scope]) -> String {
        let keys = place.keys.iter().map(|key| match key {
            Key::Null => Value::Null,
            Key::Number(number) => Value::from(*number),
            Key::Text(text) => Value::from(text.as_str()),
        });
        let parts = json!([FORM, fingerprint(tenant, text, scopes), place.id.0, keys.collect::<Vec<_>>()]);
        URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    /// Reads what a search has given, or says why it can be none, whatever is searched.
    pub fn read(cursor: &str) -> Result<Self, &'static str> {
        const EARLIER: &str = "this cursor is of an earlier release; begin again without it";
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
        let fingerprint = found.as_str().ok_or(BROKEN)?.to_owned();
        let keys = keys.as_array().ok_or(BROKEN)?.clone();
        let id = id.as_i64().filter(|id| *id > 0).map(RecordId).ok_or(BROKEN)?;
        Ok(Self { fingerprint, keys, id })
    }

    /// The place that it marks in a tenant's search, or why it is of no use for that.
    pub fn place(&self, tenant: TenantId, text: &QueryText, scopes: &[Scope]) -> Result<Place, &'static str> {
        const OTHER: &str = "this cursor is of another search: objects, `q`, `fuzzy`, `filter`, `sort` and `archived` stay \
                             the same from page to page, and what is sorted by keeps its type";
        if self.fingerprint != fingerprint(tenant, text, scopes) {
            return Err(OTHER);
        }
        let sort = scopes.first().map_or(&[][..], |scope| scope.sort.as_slice());
        let keys = Some(&self.keys).filter(|keys| keys.len() == sort.len()).ok_or(BROKEN)?;
        let keys = keys.iter().zip(sort).map(|(key, by)| read_key(key, by)).collect::<Option<Vec<_>>>();
        Ok(Place { keys: keys.ok_or(BROKEN)?, id: self.id })
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

/// What tells one search from another: whose it is, and all that decides which records it finds and in which order.
fn fingerprint(tenant: TenantId, text: &QueryText, scopes: &[Scope]) -> String {
    let objects: Vec<_> = scopes.iter().map(|scope| &scope.object).collect();
    let sort: Vec<_> = scopes.first().into_iter().flat_map(|scope| &scope.sort).map(described).collect();
    let told = json!([tenant.0, text.q, text.fuzzy, text.expression, text.archived, objects, sort]).to_string();
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
