//! A list as it is answered.

use engine_model::time::Timestamp;
use engine_model::{Problems, TeamId, UserId};
use engine_store::list::ListRow;
use serde_json::Value;

use crate::error::{Error, Result};

/// Whether all records have been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListState {
    /// Members are kept from change to change.
    Current,
    /// All records are being looked at, since the list or what it asks is new.
    Filling,
}

impl ListState {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Filling => "filling",
        }
    }
}

/// A list of records.
#[derive(Debug, Clone)]
pub struct List {
    /// Identifier in the tenant.
    pub id: String,
    /// Whose records are in it.
    pub object: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its members meet, as in a search; none where they are put by hand.
    pub filter: Option<Value>,
    /// `private`, `team` or `everyone`.
    pub sharing: String,
    /// The team that it is shared with.
    pub team: Option<TeamId>,
    /// Whether all records have been looked at.
    pub state: ListState,
    /// How many members it has; none for callers who may not see them all.
    pub members: Option<i64>,
    /// What its filter names that is not there any more; its members stay as they were.
    pub problems: Problems,
    /// Counts its states from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: UserId,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: UserId,
}

impl List {
    pub(super) fn of(row: ListRow, counts: bool, problems: Problems) -> Result<Self> {
        let filter = row.filter.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?;
        Ok(Self {
            id: row.id.to_string(),
            object: row.object,
            name: row.name,
            description: row.description,
            filter,
            sharing: row.sharing,
            team: row.team_id.map(TeamId),
            state: if row.state == ListState::Filling.as_str() { ListState::Filling } else { ListState::Current },
            members: counts.then_some(row.members),
            problems,
            version: row.version,
            created_at: Timestamp(row.created_at),
            created_by: UserId(row.created_by),
            updated_at: Timestamp(row.updated_at),
            updated_by: UserId(row.updated_by),
        })
    }
}
