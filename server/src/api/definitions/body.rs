//! Definitions as they are sent: JSON objects that the engine reads, so that packs and the API are read alike.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::records::{Reply, Written};
use engine::{Defined, DefinitionQuery, StoredReply};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::api::answer::Answer;
use crate::api::jobs::{AcceptedJob, JobBody};
use crate::api::language::Language;
use crate::error::{ApiError, ApiResult};
use crate::extract::json::{FromJson, Reading};
use crate::extract::query::{FromQuery, QueryReader};

/// A JSON object of any members.
#[derive(Debug)]
pub(crate) struct SpecBody(pub(crate) Map<String, Value>);

impl<'a> FromJson<'a> for SpecBody {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        // Asked for its members first: that finds what is no object, and names that are given twice.
        reading.members(raw)?;
        match serde_json::from_str(raw.get()) {
            Ok(map) => Some(Self(map)),
            Err(_) => {
                reading.problem("invalid", "a number in it is out of range");
                None
            }
        }
    }
}

/// Which definitions are wanted, and in which language.
#[derive(Debug)]
pub(crate) struct Wanted(pub(crate) DefinitionQuery, pub(crate) Language);

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let layer = query.text("layer");
        if layer.as_deref().is_some_and(|layer| layer != "custom") {
            query.problem("layer", "invalid", "`layer` is `custom`, for what the tenant itself defines");
        }
        let archived = query.flag("archived");
        let language = Language::from_query(query)?;
        Some(Self(DefinitionQuery { own_layer_only: layer.is_some(), archived }, language))
    }
}

/// What a written definition is answered, and kept as.
pub(crate) fn reply(status: StatusCode) -> Reply<Defined> {
    Arc::new(move |written: &Written<Defined>| -> StoredReply {
        Answer::keep(of_defined(status, &written.value).map(|answer| answer.at(written.sequence)))
    })
}

/// What a written definition is answered.
pub(crate) fn answer(status: StatusCode, written: Written<Defined>) -> ApiResult<Answer> {
    Ok(of_defined(status, &written.value)?.at(written.sequence))
}

/// The definition; or the job that goes on, where stored records are written anew.
fn of_defined(status: StatusCode, defined: &Defined) -> ApiResult<Answer> {
    match &defined.job {
        None => Answer::json(status, &defined.definition),
        Some(job) => Answer::json(StatusCode::ACCEPTED, &AcceptedJob { job: JobBody::from(job.clone()) }),
    }
}

/// 204 after a definition was put away.
pub(crate) fn gone<T>(written: Written<T>) -> Result<Answer, ApiError> {
    Ok(Answer::empty().at(written.sequence))
}
