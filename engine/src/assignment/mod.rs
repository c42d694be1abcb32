//! Who records belong to: rules by which those get an owner that nobody was given, and handing over all that a user has.
//!
//! A record that is made without an owner goes by the first rule of its object that it meets, and to whoever's turn it
//! is among those whom the rule names.

mod reassign;
mod rule;
mod rules;
mod turns;
mod write;

pub use reassign::Reassignment;
pub(crate) use reassign::{REASSIGN, run};
pub use rule::AssignmentRule;
pub(crate) use rules::Rules;
pub(crate) use turns::{Assigning, SpareTurns, Turn};
