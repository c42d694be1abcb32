//! A tenant's rows as they travel from one store to another: read page by page, written many at a time.
//!
//! Every column is there but the tenant's, and every text as it is stored, so that nothing has to be computed or
//! understood on the way. The rows' JSON is the format of the file: a change of it is another format.
//!
//! What is not here stays behind: tokens, replies kept under keys, jobs that are over.

mod access;
mod assignment;
mod definitions;
mod duplicates;
mod json_text;
mod lists;
mod log;
mod records;
mod saved;
mod timeline;
mod unfinished;
mod visits;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::store::{Reader, Tx};

pub use access::{Member, Role, SensitiveRead, Team, User};
pub use assignment::AssignmentRule;
pub use definitions::{AssociationDefinition, Installed, MetadataVersion, ObjectDefinition, Pack, Pipeline, add_pack};
pub use duplicates::Duplicate;
pub use lists::{List, ListMember};
pub use log::{Change, Counter, Follower, OpenJob};
pub use records::{Interval, Link, Merge, Record, UniqueValue};
pub use saved::SavedItem;
pub use timeline::{TimelineEntry, TimelineSource};
pub use unfinished::discard;
pub use visits::Visit;

/// A row of one table.
pub trait Carried: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What such a row is called in the file.
    const KIND: &'static str;

    /// Rows that come after one in the order of their keys; without one, the first.
    fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> impl Future<Output = Result<Vec<Self>>> + Send;

    /// Writes rows of a tenant that is being imported; how many. A row whose key is taken is not written.
    fn insert(tx: &mut Tx, rows: &[Self]) -> impl Future<Output = Result<u64>> + Send;
}
