//! Segments of a path as typed values.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path as AxumPath};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::percent::{PlusIs, decode};
use crate::error::{ApiError, ApiResult};

/// The variable segments of a path: one value, a tuple, or a struct with their names.
///
/// A segment that its type does not take means that the path leads nowhere: 404. Broken percent-encoding is 400.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        if let Err(reason) = decode(parts.uri.path(), PlusIs::Plus) {
            return Err(ApiError::bad_request(format!("the path {}", reason.reason())));
        }
        AxumPath::from_request_parts(parts, state).await.map(|AxumPath(value)| Self(value)).map_err(refuse)
    }
}

fn refuse(rejection: PathRejection) -> ApiError {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return engine::Error::internal("a handler asks for path segments that its route does not have").into();
    };
    match error.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, .. } => {
            ApiError::not_found(format!("there is nothing at this path: `{value}` is no {key}"))
        }
        ErrorKind::ParseErrorAtIndex { value, .. } | ErrorKind::ParseError { value, .. } => ApiError::not_found(
            format!("there is nothing at this path: `{value}` is not what is expected in its place"),
        ),
        ErrorKind::DeserializeError { message, .. } => {
            ApiError::not_found(format!("there is nothing at this path: {message}"))
        }
        ErrorKind::Message(message) => ApiError::not_found(format!("there is nothing at this path: {message}")),
        _ => engine::Error::internal("a handler asks for other path segments than its route has").into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn status(path: &str) -> (u16, Option<String>) {
        let echo = |Path((object, id)): Path<(String, u64)>| async move { format!("{object} {id}") };
        let router: Router = Router::new().route("/records/{object}/{id}", get(echo));
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("a response");
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1000).await.expect("a body");
        (status, (status == 200).then(|| String::from_utf8_lossy(&body).into_owned()))
    }

    #[tokio::test]
    async fn segments_are_decoded_and_typed() {
        assert_eq!(status("/records/caf%C3%A9/12").await, (200, Some("café 12".to_owned())));
        assert_eq!(status("/records/deal/twelve").await.0, 404);
        assert_eq!(status("/records/deal/-1").await.0, 404);
        for broken in ["/records/%ff/1", "/records/%00/1", "/records/%4/1"] {
            assert_eq!(status(broken).await.0, 400, "{broken}");
        }
    }
}
