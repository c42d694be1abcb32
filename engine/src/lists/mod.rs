//! Lists of records: static ones, whose members are put by hand, and dynamic ones, whose members are all records that
//! meet a filter.
//!
//! Whoever searches by a dynamic list is asked for its filter, so searches never wait for members to be kept. Members
//! are kept for what has to know when somebody comes or goes: a follower of the change log asks the index, page by page
//! of the log, which of the records concerned meet which filters, and writes what differs together with its position
//! in one commit. So whatever happens twice or on two nodes comes out once.
//!
//! What is not told by the log of single records (a new list, another filter, the passing of time, other definitions)
//! has a list *due*: all records are looked at, those that differ a thousand at a time.

mod affected;
mod ask;
mod check;
mod compiled;
mod find;
mod follow;
mod input;
mod list;
mod members;
mod named;
mod put;
mod reads;
mod settle;
mod static_members;
mod touched;
mod upkeep;
mod whole;
mod write;

use std::sync::Arc;

use engine_model::{RecordId, TenantId};
use moka::future::Cache;
use tokio::sync::{Notify, watch};

pub use input::{ListInput, MemberChange};
pub use list::{List, ListState};
pub use members::ListMember;
pub use put::MembersChanged;

pub(crate) use follow::Lists;
pub(crate) use named::{OutOfReach, Why, text_of};
pub(crate) use upkeep::start;

use crate::progress::Progress;
use crate::records::Written;
use compiled::Compiled;

/// Makes the reply that is kept under the caller's idempotency key.
pub type ListReply = Box<dyn FnOnce(&Written<List>) -> engine_store::idempotency::StoredReply + Send>;

/// Makes the reply that is kept where members were put.
pub type MembersReply = Box<dyn FnOnce(&Written<MembersChanged>) -> engine_store::idempotency::StoredReply + Send>;

/// The name under which positions are kept, and the source of what is told.
const FOLLOWER: &str = "lists";

/// Counts changes of which lists there are and what they ask.
const EPOCH: &str = "list_epoch";

/// Lists that a tenant may have.
const MAX_LISTS: i64 = 5_000;

/// Lists with a filter that it may have among them.
const MAX_DYNAMIC: i64 = 2_000;

/// Members that a static list may have.
const MAX_STATIC: i64 = 1_000_000;

/// Bytes of filters that are kept ready, about.
const COMPILED_BYTES: u64 = 64 << 20;

/// Bytes of ids of static lists that are kept ready.
const MEMBERS_BYTES: u64 = 64 << 20;

/// What a node knows of lists beside the store.
#[derive(Debug)]
pub(crate) struct Known {
    /// How far members are kept.
    progress: Progress,
    /// Something is due.
    due: Notify,
    /// A list has been looked at as a whole.
    looked: watch::Sender<()>,
    /// What the lists of tenants ask, and how many bytes that takes, about.
    compiled: Cache<TenantId, (Arc<Compiled>, u32)>,
    /// Members of static lists, as of a revision of theirs.
    members: Cache<(TenantId, i64), Members>,
    /// What dynamic lists asked when all records were looked at last.
    asked: Cache<(TenantId, i64), u64>,
}

/// Who was in a static list at a revision of it.
type Members = (i64, Arc<[RecordId]>);

impl Default for Known {
    fn default() -> Self {
        let bytes = |ids: usize| u32::try_from(ids * 8 + 128).unwrap_or(u32::MAX);
        Self {
            progress: Progress::default(),
            due: Notify::new(),
            looked: watch::channel(()).0,
            compiled: Cache::builder().weigher(|_, (_, bytes)| *bytes).max_capacity(COMPILED_BYTES).build(),
            members: Cache::builder()
                .weigher(move |_, (_, ids): &Members| bytes(ids.len()))
                .max_capacity(MEMBERS_BYTES)
                .build(),
            asked: Cache::builder().max_capacity(100_000).build(),
        }
    }
}
