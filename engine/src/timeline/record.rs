//! Recording that something of a declared type has happened to records.

use std::sync::Arc;

use engine_model::entry::{Entry, EntryKind, EntryType};
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::Storage;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, Properties, Sequence};
use engine_store::idempotency::StoredReply;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::entry::{TimelineEntry, declared, tell, types};
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};
use crate::records::{
    Done, DoneReply, HAPPENS_ELSEWHERE, LinkInput, Operation, PropertiesInput, RecordInput, Target, View, Written,
    read_details, unanswered,
};
use crate::session::Session;

/// Something that has happened, as callers send it.
#[derive(Debug, Clone, Default)]
pub struct ActivityInput {
    /// The type; none where it could not be read, which has been told.
    pub of: Option<String>,
    /// When; now where that is not said.
    pub at: Option<String>,
    /// What is told of it.
    pub details: PropertiesInput,
    /// Ids or uids of further records that it has happened to.
    pub also: Vec<String>,
}

/// Makes the reply to the recording of an activity.
pub type ActivityReply = Arc<dyn Fn(&TimelineEntry, Sequence) -> StoredReply + Send + Sync>;

/// The object that takes activities, and the properties that take their parts.
#[derive(Debug, Clone)]
struct Taker {
    object: String,
    entry: Entry,
    of: String,
    details: String,
    at: Option<String>,
}

impl Session {
    /// Records that something has happened to a record, and to others: one record of the object that takes activities,
    /// linked to each. `problems` are those that its input has been found to have.
    pub async fn record_activity(
        &mut self,
        object: &str,
        target: &Target,
        input: ActivityInput,
        problems: Problems,
        reply: Option<ActivityReply>,
    ) -> Result<Written<TimelineEntry>> {
        let record = self.record_found(object, target, &View::default()).await?.record;
        if record.archived_at.is_some() {
            let detail = "the record is archived; restore it before recording what happens to it";
            return Err(Error::new(ErrorCode::Conflict, detail).with(Problem::new("", "archived", detail)));
        }
        let taker = taker(&self.catalog, object)?;
        let (operation, mut found) = self.activity(&taker, &record.id.to_string(), &input);
        found.splice(0..0, problems);
        if !found.is_empty() {
            return Err(placed(self.refuse(operation, found).await, &taker));
        }
        let catalog = Arc::clone(&self.catalog);
        let told = {
            let taker = taker.clone();
            move |done: &Done| entry_of(&catalog, &taker, done)
        };
        let reply = reply.map(|reply| -> DoneReply {
            let told = told.clone();
            Arc::new(move |done, sequence| match told(done) {
                Ok(entry) => reply(&entry, sequence),
                Err(_) => unanswered(),
            })
        });
        let written = self.perform(operation, reply).await.map_err(|error| placed(error, &taker))?;
        self.give(&written.value.record).await?;
        Ok(Written { value: told(&written.value)?, sequence: written.sequence })
    }

    /// The record to be made, and what is wrong with it already.
    fn activity(&self, taker: &Taker, record: &str, input: &ActivityInput) -> (Operation, Problems) {
        let mut problems = Problems::new();
        let registry = &self.catalog.effective.registry;
        let mut details = Properties::new();
        if let Some(of) = &input.of {
            match declared(registry, of) {
                Some((_, activity)) => {
                    details = read_details(&self.catalog, (of, activity), &input.details, "/details", &mut problems);
                }
                None => {
                    let hint = did_you_mean(of, types(registry));
                    let message = format!("there is no type of activity `{}`{hint}", shortened(of));
                    problems.push(Problem::new("/type", "unknown", message));
                }
            }
        }
        let at = match input.at.as_deref().map(|at| (at, Timestamp::parse(at))) {
            None => self.now().to_rfc3339(),
            Some((_, Some(at))) => at.to_rfc3339(),
            Some((at, None)) => {
                let message = format!("`{}` is no moment such as 2026-03-01T09:30:00Z, with an offset", shortened(at));
                problems.push(Problem::new("/at", "invalid", message));
                self.now().to_rfc3339()
            }
        };
        let mut properties: Vec<(String, Box<RawValue>)> = Vec::new();
        let mut put = |name: &str, value: &Value| {
            // JSON values always serialise.
            properties.extend(to_raw_value(value).ok().map(|raw| (name.to_owned(), raw)));
        };
        put(&taker.of, &input.of.as_deref().map_or(Value::Null, Value::from));
        put(&taker.details, &Value::Object(details));
        if let Some(name) = &taker.at {
            put(name, &Value::from(at));
        } else if input.at.is_some() {
            let message = format!("`{}` records are at the time of their making; leave `at` out", taker.object);
            problems.push(Problem::new("/at", "not_applicable", message));
        }
        if let Some(name) = taker.entry.by.as_ref().filter(|_| self.caller.user.0 != 0) {
            put(name, &Value::from(self.caller.user.to_string()));
        }
        let kind = taker.entry.about.to_string();
        let link = |to: &str| LinkInput {
            kind: kind.clone(),
            to: to.to_owned(),
            label: None,
            properties: PropertiesInput::default(),
        };
        let associations = std::iter::once(record).chain(input.also.iter().map(String::as_str)).map(link).collect();
        let input = RecordInput { properties: PropertiesInput(properties), associations, ..RecordInput::default() };
        (Operation::Create { object: taker.object.clone(), input }, problems)
    }
}

/// The first object, by name, whose records are activities of any type with any details.
fn taker(catalog: &Catalog, of: &str) -> Result<Taker> {
    let registry = &catalog.effective.registry;
    let taker = |object: &ObjectDefinition| {
        let entry = object.entry.as_ref().filter(|entry| entry.kind == EntryKind::Activity)?;
        registry.associations.get(&entry.about).filter(|about| !about.archived && about.to.accepts(of))?;
        let of = match entry.of.as_ref()? {
            EntryType::Property(name) => object.property(name)?.name.to_string(),
            EntryType::Fixed(_) => return None,
        };
        let details = object.property(entry.details.as_ref()?)?.name.to_string();
        let time = object.entry_time();
        let takes_moments = time.is_none_or(|property| property.kind.storage() == Storage::Datetime);
        let at = time.map(|property| property.name.to_string());
        takes_moments.then_some(Taker { object: object.name.to_string(), entry: entry.clone(), of, details, at })
    };
    catalog.objects().filter_map(taker).min_by(|one, other| one.object.cmp(&other.object)).ok_or_else(|| {
        let detail = format!(
            "no object takes activities of `{of}`: one does whose `entry` has the kind activity, a property for the \
             `type`, one for the `details`, a datetime or nothing for `at`, and an association that leads to `{of}`"
        );
        Error::new(ErrorCode::Conflict, detail)
    })
}

/// Puts what is wrong with the record that is made where it stands in what the caller has sent.
fn placed(mut error: Error, taker: &Taker) -> Error {
    let parts =
        [Some((&taker.of, "/type")), Some((&taker.details, "/details")), taker.at.as_ref().map(|at| (at, "/at"))];
    for problem in &mut error.problems {
        for (name, place) in parts.iter().flatten() {
            let at = push_segment("/properties", name);
            if let Some(rest) =
                problem.pointer.strip_prefix(&at).filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                problem.pointer = format!("{place}{rest}");
                break;
            }
        }
        let link = problem.pointer.strip_prefix("/associations/").map(|rest| rest.split('/').next().unwrap_or(rest));
        if let Some(index) = link.and_then(|index| index.parse::<usize>().ok()) {
            // The first one is the record in the path, and that the type does not happen to that is wrong with the type.
            let of_path = if problem.code == HAPPENS_ELSEWHERE { "/type" } else { "" };
            problem.pointer = index.checked_sub(1).map_or_else(|| of_path.to_owned(), |index| format!("/also/{index}"));
        }
    }
    // What is told twice, by the input and by the record made of it, is told and counted once.
    let mut told: Vec<(String, &str)> = Vec::new();
    error.problems.retain(|problem| {
        let is_told = |(at, code): &(String, &str)| {
            *at == problem.pointer && (["required", *code].contains(&problem.code) || *code == "wrong_type")
        };
        let is_new = !told.iter().any(is_told);
        told.push((problem.pointer.clone(), problem.code));
        is_new
    });
    if error.code == ErrorCode::ValidationFailed {
        return Error { source: error.source, replay: error.replay, ..Error::invalid(error.problems) };
    }
    error
}

/// The activity as a timeline shows it.
fn entry_of(catalog: &Catalog, taker: &Taker, done: &Done) -> Result<TimelineEntry> {
    let record = done.record.as_ref().ok_or_else(|| Error::internal("an activity was recorded without a record"))?;
    let object = catalog.object(&taker.object)?;
    tell(object, &taker.entry, &catalog.effective.registry, record, None)
}
