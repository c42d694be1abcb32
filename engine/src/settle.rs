//! Settling: writing records anew whose definition has changed with a migration, and telling the log of each.
//!
//! Reads bring such records forward from the moment at which the definition is in force, so nobody waits for this; once
//! it is done, they need not any more, and searches find the new values.

use engine_model::object::ObjectDefinition;
use engine_model::query::QueryText;
use engine_model::registry::Registry;
use engine_model::{Name, Problems, Properties};
use engine_store::Tx;
use engine_store::record::{self, RecordRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::definitions::edit::{Edit, Row, Target, is_of_pack};
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Ending, Job, JobState, Walk, Work};
use crate::records::{Mode, Operation, Step};
use crate::session::Session;

/// The kind of these jobs.
pub(crate) const MIGRATION: &str = "migration";

/// Records that are looked at at a time.
const AT_A_TIME: i64 = 250;

/// What is to be settled.
#[derive(Debug, Serialize, Deserialize)]
struct Spec {
    /// The metadata version that the migration came with.
    version: i64,
    objects: Vec<String>,
}

/// How far it has got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    #[serde(flatten)]
    walk: Walk,
    /// Records that were looked at.
    done: i64,
    /// Records that there are, archived ones included; none where the index could not say when the job began.
    total: Option<u64>,
    /// Records that were written.
    updated: i64,
}

impl Session {
    /// Adds the job that settles what comes with the next version of the definitions, in the transaction that puts them
    /// in force; none where nothing has to be.
    pub(crate) async fn settle_news(&self, tx: &mut Tx, registry: &Registry) -> Result<Option<Job>> {
        // The version was raised already.
        let version = tx.head.metadata_version;
        let comes_now = |object: &&ObjectDefinition| object.migrating().any(|(_, found)| found.version == version);
        let objects: Vec<&Name> = registry.objects.values().filter(comes_now).map(|object| &object.name).collect();
        if objects.is_empty() {
            return Ok(None);
        }
        let spec = Map::from_iter([("version".to_owned(), json!(version)), ("objects".to_owned(), json!(objects))]);
        self.job_add(tx, MIGRATION, JobState::Queued, spec).await.map(Some)
    }

    /// Writes those of the records anew whose stored values are not those that the definition has; how many.
    async fn settle_some(&mut self, object: &str, rows: &[RecordRow]) -> Result<i64> {
        const ATTEMPTS: usize = 8;
        let mut left: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut written = 0;
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let rows = record::many(&mut self.reader().await?, std::mem::take(&mut left)).await?;
            let Some(definition) = self.catalog.effective.registry.objects.get(object) else { return Ok(written) };
            let mut steps = Vec::new();
            for row in rows {
                let mut properties: Properties = serde_json::from_str(&row.properties).map_err(Error::internal)?;
                if definition.bring_forward(&mut properties) {
                    let (object, id) = (object.to_owned(), row.record_id());
                    steps.push((row.id, Step::from(Operation::Settle { object, id, version: row.version })));
                }
            }
            if steps.is_empty() {
                return Ok(written);
            }
            let (ids, steps): (Vec<i64>, Vec<Step>) = steps.into_iter().unzip();
            for (id, result) in ids.into_iter().zip(self.execute(&steps, Mode::Each, None).await?.value) {
                match result {
                    Ok(_) => written += 1,
                    Err(error) if matches!(error.code, ErrorCode::VersionMismatch | ErrorCode::Conflict) => {
                        left.push(id)
                    }
                    // It was purged meanwhile.
                    Err(error) if error.code == ErrorCode::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            if left.is_empty() {
                return Ok(written);
            }
        }
        Err(Error::new(ErrorCode::Unavailable, "records to be migrated keep being changed by others"))
    }

    /// How many records the objects have, archived ones included; none where the index cannot say now.
    async fn stored(&mut self, objects: &[String]) -> Option<u64> {
        let mut stored = 0;
        for object in objects {
            for archived in [false, true] {
                let text = QueryText { limit: 0, count: true, archived, ..QueryText::default() };
                stored += self.record_search(object, &text, Problems::new()).await.ok()?.total?;
            }
        }
        Some(stored)
    }

    /// Notes that no stored value has to be brought forward any more.
    async fn end_settling(&mut self, object: &Name, version: i64) -> Result<()> {
        let ended = self.redefine(
            |catalog, _| {
                let own = catalog.effective.own_layer();
                let spec = own.and_then(|own| match is_of_pack(catalog, object) {
                    true => own.extend.get(object),
                    false => own.objects.get(object),
                });
                let mut spec = spec.cloned().unwrap_or_default();
                let is_open = settle_spec(&mut spec, version);
                Ok(Edit {
                    target: Target::Object(object.clone()),
                    rows: if is_open { vec![(Row::Object(object.clone()), spec)] } else { Vec::new() },
                    summary: format!("finish migration of {object}"),
                    place: Default::default(),
                    problems: Vec::new(),
                })
            },
            None,
        );
        ended.await.map(drop)
    }
}

/// Marks the migrations of a version in an object's specification; whether there was one.
fn settle_spec(spec: &mut Map<String, Value>, version: i64) -> bool {
    let Some(properties) = spec.get_mut("properties").and_then(Value::as_object_mut) else { return false };
    let mut is_open = false;
    for migrated in properties.values_mut().filter_map(|property| property.get_mut("migrated")?.as_object_mut()) {
        if migrated.get("version") == Some(&json!(version)) && migrated.get("settled") != Some(&json!(true)) {
            migrated.insert("settled".to_owned(), json!(true));
            is_open = true;
        }
    }
    is_open
}

/// Settles what a job is about.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let Spec { version, objects } = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let mut session = work.session().await?;
    let mut own = work.engine.session_of_engine(work.tenant, MIGRATION).await?;
    if progress.done == 0 {
        progress.total = own.stored(&objects).await;
    }
    while let Some(object) = objects.get(progress.walk.objects) {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        let rows = progress.walk.rows(&session, object, AT_A_TIME).await?;
        progress.updated += session.settle_some(object, &rows).await?;
        progress.done += i64::try_from(rows.len()).unwrap_or_default();
        if progress.walk.pass(&rows)
            && let Ok(object) = Name::new(object)
        {
            own.end_settling(&object, version).await?;
        }
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    // Searches answer by the old values until then.
    while !work.engine.has_filled(work.tenant, session.position().await?, &objects).await {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    Ok(Ending::Done)
}
