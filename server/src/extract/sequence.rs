//! `Trellis-Sequence`: a position in the tenant's change log, asked for and answered.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};

use super::header::single;
use crate::error::{ApiError, ApiResult};

/// The header's name.
pub const TRELLIS_SEQUENCE: HeaderName = HeaderName::from_static("trellis-sequence");

/// The position that a read must have seen, if one was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast(pub Option<i64>);

impl<S: Sync> FromRequestParts<S> for AtLeast {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let malformed = || ApiError::bad_request("`Trellis-Sequence` is the number that an earlier reply carried");
        let Some(value) = single(&parts.headers, "trellis-sequence").map_err(|_| malformed())? else {
            return Ok(Self(None));
        };
        let sequence = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|sequence| *sequence >= 0);
        sequence.map(|sequence| Self(Some(sequence))).ok_or_else(malformed)
    }
}

/// The tenant's position after a write, for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenAt(pub i64);

impl IntoResponseParts for WrittenAt {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        parts.headers_mut().insert(TRELLIS_SEQUENCE, HeaderValue::from(self.0));
        Ok(parts)
    }
}
