//! Reassigning: handing over all that a user has, as when they leave.

use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::property::Property;
use engine_model::query::QueryText;
use engine_model::{Problem, Problems, Properties, UserId};
use engine_store::{Reader, access};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Ending, Job, JobError, JobReply, Work};
use crate::records::{Handover, Mode, Operation, PropertiesInput, RecordInput, Step, Target, Written, score_of};
use crate::session::{Session, with_current};

/// The kind of these jobs.
pub(crate) const REASSIGN: &str = "reassign";

/// The field that says who owns a record.
const OWNER: &str = "owner_id";

/// Records that are handed over at a time.
const AT_A_TIME: usize = 200;

/// Most objects that a body may name.
const MOST_OBJECTS: usize = 1_000;

/// What is to be handed over, and to whom.
#[derive(Debug, Clone, Default)]
pub struct Reassignment {
    /// The user who gets it; `Some(None)` leaves it without an owner.
    pub to: Option<Option<String>>,
    /// Whether the assignment rules say who gets it.
    pub by_rules: bool,
    /// Only records of these objects; of all where none are named.
    pub objects: Vec<String>,
    /// Whether values of properties that name the user are replaced, too.
    pub properties: bool,
}

/// A job's specification.
#[derive(Debug, Serialize, Deserialize)]
struct Spec {
    user: UserId,
    to: Option<UserId>,
    by_rules: bool,
    objects: Vec<String>,
    properties: bool,
}

/// How far it has got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// Objects that are done.
    objects: usize,
    /// Where the next page of the next object begins.
    page: Option<String>,
    /// Records that were looked at.
    done: i64,
    updated: i64,
    failed: i64,
}

impl Session {
    /// Adds the job that hands over what a user has; the user may be archived.
    pub async fn user_reassign(
        &mut self,
        user: &str,
        reassignment: Reassignment,
        reply: Option<JobReply>,
    ) -> Result<Written<Job>> {
        with_current!(self, self.caller.check_admin())?;
        self.refresh().await?;
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let missing = || Error::not_found(format!("there is no user `{}`", shortened(user)));
        let user: UserId = user.parse().map_err(|_| missing())?;
        access::user(tx.reader(), user).await?.ok_or_else(missing)?;
        let mut problems = Problems::new();
        let to = read_heir(tx.reader(), user, &reassignment, &mut problems).await?;
        let Reassignment { to: _, by_rules, objects, properties } = reassignment;
        if by_rules && properties {
            let message = "rules give records owners; with `properties`, `to` says who is named";
            problems.push(Problem::new("/properties", "not_applicable", message));
        }
        let objects = self.objects_of(objects, &mut problems);
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        self.job_begin(tx, REASSIGN, Spec { user, to, by_rules, objects, properties }, reply).await
    }

    /// The objects whose records are looked at.
    fn objects_of(&self, named: Vec<String>, problems: &mut Problems) -> Vec<String> {
        let known = || self.catalog.objects().map(|object| object.name.as_str());
        if named.len() > MOST_OBJECTS {
            problems.push(Problem::new("/objects", "too_many", format!("at most {MOST_OBJECTS} objects are named")));
        }
        for (index, name) in named.iter().enumerate().filter(|(_, name)| !known().any(|known| known == **name)) {
            let message = format!("there is no object `{}`{}", shortened(name), did_you_mean(name, known()));
            problems.push(Problem::new(format!("/objects/{index}"), "unknown", message));
        }
        if named.is_empty() { known().map(str::to_owned).collect() } else { named }
    }

    /// One page of the records of an object that name the user in one of these parts; what could not be handed over.
    async fn hand_over_some(
        &mut self,
        spec: &Spec,
        object: &str,
        parts: &[Option<String>],
        progress: &mut Progress,
    ) -> Result<Vec<JobError>> {
        let user = spec.user.to_string();
        let fields = || parts.iter().map(|part| part.as_deref().unwrap_or(OWNER));
        let conditions: Vec<Value> =
            fields().map(|field| json!({"property": field, "op": "eq", "value": user})).collect();
        let selected: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
        let mut query = json!({"filter": {"any": conditions}, "sort": ["id"], "limit": AT_A_TIME, "select": selected});
        if let Some(cursor) = progress.page.take() {
            query["cursor"] = cursor.into();
        }
        let raw = serde_json::value::to_raw_value(&query).map_err(Error::internal)?;
        let text = engine_model::json::read::<QueryText>(&raw).map_err(Error::invalid)?;
        let found = self.record_search(object, &text, Vec::new()).await?;
        progress.page = found.next_cursor;
        let (mut steps, mut records) = (Vec::new(), Vec::new());
        for record in found.results.iter().map(|found| &found.record) {
            let values: Properties = serde_json::from_str(record.properties.get()).map_err(Error::internal)?;
            let names_user = |part: &&Option<String>| match part {
                None => record.owner == Some(spec.user),
                Some(name) => values.get(name).and_then(Value::as_str) == Some(user.as_str()),
            };
            let first = steps.len();
            for part in parts.iter().filter(names_user) {
                steps.push(Step::from(operation(spec, object, part.as_deref(), record.id.0)?));
            }
            records.push((record.id.0, steps.len() - first));
        }
        let mut results = self.execute(&steps, Mode::Each, None).await?.value.into_iter();
        let mut errors = Vec::new();
        for (id, steps) in records {
            progress.done += 1;
            // What was purged meanwhile is no failure.
            let is_failure = |error: &Error| error.code != ErrorCode::NotFound;
            let all = results.by_ref().take(steps).map(|result| result.map(drop));
            let (done, failed): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
            let failed = failed.into_iter().filter_map(Result::err).filter(is_failure);
            let failed = failed.reduce(|mut first, other| {
                first.problems.extend(other.problems);
                first
            });
            progress.updated += i64::from(!done.is_empty());
            if let Some(error) = failed {
                progress.failed += 1;
                errors.push(JobError::of_record(id, error));
            }
        }
        Ok(errors)
    }
}

/// Who gets what `user` has; nobody where that is said, and where rules say who.
async fn read_heir(
    reader: &mut Reader,
    user: UserId,
    Reassignment { to, by_rules, .. }: &Reassignment,
    problems: &mut Problems,
) -> Result<Option<UserId>> {
    let mut tell = |code, message: String| problems.push(Problem::new("/to", code, message));
    match to {
        None if !by_rules => {
            let message = "`to` is the user who gets the records, or null for nobody; or `by_rules` is true";
            tell("required", message.to_owned());
            Ok(None)
        }
        Some(_) if *by_rules => {
            tell("not_applicable", "with `by_rules`, the rules say who gets the records".to_owned());
            Ok(None)
        }
        Some(Some(to)) => {
            let there = match to.parse::<UserId>() {
                Ok(id) => access::users_among(reader, vec![id.0]).await?.into_iter().next(),
                Err(_) => None,
            };
            match there {
                None => tell("not_found", format!("there is no user `{}`", shortened(to))),
                Some(heir) if heir == user => tell("invalid", format!("user {user} has the records already")),
                Some(_) => {}
            }
            Ok(there)
        }
        None | Some(None) => Ok(None),
    }
}

fn operation(spec: &Spec, object: &str, part: Option<&str>, id: i64) -> Result<Operation> {
    let (object, target) = (object.to_owned(), Target::id(id.to_string()));
    Ok(match part {
        None => {
            let handover = match spec.to {
                Some(user) => Handover::Assign(user.to_string()),
                None if spec.by_rules => Handover::ByRule(None),
                None => Handover::Release,
            };
            Operation::Own { object, target, handover, version: None }
        }
        Some(property) => {
            let value = serde_json::value::to_raw_value(&spec.to).map_err(Error::internal)?;
            let properties = PropertiesInput(vec![(property.to_owned(), value)]);
            let input = RecordInput { properties, ..RecordInput::default() };
            Operation::Update { object, target, input, version: None }
        }
    })
}

/// What of an object's records may name a user: the owner, and the properties that the caller may change.
fn parts(session: &Session, object: &ObjectDefinition, properties: bool) -> Vec<Option<String>> {
    let (caller, registry) = (&session.caller, &session.catalog.effective.registry);
    let is_user = |property: &&Property| {
        let may = caller.reads(registry, object, property) && caller.check_writes(object, property, "").is_ok();
        let is_given = property.is_writable() && !property.read_only;
        let is_answer = score_of(&session.catalog, object, property).is_some();
        properties && property.kind.name() == "user" && is_given && !is_answer && may
    };
    let named = object.properties.values().filter(is_user).map(|property| Some(property.name.to_string()));
    std::iter::once(None).chain(named).collect()
}

/// Hands over what a job is about.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let spec: Spec = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let mut session = work.session().await?;
    while let Some(object) = spec.objects.get(progress.objects) {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        session.refresh().await?;
        // An object that is gone or off meanwhile has nothing to be handed over.
        let parts =
            session.catalog.object(object).map(|object| parts(&session, object, spec.properties)).unwrap_or_default();
        if !parts.is_empty() {
            let errors = session.hand_over_some(&spec, object, &parts, &mut progress).await?;
            work.keep_errors(errors).await?;
        }
        if progress.page.is_none() {
            progress.objects += 1;
        }
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    Ok(Ending::Done)
}
