//! Packs: which there are, which the tenant has, planning and carrying out a change of them, and the format's JSON
//! Schema.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::ErrorCode;
use engine::model::Problem;
use engine::packs::{
    Action, Applied, Conflict, Consent, Effect, PackExport, PackSource, PackView, Plan, Side, Step, StepCounts,
};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answer::Answer;
use super::definitions::properties::UseBody;
use super::wire::ListBody;
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, ObjectReader, Reading};
use crate::extract::query::{FromQuery, NoQuery, Query, QueryReader};
use crate::extract::{Authorized, Path};
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

/// What is to be exported.
#[derive(Debug)]
pub(crate) struct Exported(PackExport);

impl FromQuery for Exported {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let (pack, version, label) = (query.text("pack"), query.text("version"), query.text("label"));
        Some(Self(PackExport { pack, version, label, objects: query.names("object") }))
    }
}

/// Exports the tenant's own layer, or some objects of it, as a pack; or a pack that the tenant has, as it is.
#[utoipa::path(get, path = "/packs/export", tag = "packs", operation_id = "export",
    params(("pack" = Option<String>, Query, description = "Name of the new pack, by default the tenant's; or of a pack that the tenant has"),
        ("version" = Option<String>, Query, description = "Version of the new pack, by default 1.0.0"),
        ("label" = Option<String>, Query, description = "What people read of it"),
        ("object" = Option<String>, Query, description = "Only these objects of the own layer, separated by commas")),
    responses((status = 200, description = "The pack, in one YAML file", body = String, content_type = "application/yaml")))]
pub(crate) async fn export(
    Authorized(mut session): Authorized,
    Query(Exported(wanted)): Query<Exported>,
) -> ApiResult<Response> {
    let text = session.pack_export(&wanted).await?;
    Ok(([(header::CONTENT_TYPE, "application/yaml")], text).into_response())
}

/// `{source: "YAML"}`, `{files: {name: "YAML"}}` or `{pack: name, version?, uninstall?}`, and `accept?`.
#[derive(Debug)]
struct SourceBody {
    wanted: WantedBody,
    accept: BTreeMap<String, Side>,
    migrations: BTreeMap<String, Value>,
}

#[derive(Debug)]
enum WantedBody {
    Pack(PackSource),
    Gone { pack: String, purge: bool },
}

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
        let source = read_source(&mut object);
        let is_gone = object.optional::<bool>("uninstall").unwrap_or_default();
        let purge = object.optional::<bool>("purge").unwrap_or_default();
        if purge && !is_gone {
            object.problem_at("purge", "not_applicable", "goes with `uninstall` only");
        }
        let accept = object.optional::<Accept>("accept").unwrap_or_default();
        let migrations = object.optional::<Migrations>("migrations").unwrap_or_default();
        let wanted = match source {
            Some(PackSource::Known { name, .. }) if is_gone => Some(WantedBody::Gone { pack: name, purge }),
            source => {
                if is_gone {
                    object.problem_at("uninstall", "not_applicable", "goes with `pack` only");
                }
                source.map(WantedBody::Pack)
            }
        };
        object.finish();
        wanted.map(|wanted| Self { wanted, accept: accept.0, migrations: migrations.0 })
    }
}

/// `{source: "YAML"}`, `{files: {name: "YAML"}}` or `{pack: name, version?}`.
pub(super) fn read_source(object: &mut ObjectReader<'_, '_>) -> Option<PackSource> {
    let source = object.optional::<String>("source");
    let files = object.optional::<Files>("files");
    let pack = object.optional::<String>("pack");
    let version = object.optional::<String>("version");
    if pack.is_none() && version.is_some() {
        object.problem_at("version", "not_applicable", "goes with `pack` only");
    }
    match (source, files, pack) {
        (Some(source), None, None) => Some(PackSource::Files(vec![("pack.yaml".to_owned(), source)])),
        (None, Some(Files(files)), None) => Some(PackSource::Files(files)),
        (None, None, Some(name)) => Some(PackSource::Known { name, version }),
        _ => {
            let message = "exactly one of `source`, `files` and `pack` says which pack is meant";
            object.problem_at("source", "required", message);
            None
        }
    }
}

/// `{name: "pack" or "tenant"}`
#[derive(Debug, Default)]
pub(super) struct Accept(pub(super) BTreeMap<String, Side>);

impl<'a> FromJson<'a> for Accept {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut sides = BTreeMap::new();
        for (name, value) in reading.members(raw)? {
            match serde_json::from_str::<String>(value.get()).as_deref() {
                Ok("pack") => drop(sides.insert(name.into_owned(), Side::Pack)),
                Ok("tenant") => drop(sides.insert(name.into_owned(), Side::Tenant)),
                _ => reading.problem_at(&name, "invalid", "`pack` or `tenant` says whose side holds"),
            }
        }
        Some(Self(sides))
    }
}

/// `{object.property: migration}`
#[derive(Debug, Default)]
pub(super) struct Migrations(pub(super) BTreeMap<String, Value>);

impl<'a> FromJson<'a> for Migrations {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut migrations = BTreeMap::new();
        for (name, value) in reading.members(raw)? {
            match serde_json::from_str(value.get()) {
                Ok(migration) => drop(migrations.insert(name.into_owned(), migration)),
                Err(_) => reading.problem_at(&name, "invalid", "a number in it is out of range"),
            }
        }
        Some(Self(migrations))
    }
}

/// What would be done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanBody {
    plan: String,
    metadata_version: i64,
    summary: PlanSummary,
    steps: Vec<PlanStepBody>,
    conflicts: Vec<ConflictBody>,
    /// What views, reports, workflows and roles would name that is not there; all else of them goes on.
    warnings: Vec<WarningBody>,
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
    /// `add`, `change` or `remove`.
    action: &'static str,
    /// `object`, `property`, `association`, `pipeline`, `view`, `report`, `workflow`, `role`, `translation`; `pack` where
    /// only its version changes, `constraint` where records stand in the way of a rule.
    kind: &'static str,
    name: String,
    before: Value,
    after: Value,
    /// Something stored would no longer be seen.
    destructive: bool,
    /// How many records that concerns, or stand in the way; null where they cannot be seen any more, and so are not
    /// counted.
    records: Option<u64>,
    /// Ids of some of them.
    samples: Vec<String>,
    /// Whether a job writes the records, or has to before this can be done.
    job: bool,
    /// What it does to these records: `hidden`, `erased`, `rewritten` or `computed` by a job, or that they stand
    /// `in_the_way`; null where none is concerned.
    effect: Option<&'static str>,
    /// What goes on to name a property that would be gone or of another type.
    uses: Vec<UseBody>,
}

/// What both the pack and the tenant have changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanConflict)]
pub(crate) struct ConflictBody {
    /// `object`, `property`, `association` or `pipeline`.
    kind: &'static str,
    /// What `accept` names it by.
    name: String,
    /// What the pack says, as far as the two differ.
    pack: Value,
    /// What the tenant says, which holds unless the pack's side is accepted.
    tenant: Value,
    /// Whose side holds: `tenant`, or `pack` where it is accepted.
    holds: &'static str,
}

/// What a view, a report, a workflow or a role would name that is not there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanWarning)]
pub(crate) struct WarningBody {
    /// Where, in the definitions as a pack has them.
    pointer: String,
    code: &'static str,
    message: String,
}

impl From<Problem> for WarningBody {
    fn from(Problem { pointer, code, message, .. }: Problem) -> Self {
        Self { pointer, code, message }
    }
}

impl From<Plan> for PlanBody {
    fn from(plan: Plan) -> Self {
        Self {
            plan: plan.id,
            metadata_version: plan.metadata_version,
            summary: StepCounts::of(&plan.steps).into(),
            steps: plan.steps.into_iter().map(PlanStepBody::from).collect(),
            conflicts: plan.conflicts.into_iter().map(ConflictBody::from).collect(),
            warnings: plan.warnings.into_iter().map(WarningBody::from).collect(),
        }
    }
}

impl From<StepCounts> for PlanSummary {
    fn from(StepCounts { add, change, remove }: StepCounts) -> Self {
        Self { add, change, remove }
    }
}

impl From<Conflict> for ConflictBody {
    fn from(Conflict { kind, name, pack, tenant, holds }: Conflict) -> Self {
        let holds = match holds {
            Side::Pack => "pack",
            Side::Tenant => "tenant",
        };
        Self { kind, name, pack, tenant, holds }
    }
}

impl From<Step> for PlanStepBody {
    fn from(step: Step) -> Self {
        let action = match step.action {
            Action::Add => "add",
            Action::Change => "change",
            Action::Remove => "remove",
        };
        let job = step.takes_job();
        Self {
            action,
            kind: step.kind,
            name: step.name,
            before: step.before,
            after: step.after,
            destructive: step.destructive,
            records: step.records,
            samples: step.samples,
            job,
            effect: step.effect.map(Effect::as_str),
            uses: step.uses.into_iter().map(UseBody::from).collect(),
        }
    }
}

/// Shows what installing a pack, moving it to another version or uninstalling it would do. Nothing changes.
#[utoipa::path(post, path = "/packs/plan", tag = "packs", operation_id = "plan", request_body = bodies::PackSource,
    responses((status = 200, description = "The plan", body = PlanBody)))]
pub(crate) async fn plan(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let SourceBody { wanted, accept, migrations } = body.read()?;
    let plan = match wanted {
        WantedBody::Pack(source) => session.pack_plan(source, &accept, &migrations).await,
        WantedBody::Gone { pack, purge: false } => session.pack_uninstall_plan(&pack).await,
        WantedBody::Gone { pack, purge: true } => session.pack_purge_plan(&pack).await,
    };
    Answer::ok(&PlanBody::from(plan.map_err(|error| unknown_at("/pack", error))?))
}

/// What is named in a body and not found is a mistake of the body.
pub(super) fn unknown_at(pointer: &str, error: engine::Error) -> engine::Error {
    match error.code {
        ErrorCode::NotFound => engine::Error::invalid_at(pointer, "not_found", error.detail),
        _ => error,
    }
}

/// `{plan, allow_destructive?, accept?, migrations?}`.
#[derive(Debug)]
struct ApplyBody {
    plan: String,
    consent: Consent,
}

impl<'a> FromJson<'a> for ApplyBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let plan = object.required::<String>("plan");
        let allows_destructive = object.optional::<bool>("allow_destructive").unwrap_or_default();
        let accept = object.optional::<Accept>("accept").unwrap_or_default().0;
        let migrations = object.optional::<Migrations>("migrations").unwrap_or_default().0;
        object.finish();
        plan.map(|plan| Self { plan, consent: Consent { allows_destructive, accept, migrations } })
    }
}

/// What was done with a pack.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppliedPack)]
pub(crate) struct AppliedBody {
    pack: String,
    /// The version that the tenant has now; null where it does not have the pack any more.
    #[schema(required)]
    version: Option<String>,
    metadata_version: i64,
    /// False where all was so already.
    changed: bool,
    /// Ids of jobs that it takes.
    jobs: Vec<String>,
}

impl From<Applied> for AppliedBody {
    fn from(applied: Applied) -> Self {
        let Applied { pack, version, metadata_version, is_new, jobs } = applied;
        let jobs = jobs.iter().map(ToString::to_string).collect();
        Self { pack, version, metadata_version, changed: is_new, jobs }
    }
}

/// Does exactly what a plan says, in one step or not at all.
#[utoipa::path(post, path = "/packs/apply", tag = "packs", operation_id = "apply", request_body = bodies::PlanToApply,
    responses((status = 200, description = "It is done", body = AppliedBody)))]
pub(crate) async fn apply(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let ApplyBody { plan, consent } = body.read()?;
    let written = session.pack_apply(&plan, &consent).await.map_err(|error| unknown_at("/plan", error))?;
    Ok(Answer::json(StatusCode::OK, &AppliedBody::from(written.value))?.at(written.sequence))
}

/// Whether what a pack has brought goes for good.
#[derive(Debug)]
pub(crate) struct Removal {
    purge: bool,
}

impl FromQuery for Removal {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self { purge: query.flag("purge") })
    }
}

/// Uninstalls a pack: what it defines is archived and hidden, with what is stored, until it is installed again; or erased
/// by a job, with all that is stored under it.
#[utoipa::path(delete, path = "/packs/{pack}", tag = "packs", operation_id = "uninstall",
    params(("pack" = String, Path, description = "The pack's name"),
        ("purge" = Option<bool>, Query, description = "Erase what it has brought, for good")),
    responses((status = 200, description = "It is done; the job that erases it is among `jobs`", body = AppliedBody)))]
pub(crate) async fn uninstall(
    Authorized(mut session): Authorized,
    Path(pack): Path<String>,
    Query(Removal { purge }): Query<Removal>,
) -> ApiResult<Answer> {
    let written = if purge { session.pack_purge(&pack).await? } else { session.pack_uninstall(&pack).await? };
    Ok(Answer::json(StatusCode::OK, &AppliedBody::from(written.value))?.at(written.sequence))
}
