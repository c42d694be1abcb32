//! A unit while it is worked on: without the closure that makes its reply, so that it can be shared.

use std::sync::Arc;

use engine_model::TenantId;
use engine_model::time::Timestamp;

use super::{Item, Origin};

/// What [`super::Unit`] asks for.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) tenant: TenantId,
    pub(super) metadata_version: i64,
    pub(super) access_version: i64,
    pub(super) origin: Arc<Origin>,
    pub(super) at: Timestamp,
    pub(super) items: Vec<Item>,
    pub(super) is_atomic: bool,
    pub(super) key: Option<Key>,
}

/// A key that makes the work happen once, and the hash of its request.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) key: String,
    pub(super) fingerprint: String,
}
