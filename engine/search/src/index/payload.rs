//! What is noted with every commit.

use engine_model::Sequence;
use engine_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::Reached;
use crate::error::{Result, SearchError};
use crate::schema::FORMAT;

/// How far the index reaches, and in which form it is written.
#[derive(Serialize, Deserialize)]
struct Payload {
    format: u32,
    sequence: i64,
    at: i64,
    notes: String,
}

/// As much of it as any form has.
#[derive(Deserialize)]
struct AnyPayload {
    format: u32,
}

/// What is to be noted.
pub(super) fn payload_of(reached: &Reached) -> String {
    let Reached { sequence, at, notes } = reached;
    let payload = Payload { format: FORMAT, sequence: sequence.0, at: at.0, notes: notes.clone() };
    // Numbers and text are always JSON.
    serde_json::to_string(&payload).unwrap_or_default()
}

/// What was noted, if it is in the form of this version.
pub(super) fn reached_of(payload: Option<&str>) -> Result<Reached> {
    let text = payload.ok_or_else(|| SearchError::Outdated { found: "none".to_owned() })?;
    let unknown = |error: serde_json::Error| SearchError::Outdated { found: error.to_string() };
    let any: AnyPayload = serde_json::from_str(text).map_err(unknown)?;
    if any.format != FORMAT {
        return Err(SearchError::Outdated { found: any.format.to_string() });
    }
    let payload: Payload = serde_json::from_str(text).map_err(unknown)?;
    Ok(Reached { sequence: Sequence(payload.sequence), at: Timestamp(payload.at), notes: payload.notes })
}

/// Before the first change.
pub(super) fn nothing_reached() -> Reached {
    Reached { sequence: Sequence(0), at: Timestamp(0), notes: String::new() }
}
