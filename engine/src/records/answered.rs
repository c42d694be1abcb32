//! What scores answer: records that a score has made are changed, linked and merged by the score alone, so that nobody
//! makes an answer up. People say otherwise by overriding and reviewing, which the score writes.

use engine_model::Problem;
use engine_model::behavior::Score;
use engine_model::object::ObjectDefinition;
use engine_model::property::Property;

use super::basis::Basis;
use super::state::State;
use crate::definitions::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};

/// The score that answers with a property of a record.
pub(crate) fn score_of<'c>(catalog: &'c Catalog, object: &ObjectDefinition, property: &Property) -> Option<&'c str> {
    found(catalog, object, property).map(|(name, _)| name)
}

fn found<'c>(catalog: &'c Catalog, object: &ObjectDefinition, property: &Property) -> Option<(&'c str, &'c Score)> {
    let mut scores = catalog.effective.scores_answered_by(&object.name);
    let found =
        scores.find(|(_, score)| score.assessments.properties().into_iter().any(|name| is(object, name, property)));
    found.map(|(name, score)| (name.as_str(), score))
}

fn is(object: &ObjectDefinition, name: &str, property: &Property) -> bool {
    object.property_called(name).is_some_and(|part| part.name == property.name)
}

/// Whether a record was made by a score, which says of each whether it stands. Others are what people or programs have
/// noted, which never stand.
fn is_answer(object: &ObjectDefinition, score: &Score, state: &State) -> bool {
    let current = object.property_called(&score.assessments.current);
    current.is_some_and(|current| state.properties.contains_key(current.name.as_str()))
}

impl Basis<'_> {
    /// That a property is none to be given, since a score answers it.
    pub(super) fn check_answer(
        &self,
        object: &ObjectDefinition,
        property: &Property,
        before: Option<&State>,
        at: &str,
    ) -> Option<Problem> {
        if self.pen.writes_answers {
            return None;
        }
        let (name, score) = found(self.catalog, object, property)?;
        let stands = [&score.assessments.current, &score.assessments.key];
        let says_that_it_stands = stands.into_iter().any(|part| is(object, part, property));
        if !says_that_it_stands && !before.is_some_and(|state| is_answer(object, score, state)) {
            return None;
        }
        let message = format!("`{}` is written by the score `{name}` alone; {}", property.name, instead(name));
        Some(Problem::new(at, "read_only", message))
    }

    /// The same of the links of a record, which say what was asked of which record.
    pub(super) fn check_answer_link(&self, end: &State, kind: &str) -> Option<String> {
        if self.pen.writes_answers {
            return None;
        }
        let object = self.catalog.effective.registry.objects.get(end.object.as_str())?;
        let mut scores = self.catalog.effective.scores_answered_by(&end.object);
        let (name, score) = scores.find(|(_, score)| score.assessments.links().any(|link| link.as_str() == kind))?;
        let message = || format!("links `{kind}` are made by the score `{name}` alone; {}", instead(name));
        is_answer(object, score, end).then(message)
    }

    /// Refuses to make one answer of several.
    pub(super) fn check_answers_stay(&self, object: &ObjectDefinition) -> Result<()> {
        match self.catalog.effective.scores_answered_by(&object.name).next() {
            Some((score, _)) => {
                let detail = format!(
                    "each record of `{}` is one answer of the score `{score}`; they are not merged",
                    object.name
                );
                Err(Error::new(ErrorCode::Conflict, detail.clone()).with(Problem::new("", "read_only", detail)))
            }
            None => Ok(()),
        }
    }
}

/// What people do who mean something else.
fn instead(score: &str) -> String {
    format!("assess the record, or override or review what stands, by `…/scores/{score}` of the record")
}
