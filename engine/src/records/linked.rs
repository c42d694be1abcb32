//! A record as somebody links to it.

use engine_model::RecordId;
use engine_store::record::RecordRow;
use uuid::Uuid;

use super::record::{Record, Shown};
use crate::error::Result;
use crate::session::Session;

/// A record as somebody links to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Identifier in the tenant.
    pub id: RecordId,
    /// Its identifier anywhere.
    pub uid: Uuid,
    /// Its object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
}

impl Session {
    /// A record under the name that the caller sees it by.
    pub(crate) fn linked(&self, row: &RecordRow) -> Result<Linked> {
        let object = self.catalog.object(&row.object)?;
        let shown = Shown::of(&self.catalog, object, &self.caller.rights, Some(&[]), self.now());
        let Record { id, uid, object, display_name, .. } = Record::from_row(row.clone(), &shown)?;
        Ok(Linked { id, uid, object, display_name })
    }
}
