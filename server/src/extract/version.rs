//! Record versions in `ETag` and `If-Match`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};

use crate::error::{ApiError, ApiResult};

/// The version a record must be at for the write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever it is at.
    Any,
    /// This one.
    Version(i64),
    /// One that no record is ever at: the tag was not made by this server.
    Never,
}

impl IfMatch {
    /// The version asked for; `Err` is 412 for a tag that no record ever has.
    pub fn expected_version(self) -> ApiResult<Option<i64>> {
        match self {
            Self::Any => Ok(None),
            Self::Version(version) => Ok(Some(version)),
            Self::Never => {
                let detail = "`If-Match` names no version of this record; read it and take its `ETag`";
                Err(engine::Error::new(engine::ErrorCode::VersionMismatch, detail).into())
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self::Any),
            (Some(value), None) => value.to_str().ok().and_then(parse).ok_or_else(malformed),
            (Some(_), Some(_)) => Err(malformed()),
        }
    }
}

fn malformed() -> ApiError {
    ApiError::bad_request("`If-Match` takes one version as its `ETag` gave it, such as `\"3\"`, or `*`")
}

/// `"3"`; also as a proxy may have weakened it (`W/"3"`), or as a person may write it (`3`).
fn parse(text: &str) -> Option<IfMatch> {
    let text = text.trim();
    if text == "*" {
        return Some(IfMatch::Any);
    }
    let tag = text.strip_prefix("W/").unwrap_or(text);
    match tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.contains('"') => None,
        Some(inner) => Some(inner.parse().map_or(IfMatch::Never, IfMatch::Version)),
        None => tag.parse().ok().map(IfMatch::Version),
    }
}

/// A record's version, for the `ETag` of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub i64);

impl IntoResponseParts for ETag {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(format!("\"{}\"", self.0))) {
            parts.headers_mut().insert(header::ETAG, value);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_tags_come() {
        assert_eq!(parse("\"3\""), Some(IfMatch::Version(3)));
        assert_eq!(parse("W/\"3\""), Some(IfMatch::Version(3)));
        assert_eq!(parse("3"), Some(IfMatch::Version(3)));
        assert_eq!(parse(" * "), Some(IfMatch::Any));
        assert_eq!(parse("\"abc\""), Some(IfMatch::Never));
        for malformed in ["", "abc", "\"3", "\"3\", \"4\"", "\""] {
            assert_eq!(parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_foreign_tag_never_matches() {
        assert_eq!(IfMatch::Never.expected_version().expect_err("refused").status(), 412);
        assert_eq!(IfMatch::Version(3).expected_version().ok(), Some(Some(3)));
    }
}
