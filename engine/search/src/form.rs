//! In which form the values of a property stand in an index: what has to be put anew when a definition changes.

use engine_model::property::{PropertyKind, Storage};

use crate::schema::storage_code;

/// The form in which values of a property of this type are indexed: the same text as long as documents that were built
/// before need not be built again.
pub fn form_of(kind: &dyn PropertyKind) -> String {
    // The type tells how words are taken from a text, and whether the texts of a list are keys.
    format!("{} {}", storage_code(kind.storage()), kind.name())
}

/// Whether values in a form stand where a search looks for values that are stored like this.
pub fn is_form_of(form: &str, storage: Storage) -> bool {
    form.split_once(' ').is_some_and(|(code, _)| code == storage_code(storage))
}
