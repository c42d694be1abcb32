//! All assessments of one record, newest first.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::query::QueryText;
use engine_model::{Problems, RecordId};
use engine_store::record::RecordRow;
use engine_store::{association, record};
use serde_json::{Value, json};

use super::answer::Said;
use super::assess::archived;
use super::definition::Known;
use crate::error::{Error, Result};
use crate::query::of_parameters;
use crate::records::{Linked, Page, Target, View};
use crate::session::Session;

/// Links of a page of assessments.
const MOST_LINKS: i64 = 10_000;

/// An assessment that was made once.
#[derive(Debug, Clone)]
pub struct PastAssessment {
    /// The record that it is.
    pub assessment: RecordId,
    /// What was answered; none where it is a total.
    pub criterion: Option<Linked>,
    /// What was answered to it.
    pub said: Said,
    /// Whether it still stands.
    pub is_current: bool,
}

impl Session {
    /// One page of the assessments of a record, alone or for another record, newest first.
    pub async fn score_history(
        &mut self,
        object: &str,
        target: &Target,
        (score, counterpart): (&str, Option<&str>),
        (limit, cursor): (usize, Option<String>),
    ) -> Result<Page<PastAssessment>> {
        let record = self.record_found(object, target, &View::default()).await?.record;
        let known = self.score_known(score)?;
        known.check_subject(self, object)?;
        self.check_sees_scores(&known)?;
        if record.archived_at.is_some() {
            // Its links are at rest with it, so that a search would find nothing, and tell nothing of that.
            return Err(archived("the record is archived; restore it to read what was said of it"));
        }
        let subject = record.id;
        let mut problems = Problems::new();
        let counterpart = self.score_counterpart(&known, counterpart, &mut problems).await?;
        if !problems.is_empty() {
            return Err(of_parameters(Error::invalid(problems)));
        }
        let parts = &known.score.assessments;
        let is = |association: &str, id: RecordId| {
            json!({"association": association, "direction": "out",
                "match": {"property": "id", "op": "eq", "value": id.to_string()}})
        };
        let mut filters = vec![is(&parts.subject, subject)];
        filters.extend(parts.counterpart.as_ref().map(|association| match counterpart {
            Some(record) => is(association, record),
            None => json!({"association": association.as_str(), "direction": "out", "quantifier": "none"}),
        }));
        let order = |property: &str| json!({"property": property, "direction": "desc"});
        // They are made in the order of their times, unless somebody has brought them from elsewhere.
        let by_time = self.sees_of(&known)?.at.then(|| order(&parts.at));
        let sort: Vec<Value> = by_time.into_iter().chain([order("id")]).collect();
        let query = json!({"filter": {"all": filters}, "sort": sort, "limit": limit, "cursor": cursor});
        let text = read(&query)?;
        let found = self.record_search(&parts.object, &text, Problems::new()).await.map_err(of_parameters)?;
        let ids: Vec<i64> = found.results.iter().map(|found| found.record.id.0).collect();
        let results = self.past_assessments(&known, counterpart, ids).await?;
        Ok(Page { results, next_cursor: found.next_cursor })
    }

    /// Assessments as they were made, in this order.
    async fn past_assessments(
        &self,
        known: &Known,
        counterpart: Option<RecordId>,
        ids: Vec<i64>,
    ) -> Result<Vec<PastAssessment>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let parts = &known.score.assessments;
        let mut reader = self.reader().await?;
        let asked = association::leading(&mut reader, ids.clone(), &parts.criterion, MOST_LINKS).await?;
        let beside = match &parts.counterpart {
            Some(kind) => association::leading(&mut reader, ids.clone(), kind, MOST_LINKS).await?,
            None => Vec::new(),
        };
        let mut wanted: Vec<i64> = asked.iter().map(|link| link.to_id).chain(ids.iter().copied()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows = record::many(&mut reader, wanted).await?;
        drop(reader);
        let rows: HashMap<i64, RecordRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut past = Vec::with_capacity(ids.len());
        for id in ids {
            // A search does not see a link to what the caller may not read; the assessment is for that one all the same.
            let is_elsewhere = counterpart.is_none() && beside.iter().any(|link| link.from_id == id);
            let Some(row) = rows.get(&id).filter(|_| !is_elsewhere) else { continue };
            let criterion = asked.iter().find(|link| link.from_id == id).map(|link| rows.get(&link.to_id));
            past.extend(self.past_assessment(known, row, criterion)?);
        }
        Ok(past)
    }

    /// None where the caller may not know what was answered.
    fn past_assessment(
        &self,
        known: &Known,
        row: &RecordRow,
        criterion: Option<Option<&RecordRow>>,
    ) -> Result<Option<PastAssessment>> {
        let is_readable = |row: &&RecordRow| {
            self.catalog.object(&row.object).is_ok() && self.caller.may(Action::Read, &row.object, *row)
        };
        let criterion = match criterion {
            None => None,
            Some(asked) => match asked.filter(is_readable) {
                Some(asked) => Some(self.linked(asked)?),
                None => return Ok(None),
            },
        };
        let sees = self.sees_of(known)?;
        let made = self.assessment(known, row)?;
        let said = if criterion.is_some() { sees.of(&made) } else { sees.of_total(&made) };
        Ok(Some(PastAssessment { assessment: row.record_id(), criterion, said, is_current: made.is_current }))
    }
}

/// A search as if a caller had sent it.
pub(super) fn read(query: &Value) -> Result<QueryText> {
    let raw = serde_json::value::to_raw_value(query).map_err(Error::internal)?;
    engine_model::json::read::<QueryText>(&raw).map_err(Error::invalid)
}
