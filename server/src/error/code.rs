//! The words of the API for what went wrong, and the HTTP status of each.

use axum::http::StatusCode;
use engine::ErrorCode;

/// Why a request was not done: the engine's reasons, and those that only HTTP knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A use case said no.
    Engine(ErrorCode),
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The body is not JSON, or not said to be.
    UnsupportedMediaType,
    /// The body did not come in time.
    RequestTimeout,
}

/// One row of the table of codes.
#[derive(Debug)]
pub struct CodeEntry {
    /// The status it is answered with.
    pub status: StatusCode,
    /// The same few words for every error of the code.
    pub title: &'static str,
}

/// Every code, in the order in which the documentation lists them.
pub const ALL: &[Code] = &[
    Code::Engine(ErrorCode::BadRequest),
    Code::Engine(ErrorCode::Unauthenticated),
    Code::Engine(ErrorCode::Forbidden),
    Code::Engine(ErrorCode::NotFound),
    Code::MethodNotAllowed,
    Code::RequestTimeout,
    Code::Engine(ErrorCode::Conflict),
    Code::Engine(ErrorCode::Cardinality),
    Code::Engine(ErrorCode::RecordsInTheWay),
    Code::Engine(ErrorCode::PlanOutOfDate),
    Code::Engine(ErrorCode::Destructive),
    Code::Engine(ErrorCode::VersionMismatch),
    Code::Engine(ErrorCode::Gone),
    Code::Engine(ErrorCode::TooLarge),
    Code::UnsupportedMediaType,
    Code::Engine(ErrorCode::ValidationFailed),
    Code::Engine(ErrorCode::RateLimited),
    Code::Engine(ErrorCode::Internal),
    Code::Engine(ErrorCode::Unavailable),
];

impl Code {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine(code) => code.as_str(),
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RequestTimeout => "request_timeout",
        }
    }

    /// Status and title of the code.
    pub fn entry(self) -> CodeEntry {
        let (status, title) = match self {
            Self::Engine(ErrorCode::BadRequest) => (StatusCode::BAD_REQUEST, "The request cannot be understood"),
            Self::Engine(ErrorCode::Unauthenticated) => (StatusCode::UNAUTHORIZED, "Nobody is known to be calling"),
            Self::Engine(ErrorCode::Forbidden) => (StatusCode::FORBIDDEN, "The caller may not do this"),
            Self::Engine(ErrorCode::NotFound) => (StatusCode::NOT_FOUND, "There is no such thing"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "The path does not take this method"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "The request did not come in time"),
            Self::Engine(ErrorCode::Conflict) => (StatusCode::CONFLICT, "The present state does not allow it"),
            Self::Engine(ErrorCode::Gone) => (StatusCode::GONE, "There is no such thing any more"),
            Self::Engine(ErrorCode::Cardinality) => {
                (StatusCode::CONFLICT, "The association does not allow a further link")
            }
            Self::Engine(ErrorCode::RecordsInTheWay) => {
                (StatusCode::CONFLICT, "Stored records do not meet the changed definition")
            }
            Self::Engine(ErrorCode::PlanOutOfDate) => (StatusCode::CONFLICT, "The plan is out of date"),
            Self::Engine(ErrorCode::Destructive) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The plan takes definitions away")
            }
            Self::Engine(ErrorCode::VersionMismatch) => {
                (StatusCode::PRECONDITION_FAILED, "The record is at another version")
            }
            Self::Engine(ErrorCode::TooLarge) => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body's media type is not taken"),
            Self::Engine(ErrorCode::ValidationFailed) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The request breaks the definitions")
            }
            Self::Engine(ErrorCode::RateLimited) => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::Engine(ErrorCode::Internal) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side")
            }
            Self::Engine(ErrorCode::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "Not available right now"),
        };
        CodeEntry { status, title }
    }
}
