//! The criteria of a score as they are stored.

use std::collections::HashMap;
use std::sync::OnceLock;

use engine_model::expression::{Allowance, Expression, ExpressionError};
use engine_model::score::{Answer, MOST_STEPS, Sight};
use engine_model::{Problem, Properties, RecordId};
use engine_store::record::RecordRow;
use engine_store::{Reader, association, record};
use rust_decimal::Decimal;
use serde_json::Value;

use super::definition::Known;
use crate::error::{Error, ErrorCode, Result};
use crate::records::stored;
use crate::session::Session;

/// Most criteria that a score has, and most of those that were archived that are looked at for what they leave behind.
const MOST: i64 = 1_000;

/// Most criteria that one record is assessed by.
pub(super) const MOST_ASKED: usize = 200;

/// Links that all criteria have to records that they are asked for, at most.
const MOST_LINKS: i64 = 10_000;

/// A criterion.
#[derive(Debug, Clone)]
pub(super) struct Criterion {
    pub(super) row: RecordRow,
    pub(super) weight: Decimal,
    is_in_use: bool,
    /// The records that it is asked for; for any, and for none, where it names none.
    counterparts: Vec<RecordId>,
    /// What answers it; only people do where there is nothing.
    rule: Option<Rule>,
}

/// An expression that is compiled when it is first asked, once for all records that are assessed together.
#[derive(Debug, Clone)]
struct Rule {
    source: String,
    compiled: OnceLock<Result<Expression, ExpressionError>>,
}

/// All criteria of a score.
#[derive(Debug, Clone)]
pub(super) struct Criteria(pub(super) Vec<Criterion>);

impl Criterion {
    pub(super) fn id(&self) -> RecordId {
        RecordId(self.row.id)
    }

    /// Whether it is asked of records that are assessed for this one, or for none.
    pub(super) fn is_asked(&self, counterpart: Option<RecordId>) -> bool {
        let fits = match counterpart {
            Some(record) => self.counterparts.is_empty() || self.counterparts.contains(&record),
            None => self.counterparts.is_empty(),
        };
        self.is_in_use && fits
    }

    /// What a rule answers; none where there is no rule.
    fn answer(&self, sight: &Sight, allowance: &mut Allowance) -> Result<Option<Answer>> {
        let Some(Rule { source, compiled }) = &self.rule else { return Ok(None) };
        match compiled.get_or_init(|| Expression::compile(source)) {
            Ok(expression) => Answer::of(expression, sight, allowance).map(Some).ok_or_else(|| self.ran_out()),
            // It read when it was written.
            Err(error) => {
                Ok(Some(Answer { points: None, reason: format!("the rule does not read any more: {error}") }))
            }
        }
    }

    /// A total of some of the criteria would say something else, so there is none.
    fn ran_out(&self) -> Error {
        let detail = format!(
            "all criteria together take more than {MOST_STEPS} steps; `{}` (record {}) is the one that there were none \
             left for. Make the expressions simpler, or take some criteria out of use",
            self.row.display_name,
            self.id()
        );
        Error::new(ErrorCode::Conflict, detail.clone()).with(Problem::new("", "too_costly", detail))
    }
}

impl Criteria {
    /// Those that are asked of records that are assessed for this one, or for none.
    pub(super) fn asked(&self, counterpart: Option<RecordId>) -> impl Iterator<Item = &Criterion> {
        self.0.iter().filter(move |criterion| criterion.is_asked(counterpart))
    }

    /// The criterion that an id or uid names.
    pub(super) fn find(&self, id: &str) -> Option<&Criterion> {
        let is_named = |criterion: &&Criterion| {
            criterion.row.id.to_string() == id || criterion.row.uid.to_string().eq_ignore_ascii_case(id)
        };
        self.0.iter().find(is_named)
    }

    /// What rules answer, by criterion.
    ///
    /// One expression takes milliseconds at most; between them others get their turn.
    pub(super) async fn answers(
        &self,
        sight: &Sight,
        counterpart: Option<RecordId>,
    ) -> Result<HashMap<RecordId, Answer>> {
        let (mut answers, mut allowance) = (HashMap::new(), Allowance::of(MOST_STEPS));
        for criterion in self.asked(counterpart) {
            answers.extend(criterion.answer(sight, &mut allowance)?.map(|answer| (criterion.id(), answer)));
            tokio::task::yield_now().await;
        }
        Ok(answers)
    }
}

impl Session {
    /// All criteria of a score, archived ones too, in the order in which they were made.
    pub(super) async fn score_criteria(&self, reader: &mut Reader, known: &Known) -> Result<Criteria> {
        let object = &known.score.criteria.object;
        let mut rows = record::list(reader, object, false, 0, MOST + 1).await?;
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MOST {
            let detail =
                format!("the score `{}` has more than {MOST} criteria; archive those that are not used", known.name);
            return Err(Error::new(ErrorCode::Conflict, detail));
        }
        rows.extend(record::list(reader, object, true, 0, MOST).await?);
        let mut links: HashMap<i64, Vec<RecordId>> = HashMap::new();
        if let Some(kind) = &known.score.criteria.counterpart {
            let ids = rows.iter().map(|row| row.id).collect();
            // One whose record is archived is still for that one alone.
            let found = association::leading(reader, ids, kind, MOST_LINKS).await?;
            if i64::try_from(found.len()).unwrap_or(i64::MAX) >= MOST_LINKS {
                let detail = format!("the criteria of the score `{}` have too many links `{kind}`", known.name);
                return Err(Error::new(ErrorCode::Conflict, detail));
            }
            for link in found {
                links.entry(link.from_id).or_default().push(RecordId(link.to_id));
            }
        }
        let read = |row: RecordRow| self.criterion(known, links.remove(&row.id).unwrap_or_default(), row);
        Ok(Criteria(rows.into_iter().map(read).collect::<Result<_>>()?))
    }

    fn criterion(&self, known: &Known, counterparts: Vec<RecordId>, row: RecordRow) -> Result<Criterion> {
        let parts = &known.score.criteria;
        let properties = stored::read(&self.catalog.effective.registry, &row.object, &row.properties)?;
        let is_off = |name: &str| properties.get(name).and_then(Value::as_bool) != Some(true);
        let is_in_use = row.archived_at.is_none() && !parts.active.as_deref().is_some_and(is_off);
        let source = properties.get(parts.expression.as_str()).and_then(Value::as_str);
        let source = source.filter(|source| !source.trim().is_empty());
        let rule = source.map(|source| Rule { source: source.to_owned(), compiled: OnceLock::new() });
        let weight = number(&properties, &parts.weight).unwrap_or(Decimal::ONE);
        Ok(Criterion { weight, is_in_use, counterparts, rule, row })
    }
}

/// A number, whichever way its type writes it.
fn number(properties: &Properties, name: &str) -> Option<Decimal> {
    match properties.get(name)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
