//! The job that looks for duplicates among all records of an object.

use std::collections::BTreeMap;

use engine_model::time::Timestamp;
use engine_model::{Properties, access::Action};
use engine_store::duplicate::{self, PairPlace};
use engine_store::record;
use serde::{Deserialize, Serialize};

use super::find::{Sight, Sought};
use crate::error::{Error, ErrorCode, Result};
use crate::jobs::{Ending, Job, JobReply, Work};
use crate::records::{Written, stored};
use crate::session::{Session, with_current};

/// The kind of these jobs.
pub(crate) const SCAN: &str = "duplicate_scan";

/// Records that are compared with all others at a time.
const AT_A_TIME: i64 = 100;

/// Pairs that are forgotten at a time.
const FORGOTTEN_AT_A_TIME: i64 = 1_000;

/// A job's specification.
#[derive(Debug, Serialize, Deserialize)]
struct Spec {
    object: String,
}

/// How far it has got.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// The last record that is done.
    after: i64,
    /// When it began, microseconds since 1970: pairs that were found before and are not found again are forgotten.
    began: i64,
    /// Records that were compared.
    done: i64,
    /// Pairs that were found; those of two records are counted once for each.
    found: i64,
}

impl Session {
    /// Adds the job that looks for duplicates among all records of an object.
    pub async fn duplicate_scan(&mut self, object: &str, reply: Option<JobReply>) -> Result<Written<Job>> {
        with_current!(self, self.check_scan(object))?;
        let tx = self.engine.store().begin(self.tenant()).await?;
        self.job_begin(tx, SCAN, Spec { object: object.to_owned() }, reply).await
    }

    fn check_scan(&self, object: &str) -> Result<()> {
        let object = self.catalog.object(object)?;
        self.caller.check_admin()?;
        self.caller.check_any(Action::Read, &object.name)?;
        if object.duplicates.iter().any(|rule| rule.is_in_force(object)) {
            return Ok(());
        }
        let detail = format!(
            "`{}` has no rules by which its records are duplicates: give it some, such as `features: {{duplicates: \
             [[name]]}}`",
            object.name
        );
        Err(Error::new(ErrorCode::Conflict, detail))
    }

    /// Compares the next records with all others; false where there are none left.
    async fn scan_some(&self, object: &str, progress: &mut Progress) -> Result<bool> {
        let object = self.catalog.object(object)?;
        let rows = record::list(&mut self.reader().await?, &object.name, false, progress.after, AT_A_TIME).await?;
        let Some(last) = rows.last().map(|row| row.id) else { return Ok(false) };
        let registry = &self.catalog.effective.registry;
        let read = rows.iter().map(|row| Ok((row.id, stored::read(registry, &row.object, &row.properties)?)));
        let records: Vec<(i64, Properties)> = read.collect::<Result<_>>()?;
        let sought: Vec<_> = records.iter().map(|(id, properties)| Sought { properties, id: Some(*id) }).collect();
        let view = self.view_of_now().await?;
        let found = self.alike(&view, object, &sought, |_| true, Sight::Everything).await?;
        let mut pairs: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for ((id, _), alike) in records.iter().zip(found) {
            for other in alike {
                let (first, second) = (*id.min(&other.row.id), *id.max(&other.row.id));
                pairs.insert((first, second), 100 - i64::from(other.likeness.score));
            }
        }
        let places: Vec<PairPlace> =
            pairs.into_iter().map(|((first_id, second_id), doubt)| PairPlace { doubt, first_id, second_id }).collect();
        if !places.is_empty() {
            let mut tx = duplicate::keep(self.engine.store(), self.tenant()).await?;
            duplicate::put(&mut tx, &object.name, &places, self.now()).await?;
            tx.commit().await?;
        }
        progress.after = last;
        progress.done += i64::try_from(rows.len()).unwrap_or_default();
        progress.found += i64::try_from(places.len()).unwrap_or_default();
        Ok(true)
    }

    /// Forgets what an earlier scan has found and this one has not.
    async fn forget_pairs(&self, object: &str, began: Timestamp) -> Result<bool> {
        let mut tx = duplicate::keep(self.engine.store(), self.tenant()).await?;
        let gone = duplicate::forget(&mut tx, object, began, FORGOTTEN_AT_A_TIME).await?;
        tx.commit().await?;
        Ok(gone > 0)
    }
}

/// Looks for duplicates, a few records at a time.
pub(crate) async fn run(work: &mut Work) -> Result<Ending> {
    let spec: Spec = work.spec()?;
    let mut progress: Progress = work.progress()?;
    let mut session = work.session().await?;
    if progress.began == 0 {
        progress.began = session.now().0;
    }
    loop {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
        session.refresh().await?;
        let is_left = session.scan_some(&spec.object, &mut progress).await?;
        if !work.save(&progress).await? {
            return Ok(Ending::Lost);
        }
        if !is_left {
            break;
        }
    }
    while session.forget_pairs(&spec.object, Timestamp(progress.began)).await? {
        if work.is_stopping() {
            return Ok(Ending::Stopped);
        }
    }
    Ok(Ending::Done)
}
