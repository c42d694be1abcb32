//! What a use case may answer instead of a result. Nothing here knows HTTP; the server maps [`ErrorCode`] to a status.

use engine_model::Problem;
use engine_store::StoreError;
use engine_store::idempotency::StoredReply;

/// Why a use case did not happen. A use case that fails has changed nothing.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct Error {
    /// Stable word that programs may rely on.
    pub code: ErrorCode,
    /// What is wrong and what to do, for the user.
    pub detail: String,
    /// Everything that is wrong, by place in the input.
    pub problems: Vec<Problem>,
    /// What happened inside, for the log only.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// The reply that an earlier request under the same key got; sent in place of this error.
    pub replay: Option<Box<StoredReply>>,
}

/// Result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Stable words for what went wrong; the wire carries [`ErrorCode::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The input is well-formed but breaks the definitions.
    ValidationFailed,
    /// The input cannot be understood.
    BadRequest,
    /// Nobody is known to be calling.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// There was such a thing, and its time is over.
    Gone,
    /// The state does not allow it: a value is taken, a key was used.
    Conflict,
    /// A link would exceed what its association allows.
    Cardinality,
    /// Stored records would not meet the changed definition.
    RecordsInTheWay,
    /// Definitions have changed since the plan was made.
    PlanOutOfDate,
    /// The plan takes something away, and nobody has said that this is meant.
    Destructive,
    /// The record is not at the version that the caller named.
    VersionMismatch,
    /// The input is too large.
    TooLarge,
    /// Too many calls.
    RateLimited,
    /// The database or a position in the log cannot be reached right now; trying again helps.
    Unavailable,
    /// A mistake of ours.
    Internal,
}

impl ErrorCode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "validation_failed",
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::Cardinality => "cardinality",
            Self::RecordsInTheWay => "records_in_the_way",
            Self::PlanOutOfDate => "plan_out_of_date",
            Self::Destructive => "destructive",
            Self::VersionMismatch => "version_mismatch",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

impl Error {
    /// An error without a list of problems.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), problems: Vec::new(), source: None, replay: None }
    }

    /// The input breaks the definitions in these places.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        let detail = match problems.as_slice() {
            [only] => only.message.clone(),
            many => format!("{} problems; see `errors`", many.len()),
        };
        Self { code: ErrorCode::ValidationFailed, detail, problems, source: None, replay: None }
    }

    /// One thing wrong in one place.
    pub fn invalid_at(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::invalid(vec![Problem::new(pointer, code, message)])
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, detail)
    }

    /// The caller may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, detail)
    }

    /// A mistake of ours; `source` goes to the log only.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let detail = "something went wrong on our side; the log has the details under this request's id".to_owned();
        Self { code: ErrorCode::Internal, detail, problems: Vec::new(), source: Some(source.into()), replay: None }
    }

    /// What happened inside, or where nothing else did what the user is told: for those who run the server.
    pub(crate) fn cause(&self) -> String {
        self.source.as_deref().map_or_else(|| self.to_string(), ToString::to_string)
    }

    /// The same error without what happened inside, to be kept or told again.
    #[must_use]
    pub fn retold(&self) -> Self {
        let (detail, problems) = (self.detail.clone(), self.problems.clone());
        Self { code: self.code, detail, problems, source: None, replay: None }
    }

    /// The request was answered before; this is the answer.
    pub fn replayed(reply: StoredReply) -> Self {
        Self { replay: Some(Box::new(reply)), ..Self::new(ErrorCode::Conflict, "the request was answered before") }
    }

    /// The same error with `prefix` before every pointer.
    #[must_use]
    pub fn within(mut self, prefix: &str) -> Self {
        for problem in &mut self.problems {
            problem.pointer.insert_str(0, prefix);
        }
        self
    }

    /// Adds a problem to the list.
    #[must_use]
    pub fn with(mut self, problem: Problem) -> Self {
        self.problems.push(problem);
        self
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            let detail = "the database cannot be reached or has no room; try again shortly".to_owned();
            Self {
                code: ErrorCode::Unavailable,
                detail,
                problems: Vec::new(),
                source: Some(Box::new(error)),
                replay: None,
            }
        } else {
            Self::internal(error)
        }
    }
}
