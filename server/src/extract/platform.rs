//! Who may manage tenants: the bearer of the platform's token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use engine::Origin;
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
        if is_platform(&token, state) {
            return Ok(Self);
        }
        if state.platform_token.is_none() {
            let detail = "tenants are managed with the platform's token, and this server was started without one; \
                          set `TRELLIS_PLATFORM_TOKEN`";
            return Err(engine::Error::forbidden(detail).into());
        }
        // A tenant's token is somebody's, but not the platform's; any other is nobody's.
        let origin = Origin { actor: None, source: "api".to_owned(), request_id: None, ip: None, user_agent: None };
        state.engine.session(token.expose(), origin).await?;
        Err(engine::Error::forbidden("tenants are managed with the platform's token").into())
    }
}

/// Whether this is the platform's token, or the one in the data folder. Hashes are compared, so that the time it takes tells nothing about the token.
pub(super) fn is_platform(token: &BearerToken, state: &AppState) -> bool {
    let given = Sha256::digest(token.expose());
    let expected = [state.platform_token.as_ref(), Some(&state.operator_token)];
    expected.into_iter().flatten().any(|expected| Sha256::digest(expected.expose()) == given)
}
