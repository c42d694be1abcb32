//! Administration of metadata: reading definitions, and changing the tenant's own layer of them.
//!
//! Every write takes the same way ([`redefine`]): from the body to an [`edit`] of the tenant's layer ([`revision`],
//! [`engine_model::overlay`]), the fold of all layers with it, the look at the records that it could make invalid
//! ([`guard`]), and one transaction that raises the metadata version. No record is rewritten.

mod associations;
mod body;
pub(crate) mod catalog;
pub(crate) mod edit;
pub(crate) mod effective;
mod find;
pub(crate) mod guard;
mod history;
mod objects;
mod patch;
mod pipelines;
mod place;
pub(crate) mod properties;
pub(crate) mod redefine;
mod revision;
pub(crate) mod shared;
pub(crate) mod show;
pub(crate) mod source;
mod translate;
mod uses;

pub(crate) use body::take_name;
pub use history::MetadataVersion;
pub use redefine::Defined;
pub use translate::Shown;

use engine_model::property::Property;

/// Which definitions a list has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DefinitionQuery {
    /// Only what the tenant itself has defined: its objects, and its properties of other objects.
    pub own_layer_only: bool,
    /// Archived definitions only; of a single object, its archived properties too.
    pub archived: bool,
}

impl DefinitionQuery {
    /// Whether a definition is among those asked for.
    fn takes(self, layer: &str, is_archived: bool) -> bool {
        is_archived == self.archived && self.takes_layer(layer)
    }

    fn takes_layer(self, layer: &str) -> bool {
        !self.own_layer_only || layer == engine_model::layer::CUSTOM
    }

    /// Whether an object's property is shown with it.
    fn takes_property(self, property: &Property) -> bool {
        (self.archived || !property.archived) && self.takes_layer(&property.layer)
    }
}
