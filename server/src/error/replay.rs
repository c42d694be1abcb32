//! The answer that an earlier request under the same idempotency key got.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Says that an answer is an earlier one.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer as it was sent.
#[derive(Debug)]
pub(super) struct Replay {
    /// HTTP status.
    pub(super) status: i64,
    /// JSON object of header names and values.
    pub(super) headers: String,
    /// JSON, or nothing.
    pub(super) body: String,
}

impl IntoResponse for Replay {
    fn into_response(self) -> Response {
        let status = u16::try_from(self.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let mut response = (status.unwrap_or(StatusCode::OK), self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let kept: BTreeMap<String, String> = serde_json::from_str(&self.headers).unwrap_or_default();
        for (name, value) in kept {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
                headers.insert(name, value);
            }
        }
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_answer_is_sent_as_it_was() {
        let headers = r#"{"trellis-sequence": "7", "etag": "\"1\""}"#.to_owned();
        let response = Replay { status: 201, headers, body: "{}".to_owned() }.into_response();
        assert_eq!(response.status(), 201);
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("trellis-sequence"), Some("7"));
        assert_eq!(header("etag"), Some("\"1\""));
        assert_eq!(header("content-type"), Some("application/json"));
        assert_eq!(header("idempotent-replayed"), Some("true"));
    }
}
