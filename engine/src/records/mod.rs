//! The write side, and reads by id.
//!
//! Every write is a list of [`Operation`]s and takes the same way ([`Session::execute`](crate::Session::execute)): load
//! what they are about (`workspace`), make the next states and check them (`plan`, `draft`, `rules`), commit
//! (`write`), answer (`record`).

mod answer;
mod answered;
mod basis;
mod computed;
mod criterion;
mod details;
mod draft;
mod execute;
mod failure;
mod handover;
mod happening;
mod history;
mod html;
mod include;
mod input;
mod judge;
mod linked;
mod linking;
mod links;
pub(crate) mod locks;
mod merge;
mod numbers;
mod operation;
mod plan;
mod purging;
mod read;
mod ready;
mod record;
mod refusal;
mod rehearse;
mod replacing;
mod reserved;
mod rules;
mod stage;
mod state;
mod stay;
pub(crate) mod stored;
mod users;
mod verbs;
mod workspace;
mod write;

pub(crate) use answered::score_of;
pub(crate) use computed::About;
pub(crate) use details::{HAPPENS_ELSEWHERE, read_details};
pub use execute::Mode;
pub use handover::Handover;
pub use history::{HistoryEntry, Moment};
pub(crate) use history::{STANDING, of_records, pairs};
pub use include::Include;
pub(crate) use include::bad_parameter;
pub use input::{LinkInput, MoveInput, PropertiesInput, RecordInput};
pub use linked::Linked;
pub(crate) use links::direction_from;
pub(crate) use links::find as find_association;
pub(crate) use merge::{MERGED_FROM, MERGED_INTO};
pub use operation::{Done, Effect, LeftOut, Operation, Results, Step, Target, retold};
pub(crate) use plan::new_uid;
pub use read::{Found, ListQuery, Page, View};
pub(crate) use read::{make_cursor, make_name_cursor, read_cursor, read_name_cursor};
pub use record::Record;
pub(crate) use record::Shown;
pub(crate) use refusal::called;
pub(crate) use rules::{intervals, unique_text};
pub(crate) use stage::has_pipelines;
pub(crate) use state::State;
pub(crate) use stay::seconds_between;
pub use verbs::DoneReply;
pub(crate) use verbs::unanswered;
pub(crate) use workspace::{unique_property, unique_value};
pub use write::{Reply, Written};
