//! Pages for people: the API to read and try, and the codes of its errors. Everything they load is in the binary.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;

use crate::error::{ALL, ApiError, ApiResult};
use crate::extract::Path;

/// Nothing is loaded from anywhere else, and no script is run that is not a file of this server.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/// The API to read and try.
pub(crate) async fn page() -> impl IntoResponse {
    (protection(), Html(include_str!("assets/docs.html")))
}

/// What each code means.
pub(crate) async fn errors() -> impl IntoResponse {
    let mut rows = String::new();
    for code in ALL {
        let (word, entry) = (code.as_str(), code.entry());
        let status = entry.status.as_u16();
        let title = entry.title;
        rows.push_str(&format!("<tr id=\"{word}\"><td><code>{word}</code></td><td>{status}</td><td>{title}</td></tr>"));
    }
    (protection(), Html(include_str!("assets/errors.html").replace("{rows}", &rows)))
}

/// A file that the pages load.
pub(crate) async fn asset(Path(name): Path<String>) -> ApiResult<Response> {
    let (media_type, bytes) = match name.as_str() {
        "docs.css" => ("text/css; charset=utf-8", Bytes::from_static(include_bytes!("assets/docs.css"))),
        "docs.js" => ("text/javascript; charset=utf-8", Bytes::from_static(include_bytes!("assets/docs.js"))),
        "swagger-ui.css" => ("text/css; charset=utf-8", vendored(&name)?),
        "swagger-ui-bundle.js" => ("text/javascript; charset=utf-8", vendored(&name)?),
        _ => return Err(ApiError::not_found("the documentation has no such file")),
    };
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "max-age=3600")];
    Ok((headers, bytes).into_response())
}

fn vendored(name: &str) -> ApiResult<Bytes> {
    let config = Arc::new(utoipa_swagger_ui::Config::from("/api/v1/openapi.json"));
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => Ok(match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        }),
        Ok(None) | Err(_) => Err(ApiError::not_found("the documentation has no such file")),
    }
}

fn protection() -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]
}
