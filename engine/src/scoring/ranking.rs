//! Which records do best.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::time::Timestamp;
use engine_model::{Problem, Problems, Properties, RecordId};
use engine_store::record::RecordRow;
use engine_store::{association, record};
use serde_json::{Value, json};

use super::definition::Known;
use super::history::read;
use super::kept::with_merged;
use super::key::{Place, totals};
use crate::error::{Error, Result};
use crate::query::of_parameters;
use crate::records::{Linked, Page, Record};
use crate::session::Session;

/// Which part of a ranking is wanted.
#[derive(Debug, Clone)]
pub struct RankingQuery {
    /// The object whose records are ranked.
    pub object: String,
    /// Id or uid of the record that they are assessed for; without, they are assessed alone.
    pub counterpart: Option<String>,
    /// At most this many, from 1 to 200.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// A record with its total.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The record.
    pub record: Linked,
    /// From 0 to 100.
    pub total: i64,
    /// By what it came about; none where the caller does not see that, or not all criteria.
    pub rationale: Option<String>,
    /// When; none where the caller does not see that.
    pub assessed_at: Option<Timestamp>,
    /// The record of the total.
    pub assessment: RecordId,
}

impl Session {
    /// One page of an object's records by their totals, the best first, as far as the caller sees both.
    pub async fn score_ranking(&mut self, score: &str, query: &RankingQuery) -> Result<Page<Ranked>> {
        self.refresh().await?;
        let known = self.score_known(score)?;
        let mut problems = Problems::new();
        if let Err(error) = self.catalog.object(&query.object).and_then(|_| known.check_subject(self, &query.object)) {
            problems.push(Problem::new("/object", "unknown", error.detail));
        }
        let counterpart = self.score_counterpart(&known, query.counterpart.as_deref(), &mut problems).await?;
        if !problems.is_empty() {
            return Err(of_parameters(Error::invalid(problems)));
        }
        self.caller.check_any(Action::Read, &query.object)?;
        self.check_sees_scores(&known)?;
        let parts = &known.score.assessments;
        let object = self.catalog.object(&parts.object)?;
        // What is found by a property that the caller does not see would tell of it.
        for name in [&parts.score, &parts.key] {
            self.caller.check_reads(&self.catalog.effective.registry, object, name)?;
        }
        let registry = &self.catalog.effective.registry;
        let sees =
            |name: &&str| object.property(name).is_some_and(|property| self.caller.reads(registry, object, property));
        let shown = [parts.score.as_str(), &parts.rationale, &parts.at, &parts.key].into_iter().filter(sees);
        let shown: Vec<&str> = shown.collect();
        let counterparts = match counterpart {
            Some(counterpart) => {
                with_merged(&mut self.reader().await?, counterpart).await?.into_iter().map(Some).collect()
            }
            None => vec![None],
        };
        let is_total = |counterpart: Option<RecordId>| {
            let prefix = totals(&known.name, &query.object, counterpart);
            json!({"property": parts.key.as_str(), "op": "starts_with", "value": prefix})
        };
        let filters = json!({"all": [
            {"any": counterparts.into_iter().map(is_total).collect::<Vec<_>>()},
            {"property": parts.score.as_str(), "op": "exists"},
            {"association": parts.subject.as_str(), "direction": "out"},
        ]});
        let sort = json!([{"property": parts.score.as_str(), "direction": "desc"}, {"property": "id"}]);
        let asked = json!({"filter": filters, "sort": sort, "limit": query.limit, "cursor": query.cursor,
            "select": shown});
        let found = self.record_search(&parts.object, &read(&asked)?, Problems::new()).await.map_err(of_parameters)?;
        let totals = found.results.into_iter().map(|found| found.record).collect();
        let results = self.ranked(&known, &query.object, counterpart, totals).await?;
        Ok(Page { results, next_cursor: found.next_cursor })
    }

    /// Totals with the records that they are of, in this order.
    async fn ranked(
        &self,
        known: &Known,
        object: &str,
        counterpart: Option<RecordId>,
        totals: Vec<Record>,
    ) -> Result<Vec<Ranked>> {
        if totals.is_empty() {
            return Ok(Vec::new());
        }
        let parts = &known.score.assessments;
        let mut reader = self.reader().await?;
        let ids: Vec<i64> = totals.iter().map(|total| total.id.0).collect();
        let most = i64::try_from(ids.len()).unwrap_or(i64::MAX).saturating_mul(2);
        let links = association::leading(&mut reader, ids, &parts.subject, most).await?;
        let subjects: HashMap<i64, i64> = links.into_iter().map(|link| (link.from_id, link.to_id)).collect();
        let rows = record::many(&mut reader, subjects.values().copied().collect()).await?;
        let may_show = |row: &RecordRow| {
            row.object == object && row.archived_at.is_none() && self.caller.may(Action::Read, object, row)
        };
        let rows: HashMap<i64, RecordRow> = rows.into_iter().filter(may_show).map(|row| (row.id, row)).collect();
        let sees = self.sees_of(known)?;
        let mut ranked = Vec::with_capacity(totals.len());
        for total in totals {
            let Some(row) = subjects.get(&total.id.0).and_then(|subject| rows.get(subject)) else { continue };
            let values: Properties = serde_json::from_str(total.properties.get()).map_err(Error::internal)?;
            let text = |name: &str| values.get(name).and_then(Value::as_str);
            let Some(points) = values.get(parts.score.as_str()).and_then(Value::as_i64) else { continue };
            let place = Place { score: &known.name, object, subject: row.record_id(), counterpart };
            // One of a record that was merged may not be what stands of the one that it was merged into.
            let is_own = text(&parts.key) == Some(place.of_total().as_str());
            if !is_own && self.standing_total(&mut reader, known, &place).await? != Some(total.id) {
                continue;
            }
            ranked.push(Ranked {
                record: self.linked(row)?,
                total: points,
                rationale: text(&parts.rationale).filter(|_| sees.sums).map(str::to_owned),
                assessed_at: text(&parts.at).and_then(Timestamp::parse),
                assessment: total.id,
            });
        }
        Ok(ranked)
    }
}
