//! Whose turn it is. A turn is taken once for a record, however often its write is planned again, and is the next one's
//! where the record is not made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine_model::{TeamId, TenantId, UserId};
use engine_store::counter;

use super::Rules;
use super::rules::Rule;
use crate::error::Result;
use crate::session::Session;

/// Rules of which turns are kept; all are forgotten when there are more, and then those turns are lost.
const MOST_RULES: usize = 10_000;

/// Turns of one rule that are kept.
const MOST_TURNS: usize = 10_000;

/// Who gets a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) user: UserId,
    /// The team that the record then belongs to.
    pub(crate) team: Option<TeamId>,
}

/// A turn and where it comes from.
#[derive(Debug, Clone, Copy)]
struct Taken {
    rule: i64,
    number: i64,
    turn: Turn,
}

/// Numbers of turns that were taken on this node for records that were not made then, the lowest of a rule last.
#[derive(Debug, Default)]
pub(crate) struct SpareTurns(Mutex<HashMap<(TenantId, i64), Vec<i64>>>);

impl SpareTurns {
    fn take(&self, tenant: TenantId, rule: i64, count: usize) -> Vec<i64> {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = spare.get_mut(&(tenant, rule)) else { return Vec::new() };
        let mut taken = kept.split_off(kept.len().saturating_sub(count));
        if kept.is_empty() {
            spare.remove(&(tenant, rule));
        }
        taken.reverse();
        taken
    }

    fn give_back(&self, tenant: TenantId, rule: i64, number: i64) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() >= MOST_RULES && !spare.contains_key(&(tenant, rule)) {
            spare.clear();
        }
        let kept = spare.entry((tenant, rule)).or_default();
        if kept.len() < MOST_TURNS {
            let place = kept.partition_point(|known| *known > number);
            kept.insert(place, number);
        }
    }
}

/// What planning knows of assignment.
#[derive(Debug, Default)]
pub(crate) struct Assigning {
    pub(crate) rules: Arc<Rules>,
    /// By the number of the step whose record it is.
    turns: HashMap<usize, Taken>,
    /// The access version at which the turns were taken.
    version: i64,
}

impl Assigning {
    /// The turn that a step has taken.
    pub(crate) fn turn(&self, step: usize) -> Option<Turn> {
        self.turns.get(&step).map(|taken| taken.turn)
    }
}

impl Rule {
    /// Whose turn has this number.
    fn turn(&self, number: i64) -> Option<Turn> {
        let among = i64::try_from(self.users.len()).ok()?;
        let place = usize::try_from(number.checked_rem_euclid(among)?).ok()?;
        Some(Turn { user: *self.users.get(place)?, team: self.team })
    }
}

impl Session {
    /// Brings the rules up to date. Where they may be others by now, turns are given back and taken again.
    pub(crate) async fn follow_rules(&self, assigning: &mut Assigning) -> Result<()> {
        let version = self.caller.access_version;
        if assigning.version != version {
            self.give_turns_back(assigning, |_| false);
            *assigning = Assigning { rules: self.rules().await?, turns: HashMap::new(), version };
        }
        Ok(())
    }

    /// Takes a turn for each of these steps by its rule, with one statement a rule.
    pub(crate) async fn take_turns(&self, waiting: &[(usize, String, i64)], assigning: &mut Assigning) -> Result<()> {
        let mut steps: HashMap<(&str, i64), Vec<usize>> = HashMap::new();
        for (step, object, rule) in waiting {
            steps.entry((object, *rule)).or_default().push(*step);
        }
        for ((object, id), steps) in steps {
            let Some(rule) = assigning.rules.rule(object, id) else { continue };
            let mut numbers = self.engine.inner.spare_turns.take(self.tenant(), id, steps.len());
            let count = i64::try_from(steps.len() - numbers.len()).unwrap_or(i64::MAX);
            if count > 0 {
                let last =
                    counter::take(self.engine.store(), self.tenant(), &format!("assignment.{id}"), count).await?;
                numbers.extend(last - count..last);
            }
            let taken = steps
                .into_iter()
                .zip(numbers)
                .filter_map(|(step, number)| Some((step, Taken { rule: id, number, turn: rule.turn(number)? })));
            assigning.turns.extend(taken.collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Gives back the turns of steps that have not used theirs, so that they cost nobody one. Where it is not known
    /// whether a step was written, its turn is better lost than taken twice.
    pub(crate) fn give_turns_back(&self, assigning: &mut Assigning, has_used: impl Fn(usize) -> bool) {
        for (_, taken) in assigning.turns.drain().filter(|(step, _)| !has_used(*step)) {
            self.engine.inner.spare_turns.give_back(self.tenant(), taken.rule, taken.number);
        }
    }
}
