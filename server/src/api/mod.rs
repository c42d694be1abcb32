//! The calls of the API: a folder per resource, a file per kind of call.
//!
//! A handler takes extractors, makes one call into the engine, and turns its answer into a body of [`wire`].

pub(crate) mod access;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod changes;
pub(crate) mod definitions;
pub(crate) mod duplicates;
pub(crate) mod exports;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod language;
pub(crate) mod lists;
pub(crate) mod packs;
pub(crate) mod pipelines;
pub(crate) mod records;
pub(crate) mod saved;
pub(crate) mod scores;
pub(crate) mod search;
pub(crate) mod search_index;
mod tables;
pub(crate) mod tenant_file;
pub(crate) mod tenant_packs;
pub(crate) mod tenants;
pub(crate) mod undo;
pub(crate) mod wire;
