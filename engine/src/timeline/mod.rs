//! Timelines: what has happened to a record, what was recorded about it and what was written down, as one stream.
//!
//! Changes stand in the log. Activities and notes are records like any others, of objects whose definition says that
//! they are entries ([`engine_model::entry`]), linked to the records that they are about; a follower of the log keeps
//! which entries stand on which timelines and when (`feed`), so that a page costs the same wherever it begins.

mod audit;
mod cursor;
mod entry;
mod feed;
mod kinds;
mod page;
mod record;
mod source;

pub use audit::AuditQuery;
pub use entry::TimelineEntry;
pub(crate) use entry::declared;
pub(crate) use feed::Timelines;
pub use page::{TimelineChange, TimelineItem, TimelineQuery};
pub use record::{ActivityInput, ActivityReply};

/// The name under which positions are kept.
const FOLLOWER: &str = "timeline";
