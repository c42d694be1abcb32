//! The members of a problem, as they are written.

use engine::model::Problem;
use serde::{Serialize, Serializer};

use super::code::Code;

/// Problem details as RFC 9457 has them, with a stable `code` and everything that is wrong.
#[derive(Debug, Serialize)]
pub struct ProblemBody<'a> {
    /// Where the code is explained: `/docs/errors#conflict`.
    #[serde(rename = "type")]
    pub kind: ProblemType,
    /// The same words for every problem of the code.
    pub title: &'static str,
    /// The HTTP status again.
    pub status: u16,
    /// What is wrong and what to do.
    pub detail: &'a str,
    /// Stable word.
    pub code: &'static str,
    /// Everything that is wrong, by place in the request.
    pub errors: &'a [Problem],
    /// The request's id, as in the log.
    pub request_id: &'a str,
}

/// URI reference of the page that explains a code.
#[derive(Debug, Clone, Copy)]
pub struct ProblemType(Code);

impl From<Code> for ProblemType {
    fn from(code: Code) -> Self {
        Self(code)
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/docs/errors#{}", self.0.as_str()))
    }
}
