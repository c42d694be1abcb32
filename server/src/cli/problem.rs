//! A problem as the server answered it, for the terminal.

use std::fmt;

use serde::Deserialize;

/// What the server said is wrong.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    status: u16,
    code: String,
    detail: String,
    #[serde(default)]
    errors: Vec<Place>,
    #[serde(default)]
    request_id: String,
}

#[derive(Debug, Deserialize)]
struct Place {
    pointer: String,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.detail, self.code, self.status)?;
        for Place { pointer, message } in &self.errors {
            let place = if pointer.is_empty() { "the request" } else { pointer };
            write!(formatter, "\n  {place}: {message}")?;
        }
        if self.status >= 500 && !self.request_id.is_empty() {
            write!(formatter, "\n  the server's log has more under the request id {}", self.request_id)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_every_place() {
        let body = r#"{"type": "/docs/errors#validation_failed", "title": "t", "status": 422, "code": "validation_failed",
            "detail": "2 problems; see `errors`", "request_id": "r-1", "errors": [
            {"pointer": "/slug", "code": "required", "message": "`slug` is required"},
            {"pointer": "", "code": "unknown", "message": "odd"}]}"#;
        let problem: Problem = serde_json::from_str(body).expect("a problem");
        let expected = "2 problems; see `errors` (validation_failed, 422)\n  /slug: `slug` is required\n  \
                        the request: odd";
        assert_eq!(problem.to_string(), expected);
    }
}
