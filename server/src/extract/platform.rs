//! Who may manage tenants: the bearer of the platform's token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use super::BearerToken;
use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// Proof that the caller has the platform's token.
#[derive(Debug)]
pub struct Platform;

impl FromRequestParts<AppState> for Platform {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let token = BearerToken::from_request_parts(parts, state).await?;
        let Some(expected) = &state.platform_token else {
            let detail = "tenants are managed with the platform's token, and this server was started without one; \
                          set `TRELLIS_PLATFORM_TOKEN`";
            return Err(engine::Error::forbidden(detail).into());
        };
        // Hashes of equal length, so that the time of the comparison tells nothing about the token.
        if Sha256::digest(token.expose()) == Sha256::digest(expected.expose()) {
            return Ok(Self);
        }
        Err(engine::Error::forbidden("tenants are managed with the platform's token").into())
    }
}
