//! Scores: how well records do by weighted criteria, alone or each for another record.
//!
//! All that a score consists of is records, so that rights, the log, searches, undo and exports hold for it as for
//! anything: criteria, and assessments, of which there is one for each time that a criterion was answered, and one
//! without a criterion for each total. A pack says which objects they are of and what plays which part
//! ([`engine_model::behavior::Score`]).
//!
//! An assessment that stands holds a unique value, its key, that says what it answers (`key`). So what stands is found
//! by a look-up however long the history is, and two who assess at once cannot both have theirs stand: the slower one is
//! refused by the commit, and looks again.

mod again;
mod answer;
mod assess;
mod criteria;
mod definition;
mod history;
mod job;
mod kept;
mod key;
mod plan;
mod ranking;
mod sight;
mod wish;

pub use answer::{CriterionAnswer, Said, ScoreAnswer};
pub use assess::ScoreReply;
pub use definition::ScoreDefinition;
pub use history::PastAssessment;
pub(crate) use job::{ASSESS, run};
pub use ranking::{Ranked, RankingQuery};
pub use wish::{Review, Wish};
