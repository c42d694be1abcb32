//! What is remembered of a merge with each loser.

use engine_model::time::Timestamp;
use engine_model::{Properties, TeamId, UserId};
use engine_store::association::{LinkKey, StoredLink};
use engine_store::commit::Made;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the winner took over from one loser, and what became of the loser's links.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Detail {
    /// Property of the winner to `[before, after]`.
    pub(super) values: Properties,
    /// The winner's owner before and after, where that came from this loser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<(Option<UserId>, Option<UserId>)>,
    /// The winner's team before and after, where that came from this loser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) team: Option<(Option<TeamId>, Option<TeamId>)>,
    /// The loser's links as they were.
    pub(super) links: Vec<KeptLink>,
}

/// A link of a loser as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptLink {
    pub(super) from: i64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) to: i64,
    pub(super) label: Option<String>,
    /// JSON object, as text.
    pub(super) properties: String,
    pub(super) created_at: i64,
    pub(super) created_by: Option<i64>,
    /// It became the winner's; otherwise there was no room for it, or no need.
    pub(super) is_moved: bool,
}

impl Detail {
    pub(super) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(Error::internal)
    }

    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

impl KeptLink {
    pub(super) fn of(link: &StoredLink, is_moved: bool) -> Self {
        Self {
            from: link.from_id,
            kind: link.kind.clone(),
            to: link.to_id,
            label: link.label.clone(),
            properties: link.properties.clone(),
            created_at: link.created_at,
            created_by: link.created_by,
            is_moved,
        }
    }

    /// The end that is not `near`.
    pub(super) fn far(&self, near: i64) -> i64 {
        if self.from == near { self.to } else { self.from }
    }

    /// The same kind of link in the same direction, between other records.
    pub(super) fn between(&self, near: i64, new_near: i64, new_far: i64) -> LinkKey {
        let (from_id, to_id) = if self.from == near { (new_near, new_far) } else { (new_far, new_near) };
        LinkKey { from_id, kind: self.kind.clone(), to_id }
    }

    pub(super) fn made(&self) -> Made {
        Made { at: Timestamp(self.created_at), by: self.created_by.map(UserId) }
    }
}
