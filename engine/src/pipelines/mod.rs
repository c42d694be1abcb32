//! What stages are for: moving records through pipelines, looking at them on a board, and reports of how they fare.
//!
//! Moves are writes like any other ([`crate::records`]); a board is a few queries of the index; reports are drawn from
//! the index, for what is, and from stays in stages, for what was.

mod amount;
mod board;
mod column;
mod filter;
mod history;
mod moving;
mod rank;
mod report;
mod sums;
mod visits;

pub use amount::Amount;
pub use board::{Board, BoardQuery};
pub use column::Column;
pub use history::StageVisit;
pub use moving::Moving;
pub use report::{Report, ReportKind, ReportQuery, ReportRow};
pub(crate) use visits::Visits;

use crate::records::has_pipelines;
