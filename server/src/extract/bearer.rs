//! The bearer token of a call.

use std::fmt;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;

use super::header::single;
use crate::error::{ApiError, ApiResult};

/// Longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 512;

/// A token as it came in, not yet known to be anybody's. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(String);

impl BearerToken {
    /// The token itself, for the one place that looks it up.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BearerToken(…)")
    }
}

impl<S: Sync> FromRequestParts<S> for BearerToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        const MISSING: &str = "this call needs a token: `Authorization: Bearer TOKEN`";
        read(parts)?.ok_or_else(|| ApiError::unauthenticated(MISSING))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for BearerToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Option<Self>> {
        read(parts)
    }
}

fn read(parts: &Parts) -> ApiResult<Option<BearerToken>> {
    let malformed = || ApiError::unauthenticated("`Authorization` is not of the form `Bearer TOKEN`");
    let Some(value) = single(&parts.headers, "authorization").map_err(|()| malformed())? else { return Ok(None) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    let token = token.trim();
    let is_token = !token.is_empty() && token.len() <= MAX_LENGTH && token.bytes().all(|byte| byte.is_ascii_graphic());
    match scheme.eq_ignore_ascii_case("bearer") && is_token {
        true => Ok(Some(BearerToken(token.to_owned()))),
        false => Err(malformed()),
    }
}
