//! Definitions, properties, values and packs: what a tenant's data may look like.
//!
//! Pure rules. This crate never reads a clock, never does I/O, and knows nothing of SQL, search or HTTP.
//!
//! # Adding a property type
//! 1. Write `src/property/x.rs` with a type that implements [`property::PropertyKind`] and a `read` function for its
//!    options.
//! 2. Add its line to [`property::TABLE`].
//!
//! Nothing else changes: store, server and import ask the trait.

pub mod access;
pub mod association;
pub mod behavior;
pub mod change;
pub mod computed;
mod constraint;
pub mod duplicate;
pub mod entry;
pub mod expression;
mod feature;
pub mod former;
mod fragment;
mod group;
pub mod id;
pub mod json;
pub mod layer;
pub mod locale;
pub mod migration;
pub mod name;
pub mod object;
pub mod overlay;
pub mod pack;
pub mod pipeline;
pub mod problem;
pub mod property;
pub mod query;
pub mod rank;
pub mod registry;
pub mod remnant;
pub mod reserved;
mod retype;
pub mod rule;
pub mod score;
pub mod spec;
mod start;
pub mod template;
pub mod time;
pub mod translation;
pub mod upgrade;
pub mod uses;

pub use id::{JobId, RecordId, Sequence, TeamId, TenantId, TokenId, UserId};
pub use name::{Name, nearest};
pub use problem::{Problem, Problems};

/// A record's properties in normal form: property name to value, in the order of the definition, never null.
pub type Properties = serde_json::Map<String, serde_json::Value>;
