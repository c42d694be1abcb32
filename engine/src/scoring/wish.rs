//! What somebody wants of a score of one record.

use engine_model::score::MOST_POINTS;
use engine_model::{Problem, Problems};

/// What somebody wants of a score of one record.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Rules answer all criteria anew.
    Assess,
    /// The total is made anew of what stands.
    Total,
    /// A person answers one, whatever its rule says.
    Override {
        /// Id or uid of the criterion.
        criterion: String,
        /// The points; none where they could not be read, which has been told.
        points: Option<i64>,
        /// Why; none where it could not be read, which has been told.
        rationale: Option<String>,
    },
    /// A person's answer does not stand any more.
    TakeBack {
        /// Id or uid of the criterion.
        criterion: String,
    },
    /// What stands is accepted or rejected.
    Review {
        /// Id or uid of the criterion.
        criterion: String,
        /// What became of it; none where it could not be read, which has been told.
        review: Option<Review>,
    },
}

/// What became of an answer that somebody looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// Nobody has looked at it.
    Pending,
    /// It is right.
    Accepted,
    /// It is not, and does not count.
    Rejected,
}

impl Review {
    /// All with their words.
    pub const ALL: [(&str, Self); 3] =
        [("pending", Self::Pending), ("accepted", Self::Accepted), ("rejected", Self::Rejected)];

    /// The word on the wire and in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, review)| review)
    }
}

impl Wish {
    /// The criterion that it is about.
    pub(super) fn criterion(&self) -> Option<&str> {
        match self {
            Self::Assess | Self::Total => None,
            Self::Override { criterion, .. } | Self::TakeBack { criterion } | Self::Review { criterion, .. } => {
                Some(criterion)
            }
        }
    }

    /// What is wrong with it whatever there is.
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Self::Override { points: Some(points), .. } = self
            && !(0..=MOST_POINTS).contains(points)
        {
            let message = format!("a score is a whole number from 0 to {MOST_POINTS}");
            problems.push(Problem::new("/score", "out_of_range", message));
        }
        if let Self::Override { rationale: Some(rationale), .. } = self
            && rationale.trim().is_empty()
        {
            problems.push(Problem::new("/rationale", "required", "`rationale` says why"));
        }
        if let Self::Review { review: Some(Review::Pending), .. } = self {
            problems.push(Problem::new("/review", "invalid", "`review` is `accepted` or `rejected`"));
        }
    }
}
