//! What can be done to records, one operation each; single calls, batches and transactions are lists of them.

use engine_model::{Name, RecordId};
use serde_json::Value;

use super::handover::Handover;
use super::input::{MoveInput, PropertiesInput, RecordInput};
use super::record::Record;
use crate::duplicates::Duplicate;
use crate::error::Error;

/// How a caller names a record: id, uid, `$ref`, or a unique property's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The id, uid, reference or value.
    pub id: String,
    /// The unique property that `id` is a value of.
    pub id_property: Option<String>,
}

impl Target {
    /// By id, uid or `$ref`.
    pub fn id(id: impl Into<String>) -> Self {
        Self { id: id.into(), id_property: None }
    }
}

/// One thing to do.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Make a record.
    Create {
        /// The object's name.
        object: String,
        /// Values, owner and links.
        input: RecordInput,
    },
    /// Change a record.
    Update {
        /// The object's name.
        object: String,
        /// Which record.
        target: Target,
        /// What changes.
        input: RecordInput,
        /// Only if it is at this version.
        version: Option<i64>,
    },
    /// Move a record to a stage, with the values that the stage asks for.
    Move {
        /// The object's name.
        object: String,
        /// Which record.
        target: Target,
        /// Where to, and with what.
        input: MoveInput,
        /// Only if it is at this version.
        version: Option<i64>,
    },
    /// Hand a record over, or back.
    Own {
        /// The object's name.
        object: String,
        /// Which record.
        target: Target,
        /// To whom.
        handover: Handover,
        /// Only if it is at this version.
        version: Option<i64>,
    },
    /// Change the record that has a unique property's value, or make one.
    Upsert {
        /// The object's name.
        object: String,
        /// The unique property.
        id_property: String,
        /// Its value, where `input` does not hold it.
        id: Option<String>,
        /// Values, owner and links.
        input: RecordInput,
    },
    /// Put a record away.
    Archive {
        /// The object's name.
        object: String,
        /// Which record.
        target: Target,
        /// Only if it is at this version.
        version: Option<i64>,
    },
    /// Bring an archived record back.
    Restore {
        /// The object's name.
        object: String,
        /// Which record.
        target: Target,
    },
    /// Erase a record's values for good.
    Purge {
        /// The object's name.
        object: String,
        /// Which record.
        target: Target,
    },
    /// Take over the values of roll-ups, and compute what is made of them. Only the engine does this.
    Compute {
        /// The object's name.
        object: String,
        /// Which record.
        id: RecordId,
        /// Only if it is at this version.
        version: i64,
        /// Roll-ups, each with its value.
        values: Vec<(Name, Option<Value>)>,
    },
    /// Write a record anew whose stored values were brought forward. Only the engine does this.
    Settle {
        /// The object's name.
        object: String,
        /// Which record.
        id: RecordId,
        /// Only if it is at this version.
        version: i64,
    },
    /// Merge other records into one, to which their ids lead from then on.
    Merge {
        /// The object's name.
        object: String,
        /// The record that remains.
        target: Target,
        /// Ids or uids of the others, in the order in which their values count.
        from: Vec<String>,
        /// Property and the id of the record whose value is taken, where that is not the first one's.
        choices: Vec<(String, String)>,
        /// Only if the record that remains is at this version.
        version: Option<i64>,
    },
    /// Take a record out again of the one that it was merged into.
    Unmerge {
        /// The object's name.
        object: String,
        /// The record that remained.
        target: Target,
        /// Id or uid of the one that was merged into it.
        id: String,
        /// Only if the record that remained is at this version.
        version: Option<i64>,
    },
    /// Erase a record of an object that is not defined any more. Only the engine does this.
    Erase {
        /// The object's name.
        object: String,
        /// Which record.
        id: RecordId,
    },
    /// Take values of properties away that are not defined any more. Only the engine does this.
    Forget {
        /// The object's name.
        object: String,
        /// Which record.
        id: RecordId,
        /// The properties.
        properties: Vec<String>,
    },
    /// Take a link away whose association is not defined any more. Only the engine does this.
    Unlink {
        /// Name of the association.
        kind: String,
        /// Where it starts.
        from: RecordId,
        /// Where it leads.
        to: RecordId,
    },
    /// Link two records.
    Associate {
        /// Name of the association.
        kind: String,
        /// Where it starts.
        from: String,
        /// Where it leads.
        to: String,
        /// What the link is called.
        label: Option<String>,
        /// The link's own properties.
        properties: PropertiesInput,
        /// Takes links in the way away.
        replace: bool,
    },
    /// Take a link away.
    Dissociate {
        /// Name of the association.
        kind: String,
        /// Where it starts.
        from: String,
        /// Where it leads.
        to: String,
    },
}

impl Operation {
    /// The object that it names; links name none.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Create { object, .. }
            | Self::Update { object, .. }
            | Self::Move { object, .. }
            | Self::Own { object, .. }
            | Self::Upsert { object, .. }
            | Self::Archive { object, .. }
            | Self::Restore { object, .. }
            | Self::Purge { object, .. }
            | Self::Compute { object, .. }
            | Self::Settle { object, .. }
            | Self::Erase { object, .. }
            | Self::Forget { object, .. }
            | Self::Merge { object, .. }
            | Self::Unmerge { object, .. } => Some(object),
            Self::Associate { .. } | Self::Dissociate { .. } | Self::Unlink { .. } => None,
        }
    }
}

/// An operation that later ones may refer to.
#[derive(Debug, Clone)]
pub struct Step {
    /// Name under which later operations find its record, without the `$`.
    pub reference: Option<String>,
    /// What to do.
    pub operation: Operation,
}

impl From<Operation> for Step {
    fn from(operation: Operation) -> Self {
        Self { reference: None, operation }
    }
}

/// What came of an operation.
#[derive(Debug, Clone)]
pub struct Done {
    /// The record as it is now; none for links and purged records.
    pub record: Option<Record>,
    /// What happened to it.
    pub effect: Effect,
    /// Links that a record had before it was merged and has not got back.
    pub left_out: Vec<LeftOut>,
    /// What a new record resembles, where a rule warns of that.
    pub duplicates: Vec<Duplicate>,
}

/// A link that could not be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the association.
    pub kind: String,
    /// The record at the other end; none where the caller may not know of it.
    pub record: Option<RecordId>,
    /// Why not.
    pub reason: String,
}

/// What an operation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A record was made.
    Created,
    /// A record, or a link, was changed.
    Changed,
    /// Everything was so already.
    Unchanged,
}

/// Results of a list of operations, in order.
pub type Results = Vec<Result<Done, Error>>;

/// The same result, to be kept or told again: an error loses only what is for the log.
pub fn retold(result: &Result<Done, Error>) -> Result<Done, Error> {
    match result {
        Ok(done) => Ok(done.clone()),
        Err(error) => Err(error.retold()),
    }
}
