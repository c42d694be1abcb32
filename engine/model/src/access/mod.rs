//! Who may do what: what roles and scopes grant, what is left where several must allow something, and why.
//!
//! One pure function decides, [`Rights::allows`], over what a caller's role, its user's role and its token's scopes have
//! in common, [`Rights::meet`]. What the store reads and what the index finds are narrowed by the same [`Reach`], and
//! [`explain()`] says what came of it.

mod explain;
mod properties;
mod reach;
mod rights;
mod role;
mod scope;

#[cfg(test)]
mod tests;

pub use explain::{Asked, Decision, Party, Source, Verdict, explain, refusal};
pub use properties::{PropertyRights, Sight};
pub use reach::{Holder, Place, Reach, Teams, Viewer};
pub use rights::{Excess, Grants, Rights};
pub use role::{BUILT_IN, Role};
pub use scope::{rights_of_scopes, scope_object};

/// What a caller may do with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make a record.
    Create,
    /// See a record.
    Read,
    /// Change a record, its links included.
    Update,
    /// Archive or restore a record.
    Archive,
}

impl Action {
    /// All of them, in the order in which roles have them.
    pub const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Archive];

    /// The word in messages and in role definitions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Archive => "archive",
        }
    }
}
