//! A record's state while it is worked on: as stored, or as the same request has left it so far.

use std::sync::Arc;

use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, TeamId, UserId};
use engine_store::commit::RecordRef;
use engine_store::record::RecordRow;
use uuid::Uuid;

use super::computed::About;
use super::record::{Record, Shown};
use super::stored;
use crate::caller::Standing;
use crate::error::Result;

/// A record's state while it is worked on.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) record: RecordRef,
    pub(crate) uid: Uuid,
    pub(crate) object: String,
    /// Shared, since a state is kept in several places on its way.
    pub(crate) properties: Arc<Properties>,
    pub(crate) display_name: String,
    pub(crate) owner: Option<UserId>,
    pub(crate) team: Option<TeamId>,
    pub(crate) version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: Option<UserId>,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Option<UserId>,
    pub(crate) archived_at: Option<Timestamp>,
}

impl State {
    pub(crate) fn from_row(row: RecordRow, registry: &Registry) -> Result<Self> {
        Ok(Self {
            record: RecordRef::Id(row.record_id()),
            uid: row.uid,
            properties: Arc::new(stored::read(registry, &row.object, &row.properties)?),
            object: row.object,
            display_name: row.display_name,
            owner: row.owner_id.map(UserId),
            team: row.team_id.map(TeamId),
            version: row.version,
            created_at: Timestamp(row.created_at),
            created_by: row.created_by.map(UserId),
            updated_at: Timestamp(row.updated_at),
            updated_by: row.updated_by.map(UserId),
            archived_at: row.archived_at.map(Timestamp),
        })
    }

    /// The record as answered; `id` was given at commit where the record is new.
    pub(crate) fn into_record(self, id: RecordId, shown: &Shown<'_>) -> Result<Record> {
        let about = About::from(&self);
        let (sensitive, called) = (shown.sensitive_in(&self.properties), shown.called(&self.properties));
        Ok(Record {
            id,
            uid: self.uid,
            object: self.object,
            display_name: called.unwrap_or(self.display_name),
            properties: shown.apply_map(&self.properties, &about)?,
            owner: self.owner,
            team: self.team,
            version: self.version,
            created_at: self.created_at,
            created_by: self.created_by,
            updated_at: self.updated_at,
            updated_by: self.updated_by,
            archived_at: self.archived_at,
            included: Vec::new(),
            html: None,
            sensitive,
        })
    }

    /// Who owns it, and the team that it belongs to.
    pub(crate) fn standing(&self) -> Standing {
        Standing { owner: self.owner, team: self.team }
    }

    /// Its id, where it had one before the request.
    pub(crate) fn id(&self) -> Option<RecordId> {
        match self.record {
            RecordRef::Id(id) => Some(id),
            RecordRef::New(_) => None,
        }
    }
}
