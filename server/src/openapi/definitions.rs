//! Definitions as they are described; the engine writes them, since packs and the API have the same.

#![expect(dead_code, reason = "describes replies, which are written without it")]

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An effective object definition.
#[derive(ToSchema)]
pub(crate) struct ObjectDefinition {
    name: String,
    label: String,
    plural: String,
    plural_label: String,
    /// Template of the display name.
    #[schema(required)]
    display: Option<String>,
    #[schema(required)]
    icon: Option<String>,
    #[schema(required)]
    description: Option<String>,
    /// The switch that it needs.
    #[schema(required)]
    capability: Option<String>,
    features: Map<String, Value>,
    groups: Map<String, Value>,
    /// By name.
    properties: BTreeMap<String, ObjectProperty>,
    constraints: Vec<Map<String, Value>>,
    /// That its records are entries of timelines, and what plays which part.
    #[schema(required)]
    entry: Option<Map<String, Value>>,
    /// The pack that it is from, or `custom`.
    layer: String,
    #[schema(required, format = DateTime)]
    archived_at: Option<String>,
}

/// A property of an object or an association, with the options of its type.
#[derive(ToSchema)]
pub(crate) struct ObjectProperty {
    #[schema(rename = "type")]
    kind: String,
    label: String,
    /// The pack that it is from, `custom`, or `engine`.
    layer: String,
    /// What a search may compare it by.
    operators: Vec<String>,
    #[schema(format = DateTime)]
    archived_at: Option<String>,
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// A property by itself.
#[derive(ToSchema)]
pub(crate) struct PropertyDefinition {
    name: String,
    #[schema(rename = "type")]
    kind: String,
    label: String,
    /// The pack that it is from, `custom`, or `engine`.
    layer: String,
    /// What a search may compare it by.
    operators: Vec<String>,
    #[schema(required, format = DateTime)]
    archived_at: Option<String>,
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// An effective association definition.
#[derive(ToSchema)]
pub(crate) struct AssociationDefinition {
    name: String,
    /// An object.
    from: String,
    /// An object, a list of objects, or `any`.
    to: Value,
    label: String,
    #[schema(required)]
    inverse: Option<String>,
    /// `one_to_one`, `one_to_many`, `many_to_one` or `many_to_many`.
    cardinality: String,
    /// What a link may be called: key to label.
    labels: BTreeMap<String, String>,
    /// By name.
    properties: BTreeMap<String, ObjectProperty>,
    /// The pack that it is from, or `custom`.
    layer: String,
    #[schema(required, format = DateTime)]
    archived_at: Option<String>,
}

/// A pipeline of an object.
#[derive(ToSchema)]
pub(crate) struct Pipeline {
    name: String,
    object: String,
    label: String,
    /// Whether new records start in it.
    default: bool,
    /// What stages may mean beside `open`, `won`, `lost` and `closed`.
    categories: BTreeMap<String, Category>,
    /// In order.
    stages: Vec<Stage>,
    /// From each stage to those that may follow; null where every move is allowed.
    #[schema(required)]
    transitions: Option<BTreeMap<String, Vec<String>>>,
    /// Values of new records that begin in it, where nothing else gives one.
    defaults: Map<String, Value>,
    /// The pack that it is from, or `custom`.
    layer: String,
    #[schema(required, format = DateTime)]
    archived_at: Option<String>,
}

/// An expression that must be true.
#[derive(ToSchema)]
#[schema(as = StageRule)]
pub(crate) struct Rule {
    /// CEL over the record's properties.
    rule: String,
    /// What people are told.
    message: String,
    /// The property that the message points at.
    #[schema(required)]
    at: Option<String>,
}

/// A meaning of stages that a pipeline has beside those that all have.
#[derive(ToSchema)]
pub(crate) struct Category {
    label: String,
    /// Whether a record there has ended, neither won nor lost.
    ended: bool,
}

/// A state of a pipeline.
#[derive(ToSchema)]
pub(crate) struct Stage {
    name: String,
    label: String,
    /// `open`, `won`, `lost`, `closed`, or one of the pipeline's categories.
    #[schema(rename = "type")]
    kind: String,
    /// In percent.
    #[schema(required)]
    probability: Option<i64>,
    /// Properties that must have a value before a record enters.
    requires: Vec<String>,
    /// What must be true before a record enters.
    rules: Vec<Rule>,
    #[schema(required)]
    color: Option<String>,
    archived: bool,
}
