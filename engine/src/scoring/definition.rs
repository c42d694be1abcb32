//! A score as the tenant's definitions have it now.

use engine_model::Name;
use engine_model::access::Action;
use engine_model::behavior::{Behavior, Score, Section};
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::score::objects_at;

use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// A score whose parts are there, each under the name that it has now.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) score: Score,
}

/// A score as answered.
#[derive(Debug, Clone)]
pub struct ScoreDefinition {
    /// Internal name.
    pub name: String,
    /// What people read.
    pub label: String,
    /// What it says, for people.
    pub description: Option<String>,
    /// The object whose records are criteria.
    pub criteria: String,
    /// The object whose records are answers and totals.
    pub assessments: String,
    /// Objects whose records can be assessed, as far as the caller sees them.
    pub subjects: Vec<String>,
    /// Objects for whose records they can be assessed, as far as the caller sees them.
    pub counterparts: Vec<String>,
    /// By object, the property that takes the total.
    pub totals: Vec<(String, String)>,
}

impl Session {
    /// The scores whose assessments the caller may see, by name.
    pub async fn score_list(&mut self) -> Result<Vec<ScoreDefinition>> {
        self.refresh().await?;
        let registry = &self.catalog.effective.registry;
        let mut scores: Vec<_> =
            registry.behaviors.values().filter_map(|behavior| self.shown_score(behavior)).collect();
        scores.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(scores)
    }

    fn shown_score(&self, behavior: &Behavior) -> Option<ScoreDefinition> {
        let score = behavior.score().filter(|score| self.has_objects(score))?;
        self.caller.check_any(Action::Read, &score.assessments.object).ok()?;
        let seen = |association: Option<&Name>| -> Vec<String> {
            let objects = association.into_iter().flat_map(|name| self.objects_led_to(name));
            objects.map(|object| object.name.to_string()).collect()
        };
        let subjects = seen(Some(&score.assessments.subject));
        let totals = score.totals.iter().filter(|(object, _)| subjects.iter().any(|name| name == object.as_str()));
        Some(ScoreDefinition {
            name: behavior.name.to_string(),
            label: behavior.label.clone(),
            description: score.description.clone(),
            criteria: score.criteria.object.clone(),
            assessments: score.assessments.object.clone(),
            counterparts: seen(score.assessments.counterpart.as_ref()),
            totals: totals.map(|(object, property)| (object.to_string(), property.to_string())).collect(),
            subjects,
        })
    }

    /// Objects that an association leads to, are on, and are seen by the caller.
    fn objects_led_to(&self, association: &str) -> impl Iterator<Item = &ObjectDefinition> {
        let registry = &self.catalog.effective.registry;
        let is_seen = |object: &&ObjectDefinition| {
            self.catalog.object(&object.name).is_ok() && self.caller.check_any(Action::Read, &object.name).is_ok()
        };
        objects_at(association, registry).filter(is_seen)
    }

    fn has_objects(&self, score: &Score) -> bool {
        [&score.criteria.object, &score.assessments.object].into_iter().all(|name| self.catalog.object(name).is_ok())
    }

    /// The score of that name.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] where there is none or its objects are off, [`ErrorCode::Conflict`] where something that
    /// it names is archived.
    pub(super) fn score_known(&self, name: &str) -> Result<Known> {
        let all = &self.catalog.effective.registry.behaviors;
        let scores = || all.values().filter_map(|behavior| Some((behavior.name.as_str(), behavior.score()?)));
        let shown = || scores().filter(|(_, score)| self.has_objects(score));
        let found = shown().find(|(known, _)| *known == name).map(|(_, score)| score);
        let missing = || {
            let hint = did_you_mean(name, shown().map(|(known, _)| known));
            Error::not_found(format!("there is no {} `{}`{hint}", Section::Scores.kind(), shortened(name)))
        };
        let score = self.with_present_names(name, found.ok_or_else(missing)?)?;
        Ok(Known { name: name.to_owned(), score })
    }

    /// What was renamed is read under its new name; what is archived cannot be written.
    fn with_present_names(&self, name: &str, score: &Score) -> Result<Score> {
        let mut score = score.clone();
        let gone = |what: &str| {
            let detail =
                format!("the score `{name}` needs `{what}`, which is archived; restore it, or declare another");
            Error::new(ErrorCode::Conflict, detail)
        };
        let criteria = self.catalog.object(&score.criteria.object)?;
        let assessments = self.catalog.object(&score.assessments.object)?;
        let (asked, answers) = (&mut score.criteria, &mut score.assessments);
        let mut of_criteria = vec![&mut asked.expression, &mut asked.weight];
        of_criteria.extend(asked.active.as_mut());
        let of_assessments = vec![
            &mut answers.score,
            &mut answers.rationale,
            &mut answers.at,
            &mut answers.by,
            &mut answers.user,
            &mut answers.review,
            &mut answers.current,
            &mut answers.key,
        ];
        for (object, names) in [(criteria, of_criteria), (assessments, of_assessments)] {
            for part in names {
                let found = object.property_called(part).ok_or_else(|| gone(part))?;
                *part = found.name.clone();
            }
        }
        let links = [Some(&answers.criterion), Some(&answers.subject), answers.counterpart.as_ref()];
        for link in links.into_iter().chain([asked.counterpart.as_ref()]).flatten() {
            let found = self.catalog.effective.registry.associations.get(link.as_str());
            found.filter(|association| !association.archived).ok_or_else(|| gone(link))?;
        }
        Ok(score)
    }
}

impl Known {
    /// Refuses an object whose records the score does not assess.
    pub(super) fn check_subject(&self, session: &Session, object: &str) -> Result<()> {
        let registry = &session.catalog.effective.registry;
        let subjects = || objects_at(&self.score.assessments.subject, registry).map(|object| object.name.as_str());
        if subjects().any(|name| name == object) {
            return Ok(());
        }
        let known: Vec<&str> = subjects().filter(|name| session.catalog.object(name).is_ok()).collect();
        let detail = format!("the score `{}` assesses records of {}, not of `{object}`", self.name, known.join(", "));
        Err(Error::not_found(detail))
    }

    /// Whether records are assessed for records of an object.
    pub(super) fn is_for(&self, session: &Session, object: &str) -> bool {
        let association = self.score.assessments.counterpart.as_ref();
        let mut objects =
            association.into_iter().flat_map(|name| objects_at(name, &session.catalog.effective.registry));
        objects.any(|known| known.name.as_str() == object)
    }

    /// The property of an object's records that takes their total.
    pub(super) fn total_of(&self, object: &str) -> Option<&Name> {
        self.score.totals.iter().find(|(name, _)| name.as_str() == object).map(|(_, property)| property)
    }
}
