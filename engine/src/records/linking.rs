//! Plans links: those that come with a record, and those by themselves.

use engine_model::access::Action;
use engine_model::{Problem, Problems, Properties};
use engine_store::commit::{NewLink, RecordRef, Replace, Write};

use super::details::{HAPPENS_ELSEWHERE, happens_elsewhere, type_sent};
use super::input::{LinkInput, RecordInput};
use super::links::{End, resolve};
use super::operation::Effect;
use super::plan::{Body, Plan, Planner};
use super::state::State;
use super::write::refuse;
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};

impl Planner<'_> {
    /// The links that come with a record.
    pub(super) fn links(
        &self,
        near: End<'_>,
        before: Option<&State>,
        input: &RecordInput,
    ) -> Result<Vec<NewLink>, Problems> {
        let mut problems = Problems::new();
        let mut links = Vec::with_capacity(input.associations.len());
        let activity = match (input.associations.as_slice(), self.basis.catalog.object(near.object)) {
            ([], _) | (_, Err(_)) => Properties::new(),
            (_, Ok(object)) => type_sent(object, before, &input.properties),
        };
        for (index, link) in input.associations.iter().enumerate() {
            let place = format!("/associations/{index}");
            let Some(far) = self.visible(&link.to) else {
                let message = format!("there is no record `{}`", shortened(&link.to));
                problems.push(Problem::new(place + "/to", "not_found", message));
                continue;
            };
            if let Some(message) = self.answer_link(&link.kind, before.into_iter().chain([far])) {
                problems.push(Problem::new(place + "/type", "read_only", message));
                continue;
            }
            let elsewhere = self
                .elsewhere(&link.kind, (near.object, &activity), &far.object)
                .or_else(|| self.elsewhere(&link.kind, (&far.object, &far.properties), near.object));
            if let Some(message) = elsewhere {
                problems.push(Problem::new(place + "/to", HAPPENS_ELSEWHERE, message));
                continue;
            }
            let kept = self.basis.catalog.object(&far.object).and_then(|object| self.basis.check_kept(object, far));
            if let Err(error) = kept {
                problems.push(Problem::new(place + "/to", "forbidden", error.detail));
                continue;
            }
            let link = match resolve(self.basis.catalog, link, near, End { record: far.record, object: &far.object }) {
                Ok(link) => link,
                Err(found) => {
                    problems.extend(found.into_iter().map(|problem| problem.within(&place)));
                    continue;
                }
            };
            match self.replace_at(&link, near.record) {
                Ok(replace) => links.push(NewLink { replace, ..link }),
                Err(error) => problems.push(Problem::new(place, error.code.as_str(), error.detail)),
            }
        }
        if problems.is_empty() { Ok(links) } else { Err(problems) }
    }

    /// Why a record of one object, where it is an activity, does not happen to records of another one.
    fn elsewhere(&self, kind: &str, (object, properties): (&str, &Properties), far: &str) -> Option<String> {
        let object = self.basis.catalog.object(object).ok()?;
        happens_elsewhere(self.basis.catalog, object, properties, kind, far)
    }

    /// What is in the way of links that say what a score has answered, from whichever end they are made.
    fn answer_link<'s>(&self, kind: &str, ends: impl IntoIterator<Item = &'s State>) -> Option<String> {
        ends.into_iter().find_map(|end| self.basis.check_answer_link(end, kind))
    }

    fn check_answer_link(&self, kind: &str, near: &State, far: &State) -> Result<()> {
        match self.answer_link(kind, [near, far]) {
            Some(message) => Err(refuse(vec![Problem::new("/type", "read_only", message)])),
            None => Ok(()),
        }
    }

    /// An import says where its record's one link leads, in place of where it led; it takes no link from others.
    fn replace_at(&self, link: &NewLink, near: RecordRef) -> Result<Replace> {
        let is_only_limit = if link.from == near { !link.limits_to } else { !link.limits_from };
        if !(self.basis.pen.is_import && is_only_limit) {
            return Ok(Replace::Nothing);
        }
        match self.caller.takes_any_link() {
            true => Ok(Replace::Everything),
            false => self.replace(link),
        }
    }

    /// A record that the caller may know of and that is not archived.
    fn visible(&self, id: &str) -> Option<&State> {
        let state = self.workspace.find_any(id).filter(|state| state.archived_at.is_none())?;
        let is_known = self.basis.catalog.object(&state.object).is_ok();
        (is_known && self.caller.may(Action::Read, &state.object, state)).then_some(state)
    }

    fn both_ends(&self, from: &str, to: &str) -> Result<(&State, &State)> {
        match (self.visible(from), self.visible(to)) {
            (Some(near), Some(far)) => {
                self.caller.check(Action::Update, &near.object, near)?;
                for end in [near, far] {
                    self.basis.check_kept(self.basis.catalog.object(&end.object)?, end)?;
                }
                Ok((near, far))
            }
            (near, far) => {
                let missing = [("/from", from, near.is_none()), ("/to", to, far.is_none())];
                let problems: Problems = missing
                    .into_iter()
                    .filter(|(_, _, is_missing)| *is_missing)
                    .map(|(at, id, _)| Problem::new(at, "not_found", format!("there is no record `{}`", shortened(id))))
                    .collect();
                Err(Error::invalid(problems))
            }
        }
    }

    /// Plans to link two records.
    pub(super) fn associate(&self, from: &str, input: &LinkInput, replace: bool) -> Result<Plan> {
        let (near, far) = self.both_ends(from, &input.to)?;
        self.check_answer_link(&input.kind, near, far)?;
        let ends = [("/to", near, far), ("/from", far, near)];
        let elsewhere = ends.into_iter().find_map(|(at, activity, other)| {
            let message = self.elsewhere(&input.kind, (&activity.object, &activity.properties), &other.object)?;
            Some(Problem::new(at, HAPPENS_ELSEWHERE, message))
        });
        if let Some(problem) = elsewhere {
            return Err(refuse(vec![problem]));
        }
        let near = End { record: near.record, object: &near.object };
        let far = End { record: far.record, object: &far.object };
        let link = resolve(self.basis.catalog, input, near, far).map_err(|mut problems| {
            // Here both ends were named; the one that the association does not start at is the wrong one.
            let starts_elsewhere = self
                .basis
                .catalog
                .effective
                .registry
                .associations
                .get(input.kind.as_str())
                .is_some_and(|association| association.from.as_str() != near.object);
            for problem in problems.iter_mut().filter(|problem| problem.pointer == "/to" && starts_elsewhere) {
                problem.pointer = "/from".to_owned();
            }
            refuse(problems)
        })?;
        let replace = if replace { self.replace(&link)? } else { Replace::Nothing };
        let links = vec![NewLink { replace, ..link }];
        Ok(Plan { body: Body::Links, links, effect: Effect::Changed, upsert: None })
    }

    /// Plans to take a link away.
    pub(super) fn dissociate(&self, kind: &str, from: &str, to: &str) -> Result<Plan> {
        let (near, far) = self.both_ends(from, to)?;
        self.check_answer_link(kind, near, far)?;
        let input = LinkInput { kind: kind.to_owned(), to: to.to_owned(), label: None, properties: Default::default() };
        let ends = (End { record: near.record, object: &near.object }, End { record: far.record, object: &far.object });
        // Only the ends matter here, so what the link should carry is not asked for.
        let link = match resolve(self.basis.catalog, &input, ends.0, ends.1) {
            Ok(link) => (link.from, link.to),
            Err(problems) if problems.iter().all(|problem| problem.code == "required") => (near.record, far.record),
            Err(problems) => return Err(refuse(problems)),
        };
        let write = Write::Unlink { kind: kind.to_owned(), from: link.0, to: link.1 };
        Ok(Plan { body: Body::Unlink(write), links: Vec::new(), effect: Effect::Changed, upsert: None })
    }
}
