//! Orders.

use super::super::ast::{QueryText, SortText};
use super::super::typed::SortKey;
use super::ResolveContext;
use super::known::{Role, is_compared, known, unknown};
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};

/// The words for the order by how well a record matches, where no property is called so.
const RELEVANCE: [&str; 2] = ["relevance", "score"];

/// The order of a page; without one the best match first, or by id.
///
/// A query whose text holds no word, though it was given, has nothing to be relevant to.
pub(super) fn sort(
    text: &QueryText,
    object: &ObjectDefinition,
    has_words: bool,
    context: &ResolveContext<'_>,
    problems: &mut Problems,
) -> Vec<SortKey> {
    if text.sort.is_empty() && has_words {
        return vec![SortKey::Relevance];
    }
    let mut keys = Vec::with_capacity(text.sort.len());
    for sent in &text.sort {
        match key(sent, text.q.is_some(), object, context) {
            Ok(SortKey::Relevance) if !has_words => {}
            Ok(key) => keys.push(key),
            Err((segment, code, message)) => {
                problems.push(Problem::new(push_segment(&sent.pointer, segment), code, message));
            }
        }
    }
    if keys.is_empty() {
        keys.push(SortKey::Id { is_descending: false });
    }
    keys
}

fn key(
    sent: &SortText,
    has_text: bool,
    object: &ObjectDefinition,
    context: &ResolveContext<'_>,
) -> Result<SortKey, (&'static str, &'static str, String)> {
    let name = sent.property.as_str();
    let is_descending = sent.is_descending.unwrap_or(false);
    let Some(known) = known(name, object, context) else {
        return match RELEVANCE.contains(&name) {
            false => Err(("property", "unknown_property", unknown(name, &[object], context))),
            true if !has_text => Err(("property", "not_applicable", format!("without `q` there is no {name}"))),
            true if sent.is_descending == Some(false) => {
                Err(("direction", "not_applicable", "the best match comes first: leave `direction` out".to_owned()))
            }
            true => Ok(SortKey::Relevance),
        };
    };
    match known.role {
        Role::Id => Ok(SortKey::Id { is_descending }),
        _ if !is_compared(known.field.storage) => {
            Err(("property", "not_applicable", format!("there is no order of {}", known.subject())))
        }
        Role::Value | Role::Uid => Ok(SortKey::Value { field: known.field, is_descending }),
    }
}
