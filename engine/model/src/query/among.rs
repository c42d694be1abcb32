//! What lists ask: which of some records meet which conditions.

use super::typed::Filter;
use crate::name::Name;
use crate::{RecordId, TenantId};

/// Asks which of some records of an object, archived ones left out, meet each of many conditions.
#[derive(Debug, Clone)]
pub struct Among {
    /// Whose records they are.
    pub tenant: TenantId,
    /// Their object.
    pub object: Name,
    /// The records, lowest first, each once; those of other objects meet nothing.
    pub records: Vec<RecordId>,
    /// The conditions.
    pub filters: Vec<Filter>,
}
