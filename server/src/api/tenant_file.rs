//! Tenants on the move: all that one has as a file, and a new one of such a file.

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::{ImportedTenant, TenantExport};

use super::answer::Answer;
use super::tenants::MadeTenant;
use super::wire::TenantBody;
use crate::error::{ApiError, ApiResult};
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Authorized, BareUpload, Platform, WrittenAt};
use crate::middleware::StreamPermit;
use crate::state::AppState;

/// Exports the tenant as it is now: definitions, users, records, links and history, one JSON object a line. Tokens are
/// not exported.
#[utoipa::path(get, path = "/tenant/export", tag = "tenants", operation_id = "export",
    responses((status = 200, description = "The file, which is whole where its last line is `{\"end\": …}`", body = String,
        content_type = "application/x-ndjson")))]
pub(crate) async fn export(
    Authorized(mut session): Authorized,
    State(state): State<AppState>,
    Query(_): Query<NoQuery>,
    permit: StreamPermit,
) -> ApiResult<Response> {
    let export = session.tenant_export().await?;
    let position = WrittenAt(export.position.0);
    let pieces = futures::stream::unfold((export, state, permit), |(mut export, state, permit)| async move {
        let piece = next(&mut export, &state).await?;
        Some((piece, (export, state, permit)))
    });
    let head = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((position, head, Body::from_stream(pieces)).into_response())
}

/// What breaks off is no file: the connection ends with it.
async fn next(export: &mut TenantExport, state: &AppState) -> Option<std::io::Result<Bytes>> {
    let piece = state.stop.run_until_cancelled(export.next()).await;
    let Some(piece) = piece else { return Some(Err(std::io::Error::other("the server is stopping"))) };
    Some(piece?.map(Bytes::from).map_err(std::io::Error::other))
}

/// What the tenant is called.
#[derive(Debug)]
pub(crate) struct Wanted(ImportedTenant);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let (slug, name) = (query.text("slug"), query.text("name"));
        if slug.is_none() {
            query.problem("slug", "required", "`slug` says what the tenant is called in addresses");
        }
        Some(Self(ImportedTenant { slug: slug?, name }))
    }
}

/// Makes a tenant of an exported one; answers with its owner's token, this once.
#[utoipa::path(post, path = "/tenants/import", tag = "tenants", operation_id = "import",
    params(("slug" = String, Query, description = "Short name in addresses; unique"),
        ("name" = Option<String>, Query, description = "What people call it; by default what the file says")),
    request_body(description = "The file as it was exported", content = String, content_type = "application/x-ndjson"),
    responses((status = 201, description = "The tenant, and its owner's token", body = MadeTenant)))]
pub(crate) async fn import(
    _: Platform,
    State(state): State<AppState>,
    Query(Wanted(new)): Query<Wanted>,
    _permit: StreamPermit,
    BareUpload(upload): BareUpload,
) -> ApiResult<Answer> {
    let file = tokio::fs::File::open(upload.path()).await.map_err(engine::Error::internal)?;
    let made = state.stop.run_until_cancelled(state.engine.tenant_import(file, new)).await;
    let stopping = || ApiError::unavailable("the server is stopping; begin the import again");
    let (tenant, token) = made.ok_or_else(stopping)??;
    Answer::json(StatusCode::CREATED, &MadeTenant { tenant: TenantBody::from(tenant), token })
}
