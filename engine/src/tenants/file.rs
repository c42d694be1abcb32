//! The file that a tenant moves in: lines of JSON, each an object with one member that says what the line is.
//!
//! The first says of which format the file is and what the tenant is called; then come the rows of each table, the
//! files of packs, and where the tenant's counters stand. The last counts the lines of each kind, and has a digest of
//! all bytes before it, so that a file that was cut or changed is recognised.

use engine_store::Head;
use engine_store::transfer::{
    AssignmentRule, AssociationDefinition, Carried, Change, Counter, Duplicate, Follower, Installed, Interval, Link,
    List, ListMember, Member, Merge, MetadataVersion, ObjectDefinition, OpenJob, Pack, Pipeline, Record, Role,
    SavedItem, SensitiveRead, Team, TimelineEntry, TimelineSource, UniqueValue, User, Visit,
};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// The format that is written.
pub(super) const FORMAT: u64 = 2;

/// The oldest format that is read: it has no roles, no teams of records, and not who was given sensitive values.
pub(super) const OLDEST_FORMAT: u64 = 1;

/// How many lines of each kind there are, in the order of the file.
pub(super) type Counts = IndexMap<String, u64>;

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: u64,
    /// The version of the product that wrote it.
    pub(super) product: String,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) profile: String,
    pub(super) time_zone: String,
    pub(super) currency: String,
    pub(super) country: String,
    /// JSON object, as it is stored.
    pub(super) capabilities: String,
    /// Microseconds since 1970.
    pub(super) created_at: i64,
}

impl Header {
    pub(super) const KIND: &'static str = "tenant";
}

/// The line before the last: where the tenant's counters and versions stand.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    pub(super) last_sequence: i64,
    pub(super) last_record_id: i64,
    pub(super) metadata_version: i64,
    pub(super) access_version: i64,
}

impl Standing {
    pub(super) const KIND: &'static str = "head";
}

impl From<Head> for Standing {
    fn from(head: Head) -> Self {
        let Head { last_sequence, last_record_id, metadata_version, access_version } = head;
        Self { last_sequence, last_record_id, metadata_version, access_version }
    }
}

impl From<Standing> for Head {
    fn from(standing: Standing) -> Self {
        let Standing { last_sequence, last_record_id, metadata_version, access_version } = standing;
        Self { last_sequence, last_record_id, metadata_version, access_version }
    }
}

/// The last line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) lines: Counts,
    /// Of all bytes before this line, in hexadecimal.
    pub(super) sha256: String,
}

impl End {
    pub(super) const KIND: &'static str = "end";
}

/// What is done with the rows of every table.
pub(super) trait Tables {
    /// Does it with those of one.
    fn table<T: Carried>(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// Goes through the tables in the order of the file.
pub(super) async fn each_table(tables: &mut (impl Tables + Send)) -> Result<()> {
    tables.table::<Installed>().await?;
    tables.table::<ObjectDefinition>().await?;
    tables.table::<AssociationDefinition>().await?;
    tables.table::<Pipeline>().await?;
    tables.table::<MetadataVersion>().await?;
    tables.table::<User>().await?;
    tables.table::<Team>().await?;
    tables.table::<Member>().await?;
    tables.table::<Role>().await?;
    tables.table::<SavedItem>().await?;
    tables.table::<AssignmentRule>().await?;
    tables.table::<Record>().await?;
    tables.table::<Link>().await?;
    tables.table::<Merge>().await?;
    tables.table::<UniqueValue>().await?;
    tables.table::<Interval>().await?;
    tables.table::<Change>().await?;
    tables.table::<SensitiveRead>().await?;
    tables.table::<Visit>().await?;
    tables.table::<List>().await?;
    tables.table::<ListMember>().await?;
    tables.table::<TimelineSource>().await?;
    tables.table::<TimelineEntry>().await?;
    tables.table::<Duplicate>().await?;
    tables.table::<Counter>().await?;
    tables.table::<Follower>().await?;
    tables.table::<OpenJob>().await
}

/// Every kind of line, in the order of the file.
pub(super) const KINDS: [&str; 31] = [
    Header::KIND,
    Installed::KIND,
    ObjectDefinition::KIND,
    AssociationDefinition::KIND,
    Pipeline::KIND,
    MetadataVersion::KIND,
    User::KIND,
    Team::KIND,
    Member::KIND,
    Role::KIND,
    SavedItem::KIND,
    AssignmentRule::KIND,
    Record::KIND,
    Link::KIND,
    Merge::KIND,
    UniqueValue::KIND,
    Interval::KIND,
    Change::KIND,
    SensitiveRead::KIND,
    Visit::KIND,
    List::KIND,
    ListMember::KIND,
    TimelineSource::KIND,
    TimelineEntry::KIND,
    Duplicate::KIND,
    Counter::KIND,
    Follower::KIND,
    OpenJob::KIND,
    Pack::KIND,
    Standing::KIND,
    End::KIND,
];
