//! Who is on the other end of the connection.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};

use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// Longest user agent that is kept, in characters.
const MAX_USER_AGENT: usize = 256;

/// Address of the other end of a connection; put into every request by the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// Where a call comes from, for the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Address of the client, as the trusted proxy told it where there is one.
    pub ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl FromRequestParts<AppState> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> ApiResult<Self> {
        let peer = parts.extensions.get::<PeerAddress>().map(|peer| peer.0.ip());
        let told = state.http.trusted_proxy_header.as_ref().and_then(|name| last_address(&parts.headers, name));
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self { ip: told.or(peer), user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()) })
    }
}

/// The last address in a list of them: the one that the nearest proxy added itself.
fn last_address(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = value.rsplit(',').next()?.trim();
    last.parse().ok().or_else(|| last.parse::<SocketAddr>().ok().map(|address| address.ip()))
}
