//! The API's own description: an OpenAPI 3.1 document, and pages that show it without any other server.

mod document;
mod pages;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

pub use document::{StaticDocument, TenantPart};
pub(crate) use pages::{asset, errors, page};

use crate::state::AppState;

/// The API as OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", operation_id = "openapi", security(()),
    responses((status = 200, description = "The document", body = serde_json::Value)))]
pub(crate) async fn document(State(state): State<AppState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], state.document.bytes())
}

#[cfg(test)]
mod tests;
