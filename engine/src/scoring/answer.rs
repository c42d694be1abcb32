//! A score of one record as its caller sees it.

use engine_model::access::Action;
use engine_model::time::Timestamp;
use engine_model::{RecordId, UserId};

use super::definition::Known;
use super::kept::{Assessment, Slot};
use super::plan::{Board, Made};
use super::wish::Review;
use crate::access::Given;
use crate::caller::Standing;
use crate::error::Result;
use crate::records::{Linked, Results};
use crate::session::Session;

/// A score of one record. What the caller does not see of it is left out.
#[derive(Debug, Clone)]
pub struct ScoreAnswer {
    /// The score's name.
    pub score: String,
    /// From 0 to 100; none where nothing counts, or nobody has assessed it.
    pub total: Option<i64>,
    /// By what it came about.
    pub rationale: Option<String>,
    /// When.
    pub assessed_at: Option<Timestamp>,
    /// The record of the total.
    pub assessment: Option<RecordId>,
    /// What is asked, in the order in which it was made.
    pub criteria: Vec<CriterionAnswer>,
}

/// What stands of one criterion.
#[derive(Debug, Clone)]
pub struct CriterionAnswer {
    /// The criterion.
    pub criterion: Linked,
    /// How much it counts, an exact number; none where the caller does not see that.
    pub weight: Option<String>,
    /// What counts; nothing where it is not answered.
    pub said: Said,
    /// The record of the answer.
    pub assessment: Option<RecordId>,
    /// Whether there is an answer that counts.
    pub(super) is_answered: bool,
    /// What the rule says where a person has overridden it.
    pub rule: Option<Said>,
}

/// What an assessment says, as far as its caller sees it.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// From 0 to 100; none where there was no answer.
    pub score: Option<i64>,
    /// Why.
    pub rationale: Option<String>,
    /// `person` or `rule`.
    pub by: Option<&'static str>,
    /// The person.
    pub user: Option<UserId>,
    /// What became of it.
    pub review: Option<Review>,
    /// When it was answered.
    pub assessed_at: Option<Timestamp>,
}

/// Which parts of assessments a caller sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sees {
    pub(super) score: bool,
    pub(super) rationale: bool,
    /// Why a total is what it is, which tells of all criteria what they gave.
    pub(super) sums: bool,
    pub(super) at: bool,
    pub(super) by: bool,
    pub(super) user: bool,
    pub(super) review: bool,
}

impl Sees {
    /// What of a total is shown.
    pub(super) fn of_total(self, total: &Assessment) -> Said {
        Self { rationale: self.sums, ..self }.of(total)
    }

    /// What of an answer is shown.
    pub(super) fn of(self, assessment: &Assessment) -> Said {
        Said {
            score: assessment.points.filter(|_| self.score),
            rationale: self.rationale.then(|| assessment.rationale.clone()),
            by: self.by.then(|| assessment.by.as_str()),
            user: assessment.user.filter(|_| self.user),
            review: self.review.then_some(assessment.review),
            assessed_at: assessment.at.filter(|_| self.at),
        }
    }
}

impl ScoreAnswer {
    /// Takes over the ids that assessments were given at the commit.
    pub(super) fn take_ids(&mut self, made: &Made, results: &Results) {
        let id_of = |criterion: Option<RecordId>| {
            let done = results.get(*made.get(&criterion)?)?.as_ref().ok()?;
            done.record.as_ref().map(|record| record.id)
        };
        if self.assessment.is_none() {
            self.assessment = id_of(None);
        }
        for line in self.criteria.iter_mut().filter(|line| line.is_answered && line.assessment.is_none()) {
            line.assessment = id_of(Some(line.criterion.id));
        }
    }
}

impl Session {
    /// Which parts of assessments the caller sees.
    pub(super) fn sees_of(&self, known: &Known) -> Result<Sees> {
        let parts = &known.score.assessments;
        let object = self.catalog.object(&parts.object)?;
        let registry = &self.catalog.effective.registry;
        let sees =
            |name: &str| object.property(name).is_some_and(|property| self.caller.reads(registry, object, property));
        let (score, rationale) = (sees(&parts.score), sees(&parts.rationale));
        let asks = self.caller.may_all(Action::Read, &known.score.criteria.object);
        Ok(Sees {
            score,
            rationale,
            sums: score && rationale && asks,
            at: sees(&parts.at),
            by: sees(&parts.by),
            user: sees(&parts.user),
            review: sees(&parts.review),
        })
    }

    /// A score as the caller sees it.
    pub(super) fn told(&self, board: &Board<'_>) -> Result<ScoreAnswer> {
        let sees = self.sees_of(board.known)?;
        let criteria = &board.known.score.criteria;
        let object = self.catalog.object(&criteria.object)?;
        let weighs = object
            .property(&criteria.weight)
            .is_some_and(|property| self.caller.reads(&self.catalog.effective.registry, object, property));
        let mut lines = Vec::new();
        for (criterion, standing) in board.lines() {
            if !self.caller.may(Action::Read, &object.name, &criterion.row) {
                continue;
            }
            let shown = standing.filter(|standing| self.may_see(board, standing));
            if standing.is_some() && shown.is_none() {
                continue;
            }
            let beneath = board.slots.criteria.get(&criterion.id()).and_then(overridden);
            let rule = beneath.filter(|rule| sees.by && self.may_see(board, rule));
            lines.push(CriterionAnswer {
                criterion: self.linked(&criterion.row)?,
                weight: weighs.then(|| criterion.weight.normalize().to_string()),
                said: shown.map(|shown| sees.of(shown)).unwrap_or_default(),
                assessment: shown.and_then(|shown| shown.stored.as_ref()).map(|stored| stored.id),
                is_answered: shown.is_some(),
                rule: rule.map(|rule| sees.of(rule)),
            });
        }
        let total = board.slots.total.standing().filter(|total| self.may_see(board, total));
        let Said { score, rationale, assessed_at, .. } = total.map(|total| sees.of_total(total)).unwrap_or_default();
        Ok(ScoreAnswer {
            score: board.known.name.clone(),
            total: score,
            rationale,
            assessed_at,
            assessment: total.and_then(|total| total.stored.as_ref()).map(|stored| stored.id),
            criteria: lines,
        })
    }

    /// Whether the caller may read an assessment; one that is yet to be made belongs to nobody.
    fn may_see(&self, board: &Board<'_>, assessment: &Assessment) -> bool {
        let nobody = Standing { owner: None, team: None };
        let standing = assessment.stored.as_ref().map_or(nobody, |stored| stored.standing);
        self.caller.may(Action::Read, &board.known.score.assessments.object, standing)
    }

    /// Writes down what sensitive values an answer gives.
    pub(super) async fn give_score(&self, answer: &ScoreAnswer, known: &Known) -> Result<()> {
        let parts = &known.score.assessments;
        let object = self.catalog.object(&parts.object)?;
        let mut given = Given::default();
        let mut note = |record: Option<RecordId>, name: &str, has_value: bool| {
            if has_value && object.property(name).is_some_and(|property| property.sensitive) {
                given.add(&object.name, record, name);
            }
        };
        note(answer.assessment, &parts.score, answer.total.is_some());
        note(answer.assessment, &parts.rationale, answer.rationale.is_some());
        for line in &answer.criteria {
            note(line.assessment, &parts.score, line.said.score.is_some());
            note(line.assessment, &parts.rationale, line.said.rationale.is_some());
        }
        self.write_down(given).await
    }
}

/// A rule's answer beneath that of a person.
fn overridden(slot: &Slot) -> Option<&Assessment> {
    slot.rule.as_ref().filter(|_| slot.person.is_some())
}
