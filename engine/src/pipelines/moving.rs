//! Moving a record to a stage, and to a place there.

use crate::error::{Error, ErrorCode, Result};
use crate::records::{Done, DoneReply, MoveInput, Operation, PropertiesInput, Target, Written};
use crate::session::Session;

/// Where a record is moved to.
#[derive(Debug, Clone)]
pub struct Moving {
    /// The pipeline; the one that the record is in where none is named.
    pub pipeline: Option<String>,
    /// The stage.
    pub stage: String,
    /// Values to set; null takes a value away.
    pub properties: PropertiesInput,
    /// The record that it is put behind, or `None` for the top; unless given it keeps its place.
    pub after: Option<Option<String>>,
}

impl Session {
    /// Moves a record to a stage, with the values that the stage asks for.
    pub async fn record_move(
        &mut self,
        object: &str,
        target: Target,
        moving: Moving,
        version: Option<i64>,
        reply: Option<DoneReply>,
    ) -> Result<Written<Done>> {
        let rank = match &moving.after {
            Some(after) => self.rank_behind(object, &target, &moving, after.as_deref()).await,
            None => Ok(None),
        };
        match rank {
            Ok(rank) => self.perform(operation(object, target, moving, rank, version), reply).await,
            // Told with whatever else is wrong.
            Err(error) if error.code == ErrorCode::ValidationFailed => {
                let problems = error.problems;
                Err(self.refuse(operation(object, target, moving, None, version), problems).await)
            }
            Err(error) => Err(error),
        }
    }

    /// Why a move whose body is malformed in these places cannot be done: with whatever else is wrong with it.
    pub async fn refuse_move(
        &mut self,
        object: &str,
        target: Target,
        moving: Moving,
        version: Option<i64>,
        problems: engine_model::Problems,
    ) -> Error {
        self.refuse(operation(object, target, moving, None, version), problems).await
    }
}

fn operation(object: &str, target: Target, moving: Moving, rank: Option<String>, version: Option<i64>) -> Operation {
    let Moving { pipeline, stage, properties, .. } = moving;
    let input = MoveInput { pipeline, stage, properties, rank };
    Operation::Move { object: object.to_owned(), target, input, version }
}
