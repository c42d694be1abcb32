//! Writes the body of an answer that is a problem, now that the request's id is at hand, and logs mistakes of ours.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use engine::ErrorCode;

use super::scope::RequestId;
use crate::error::{ApiError, Code, PendingProblem};

pub(super) fn write(mut response: Response, id: &RequestId) -> Response {
    let Some(PendingProblem(error)) = response.extensions_mut().remove() else { return response };
    log(&error);
    let body = serde_json::to_vec(&error.body(id.as_str())).unwrap_or_default();
    *response.body_mut() = Body::from(body);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    let media_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// The one place where an error of a request is logged.
fn log(error: &ApiError) {
    match error.code() {
        Code::Engine(ErrorCode::Internal) => {
            tracing::error!(
                error.code = "internal",
                error.causes = error.causes(),
                "a request failed: {}",
                error.causes()
            );
        }
        Code::Engine(ErrorCode::Unavailable) => {
            tracing::warn!(error.code = "unavailable", error.causes = error.causes(), "a request was put off: {error}");
        }
        Code::Engine(_) | Code::MethodNotAllowed | Code::UnsupportedMediaType | Code::RequestTimeout => {
            tracing::debug!(error.code = error.code().as_str(), "a request was refused: {error}");
        }
    }
}
