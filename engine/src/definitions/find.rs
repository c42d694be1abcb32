//! Definitions by the names in a path; an unknown name is an error that says the nearest known one.

use engine_model::association::AssociationDefinition;
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::pipeline::Pipeline;
use engine_model::property::Property;

use super::catalog::{Catalog, shortened};
use super::show::layer_in_words;
use crate::error::{Error, ErrorCode, Result};

/// The object called `name`, archived or not; not one whose capability is off.
pub(crate) fn find_object<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a ObjectDefinition> {
    catalog.effective.registry.objects.get(name).filter(|object| is_on(catalog, object)).ok_or_else(|| {
        let known = catalog.objects().map(|object| object.name.as_str());
        Error::not_found(format!("there is no object `{}`{}", shortened(name), did_you_mean(name, known)))
    })
}

/// Whether the object's capability is on, or it needs none.
pub(crate) fn is_on(catalog: &Catalog, object: &ObjectDefinition) -> bool {
    let capability = object.capability.as_ref();
    capability.is_none_or(|name| catalog.capabilities.get(name.as_str()).copied().unwrap_or(true))
}

/// The object's property called `name`, archived or not.
pub(crate) fn find_property<'a>(object: &'a ObjectDefinition, name: &str) -> Result<&'a Property> {
    object.properties.get(name).ok_or_else(|| {
        // Definitions are read by everybody.
        let hint = object.property_hint(name, |_| true);
        Error::not_found(format!("`{}` is no property of `{}`{hint}", shortened(name), object.name))
    })
}

/// The association called `name`, archived or not.
pub(crate) fn find_association<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a AssociationDefinition> {
    catalog.effective.registry.associations.get(name).ok_or_else(|| {
        let known = catalog.effective.registry.associations.values().filter(|association| !association.archived);
        let hint = did_you_mean(name, known.map(|association| association.name.as_str()));
        Error::not_found(format!("there is no association `{}`{hint}", shortened(name)))
    })
}

/// The object's pipeline called `name`, archived or not.
pub(crate) fn find_pipeline<'a>(catalog: &'a Catalog, object: &ObjectDefinition, name: &str) -> Result<&'a Pipeline> {
    let pipelines = catalog.effective.registry.pipelines.get(object.name.as_str());
    pipelines.and_then(|pipelines| pipelines.get(name)).ok_or_else(|| {
        let known = catalog.effective.registry.active_pipelines(&object.name).map(|pipeline| pipeline.name.as_str());
        let hint = did_you_mean(name, known);
        Error::not_found(format!("`{}` has no pipeline `{}`{hint}", object.name, shortened(name)))
    })
}

/// A name that is in use: whose it is, and what to do about it.
pub(crate) fn taken(what: &str, layer: &str, is_archived: bool) -> Error {
    let whose = layer_in_words(layer);
    let advice = if is_archived { "; it is archived: restore it, or choose another name" } else { "" };
    let detail = format!("there is {what} already, from {whose}{advice}");
    Error::new(ErrorCode::Conflict, detail.clone()).with(engine_model::Problem::new("/name", "taken", detail))
}
