//! Totals made anew where answers have come from other records, gone back to them, or were taken back.

use std::collections::BTreeSet;

use engine_model::RecordId;
use engine_model::behavior::Score;
use engine_store::association::{self, Direction};
use engine_store::record;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::assess::Task;
use super::definition::Known;
use super::wish::Wish;
use crate::error::{ErrorCode, Result};
use crate::session::Session;

/// What the change log says of totals that nobody has asked for.
pub(super) const SOURCE: &str = "score";

/// Assessments that are read at a time.
const PAGE: i64 = 1_000;

/// Most other records, for which one record was assessed, whose totals are made anew at once; totals for further ones
/// are made anew by the next call that is about them.
const MOST_COUNTERPARTS: usize = 200;

/// Most records, assessed for one that was merged, whose totals are made anew at once; a job does more.
const MOST_AT_ONCE: usize = 200;

/// Records that totals are of: whom, and for whom.
type Pairs = BTreeSet<(RecordId, Option<RecordId>)>;

impl Session {
    /// Makes all totals of, and for, records anew that others were merged into or taken out of, each with its object.
    ///
    /// What fails is logged and left to the next call that is about the record: whatever made this necessary is done.
    pub(crate) async fn total_again(&self, records: Vec<(String, RecordId)>) {
        if records.is_empty() || self.scores().next().is_none() {
            return;
        }
        self.tell_failed(self.try_total_again(records).await);
    }

    /// The same of the records that these were assessments of.
    pub(crate) async fn total_again_of(&self, assessments: Vec<RecordId>) {
        if !assessments.is_empty() {
            self.tell_failed(self.try_total_again_of(assessments).await);
        }
    }

    /// Whether records of an object are assessments of a score.
    pub(crate) fn are_assessments(&self, object: &str) -> bool {
        self.scores().any(|(_, score)| score.assessments.object.as_str() == object)
    }

    fn scores(&self) -> impl Iterator<Item = (&str, &Score)> {
        let behaviors = self.catalog.effective.registry.behaviors.values();
        behaviors.filter_map(|behavior| Some((behavior.name.as_str(), behavior.score()?)))
    }

    fn tell_failed(&self, done: Result<()>) {
        if let Err(error) = done {
            tracing::warn!(tenant.id = %self.tenant(), %error, "totals of scores are left as they were");
        }
    }

    /// Boxed, since what it writes is executed as a merge is.
    fn try_total_again(&self, records: Vec<(String, RecordId)>) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut session = self.engine.session_of_engine(self.tenant(), SOURCE).await?;
            for known in session.whole_scores() {
                let mut pairs = Pairs::new();
                for (object, record) in &records {
                    if known.check_subject(&session, object).is_ok() {
                        pairs.extend(session.assessed_for(&known, *record).await?);
                    }
                    if known.is_for(&session, object) {
                        match session.assessed_beside(&known, *record).await? {
                            Some(found) => pairs.extend(found),
                            None => self.totals_later(&known, *record).await?,
                        }
                    }
                }
                session.total_pairs(&known, pairs).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn try_total_again_of(&self, assessments: Vec<RecordId>) -> BoxFuture<'_, Result<()>> {
        async move {
            let mut session = self.engine.session_of_engine(self.tenant(), SOURCE).await?;
            let ids: Vec<i64> = assessments.into_iter().map(|id| id.0).collect();
            for known in session.whole_scores() {
                let pairs = session.pairs_of(&known, ids.clone()).await?;
                session.total_pairs(&known, pairs.into_iter().collect()).await?;
            }
            Ok(())
        }
        .boxed()
    }

    /// The scores that nothing is missing of.
    fn whole_scores(&self) -> Vec<Known> {
        self.scores().filter_map(|(name, _)| self.score_known(name).ok()).collect()
    }

    /// For whom a record was assessed.
    async fn assessed_for(&self, known: &Known, subject: RecordId) -> Result<Pairs> {
        let (mut pairs, mut after) = (Pairs::new(), 0);
        loop {
            let kind = &known.score.assessments.subject;
            let mut reader = self.reader().await?;
            let page = association::list(&mut reader, subject, kind, Direction::In, after, PAGE).await?;
            drop(reader);
            let Some(last) = page.last() else { return Ok(pairs) };
            after = last.id;
            pairs.extend(self.pairs_of(known, page.iter().map(|link| link.id).collect()).await?);
            if pairs.len() >= MOST_COUNTERPARTS {
                return Ok(pairs.into_iter().take(MOST_COUNTERPARTS).collect());
            }
        }
    }

    /// Who was assessed for a record; none where these are too many to be looked at while somebody waits.
    async fn assessed_beside(&self, known: &Known, counterpart: RecordId) -> Result<Option<Pairs>> {
        let (mut pairs, mut after) = (Pairs::new(), 0);
        let Some(kind) = &known.score.assessments.counterpart else { return Ok(Some(pairs)) };
        loop {
            let mut reader = self.reader().await?;
            let page = association::list(&mut reader, counterpart, kind, Direction::In, after, PAGE).await?;
            drop(reader);
            let Some(last) = page.last() else { return Ok(Some(pairs)) };
            after = last.id;
            pairs.extend(self.pairs_of(known, page.iter().map(|link| link.id).collect()).await?);
            if pairs.len() > MOST_AT_ONCE {
                return Ok(None);
            }
        }
    }

    /// Whom assessments are of, and for whom they are.
    async fn pairs_of(&self, known: &Known, assessments: Vec<i64>) -> Result<Vec<(RecordId, Option<RecordId>)>> {
        let parts = &known.score.assessments;
        let most = i64::try_from(assessments.len()).unwrap_or(i64::MAX).saturating_mul(2);
        let mut reader = self.reader().await?;
        let subjects = association::leading(&mut reader, assessments.clone(), &parts.subject, most).await?;
        let beside = match &parts.counterpart {
            Some(kind) => association::leading(&mut reader, assessments, kind, most).await?,
            None => Vec::new(),
        };
        let counterpart = |assessment: i64| beside.iter().find(|link| link.from_id == assessment);
        let pair = |link: &association::LinkKey| {
            (RecordId(link.to_id), counterpart(link.from_id).map(|link| RecordId(link.to_id)))
        };
        Ok(subjects.iter().map(pair).collect())
    }

    async fn total_pairs(&mut self, known: &Known, pairs: Pairs) -> Result<()> {
        let mut reader = self.reader().await?;
        let ids = pairs.iter().map(|(subject, _)| subject.0).collect();
        let rows = record::many(&mut reader, ids).await?;
        drop(reader);
        for (subject, counterpart) in pairs {
            let Some(row) = rows.iter().find(|row| row.id == subject.0 && row.archived_at.is_none()) else { continue };
            if known.check_subject(self, &row.object).is_err() {
                continue;
            }
            let task = Task { known: known.clone(), object: row.object.clone(), subject, counterpart };
            match self.assess(&task, &Wish::Total, None, None).await {
                Err(error) if error.code != ErrorCode::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
