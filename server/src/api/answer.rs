//! Answers: status, body and the headers that go with them; the same bytes whether sent or kept for a repetition.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::StoredReply;
use engine::model::Sequence;
use serde::Serialize;
use serde_json::json;

use crate::error::ApiResult;
use crate::extract::TRELLIS_SEQUENCE;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    version: Option<i64>,
    sequence: Option<Sequence>,
    body: Vec<u8>,
}

impl Answer {
    /// A JSON body.
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> ApiResult<Self> {
        let body = serde_json::to_vec(body).map_err(engine::Error::internal)?;
        Ok(Self { status, version: None, sequence: None, body })
    }

    /// 200 with a JSON body.
    pub(crate) fn ok(body: &impl Serialize) -> ApiResult<Self> {
        Self::json(StatusCode::OK, body)
    }

    /// No body.
    pub(crate) fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, version: None, sequence: None, body: Vec::new() }
    }

    /// With the position of the change log.
    #[must_use]
    pub(crate) fn at(mut self, sequence: Sequence) -> Self {
        self.sequence = Some(sequence);
        self
    }

    /// With the version of the record that it is about.
    #[must_use]
    pub(crate) fn tagged(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// The answer as it is kept for a repetition of the request.
    ///
    /// At the time of keeping, an answer that cannot be written is a mistake of ours; the repetition then says so.
    pub(crate) fn keep(answer: ApiResult<Self>) -> StoredReply {
        let Ok(answer) = answer else {
            return StoredReply { status: 500, headers: "{}".to_owned(), body: "{\"code\":\"internal\"}".to_owned() };
        };
        let mut headers = serde_json::Map::new();
        if let Some(version) = answer.version {
            headers.insert(header::ETAG.to_string(), json!(format!("\"{version}\"")));
        }
        if let Some(sequence) = answer.sequence {
            headers.insert(TRELLIS_SEQUENCE.to_string(), json!(sequence.to_string()));
        }
        let body = String::from_utf8(answer.body).unwrap_or_default();
        StoredReply { status: i64::from(answer.status.as_u16()), headers: json!(headers).to_string(), body }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let has_body = !self.body.is_empty();
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        if has_body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        } else {
            headers.remove(header::CONTENT_TYPE);
        }
        if let Some(sequence) = self.sequence {
            headers.insert(TRELLIS_SEQUENCE, HeaderValue::from(sequence.0));
        }
        if let Some(Ok(tag)) = self.version.map(|version| HeaderValue::from_str(&format!("\"{version}\""))) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}
