//! Views, reports and dashboards: those that users have saved, and those of packs.
//!
//! Both say the same in the same words and are checked by the same code; what differs is where they are kept. What
//! packs define goes by its name, is there for everybody and cannot be changed; what users save goes by an id, belongs
//! to somebody and is seen by whom it is shared with.

mod check;
mod dashboard;
mod find;
mod item;
mod report;
mod seen;
mod view;
mod write;

pub(crate) use check::check_texts;
pub use dashboard::{DashboardPart, Shown};
pub use engine_model::behavior::Section;
pub use item::SavedItem;
pub(crate) use report::of_report;
pub use report::{Days, ReportData};
pub(crate) use seen::mask;
pub(crate) use view::read_query;
pub use view::{ViewPage, ViewRecords};

use crate::records::Written;

/// Makes the reply that is kept under the caller's idempotency key.
pub type SavedReply = Box<dyn FnOnce(&Written<SavedItem>) -> engine_store::idempotency::StoredReply + Send>;
