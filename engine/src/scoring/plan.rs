//! From what stands and what is wanted to what stands next, and the operations that make it so; nothing is read or
//! written here.

use std::collections::HashMap;

use engine_model::score::{Answer, MOST_POINTS, weighted};
use engine_model::time::Timestamp;
use engine_model::{RecordId, UserId};
use serde_json::Value;
use serde_json::value::to_raw_value;

use super::criteria::{Criteria, Criterion};
use super::definition::Known;
use super::kept::{Assessment, By, Slot, Slots, Stored};
use super::key::Place;
use super::wish::{Review, Wish};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::{LinkInput, Operation, PropertiesInput, RecordInput, Step, Target};

/// Who answers, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    pub(super) at: Timestamp,
    /// None where the engine works for itself.
    pub(super) user: Option<UserId>,
}

/// Which step makes which assessment: by criterion, and the total by none.
pub(super) type Made = HashMap<Option<RecordId>, usize>;

/// A score of one record as it stands, or is to stand.
#[derive(Debug)]
pub(super) struct Board<'a> {
    pub(super) known: &'a Known,
    pub(super) place: Place<'a>,
    pub(super) criteria: &'a Criteria,
    pub(super) slots: Slots,
}

impl Assessment {
    fn new(by: By, points: Option<i64>, rationale: String, pen: Pen) -> Self {
        let user = pen.user.filter(|_| by == By::Person);
        let review = if by == By::Person { Review::Accepted } else { Review::Pending };
        let (at, is_current) = (Some(pen.at), true);
        Self { stored: None, points, rationale, at, by, user, review, is_current, key: None, is_of_merged: false }
    }

    fn name(&mut self, key: String) {
        if !self.is_of_merged {
            self.key = Some(key);
        }
    }

    fn says(&self, points: Option<i64>, rationale: &str) -> bool {
        self.points == points && self.rationale == rationale
    }
}

impl Slot {
    /// Puts a rule's answer in place of the one that stands; one that says the same goes on standing.
    fn put_rule(&mut self, points: Option<i64>, rationale: String, pen: Pen) {
        if !self.rule.as_ref().is_some_and(|rule| rule.says(points, &rationale)) {
            self.drop_rule();
            self.rule = Some(Assessment::new(By::Rule, points, rationale, pen));
        }
    }

    /// The same of a person's, which counts again where it was rejected.
    fn put_person(&mut self, points: i64, rationale: String, pen: Pen) {
        let is_same = |person: &Assessment| person.says(Some(points), &rationale) && person.user == pen.user;
        match self.person.as_mut().filter(|person| is_same(person)) {
            Some(person) => person.review = Review::Accepted,
            None => {
                if let Some(person) = self.person.take() {
                    self.give_way(person);
                }
                self.person = Some(Assessment::new(By::Person, Some(points), rationale, pen));
            }
        }
    }

    /// Has no rule answer any more.
    fn drop_rule(&mut self) {
        if let Some(rule) = self.rule.take() {
            self.give_way(rule);
        }
    }

    /// Takes back what a person has said, and what people have said of records that were merged into this one.
    fn take_back(&mut self) -> bool {
        let Some(person) = self.person.take() else { return false };
        let shadowed = std::mem::take(&mut self.shadowed);
        let (of_people, of_rules) = shadowed.into_iter().partition(|shadowed| shadowed.by == By::Person);
        self.shadowed = of_rules;
        self.retired.extend(std::iter::once(person).chain(of_people));
        true
    }

    /// Says of each assessment what it answers from now on. What was answered for a record that was merged into this one
    /// keeps that one's key, by which it is found if that one is taken out again.
    fn arrange(&mut self, of_criterion: String, of_rule: String, is_asked: bool) {
        for retired in &mut self.retired {
            (retired.is_current, retired.key) = (false, None);
        }
        for shadowed in &mut self.shadowed {
            shadowed.is_current = false;
        }
        let stands = self.person.is_none();
        if let Some(rule) = &mut self.rule {
            rule.is_current = stands && is_asked;
            rule.name(if stands { of_criterion.clone() } else { of_rule });
        }
        if let Some(person) = &mut self.person {
            person.is_current = is_asked;
            person.name(of_criterion);
        }
    }

    /// All of them, those first that give their keys up.
    pub(super) fn all(&self) -> impl Iterator<Item = &Assessment> {
        self.retired.iter().chain(&self.shadowed).chain(&self.rule).chain(&self.person)
    }
}

impl<'a> Board<'a> {
    /// Does what is wanted. `answers` are those of the rules, where these were asked.
    pub(super) fn fulfil(&mut self, wish: &Wish, answers: &HashMap<RecordId, Answer>, pen: Pen) -> Result<()> {
        match wish {
            Wish::Assess => self.put_answers(answers, pen),
            Wish::Total => {}
            Wish::Override { points, rationale, .. } => {
                let (Some(points), Some(rationale)) = (points, rationale) else { return Ok(()) };
                let criterion = self.criterion(wish)?.id();
                self.slots.criteria.entry(criterion).or_default().put_person(*points, rationale.clone(), pen);
            }
            Wish::TakeBack { .. } => {
                let criterion = self.criterion(wish)?;
                if !self.slots.criteria.get_mut(&criterion.id()).is_some_and(Slot::take_back) {
                    let name = &criterion.row.display_name;
                    return Err(Error::not_found(format!("nobody has overridden `{name}` here")));
                }
            }
            Wish::Review { review, .. } => {
                let Some(review) = review else { return Ok(()) };
                let criterion = self.criterion(wish)?;
                let standing = self.slots.criteria.get_mut(&criterion.id()).and_then(Slot::standing_mut);
                let none = || Error::not_found(format!("`{}` is not answered here", criterion.row.display_name));
                standing.ok_or_else(none)?.review = *review;
            }
        }
        self.arrange();
        self.put_total(pen);
        Ok(())
    }

    fn put_answers(&mut self, answers: &HashMap<RecordId, Answer>, pen: Pen) {
        for criterion in &self.criteria.0 {
            let answer = answers.get(&criterion.id()).filter(|_| self.is_asked(criterion));
            match answer {
                Some(Answer { points, reason }) => {
                    let slot = self.slots.criteria.entry(criterion.id()).or_default();
                    slot.put_rule(*points, reason.clone(), pen);
                }
                None => {
                    if let Some(slot) = self.slots.criteria.get_mut(&criterion.id()) {
                        slot.drop_rule();
                    }
                }
            }
        }
    }

    fn arrange(&mut self) {
        for criterion in &self.criteria.0 {
            let is_asked = self.is_asked(criterion);
            if let Some(slot) = self.slots.criteria.get_mut(&criterion.id()) {
                let id = criterion.id();
                slot.arrange(self.place.of_criterion(id), self.place.of_rule(id), is_asked);
            }
        }
    }

    fn put_total(&mut self, pen: Pen) {
        let lines: Vec<(&Criterion, Option<&Assessment>)> = self.lines().collect();
        // Where nothing is asked, there is no total either, unless there was one.
        if !lines.is_empty() || self.slots.total.rule.is_some() {
            let counting =
                lines.iter().filter_map(|(criterion, standing)| Some((criterion.weight, counted((*standing)?)?)));
            let points = weighted(counting);
            let rationale = rationale(&lines);
            self.slots.total.put_rule(points, rationale, pen);
        }
        let key = self.place.of_total();
        self.slots.total.arrange(key.clone(), key, true);
        if let Some(total) = self.slots.total.rule.as_mut().filter(|total| total.stored.is_none()) {
            // It is made of what was looked at.
            total.review = Review::Accepted;
        }
    }

    /// The criteria that are asked, each with what counts of it.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&'a Criterion, Option<&Assessment>)> {
        let asked = self.criteria.asked(self.place.counterpart);
        asked.map(|criterion| (criterion, self.slots.criteria.get(&criterion.id()).and_then(Slot::standing)))
    }

    fn is_asked(&self, criterion: &Criterion) -> bool {
        criterion.is_asked(self.place.counterpart)
    }

    /// The criterion that a wish is about.
    pub(super) fn criterion(&self, wish: &Wish) -> Result<&'a Criterion> {
        let id = wish.criterion().unwrap_or_default();
        let missing = || {
            let detail = format!("there is no criterion `{}` of the score `{}` here", shortened(id), self.known.name);
            Error::not_found(detail)
        };
        self.criteria.find(id).filter(|criterion| self.is_asked(criterion)).ok_or_else(missing)
    }

    /// What has to be written: first what gives its key up, then what takes one over, then what is made; and for each
    /// assessment to be made, which step makes it.
    pub(super) fn steps(&self) -> Result<(Vec<Step>, Made)> {
        let mut slots: Vec<(Option<RecordId>, &Slot)> =
            self.slots.criteria.iter().map(|(criterion, slot)| (Some(*criterion), slot)).collect();
        slots.sort_unstable_by_key(|(criterion, _)| *criterion);
        slots.push((None, &self.slots.total));
        let (mut steps, mut made) = (Vec::new(), Made::new());
        for assessment in slots.iter().flat_map(|(_, slot)| slot.all()) {
            steps.extend(
                assessment.stored.as_ref().map(|stored| self.change(assessment, stored)).transpose()?.flatten(),
            );
        }
        for (criterion, slot) in slots {
            for assessment in slot.all().filter(|assessment| assessment.stored.is_none()) {
                made.insert(criterion, steps.len());
                steps.push(self.creation(criterion, assessment)?);
            }
        }
        Ok((steps, made))
    }

    /// What of a stored assessment becomes other.
    fn change(&self, next: &Assessment, stored: &Stored) -> Result<Option<Step>> {
        let parts = &self.known.score.assessments;
        let mut properties = Vec::new();
        if next.key != stored.key {
            properties.push((&parts.key, Value::from(next.key.clone())));
        }
        if next.is_current != stored.is_current {
            properties.push((&parts.current, Value::from(next.is_current)));
        }
        if next.review != stored.review {
            properties.push((&parts.review, Value::from(next.review.as_str())));
        }
        if properties.is_empty() {
            return Ok(None);
        }
        let input = RecordInput { properties: written(properties)?, ..RecordInput::default() };
        let (object, target) = (parts.object.clone(), Target::id(stored.id.to_string()));
        Ok(Some(Step::from(Operation::Update { object, target, input, version: Some(stored.version) })))
    }

    fn creation(&self, criterion: Option<RecordId>, assessment: &Assessment) -> Result<Step> {
        let parts = &self.known.score.assessments;
        let properties = vec![
            (&parts.score, Value::from(assessment.points)),
            (&parts.rationale, Value::from(assessment.rationale.as_str())),
            (&parts.at, Value::from(assessment.at.map(Timestamp::to_rfc3339))),
            (&parts.by, Value::from(assessment.by.as_str())),
            (&parts.user, Value::from(assessment.user.map(|user| user.to_string()))),
            (&parts.review, Value::from(assessment.review.as_str())),
            (&parts.current, Value::from(assessment.is_current)),
            (&parts.key, Value::from(assessment.key.clone())),
        ];
        let link = |kind: &str, to: RecordId| LinkInput {
            kind: kind.to_owned(),
            to: to.to_string(),
            label: None,
            properties: PropertiesInput::default(),
        };
        let mut associations = vec![link(&parts.subject, self.place.subject)];
        associations.extend(criterion.map(|criterion| link(&parts.criterion, criterion)));
        let counterpart = parts.counterpart.as_ref().zip(self.place.counterpart);
        associations.extend(counterpart.map(|(kind, record)| link(kind, record)));
        let input = RecordInput { properties: written(properties)?, associations, ..RecordInput::default() };
        Ok(Step::from(Operation::Create { object: parts.object.clone(), input }))
    }
}

fn written(properties: Vec<(&engine_model::Name, Value)>) -> Result<PropertiesInput> {
    let raw = |(name, value): (&engine_model::Name, Value)| {
        to_raw_value(&value).map(|raw| (name.to_string(), raw)).map_err(Error::internal)
    };
    Ok(PropertiesInput(properties.into_iter().map(raw).collect::<Result<_>>()?))
}

/// The points that count of an assessment.
fn counted(assessment: &Assessment) -> Option<i64> {
    assessment.points.filter(|_| assessment.review != Review::Rejected)
}

/// By what a total came about: each criterion with what it gave, and its weight.
fn rationale(lines: &[(&Criterion, Option<&Assessment>)]) -> String {
    if lines.is_empty() {
        return "no criterion is in use".to_owned();
    }
    let line = |(criterion, standing): &(&Criterion, Option<&Assessment>)| {
        let given = match standing {
            None => "not answered".to_owned(),
            Some(Assessment { review: Review::Rejected, .. }) => "rejected".to_owned(),
            Some(Assessment { points: None, .. }) => "no answer".to_owned(),
            Some(Assessment { points: Some(points), by: By::Rule, .. }) => format!("{points} of {MOST_POINTS}"),
            Some(Assessment { points: Some(points), by: By::Person, .. }) => {
                format!("{points} of {MOST_POINTS}, by a person")
            }
        };
        format!("{}: {given}, weight {}", criterion.row.display_name, criterion.weight.normalize())
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
