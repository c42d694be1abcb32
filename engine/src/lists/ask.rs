//! Asks the index who meets what lists ask.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use engine_model::query::{Among, Filter};
use engine_model::{Name, RecordId};
use engine_search::{Limits, SearchError};

use crate::error::{Error, Result};
use crate::index::SearchView;
use crate::session::Session;

/// Records that are asked about at a time.
const AT_A_TIME: usize = 500;

/// A list and the records that are to be looked at for it.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) list: i64,
    pub(super) object: Name,
    pub(super) filter: Filter,
    pub(super) records: Arc<BTreeSet<i64>>,
    /// The list may be being filled for the first time.
    pub(super) is_new: bool,
}

/// Who of the records that were looked at meets what the list asks.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) list: i64,
    pub(super) object: Name,
    pub(super) records: Arc<BTreeSet<i64>>,
    pub(super) met: BTreeSet<i64>,
    pub(super) is_new: bool,
}

impl Session {
    /// Asks the index. Lists whose question it cannot answer within bounds come back by themselves.
    pub(super) async fn ask_lists(
        &self,
        view: &SearchView,
        questions: Vec<Question>,
    ) -> Result<(Vec<Found>, Vec<(i64, String)>)> {
        type Group = (Name, Arc<BTreeSet<i64>>);
        let mut groups: Vec<(Group, Vec<Question>)> = Vec::new();
        let mut places: HashMap<(String, BTreeSet<i64>), usize> = HashMap::new();
        for question in questions {
            let key = (question.object.to_string(), BTreeSet::clone(&question.records));
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(((question.object.clone(), Arc::clone(&question.records)), Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(question);
        }
        let (mut found, mut costly) = (Vec::new(), Vec::new());
        for ((object, records), questions) in groups {
            let filters: Vec<Filter> = questions.iter().map(|question| question.filter.clone()).collect();
            let met = match self.ask_some(view, &object, &records, filters).await {
                Ok(met) => met.into_iter().map(Ok).collect(),
                // One of them is too much: each for itself.
                Err(SearchError::TooCostly(_)) => {
                    let mut each = Vec::with_capacity(questions.len());
                    for question in &questions {
                        let asked = self.ask_some(view, &object, &records, vec![question.filter.clone()]).await;
                        each.push(match asked {
                            Ok(mut met) => Ok(met.pop().unwrap_or_default()),
                            Err(SearchError::TooCostly(reason)) => Err(reason),
                            Err(error) => return Err(self.unanswered(error)),
                        });
                    }
                    each
                }
                Err(error) => return Err(self.unanswered(error)),
            };
            for (question, met) in questions.into_iter().zip(met) {
                let Question { list, object, records, is_new, .. } = question;
                match met {
                    Ok(met) => found.push(Found { list, object, records, met, is_new }),
                    Err(reason) => costly.push((list, reason)),
                }
            }
        }
        Ok((found, costly))
    }

    fn unanswered(&self, error: SearchError) -> Error {
        if matches!(error, SearchError::Damaged(_)) {
            self.engine.inner.indexes.suspect(self.tenant());
        }
        Error::internal(error)
    }

    async fn ask_some(
        &self,
        view: &SearchView,
        object: &Name,
        records: &BTreeSet<i64>,
        filters: Vec<Filter>,
    ) -> Result<Vec<BTreeSet<i64>>, SearchError> {
        let ids: Vec<RecordId> = records.iter().map(|id| RecordId(*id)).collect();
        let mut met = vec![BTreeSet::new(); filters.len()];
        for part in ids.chunks(AT_A_TIME) {
            let (tenant, object, records) = (self.tenant(), object.clone(), part.to_vec());
            let asked = Among { tenant, object, records, filters: filters.clone() };
            let view = view.clone();
            let answer = self.engine.inner.tasks.spawn_blocking(move || view.among(&asked, Limits::default()));
            let answer = answer.await.map_err(|panic| SearchError::Damaged(panic.to_string()))??;
            for (met, found) in met.iter_mut().zip(answer) {
                met.extend(found.into_iter().map(|record| record.0));
            }
        }
        Ok(met)
    }
}
