//! Many records at once: each answered for itself, or all or nothing.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::Session;
use engine::model::{Problem, Problems};
use engine::records::{
    Done, Effect, Handover, Mode, Operation, Record, RecordInput, Reply, Results, Step, Target, View, Written,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body::{Id, read_fields};
use super::inputs::{self, Inputs, Read};
use crate::api::answer::Answer;
use crate::api::wire::{RecordBody, problem};
use crate::error::{ApiError, ApiResult};
use crate::extract::json::{FromJson, JsonBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, Path, once};
use crate::middleware::RequestScope;
use crate::openapi::bodies;

/// Most inputs of one call.
pub(crate) const MOST: usize = 1_000;

/// `{inputs, atomic?, id_property?, select?}`; what an input holds depends on the call.
#[derive(Debug)]
struct BatchBody {
    inputs: Vec<Read<Input>>,
    is_atomic: bool,
    id_property: Option<String>,
    select: Option<Vec<String>>,
    assigned: Assigned,
}

/// To whom records are assigned, unless an input says so.
#[derive(Debug)]
struct Assigned {
    owner: Option<Option<String>>,
    rule: Option<String>,
}

/// The members that any input may have; each call uses some of them.
#[derive(Debug)]
struct Input {
    id: Option<String>,
    version: Option<i64>,
    fields: RecordInput,
}

impl<'a> FromJson<'a> for BatchBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let inputs = inputs::read(&mut object, MOST);
        let is_atomic = object.optional("atomic").unwrap_or(false);
        let id_property = object.optional("id_property");
        let select = object.list::<String>("select", MOST).unwrap_or_default();
        let owner = object.patch::<Id>("owner_id").map(|owner| owner.map(|Id(id)| id));
        let assigned = Assigned { owner, rule: object.optional::<Id>("rule").map(|Id(id)| id) };
        object.finish();
        let select = (!select.is_empty()).then_some(select);
        Some(Self { inputs: inputs?, is_atomic, id_property, select, assigned })
    }
}

impl<'a> FromJson<'a> for Input {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let id = object.optional::<Id>("id").map(|Id(id)| id);
        let version = object.optional::<i64>("version");
        let fields = read_fields(&mut object);
        object.finish();
        Some(Self { id, version, fields: fields? })
    }
}

/// What can be done in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Read,
    Update,
    Upsert,
    Archive,
    Restore,
    Claim,
    Release,
    Assign,
}

impl Verb {
    const ALL: [(&'static str, Self); 9] = [
        ("create", Self::Create),
        ("read", Self::Read),
        ("update", Self::Update),
        ("upsert", Self::Upsert),
        ("archive", Self::Archive),
        ("restore", Self::Restore),
        ("claim", Self::Claim),
        ("release", Self::Release),
        ("assign", Self::Assign),
    ];

    fn parse(text: &str) -> ApiResult<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, verb)| *verb).ok_or_else(|| {
            let hint = engine::model::name::did_you_mean(text, Self::ALL.iter().map(|(name, _)| *name));
            ApiError::not_found(format!("there is no such batch{hint}"))
        })
    }
}

/// One result of a batch: a record, or what is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchResult)]
pub(crate) struct ResultBody<'a> {
    index: usize,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = problem, required = false)]
    error: Option<crate::error::ProblemBody<'a>>,
}

/// One result per input, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchResults)]
pub(crate) struct ResultsBody<'a> {
    results: Vec<ResultBody<'a>>,
}

/// Makes, reads, changes, archives, restores or hands over up to 1,000 records.
#[utoipa::path(post, path = "/records/{object}/batch/{verb}", tag = "records",
    params(("object" = String, Path, description = "The object's name"),
        ("verb" = String, Path, description = "create, read, update, upsert, archive, restore, claim, release or assign")),
    request_body = bodies::RecordBatch,
    responses((status = 200, description = "Everything was done (`atomic`)", body = ResultsBody),
        (status = 207, description = "One result per input, in order", body = ResultsBody)))]
pub(crate) async fn batch(
    Authorized(mut session): Authorized,
    Path((object, verb)): Path<(String, String)>,
    Query(_): Query<NoQuery>,
    scope: axum::Extension<RequestScope>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    let verb = Verb::parse(&verb)?;
    once(&mut session, key.as_ref(), &body).await?;
    let (batch, problems) = body.read_all::<BatchBody>()?;
    let batch = checked(verb, batch, problems)?;
    let request_id = scope.id().as_str().to_owned();
    if verb == Verb::Read {
        return read(&mut session, &object, batch, &request_id).await;
    }
    // An unknown object is the call's mistake rather than each input's.
    session.object_exists(&object).await?;
    let mode = if batch.is_atomic { Mode::Atomic("inputs") } else { Mode::Each };
    let select = batch.select.clone();
    if let Some(names) = &select {
        session.check_select(&object, names)?;
    }
    let steps = Inputs::of(steps(verb, &object, batch));
    run(&mut session, steps, mode, select, request_id).await
}

async fn read(session: &mut Session, object: &str, batch: BatchBody, request_id: &str) -> ApiResult<Answer> {
    let id_property = batch.id_property;
    let target = |input: Input| Ok(Target { id: inputs::required(input.id, "id")?, id_property: id_property.clone() });
    let Inputs { ready, places } = Inputs::of(batch.inputs.into_iter().map(|input| input.and_then(target)));
    let view = View { select: batch.select, include: Vec::new() };
    let results = session.record_read_many(object, &ready, &view).await?;
    let results = results.into_iter().map(|result| {
        result.map(|record| Done {
            record: Some(record),
            effect: Effect::Unchanged,
            left_out: Vec::new(),
            duplicates: Vec::new(),
        })
    });
    multi(places.fill(results), false, request_id)
}

impl Assigned {
    /// To whom an input's record goes; by the object's rules where nobody says.
    fn handover(&self, own: Option<Option<String>>) -> Handover {
        match own.or_else(|| self.owner.clone()) {
            Some(Some(user)) => Handover::Assign(user),
            Some(None) => Handover::Release,
            None => Handover::ByRule(self.rule.clone()),
        }
    }
}

/// The batch without members that the call has no use for, so that nothing is dropped without a word: what is wrong with
/// an input is its own, and refuses the others only where it is all or nothing.
fn checked(verb: Verb, batch: BatchBody, mut problems: Problems) -> ApiResult<BatchBody> {
    // Of what does not read, nothing more is told than that.
    let is_read = problems.is_empty();
    let mut refuse = |is_given: bool, member: &str| problems.extend((is_given && is_read).then(|| unused(member)));
    let is_assign = verb == Verb::Assign;
    refuse(batch.assigned.owner.is_some() && !is_assign, "owner_id");
    refuse(batch.assigned.rule.is_some() && !is_assign, "rule");
    if verb == Verb::Upsert && batch.id_property.is_none() {
        let message = "`id_property` names the unique property to go by";
        problems.push(Problem::new("/id_property", "required", message));
    }
    let inputs: Vec<Read<Input>> = batch.inputs.into_iter().map(|input| check_members(verb, input?)).collect();
    inputs::check(&inputs, batch.is_atomic, problems)?;
    Ok(BatchBody { inputs, ..batch })
}

/// An input that has what the call needs, and nothing that it has no use for.
fn check_members(verb: Verb, input: Input) -> Read<Input> {
    let Input { id, version, fields } = &input;
    let takes_values = matches!(verb, Verb::Create | Verb::Update | Verb::Upsert);
    let takes_version = !matches!(verb, Verb::Create | Verb::Upsert | Verb::Restore | Verb::Read);
    let mut problems = Problems::new();
    let mut refuse = |is_given: bool, member: &str| problems.extend(is_given.then(|| unused(member)));
    refuse(id.is_some() && verb == Verb::Create, "id");
    refuse(version.is_some() && !takes_version, "version");
    refuse(!fields.properties.0.is_empty() && !takes_values, "properties");
    refuse(fields.owner.is_some() && !takes_values && verb != Verb::Assign, "owner_id");
    refuse(fields.team.is_some() && !takes_values, "team_id");
    refuse(!fields.associations.is_empty() && !takes_values, "associations");
    if id.is_none() && !matches!(verb, Verb::Create | Verb::Upsert) {
        problems.extend(inputs::required(id.as_ref(), "id").err().unwrap_or_default());
    }
    if problems.is_empty() { Ok(input) } else { Err(problems) }
}

fn unused(member: &str) -> Problem {
    Problem::new(format!("/{member}"), "not_applicable", format!("`{member}` has no meaning here"))
}

/// What each input asks for.
fn steps(verb: Verb, object: &str, batch: BatchBody) -> Vec<Read<Step>> {
    let BatchBody { inputs, id_property, assigned, .. } = batch;
    let step = |Input { id, version, fields }: Input| -> Read<Step> {
        let object = object.to_owned();
        let target =
            |id: Option<String>| Ok(Target { id: inputs::required(id, "id")?, id_property: id_property.clone() });
        let own = |target: Read<Target>, handover: Handover| -> Read<Operation> {
            Ok(Operation::Own { object: object.clone(), target: target?, handover, version })
        };
        let operation = match verb {
            Verb::Create => Operation::Create { object, input: fields },
            Verb::Update => Operation::Update { object, target: target(id)?, input: fields, version },
            Verb::Upsert => {
                let id_property = inputs::required(id_property.clone(), "id_property")?;
                Operation::Upsert { object, id_property, id, input: fields }
            }
            Verb::Archive => Operation::Archive { object, target: target(id)?, version },
            Verb::Restore | Verb::Read => Operation::Restore { object, target: target(id)? },
            Verb::Claim => own(target(id), Handover::Claim)?,
            Verb::Release => own(target(id), Handover::Release)?,
            Verb::Assign => own(target(id), assigned.handover(fields.owner))?,
        };
        Ok(Step::from(operation))
    };
    inputs.into_iter().map(|input| input.and_then(step)).collect()
}

/// Carries the steps out and answers all inputs one by one.
pub(super) async fn run(
    session: &mut Session,
    Inputs { ready, places }: Inputs<Step>,
    mode: Mode,
    select: Option<Vec<String>>,
    request_id: String,
) -> ApiResult<Answer> {
    let is_atomic = mode != Mode::Each;
    let (kept_id, kept_select, kept_places) = (request_id.clone(), select.clone(), places.clone());
    let reply: Reply<Results> = Arc::new(move |written: &Written<Results>| {
        let results = written.value.iter().map(engine::records::retold);
        let results = results.map(|result| selected(result, kept_select.as_deref()));
        let answer = multi(kept_places.fill(results), is_atomic, &kept_id);
        Answer::keep(answer.map(|answer| answer.at(written.sequence)))
    });
    let reply = session.idempotency().is_some().then_some(reply);
    let Written { value, sequence } = session.execute(&ready, mode, reply).await?;
    let results: Results = value.into_iter().map(|result| selected(result, select.as_deref())).collect();
    session.give(results.iter().flatten().filter_map(|done| done.record.as_ref())).await?;
    Ok(multi(places.fill(results), is_atomic, &request_id)?.at(sequence))
}

/// A result whose record shows only what was asked for.
fn selected(result: Result<Done, engine::Error>, select: Option<&[String]>) -> Result<Done, engine::Error> {
    let mut done = result?;
    if let (Some(record), Some(names)) = (&mut done.record, select) {
        record.narrow(names)?;
    }
    Ok(done)
}

fn multi(results: Results, is_atomic: bool, request_id: &str) -> ApiResult<Answer> {
    let results: Vec<Result<Done, ApiError>> =
        results.into_iter().map(|result| result.map_err(ApiError::from)).collect();
    let mut bodies = Vec::with_capacity(results.len());
    let mut records: Vec<Option<Record>> = Vec::with_capacity(results.len());
    for result in &results {
        records.push(result.as_ref().ok().and_then(|done| done.record.clone()));
    }
    for (index, (result, record)) in results.iter().zip(records).enumerate() {
        bodies.push(match result {
            Ok(done) => {
                let status = if done.effect == Effect::Created { StatusCode::CREATED } else { StatusCode::OK };
                ResultBody { index, status: status.as_u16(), record: record.map(RecordBody::from), error: None }
            }
            Err(error) => {
                let status = error.status().as_u16();
                ResultBody { index, status, record: None, error: Some(error.body(request_id)) }
            }
        });
    }
    let status = if is_atomic { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    Answer::json(status, &ResultsBody { results: bodies })
}
