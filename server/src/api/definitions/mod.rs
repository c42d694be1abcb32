//! The admin API: objects, properties, associations, pipelines, and how they changed.

pub(crate) mod associations;
pub(crate) mod body;
pub(crate) mod history;
pub(crate) mod objects;
pub(crate) mod pipelines;
pub(crate) mod properties;
