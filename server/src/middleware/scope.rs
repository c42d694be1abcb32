//! What is known of a request from its beginning to its last log line.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use tracing::Span;
use uuid::Uuid;

/// The header that carries a request's id.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a caller, in bytes.
const MAX_LENGTH: usize = 128;

/// A request's id: the caller's own where it is sane, else a new UUIDv7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|value| is_sane(value.as_bytes()));
        given.map_or_else(Self::new, |value| Self(value.clone()))
    }

    fn new() -> Self {
        // The thread's own generator: asking the system for every id costs as much as routing the request.
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since_1970.as_millis()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
        let mut buffer = Uuid::encode_buffer();
        let text = id.hyphenated().encode_lower(&mut buffer);
        let value = HeaderValue::from_maybe_shared(Bytes::copy_from_slice(text.as_bytes()));
        Self(value.unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Up to 128 visible ASCII characters.
fn is_sane(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_LENGTH && id.iter().all(u8::is_ascii_graphic)
}

/// One request. Handlers take it to pass its id on; whoever finds out the tenant tells it.
#[derive(Debug, Clone)]
pub struct RequestScope(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: RequestId,
    span: Span,
}

impl RequestScope {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let id = RequestId::of(headers);
        let span = tracing::info_span!("request", request.id = id.as_str(), tenant.id = tracing::field::Empty);
        Self(Arc::new(Inner { id, span }))
    }

    /// The request's id.
    pub fn id(&self) -> &RequestId {
        &self.0.id
    }

    /// The span in which everything about the request is logged.
    pub(super) fn span(&self) -> &Span {
        &self.0.span
    }

    /// Remembers whose request it is, for the log.
    pub fn set_tenant(&self, tenant: impl std::fmt::Display) {
        self.0.span.record("tenant.id", tracing::field::display(tenant));
    }
}

impl<S: Sync> FromRequestParts<S> for RequestScope {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_visible_ids_are_taken() {
        let id_for = |given: &str| {
            let value = HeaderValue::from_bytes(given.as_bytes()).expect("a header");
            RequestId::of(&HeaderMap::from_iter([(X_REQUEST_ID, value)])).as_str().to_owned()
        };
        assert_eq!(id_for("abc-123"), "abc-123");
        for odd in ["", "two words", "ü", &"x".repeat(129)] {
            let id = id_for(odd).parse::<Uuid>().expect("a new one");
            assert_eq!(id.get_version_num(), 7, "{odd}");
        }
    }
}
