//! Computing an object's records anew, as a job: after definitions have changed, or where nobody knows which records are
//! concerned.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::registry::Registry;
use engine_store::{Tx, change};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::follow::FOLLOWER;
use super::gather::AT_A_TIME;
use crate::error::Result;
use crate::jobs::{Ending, JobState, Walk, Work};
use crate::session::Session;

/// The kind of these jobs.
pub(crate) const COMPUTE: &str = "compute";

/// What is to be computed.
#[derive(Debug, Serialize, Deserialize)]
struct Spec {
    objects: Vec<String>,
}

/// How far it has got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    #[serde(flatten)]
    walk: Walk,
    /// Records in all.
    done: i64,
}

/// What changes of definitions ask to be computed.
#[derive(Debug, Default)]
pub(crate) struct News {
    objects: Vec<String>,
    has_rollups: bool,
}

/// The objects whose records have to be computed anew when `next` comes in place of `now`.
pub(crate) fn news(now: &Registry, next: &Registry) -> News {
    let is_other = |object: &&str| {
        let next = definitions(next, object);
        !next.is_empty() && definitions(now, object) != next
    };
    let objects = next.objects.keys().map(|name| name.as_str()).filter(is_other).map(str::to_owned).collect();
    News { objects, has_rollups: !next.computed.rollups().is_empty() }
}

/// Everything that says how the stored values of an object are computed.
fn definitions(registry: &Registry, object: &str) -> Vec<Value> {
    let Some(definition) = registry.objects.get(object) else { return Vec::new() };
    let computed = &registry.computed;
    let is_stored_formula =
        |name: &str| computed.formulas(object).is_some_and(|formulas| formulas.has(name) && !formulas.is_live(name));
    let formulas = definition.properties.values().filter(|property| is_stored_formula(&property.name));
    let formulas =
        formulas.map(|property| json!([property.name, property.spec.get("formula"), property.kind.schema()]));
    let rollups = computed.rollups_of(object).filter_map(|rollup| {
        let property = definition.properties.get(&rollup.property)?;
        let said = ["function", "property", "where"].map(|key| property.spec.get(key));
        let is_out = rollup.direction == engine_model::query::Direction::Out;
        Some(json!([rollup.property, rollup.association, is_out, rollup.others, said, property.kind.schema()]))
    });
    formulas.chain(rollups).collect()
}

impl Session {
    /// Sees to it that what `news` asks for is computed, in the transaction that changes the definitions; whether there
    /// is a job now.
    pub(crate) async fn compute_news(&self, tx: &mut Tx, news: &News) -> Result<Option<engine_model::JobId>> {
        if news.has_rollups {
            let position = tx.head.sequence();
            change::start_following(tx, FOLLOWER, position, self.now()).await?;
        }
        if news.objects.is_empty() || tx.head.last_record_id == 0 {
            return Ok(None);
        }
        let spec = Map::from_iter([("objects".to_owned(), json!(news.objects))]);
        Ok(Some(self.job_add(tx, COMPUTE, JobState::Queued, spec).await?.id))
    }

    /// Has every record with one of these roll-ups computed anew.
    pub(super) async fn fill_rollups(&self, rollups: &BTreeSet<usize>) -> Result<()> {
        let all = self.catalog.effective.registry.computed.rollups();
        let objects: BTreeSet<&str> =
            rollups.iter().filter_map(|at| all.get(*at)).map(|rollup| rollup.object.as_str()).collect();
        let spec = Map::from_iter([("objects".to_owned(), json!(objects))]);
        self.job_create(COMPUTE, JobState::Queued, spec).await.map(drop)
    }
}

/// Computes what a job asks for.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let Spec { objects } = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let mut session = work.engine.session_of_engine(work.tenant, COMPUTE).await?;
    while let Some(object) = objects.get(progress.walk.objects) {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        let rows = progress.walk.rows(&session, object, i64::try_from(AT_A_TIME).unwrap_or(1)).await?;
        session.refresh().await?;
        let rollups = session.catalog.effective.registry.computed.rollups().iter().enumerate();
        let own: BTreeSet<usize> =
            rollups.filter(|(_, rollup)| rollup.object.as_str() == object).map(|(at, _)| at).collect();
        let wanted: BTreeMap<i64, BTreeSet<usize>> = rows.iter().map(|row| (row.id, own.clone())).collect();
        session.refresh_rollups(object, &wanted, true).await?;
        progress.done += i64::try_from(rows.len()).unwrap_or_default();
        progress.walk.pass(&rows);
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
    }
    Ok(Ending::Done)
}
