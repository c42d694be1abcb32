//! Roll-ups: what records draw together from those that are linked with them.
//!
//! They follow the change log as everything does that reacts to writes: a write of a linked record costs and waits for
//! nothing, and however many there are at a time, their common record is written once for all of them. Values are not
//! adjusted by differences but gathered anew from the index, so that there is no sum that could go astray: whatever
//! happened twice, late or in another order, the last look is right. A value that was written is looked at once more,
//! which also corrects what another node or a job has written late. Only a purge is not left to the log, which says
//! nothing of it: see [`purged`].
//!
//! Who reads a record with roll-ups waits until they are those of the moment at which the read began, which takes a few
//! milliseconds after a write and nothing otherwise.

mod affected;
mod fill;
mod follow;
mod gather;
mod linked;
mod progress;
mod purged;

pub(crate) use affected::link_of;
pub(crate) use fill::{COMPUTE, news, run};
pub(crate) use follow::{FOLLOWER, Rollups};
pub(crate) use linked::add_linked;
pub(crate) use purged::Drawing;
