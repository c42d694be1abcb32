//! Administration of metadata.

pub mod catalog;

/// One change of definitions.
#[derive(Debug, Clone)]
pub struct MetadataVersion;
