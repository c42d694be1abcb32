//! The stages that a record has been in, as the change log tells.

use engine_model::time::Timestamp;
use engine_model::{Sequence, UserId};
use engine_store::change::{ChangeRow, moves_of};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::records::{Page, Record, Target, View, make_cursor, pairs, read_cursor, seconds_between};
use crate::session::Session;

/// Changes that are read at a time.
const CHUNK: i64 = 500;

/// A record's stay in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageVisit {
    /// The pipeline; none where it is not known any more.
    pub pipeline: Option<String>,
    /// The stage.
    pub stage: String,
    /// When it began.
    pub entered_at: Timestamp,
    /// When it ended; none as long as the record is there.
    pub left_at: Option<Timestamp>,
    /// How long it was in whole seconds, until now where it is not over.
    pub seconds: i64,
    /// Who brought the record there.
    pub by: Option<UserId>,
}

/// Goes back in time, from one stay to the one before.
struct Walk {
    pipeline: Option<String>,
    stage: Option<String>,
    left_at: Option<Timestamp>,
}

impl Session {
    /// The stays of a record in stages, newest first.
    pub async fn record_stages(
        &mut self,
        object: &str,
        target: &Target,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<StageVisit>> {
        // Nobody is given more of it than its stages.
        let record = self.record_found(object, target, &View::default()).await?.record;
        self.check_sees_stages(self.catalog.object(object)?)?;
        let name = format!("stages.{}", record.id);
        let before = cursor.map_or(Ok(i64::MAX), |cursor| read_cursor(cursor, &[&name]))?;
        let stays = self.stays_of(&record).await?;
        let mut wanted = stays.into_iter().filter(|(sequence, _)| *sequence < before);
        let (mut results, mut last) = (Vec::with_capacity(limit), 0);
        for (sequence, stay) in wanted.by_ref().take(limit) {
            (last, _) = (sequence, results.push(stay));
        }
        let next_cursor = wanted.next().map(|_| make_cursor(&[&name], last));
        Ok(Page { results, next_cursor })
    }

    /// Every stay with the change by which it began, 0 for the making of the record. Each move says what it changed and
    /// no more, so that a pipeline is known only by going back from where the record is now.
    async fn stays_of(&self, record: &Record) -> Result<Vec<(i64, StageVisit)>> {
        let properties: engine_model::Properties =
            serde_json::from_str(record.properties.get()).map_err(Error::internal)?;
        let text = |name: &str| properties.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut walk = Walk { pipeline: text("pipeline"), stage: text("stage"), left_at: None };
        let (mut stays, mut before, now) = (Vec::new(), i64::MAX, self.now());
        let mut reader = self.reader().await?;
        loop {
            let moves = moves_of(&mut reader, record.id, Sequence(before), CHUNK).await?;
            let is_last = moves.len() < usize::try_from(CHUNK).unwrap_or(usize::MAX);
            for change in &moves {
                before = change.sequence;
                stays.extend(walk.back(change, now)?.map(|stay| (change.sequence, stay)));
            }
            if is_last {
                break;
            }
        }
        stays.extend(walk.stay(record.created_at, record.created_by, now).map(|stay| (0, stay)));
        Ok(stays)
    }
}

impl Walk {
    /// The stay that a move has begun; goes on from the one that it has ended.
    fn back(&mut self, change: &ChangeRow, now: Timestamp) -> Result<Option<StageVisit>> {
        let at = Timestamp(change.at);
        let stay = self.stay(at, change.actor.map(UserId), now);
        for (property, old, _) in pairs(change)? {
            let old = old.as_str().map(str::to_owned);
            match property.as_str() {
                "pipeline" => self.pipeline = old,
                "stage" => self.stage = old,
                _ => {}
            }
        }
        self.left_at = Some(at);
        Ok(stay)
    }

    fn stay(&self, entered_at: Timestamp, by: Option<UserId>, now: Timestamp) -> Option<StageVisit> {
        let stage = self.stage.clone()?;
        let seconds = seconds_between(entered_at, self.left_at.unwrap_or(now));
        Some(StageVisit { pipeline: self.pipeline.clone(), stage, entered_at, left_at: self.left_at, seconds, by })
    }
}
