//! One view, report or dashboard, as it is answered.

use engine_model::behavior::{Behavior, Section};
use engine_model::layer::CUSTOM;
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Problems, TeamId, UserId};
use engine_store::saved::SavedRow;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Members of a specification that an item has beside it.
const APART: [&str; 3] = ["label", "sharing", "team"];

/// A view, a report or a dashboard.
#[derive(Debug, Clone)]
pub struct SavedItem {
    /// The id of what a user has saved; the name of what a pack defines.
    pub id: String,
    /// What people read.
    pub label: String,
    /// `private`, `team` or `everyone`.
    pub sharing: String,
    /// Who saved it; nobody where a pack defines it.
    pub owner: Option<UserId>,
    /// The team that it is shared with.
    pub team: Option<TeamId>,
    /// The pack that defines it, or `custom`.
    pub layer: String,
    /// What it says, as in a pack.
    pub spec: Map<String, Value>,
    /// What it names that is not there any more, or that the caller may not see; the rest of it goes on.
    pub warnings: Problems,
    /// When it was saved; none where a pack defines it.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

/// An item as it is looked at, with what it says.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) item: SavedItem,
    /// None where a later release cannot read it any more, which its warnings tell.
    pub(super) behavior: Option<Behavior>,
    /// What it names that the caller may not see, among its warnings too.
    pub(super) hidden: Problems,
}

impl Known {
    pub(super) fn of_pack(behavior: &Behavior, registry: &Registry) -> Self {
        let item = SavedItem {
            id: behavior.name.to_string(),
            label: behavior.label.clone(),
            sharing: behavior.sharing().to_owned(),
            owner: None,
            team: None,
            layer: behavior.layer.clone(),
            spec: apart(behavior.spec.clone()),
            warnings: registry.check_behavior(behavior),
            created_at: None,
            updated_at: None,
        };
        Self { item, behavior: Some(behavior.clone()), hidden: Problems::new() }
    }

    pub(super) fn of_row(row: SavedRow, section: Section, registry: &Registry) -> Result<Self> {
        let spec = spec_of(&row)?;
        let mut warnings = Problems::new();
        let behavior = Behavior::of_user(section, &spec, &mut warnings);
        if let Some(behavior) = &behavior {
            warnings.extend(registry.check_behavior(behavior));
        }
        let item = SavedItem {
            id: row.id.to_string(),
            label: row.label,
            sharing: row.sharing,
            owner: Some(UserId(row.owner_id)),
            team: row.team_id.map(TeamId),
            layer: CUSTOM.to_owned(),
            spec: apart(spec),
            warnings,
            created_at: Some(Timestamp(row.created_at)),
            updated_at: Some(Timestamp(row.updated_at)),
        };
        Ok(Self { item, behavior, hidden: Problems::new() })
    }
}

pub(super) fn spec_of(row: &SavedRow) -> Result<Map<String, Value>> {
    serde_json::from_str(&row.spec)
        .map_err(|error| Error::internal(format!("the saved {} {} is no JSON object: {error}", row.kind, row.id)))
}

fn apart(mut spec: Map<String, Value>) -> Map<String, Value> {
    spec.retain(|key, value| !value.is_null() && !APART.contains(&key.as_str()));
    spec
}
