//! The API's own description: an OpenAPI 3.1 document, and pages that show it without any other server.

pub(crate) mod bodies;
pub(crate) mod definitions;
mod document;
mod pages;
mod tenant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

pub use document::{StaticDocument, TenantPart};
pub(crate) use pages::{asset, errors, page};

use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::query::{NoQuery, Query};
use crate::state::AppState;

/// The API as OpenAPI 3.1; with a token, typed for the objects of its tenant.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", operation_id = "openapi", security((), ("bearer" = [])),
    responses((status = 200, description = "The document", body = serde_json::Value)))]
pub(crate) async fn document(
    State(state): State<AppState>,
    Query(_): Query<NoQuery>,
    request: Request,
) -> ApiResult<Response> {
    let (mut parts, _) = request.into_parts();
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    if !parts.headers.contains_key(header::AUTHORIZATION) {
        return Ok((content_type, state.document.bytes()).into_response());
    }
    let Authorized(mut session) = Authorized::from_request_parts(&mut parts, &state).await?;
    session.refresh().await?;
    let document = state.document.with(tenant::part(&session.catalog));
    Ok((content_type, document.to_string()).into_response())
}

#[cfg(test)]
mod tests;
