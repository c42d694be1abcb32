//! The search index of a tenant on this server: how it is, making it anew, comparing it with the store.

use axum::extract::State;
use axum::http::StatusCode;
use engine::model::{RecordId, Sequence, TenantId};
use engine::{IndexCheck, TenantIndex};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use crate::error::ApiResult;
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Path, Platform};
use crate::state::AppState;

/// How an index is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchIndex)]
pub(crate) struct SearchIndexBody {
    /// The last change that can be found; null where the index is closed, or there is none yet.
    #[schema(required, value_type = Option<String>)]
    sequence: Option<Sequence>,
    /// Changes that cannot be found yet.
    lag_changes: u64,
    /// Records and links in it; 0 where it is closed.
    documents: u64,
    /// Size on disk; 0 where it is closed.
    disk_bytes: u64,
    /// How far it is where it is being made, or about to be.
    #[schema(required)]
    building: Option<Building>,
    /// Why it could not be made last.
    #[schema(required)]
    failure: Option<String>,
}

/// How far an index is that is being made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Building {
    /// Where all are, links and files are still being written.
    records_done: i64,
    /// About; 0 as long as nobody has looked.
    records_total: i64,
}

impl From<TenantIndex> for SearchIndexBody {
    fn from(index: TenantIndex) -> Self {
        let TenantIndex { sequence, lag_changes, documents, disk_bytes, building, failure } = index;
        let building = building.map(|(records_done, records_total)| Building { records_done, records_total });
        Self { sequence, lag_changes, documents, disk_bytes, building, failure }
    }
}

/// What came of comparing some records of an index with the store.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchIndexCheck {
    /// Records in the store among those that were compared.
    records: u64,
    /// Their links.
    links: u64,
    /// Differences in all.
    count: u64,
    /// The first 20 of them, in words.
    differences: Vec<String>,
    /// Goes on with further records; null after the last.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl From<IndexCheck> for SearchIndexCheck {
    fn from(check: IndexCheck) -> Self {
        let IndexCheck { records, links, count, differences, next } = check;
        Self { records, links, count, differences, next_cursor: next.map(|id| id.to_string()) }
    }
}

/// Tells how a tenant's search index is on this server.
#[utoipa::path(get, path = "/tenants/{id}/search-index", tag = "tenants", operation_id = "search_index",
    params(("id" = String, Path, description = "Id of the tenant")),
    responses((status = 200, description = "The index", body = SearchIndexBody)))]
pub(crate) async fn read(
    _: Platform,
    State(state): State<AppState>,
    Path(tenant): Path<TenantId>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    Answer::ok(&SearchIndexBody::from(state.engine.tenant_index(tenant).await?))
}

/// Has a tenant's search index on this server made anew from the store; the former one answers until that is done.
#[utoipa::path(post, path = "/tenants/{id}/search-index/rebuild", tag = "tenants", operation_id = "search_index_rebuild",
    params(("id" = String, Path, description = "Id of the tenant")),
    responses((status = 202, description = "It is about to be made", body = SearchIndexBody)))]
pub(crate) async fn rebuild(
    _: Platform,
    State(state): State<AppState>,
    Path(tenant): Path<TenantId>,
    Query(_): Query<NoQuery>,
) -> ApiResult<Answer> {
    state.engine.begin_reindex(tenant).await?;
    let index = state.engine.tenant_index(tenant).await?;
    Answer::json(StatusCode::ACCEPTED, &SearchIndexBody::from(index))
}

/// After which record a comparison goes on.
#[derive(Debug)]
pub(crate) struct After(RecordId);

impl FromQuery for After {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self(query.parsed("cursor", "one that this list gave out").unwrap_or(RecordId(0))))
    }
}

/// Compares a tenant's search index on this server with the store, 20,000 ids at a time.
#[utoipa::path(get, path = "/tenants/{id}/search-index/check", tag = "tenants", operation_id = "search_index_check",
    params(("id" = String, Path, description = "Id of the tenant"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the comparison before")),
    responses((status = 200, description = "What differs", body = SearchIndexCheck)))]
pub(crate) async fn check(
    _: Platform,
    State(state): State<AppState>,
    Path(tenant): Path<TenantId>,
    Query(After(after)): Query<After>,
) -> ApiResult<Answer> {
    Answer::ok(&SearchIndexCheck::from(state.engine.index_check_after(tenant, after).await?))
}
