//! What a request is answered with when it is not done: RFC 9457 problem details.
//!
//! A handler returns [`ApiError`]; the [observing middleware](crate::middleware) gives it the request's id, logs it if
//! it is a mistake of ours, and writes the body.

mod body;
mod code;
mod replay;

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::ErrorCode;
use engine::model::Problem;

pub use body::ProblemBody;
pub use code::{ALL, Code, CodeEntry};
use replay::Replay;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", code.as_str())]
pub struct ApiError {
    code: Code,
    detail: String,
    errors: Vec<Problem>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Sent in place of the error.
    replay: Option<Box<Replay>>,
}

/// Result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error without a list of problems.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), source: None, replay: None }
    }

    /// The request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Code::Engine(ErrorCode::BadRequest), detail)
    }

    /// These parts of the request cannot be understood.
    pub fn bad_request_at(errors: Vec<Problem>) -> Self {
        let detail = summary(&errors);
        Self { errors, ..Self::bad_request(detail) }
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Code::Engine(ErrorCode::NotFound), detail)
    }

    /// Nobody is known to be calling.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(Code::Engine(ErrorCode::Unauthenticated), detail)
    }

    /// The request is larger than what is taken.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(Code::Engine(ErrorCode::TooLarge), detail)
    }

    /// Trying again helps.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Engine(ErrorCode::Unavailable), detail)
    }

    /// The word on the wire.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.code.entry().status
    }

    /// Everything that is wrong, by place.
    pub fn errors(&self) -> &[Problem] {
        &self.errors
    }

    /// What happened inside, for the log: each cause after the one it led to.
    pub fn causes(&self) -> String {
        let first = self.source.as_deref().map(|source| source as &dyn std::error::Error);
        let causes = std::iter::successors(first, |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// The body as it is written, also for one result among many.
    pub fn body<'a>(&'a self, request_id: &'a str) -> ProblemBody<'a> {
        let entry = self.code.entry();
        ProblemBody {
            kind: self.code.into(),
            title: entry.title,
            status: entry.status.as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            errors: &self.errors,
            request_id,
        }
    }
}

fn summary(errors: &[Problem]) -> String {
    match errors {
        [only] => only.message.clone(),
        many => format!("{} problems; see `errors`", many.len()),
    }
}

impl From<engine::Error> for ApiError {
    fn from(error: engine::Error) -> Self {
        let engine::Error { code, detail, problems, source, replay } = error;
        let replay =
            replay.map(|kept| Box::new(Replay { status: kept.status, headers: kept.headers, body: kept.body }));
        Self { errors: problems, source, replay, ..Self::new(Code::Engine(code), detail) }
    }
}

/// An error on its way to the middleware that writes its body.
#[derive(Clone)]
pub(crate) struct PendingProblem(pub(crate) Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(mut self) -> Response {
        if let Some(replay) = self.replay.take() {
            return replay.into_response();
        }
        let mut response = self.status().into_response();
        if let Some((name, value)) = header_of(self.code) {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(PendingProblem(Arc::new(self)));
        response
    }
}

/// The header that HTTP asks for with some statuses.
fn header_of(code: Code) -> Option<(HeaderName, HeaderValue)> {
    match code {
        Code::Engine(ErrorCode::Unauthenticated) => {
            Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
        Code::Engine(ErrorCode::Unavailable | ErrorCode::RateLimited) => {
            Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
        }
        Code::RequestTimeout => Some((header::CONNECTION, HeaderValue::from_static("close"))),
        Code::Engine(_) | Code::MethodNotAllowed | Code::UnsupportedMediaType => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_the_contract() {
        let table: Vec<(&str, u16)> = ALL.iter().map(|code| (code.as_str(), code.entry().status.as_u16())).collect();
        let expected = [
            ("bad_request", 400),
            ("unauthenticated", 401),
            ("forbidden", 403),
            ("not_found", 404),
            ("method_not_allowed", 405),
            ("request_timeout", 408),
            ("conflict", 409),
            ("cardinality", 409),
            ("records_in_the_way", 409),
            ("plan_out_of_date", 409),
            ("destructive", 422),
            ("version_mismatch", 412),
            ("gone", 410),
            ("too_large", 413),
            ("unsupported_media_type", 415),
            ("validation_failed", 422),
            ("rate_limited", 429),
            ("internal", 500),
            ("unavailable", 503),
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn the_body_has_every_member_and_nothing_internal() {
        let inner = std::io::Error::other("insert into record failed");
        let error = ApiError::from(engine::Error::internal(inner));
        assert_eq!(error.causes(), "insert into record failed");
        let body = serde_json::to_value(error.body("req-1")).expect("json");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/docs/errors#internal",
                "title": "Something went wrong on our side",
                "status": 500,
                "detail": "something went wrong on our side; the log has the details under this request's id",
                "code": "internal",
                "errors": [],
                "request_id": "req-1"
            })
        );
    }

    #[test]
    fn problems_keep_their_place() {
        let error =
            ApiError::from(engine::Error::invalid_at("/properties/amount", "wrong_type", "a number is expected"));
        let body = serde_json::to_value(error.body("r")).expect("json");
        assert_eq!(body["status"], 422);
        assert_eq!(body["detail"], "a number is expected");
        let expected = serde_json::json!(
            [{"pointer": "/properties/amount", "code": "wrong_type", "message": "a number is expected"}]
        );
        assert_eq!(body["errors"], expected);
    }
}
