//! Search indexes: every node's own, derived from the log, and right after whatever may happen.

mod building;
mod crashes;
mod damage;
mod filling;
mod fixture;
mod following;
mod nodes;
mod room;
