//! In which form the values of a property stand in an index: what has to be put anew when a definition changes.

use engine_model::property::PropertyKind;
use engine_model::query::Field;

use crate::schema::place;

/// The form in which values of a property of this type are indexed that came with a migration: the same text as long as
/// documents that were built before need not be built again.
pub fn form_of(kind: &dyn PropertyKind, since: i64) -> String {
    // The type tells how words are taken from a text, and whether the texts of a list are keys.
    format!("{} {}", place(kind.storage(), since), kind.name())
}

/// Whether values in a form stand where a search looks for those of a field.
pub fn is_form_of(form: &str, field: &Field) -> bool {
    form.split_once(' ').is_some_and(|(stands, _)| stands == place(field.storage, field.since))
}
