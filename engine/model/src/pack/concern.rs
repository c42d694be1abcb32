//! What problems of a pack's document are about: which definition, which property, which name.

use std::collections::{BTreeSet, HashSet};

use crate::behavior::Section;
use crate::layer::Layer;
use crate::name::Name;
use crate::problem::{Problem, push_segment};
use crate::rank::RANK;
use crate::registry::Registry;

/// Places of a layer's definitions that the registry lacks, because they do not read.
pub(super) fn unread(layer: &Layer, registry: &Registry) -> BTreeSet<String> {
    let reads = |what: &What<'_>| match what {
        What::Object(name) => !registry.unread.contains(*name),
        What::Association(name) => registry.associations.contains_key(*name),
        What::Pipeline(object, name) => registry.pipelines.get(*object).is_some_and(|all| all.contains_key(*name)),
        What::Behavior(key) => registry.behaviors.contains_key(*key),
    };
    places(layer).filter(|(_, what)| !reads(what)).map(|(place, _)| place).collect()
}

/// A definition of a layer.
pub(super) enum What<'a> {
    Object(&'a Name),
    Association(&'a Name),
    Pipeline(&'a Name, &'a Name),
    Behavior(&'a (Section, Name)),
}

/// Where a layer's definitions stand in its document.
pub(super) fn places(layer: &Layer) -> impl Iterator<Item = (String, What<'_>)> {
    let objects = layer.objects.keys().map(|name| (push_segment("/objects", name), What::Object(name)));
    let extended = layer.extend.keys().map(|name| (push_segment("/extend", name), What::Object(name)));
    let associations =
        layer.associations.keys().map(|name| (push_segment("/associations", name), What::Association(name)));
    let pipelines = layer.pipelines.keys().map(|key| (layer.pipeline_pointer(key), What::Pipeline(&key.0, &key.1)));
    let behaviors = layer.behaviors.keys().map(|key| (key.0.pointer(&key.1), What::Behavior(key)));
    objects.chain(extended).chain(associations).chain(pipelines).chain(behaviors)
}

/// Whether a problem speaks of what objects have because of their pipelines.
pub(super) fn speaks_of_pipelines(problem: &Problem) -> bool {
    mentions(problem).any(|name| OF_PIPELINES.contains(&name))
}

/// Whether a problem is that a name is unknown, which is one of these properties' of the same definition.
pub(super) fn misses_any(problem: &Problem, properties: &HashSet<(&str, &str)>) -> bool {
    let own = property_at(&problem.pointer);
    let unknown = mentions(problem).next().filter(|_| problem.code.starts_with("unknown"));
    let named = unknown.map(|name| (definition_at(&problem.pointer), name));
    named.is_some_and(|named| Some(named) != own && properties.contains(&named))
}

/// The property that a place is in, and the definition that has it.
pub(super) fn property_at(pointer: &str) -> Option<(&str, &str)> {
    let definition = definition_at(pointer);
    let mut rest = pointer.get(definition.len()..)?.split('/').skip(1);
    (rest.next()? == "properties").then(|| rest.next()).flatten().map(|name| (definition, name))
}

/// `/objects/permit` of all that is in it.
fn definition_at(pointer: &str) -> &str {
    let end = pointer.match_indices('/').nth(2).map_or(pointer.len(), |(end, _)| end);
    pointer.get(..end).unwrap_or_default()
}

/// Whether a place is one of these, or in one.
pub(super) fn is_within_any(pointer: &str, places: &BTreeSet<String>) -> bool {
    let ends = pointer.match_indices('/').map(|(end, _)| end).skip(1).chain([pointer.len()]);
    ends.into_iter().any(|end| pointer.get(..end).is_some_and(|place| places.contains(place)))
}

/// What a problem's message names.
pub(super) fn mentions(problem: &Problem) -> impl Iterator<Item = &str> {
    problem.message.split('`').skip(1).step_by(2)
}

/// Properties that objects have because of their pipelines.
pub(super) const OF_PIPELINES: [&str; 3] = ["pipeline", "stage", RANK];
