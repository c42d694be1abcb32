//! Packs: which there are, which the tenant has, planning and installing one, and the format's JSON Schema.

use axum::http::StatusCode;
use engine::ErrorCode;
use engine::packs::{Installed, PackSource, PackView, PlanStep};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::Answer;
use super::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::Authorized;
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::openapi::bodies;

/// A pack that the tenant has or could have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pack)]
pub(crate) struct PackBody {
    pack: String,
    label: String,
    versions: Vec<String>,
    #[schema(required)]
    installed: Option<String>,
    capabilities: Vec<String>,
}

impl From<PackView> for PackBody {
    fn from(pack: PackView) -> Self {
        let PackView { pack, label, versions, installed, capabilities } = pack;
        Self { pack, label, versions, installed, capabilities }
    }
}

/// Lists the packs that the server knows.
#[utoipa::path(get, path = "/packs", tag = "packs", operation_id = "list",
    responses((status = 200, description = "Every pack", body = ListBody<PackBody>)))]
pub(crate) async fn list(Authorized(mut session): Authorized, Query(_): Query<NoQuery>) -> ApiResult<Answer> {
    let results: Vec<PackBody> = session.packs().await?.into_iter().map(PackBody::from).collect();
    Answer::ok(&ListBody { results, next_cursor: None })
}

/// Reads the JSON Schema of the pack format, for editors.
#[utoipa::path(get, path = "/packs/schema", tag = "packs", operation_id = "schema", security(()),
    responses((status = 200, description = "JSON Schema 2020-12", body = Value)))]
pub(crate) async fn schema(Query(_): Query<NoQuery>) -> ApiResult<Answer> {
    Answer::ok(&engine::model::pack::json_schema())
}

/// `{source: "YAML"}`, `{files: {name: "YAML"}}` or `{pack: name}`.
#[derive(Debug)]
struct SourceBody(PackSource);

#[derive(Debug)]
struct Files(Vec<(String, String)>);

impl<'a> FromJson<'a> for Files {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut files = Vec::new();
        for (name, value) in reading.members(raw)? {
            match serde_json::from_str::<String>(value.get()) {
                Ok(text) => files.push((name.into_owned(), text)),
                Err(_) => reading.problem_at(&name, "wrong_type", "a file's text is a string"),
            }
        }
        Some(Self(files))
    }
}

impl<'a> FromJson<'a> for SourceBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let source = object.optional::<String>("source");
        let files = object.optional::<Files>("files");
        let pack = object.optional::<String>("pack");
        let chosen = match (source, files, pack) {
            (Some(source), None, None) => Some(PackSource::Files(vec![("pack.yaml".to_owned(), source)])),
            (None, Some(Files(files)), None) => Some(PackSource::Files(files)),
            (None, None, Some(pack)) => Some(PackSource::Known(pack)),
            _ => {
                let message = "exactly one of `source`, `files` and `pack` says which pack is meant";
                object.problem_at("source", "required", message);
                None
            }
        };
        object.finish();
        chosen.map(Self)
    }
}

/// What installing a pack would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanBody {
    plan: String,
    metadata_version: i64,
    summary: PlanSummary,
    steps: Vec<PlanStepBody>,
    conflicts: Vec<Value>,
}

/// How many steps do what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanSummary {
    add: usize,
    change: usize,
    remove: usize,
}

/// One step of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanStep)]
pub(crate) struct PlanStepBody {
    action: &'static str,
    /// `object`, `property`, `association` or `pipeline`.
    kind: &'static str,
    name: String,
    before: Value,
    after: Value,
    destructive: bool,
    /// How many records it touches.
    records: u64,
    /// Ids of some of them.
    samples: Vec<String>,
    /// Whether it takes a job.
    job: bool,
}

impl PlanStepBody {
    fn add(step: &PlanStep) -> Self {
        let (kind, name) = (step.kind, step.name.clone());
        let (before, after) = (Value::Null, Value::Null);
        Self {
            action: "add",
            kind,
            name,
            before,
            after,
            destructive: false,
            records: 0,
            samples: Vec::new(),
            job: false,
        }
    }
}

/// Shows what installing a pack would add. Nothing changes.
#[utoipa::path(post, path = "/packs/plan", tag = "packs", operation_id = "plan", request_body = bodies::PackSource,
    responses((status = 200, description = "The plan", body = PlanBody)))]
pub(crate) async fn plan(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SourceBody(source) = body.read()?;
    let plan = session.pack_plan(source).await.map_err(|error| unknown_at("/pack", error))?;
    let steps: Vec<PlanStepBody> = plan.steps.iter().map(PlanStepBody::add).collect();
    let summary = PlanSummary { add: steps.len(), change: 0, remove: 0 };
    let metadata_version = plan.metadata_version;
    Answer::ok(&PlanBody { plan: plan.id, metadata_version, summary, steps, conflicts: Vec::new() })
}

/// What is named in a body and not found is a mistake of the body.
fn unknown_at(pointer: &str, error: engine::Error) -> engine::Error {
    match error.code {
        ErrorCode::NotFound => engine::Error::invalid_at(pointer, "not_found", error.detail),
        _ => error,
    }
}

/// `{plan}`.
#[derive(Debug)]
struct ApplyBody(String);

impl<'a> FromJson<'a> for ApplyBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let plan = object.required::<String>("plan");
        object.finish();
        plan.map(Self)
    }
}

/// A pack that the tenant has now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InstalledPack)]
pub(crate) struct InstalledBody {
    pack: String,
    version: String,
    metadata_version: i64,
    /// False where the tenant had this very version already.
    changed: bool,
    /// Ids of jobs that it takes.
    jobs: Vec<String>,
}

/// Does exactly what a plan says, in one step or not at all.
#[utoipa::path(post, path = "/packs/apply", tag = "packs", operation_id = "apply", request_body = bodies::PlanToApply,
    responses((status = 200, description = "The tenant has it", body = InstalledBody)))]
pub(crate) async fn apply(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let ApplyBody(plan) = body.read()?;
    let written = session.pack_apply(&plan).await.map_err(|error| unknown_at("/plan", error))?;
    let Installed { pack, version, metadata_version, is_new } = written.value;
    let body = InstalledBody { pack, version, metadata_version, changed: is_new, jobs: Vec::new() };
    Ok(Answer::json(StatusCode::OK, &body)?.at(written.sequence))
}
