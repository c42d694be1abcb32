//! Who calls: a session of the engine for the bearer of the request's token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use engine::model::Sequence;
use engine::{ErrorCode, Origin, Session};

use super::platform::is_platform;
use super::{AtLeast, BearerToken, Client, IdempotencyKey};
use crate::error::{ApiError, ApiResult};
use crate::extract::json::JsonBody;
use crate::middleware::RequestScope;
use crate::state::AppState;

/// A session for the caller. Taken before the body, so that strangers cost nothing.
#[derive(Debug)]
pub struct Authorized(pub Session);

impl FromRequestParts<AppState> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let token = BearerToken::from_request_parts(parts, state).await?;
        let client = Client::from_request_parts(parts, state).await?;
        let at_least = AtLeast::from_request_parts(parts, state).await?;
        let scope = parts.extensions.get::<RequestScope>();
        let origin = Origin {
            actor: None,
            source: "api".to_owned(),
            request_id: scope.map(|scope| scope.id().as_str().to_owned()),
            ip: client.ip.map(|ip| ip.to_string()),
            user_agent: client.user_agent,
        };
        let mut session = state.engine.session(token.expose(), origin).await.map_err(|error| {
            if error.code == ErrorCode::Unauthenticated && is_platform(&token, state) {
                let detail = "the platform's token manages tenants only; use a token of a tenant";
                return engine::Error::forbidden(detail);
            }
            error
        })?;
        if let Some(scope) = scope {
            scope.set_tenant(session.tenant());
        }
        session.see_at_least(Sequence(at_least.0.unwrap_or(0)));
        Ok(Self(session))
    }
}

/// Makes the session's write happen once under the caller's key, or answers with what the key was answered before.
pub async fn once(session: &mut Session, key: Option<&IdempotencyKey>, body: &JsonBody) -> ApiResult<()> {
    once_for(session, key, body.bytes()).await
}

/// The same for a call that has no body.
pub async fn once_without_body(session: &mut Session, key: Option<&IdempotencyKey>) -> ApiResult<()> {
    once_for(session, key, &[]).await
}

async fn once_for(session: &mut Session, key: Option<&IdempotencyKey>, body: &[u8]) -> ApiResult<()> {
    let Some(key) = key else { return Ok(()) };
    session.set_idempotency(key.as_str(), key.fingerprint(body));
    match session.kept_reply().await? {
        Some(reply) => Err(engine::Error::replayed(reply).into()),
        None => Ok(()),
    }
}
