//! Several operations over any objects, all or nothing.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::model::{Problem, Problems};
use engine::records::{Done, Mode, Operation, PropertiesInput, Reply, Results, Step, Target, Written};
use engine::{ErrorCode, Session};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::batch::MOST;
use super::body::{Id, read_fields};
use crate::api::answer::Answer;
use crate::api::wire::RecordBody;
use crate::error::ApiResult;
use crate::extract::json::{FromJson, JsonBody, ObjectReader, PropertiesBody, Reading};
use crate::extract::query::{NoQuery, Query};
use crate::extract::{Authorized, IdempotencyKey, once};
use crate::openapi::bodies;

/// `{operations}`.
#[derive(Debug)]
struct TransactionBody(Vec<Option<StepBody>>);

impl<'a> FromJson<'a> for TransactionBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        if !object.has("operations") {
            object.problem_at("operations", "required", "`operations` is required");
        }
        let operations = object.list_as_far("operations", MOST);
        object.finish();
        Some(Self(operations))
    }
}

/// One operation: `op`, `ref?`, and what the operation takes.
#[derive(Debug)]
struct StepBody(Step);

impl<'a> FromJson<'a> for StepBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let mut object = reading.object(raw)?;
        let reference = object.optional::<String>("ref");
        let operation = match object.required::<String>("op") {
            Some(op) => read_operation(&op, &mut object),
            None => None,
        };
        match operation {
            Some(operation) => {
                object.finish();
                Some(Self(Step { reference, operation }))
            }
            None => None,
        }
    }
}

const OPERATIONS: [&str; 7] = ["create", "update", "upsert", "archive", "restore", "associate", "dissociate"];

fn read_operation<'a>(op: &str, body: &mut ObjectReader<'a, '_>) -> Option<Operation> {
    match op {
        "create" => {
            let object = body.required::<String>("object");
            let input = read_fields(body);
            Some(Operation::Create { object: object?, input: input? })
        }
        "update" => {
            let object = body.required::<String>("object");
            let target = read_target(body);
            let version = body.optional::<i64>("version");
            let input = read_fields(body);
            Some(Operation::Update { object: object?, target: target?, input: input?, version })
        }
        "upsert" => {
            let object = body.required::<String>("object");
            let id_property = body.required::<String>("id_property");
            let id = body.optional::<Id>("id").map(|Id(id)| id);
            let input = read_fields(body);
            Some(Operation::Upsert { object: object?, id_property: id_property?, id, input: input? })
        }
        "archive" => {
            let object = body.required::<String>("object");
            let target = read_target(body);
            let version = body.optional::<i64>("version");
            Some(Operation::Archive { object: object?, target: target?, version })
        }
        "restore" => {
            let object = body.required::<String>("object");
            Some(Operation::Restore { object: object?, target: read_target(body)? })
        }
        "associate" => {
            let (kind, from, to) = (read_text(body, "type"), read_id(body, "from"), read_id(body, "to"));
            let label = body.optional::<String>("label");
            let properties = body.optional::<PropertiesBody>("properties");
            let replace = body.optional::<bool>("replace").unwrap_or(false);
            let properties = PropertiesInput(properties.map(|body| body.0).unwrap_or_default());
            Some(Operation::Associate { kind: kind?, from: from?, to: to?, label, properties, replace })
        }
        "dissociate" => {
            let (kind, from, to) = (read_text(body, "type"), read_id(body, "from"), read_id(body, "to"));
            Some(Operation::Dissociate { kind: kind?, from: from?, to: to? })
        }
        other => {
            let hint = engine::model::name::did_you_mean(other, OPERATIONS);
            body.problem_at("op", "unknown_option", format!("this is none of {}{hint}", OPERATIONS.join(", ")));
            None
        }
    }
}

fn read_text(body: &mut ObjectReader<'_, '_>, name: &'static str) -> Option<String> {
    body.required::<String>(name)
}

fn read_id(body: &mut ObjectReader<'_, '_>, name: &'static str) -> Option<String> {
    body.required::<Id>(name).map(|Id(id)| id)
}

fn read_target(body: &mut ObjectReader<'_, '_>) -> Option<Target> {
    let id = read_id(body, "id");
    let id_property = body.optional::<String>("id_property");
    Some(Target { id: id?, id_property })
}

/// What one operation has come to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransactionResult)]
pub(crate) struct ResultBody {
    index: usize,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordBody>,
}

/// One result per operation, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransactionResults)]
pub(crate) struct ResultsBody {
    results: Vec<ResultBody>,
}

/// Carries out up to 1,000 operations over any objects, all or nothing.
#[utoipa::path(post, path = "/transactions", tag = "records", request_body = bodies::Transaction,
    responses((status = 200, description = "One result per operation, in order", body = ResultsBody)))]
pub(crate) async fn transact(
    Authorized(mut session): Authorized,
    Query(_): Query<NoQuery>,
    key: Option<IdempotencyKey>,
    body: JsonBody,
) -> ApiResult<Answer> {
    once(&mut session, key.as_ref(), &body).await?;
    let (TransactionBody(steps), malformed) = body.read_all()?;
    let known: Vec<(usize, &Step)> =
        steps.iter().enumerate().filter_map(|(index, step)| Some((index, &step.as_ref()?.0))).collect();
    let unknown = unknown_objects(&mut session, &known).await?;
    // What names records of an operation that cannot be planned would seem to name none.
    let are_known = known.len() == steps.len() && !steps.is_empty() && unknown.is_empty();
    let problems = [malformed, unknown].concat();
    let steps: Vec<Step> = steps.into_iter().flatten().map(|StepBody(step)| step).collect();
    if !problems.is_empty() {
        return Err(match are_known {
            true => session.refuse_all(&steps, Mode::Atomic("operations"), problems).await.into(),
            false => engine::Error::invalid(problems).into(),
        });
    }
    let references: Arc<Vec<Option<String>>> = Arc::new(steps.iter().map(|step| step.reference.clone()).collect());
    let kept = Arc::clone(&references);
    let reply: Reply<Results> = Arc::new(move |written: &Written<Results>| {
        let done = written.value.iter().filter_map(|result| result.as_ref().ok().cloned());
        Answer::keep(answer(done.collect(), &kept).map(|answer| answer.at(written.sequence)))
    });
    let reply = session.idempotency().is_some().then_some(reply);
    let Written { value, sequence } = session.execute(&steps, Mode::Atomic("operations"), reply).await?;
    let done = value.into_iter().collect::<Result<Vec<Done>, engine::Error>>()?;
    session.give(done.iter().filter_map(|done| done.record.as_ref())).await?;
    Ok(answer(done, &references)?.at(sequence))
}

/// An object that is named in a body is a mistake of the body, unlike one in a path.
async fn unknown_objects(session: &mut Session, steps: &[(usize, &Step)]) -> ApiResult<Problems> {
    let mut problems = Problems::new();
    for (index, step) in steps {
        let Some(object) = step.operation.object() else { continue };
        match session.object_exists(object).await {
            Ok(()) => {}
            Err(error) if error.code == ErrorCode::NotFound => {
                problems.push(Problem::new(format!("/operations/{index}/object"), "unknown_object", error.detail));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(problems)
}

fn answer(done: Vec<Done>, references: &[Option<String>]) -> ApiResult<Answer> {
    let results = done.into_iter().zip(references).enumerate().map(|(index, (done, reference))| ResultBody {
        index,
        reference: reference.clone(),
        record: done.record.map(RecordBody::from),
    });
    Answer::json(StatusCode::OK, &ResultsBody { results: results.collect() })
}
