//! Handing a record over: somebody takes it on, gives it back, or is given it.

use engine_model::object::ObjectDefinition;
use engine_model::{Problem, Problems, Properties, UserId};

use super::basis::{Basis, no_user};
use super::draft::Draft;
use super::plan::{Plan, Planner, unchanged};
use super::state::State;
use crate::assignment::Turn;
use crate::caller::Standing;
use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};

/// Who owns a record from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The caller, unless somebody else has it.
    Claim,
    /// Nobody.
    Release,
    /// The user of this id.
    Assign(String),
    /// Whoever's turn it is by this assignment rule; without one, by the first that the record meets.
    ByRule(Option<String>),
}

impl Planner<'_> {
    /// Plans to hand a record over; where its owner is that already, nothing changes.
    pub(super) fn hand_over(
        &mut self,
        object: &ObjectDefinition,
        before: State,
        handover: &Handover,
        name: Option<&str>,
    ) -> Result<Plan> {
        let owned_by = before.owner.filter(|owner| *owner != self.caller.user && before.archived_at.is_none());
        if let (Handover::Claim, Some(owner)) = (handover, owned_by) {
            let message = format!("user {owner} owns the record already; ask them to release it");
            return Err(Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new("", "owned", message)));
        }
        self.check_update(object, &before)?;
        let (owner, team) = match handover {
            Handover::Claim => (Some(self.caller.user), before.team),
            Handover::Release => (None, before.team),
            Handover::Assign(user) => (Some(self.assignee(&before, user)?), before.team),
            Handover::ByRule(rule) => match self.basis.turn {
                Some(Turn { user, team }) => (Some(user), team.or(before.team)),
                None => {
                    let rule = self.rule_for(object, &before, rule.as_deref())?;
                    let draft = Draft { waits_for: Some(rule), ..unchanged(before) };
                    return Ok(self.take(object, draft, Vec::new(), name));
                }
            },
        };
        let draft = Draft::hand_over(&self.basis, object, before, Standing { owner, team }).map_err(Error::invalid)?;
        Ok(self.take(object, draft, Vec::new(), name))
    }

    fn assignee(&self, before: &State, user: &str) -> Result<UserId> {
        let missing = |user: &str| {
            let message = format!("there is no user `{}`", shortened(user));
            Error::invalid(vec![Problem::new("/owner_id", "not_found", message)])
        };
        let id: UserId = user.parse().map_err(|_| missing(user))?;
        let is_stranger = before.owner != Some(id) && self.basis.strangers.users.contains(&id);
        if is_stranger { Err(Error::invalid(vec![no_user("/owner_id".to_owned(), id)])) } else { Ok(id) }
    }

    /// The id of the rule that is named, or of the first that fits.
    fn rule_for(&self, object: &ObjectDefinition, before: &State, named: Option<&str>) -> Result<i64> {
        let refuse = |code, message: String| Err(Error::invalid(vec![Problem::new("/rule", code, message)]));
        let Some(named) = named else {
            return match self.basis.rules.fitting(object, &before.properties) {
                Some(rule) => Ok(rule.id),
                None => refuse("no_rule", format!("no assignment rule of `{}` fits the record", object.name)),
            };
        };
        match named.parse().ok().and_then(|id| self.basis.rules.rule(&object.name, id)) {
            Some(rule) if rule.users.is_empty() => {
                refuse("no_rule", format!("nobody is left whom the assignment rule {named} names"))
            }
            Some(rule) => Ok(rule.id),
            None => {
                let message = format!("`{}` has no active assignment rule `{}`", object.name, shortened(named));
                refuse("not_found", message)
            }
        }
    }
}

impl Draft {
    /// A record that stands elsewhere; its values stay.
    fn hand_over(
        basis: &Basis<'_>,
        object: &ObjectDefinition,
        before: State,
        standing: Standing,
    ) -> Result<Self, Problems> {
        let properties = Properties::clone(&before.properties);
        let draft = Self::next(basis, object, before, properties, standing, Problems::new())?;
        Ok(Self { is_handover: true, ..draft })
    }
}
