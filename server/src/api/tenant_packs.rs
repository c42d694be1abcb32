//! A pack planned or applied over many tenants: one line of JSON for each as it is done.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::Origin;
use engine::packs::{Consent, Fate, StepCounts, TenantOutcome, TenantOutcomes, TenantsPack};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::packs::{Accept, ConflictBody, Migrations, PlanStepBody, PlanSummary, WarningBody, read_source, unknown_at};
use crate::error::{ApiError, ApiResult};
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Client, Platform};
use crate::middleware::{RequestScope, StreamPermit};
use crate::openapi::bodies;
use crate::state::AppState;

/// Tenants that one call names at most.
const MOST_TENANTS: usize = 10_000;

/// What the change log says of what the platform does to tenants.
const SOURCE: &str = "platform";

/// What `POST /packs/plan` takes, but `uninstall`, and `{tenants?, install?, allow_destructive?}`.
#[derive(Debug)]
struct TenantsBody(TenantsPack);

impl<'a> FromJson<'a> for TenantsBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let source = read_source(&mut object);
        let tenants = object.optional::<Slugs>("tenants").map(|slugs| slugs.0);
        if tenants.as_ref().is_some_and(Vec::is_empty) {
            object.problem_at("tenants", "too_few", "at least one tenant is named, or `tenants` is left out for all");
        }
        let installs = object.optional::<bool>("install").unwrap_or_default();
        let allows_destructive = object.optional::<bool>("allow_destructive").unwrap_or_default();
        let accept = object.optional::<Accept>("accept").unwrap_or_default().0;
        let migrations = object.optional::<Migrations>("migrations").unwrap_or_default().0;
        object.finish();
        let consent = Consent { allows_destructive, accept, migrations };
        source.map(|source| Self(TenantsPack { source, tenants, installs, only_plans: false, consent }))
    }
}

#[derive(Debug)]
struct Slugs(Vec<String>);

impl<'a> FromJson<'a> for Slugs {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        reading.list(raw, MOST_TENANTS).map(Self)
    }
}

/// What became of one tenant.
#[derive(Debug, Serialize)]
struct Line {
    tenant: String,
    from: Option<String>,
    to: String,
    status: &'static str,
    #[serde(flatten)]
    more: More,
}

/// What there is to say beside that.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum More {
    Changed { summary: PlanSummary, conflicts: Vec<ConflictBody>, jobs: Vec<String> },
    Planned { summary: PlanSummary, steps: Vec<PlanStepBody>, conflicts: Vec<ConflictBody>, warnings: Vec<WarningBody> },
    Failed { problem: Value },
    Skipped { reason: &'static str },
    Nothing {},
}

/// The last line. Where `done` is false, tenants are left that were not begun.
#[derive(Debug, Default, Serialize)]
struct End {
    done: bool,
    tenants: u64,
    changed: u64,
    planned: u64,
    unchanged: u64,
    failed: u64,
    skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
}

/// What a call is about, and how far its answer is.
struct Lines {
    outcomes: TenantOutcomes,
    scope: RequestScope,
    /// None once it was written.
    end: Option<End>,
    _permit: StreamPermit,
}

/// Shows what applying a pack to every tenant that has it would do, a line for each. Nothing changes.
#[utoipa::path(post, path = "/tenants/packs/plan", tag = "tenants", operation_id = "planPack",
    request_body = bodies::TenantsPack,
    responses((status = 200, description = "`{tenant, from, to, status, summary, steps, conflicts, warnings}` each, or with `problem`; last \
        `{done, tenants, changed, planned, unchanged, failed, skipped}`", body = String, content_type = "application/x-ndjson")))]
pub(crate) async fn plan(
    _: Platform,
    State(state): State<AppState>,
    Query(_): Query<NoQuery>,
    client: Client,
    scope: RequestScope,
    permit: StreamPermit,
    body: JsonBody,
) -> ApiResult<Response> {
    let TenantsBody(wanted) = body.read()?;
    answer(&state, TenantsPack { only_plans: true, ..wanted }, client, scope, permit).await
}

/// Brings every tenant that has a pack to this version of it, each in one step or not at all, a line for each.
#[utoipa::path(post, path = "/tenants/packs/apply", tag = "tenants", operation_id = "applyPack",
    request_body = bodies::TenantsPack,
    responses((status = 200, description = "`{tenant, from, to, status, summary, conflicts, jobs}` each, or with `problem`; last \
        `{done, tenants, changed, planned, unchanged, failed, skipped}`", body = String, content_type = "application/x-ndjson")))]
pub(crate) async fn apply(
    _: Platform,
    State(state): State<AppState>,
    Query(_): Query<NoQuery>,
    client: Client,
    scope: RequestScope,
    permit: StreamPermit,
    body: JsonBody,
) -> ApiResult<Response> {
    let TenantsBody(wanted) = body.read()?;
    answer(&state, wanted, client, scope, permit).await
}

async fn answer(
    state: &AppState,
    wanted: TenantsPack,
    client: Client,
    scope: RequestScope,
    permit: StreamPermit,
) -> ApiResult<Response> {
    let origin = Origin {
        actor: None,
        source: SOURCE.to_owned(),
        request_id: Some(scope.id().as_str().to_owned()),
        ip: client.ip.map(|ip| ip.to_string()),
        user_agent: client.user_agent,
    };
    // A server that stops begins no further tenant, and waits for the stream, which ends after those under way.
    let started = state.engine.pack_over_tenants(wanted, origin, state.stop.child_token()).await;
    let outcomes = started.map_err(|error| unknown_at("/pack", error))?;
    let lines = Lines { outcomes, scope, end: Some(End::default()), _permit: permit };
    let pieces = futures::stream::unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        Some((line.map(Bytes::from).map_err(std::io::Error::other), lines))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(pieces)).into_response())
}

impl Lines {
    /// The next line; none after the last.
    async fn next(&mut self) -> Option<serde_json::Result<Vec<u8>>> {
        let end = self.end.as_mut()?;
        match self.outcomes.next().await {
            Some(Ok(outcome)) => {
                let line = Line::of(outcome, &self.scope);
                end.count(line.status);
                Some(line_of(&line))
            }
            last => {
                end.problem = last.and_then(Result::err).map(|error| problem(error, &self.scope));
                end.done = self.outcomes.is_whole();
                self.end.take().map(|end| line_of(&end))
            }
        }
    }
}

impl Line {
    fn of(outcome: TenantOutcome, scope: &RequestScope) -> Self {
        let TenantOutcome { tenant, from, to, fate } = outcome;
        let both = |conflicts: Vec<_>| conflicts.into_iter().map(ConflictBody::from).collect();
        let (status, more) = match fate {
            Fate::Changed { steps, conflicts, jobs } => {
                let jobs = jobs.iter().map(ToString::to_string).collect();
                ("changed", More::Changed { summary: steps.into(), conflicts: both(conflicts), jobs })
            }
            Fate::Planned { steps, conflicts, warnings } => {
                let summary = StepCounts::of(&steps).into();
                let steps = steps.into_iter().map(PlanStepBody::from).collect();
                let warnings = warnings.into_iter().map(WarningBody::from).collect();
                ("planned", More::Planned { summary, steps, conflicts: both(conflicts), warnings })
            }
            Fate::Unchanged => ("unchanged", More::Nothing {}),
            Fate::Failed(error) => ("failed", More::Failed { problem: problem(error, scope) }),
            Fate::Skipped(reason) => ("skipped", More::Skipped { reason }),
        };
        Self { tenant, from, to, status, more }
    }
}

impl End {
    fn count(&mut self, status: &str) {
        self.tenants += 1;
        *match status {
            "changed" => &mut self.changed,
            "planned" => &mut self.planned,
            "unchanged" => &mut self.unchanged,
            "failed" => &mut self.failed,
            _ => &mut self.skipped,
        } += 1;
    }
}

/// The body with which a call for that tenant alone would be answered.
fn problem(error: engine::Error, scope: &RequestScope) -> Value {
    serde_json::to_value(ApiError::from(error).body(scope.id().as_str())).unwrap_or_default()
}

fn line_of(content: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(content)?;
    line.push(b'\n');
    Ok(line)
}
