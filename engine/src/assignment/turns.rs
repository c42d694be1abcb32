//! Whose turn it is. A turn is taken once for a record, however often its write is planned again.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::{TeamId, UserId};
use engine_store::counter;

use super::Rules;
use crate::error::Result;
use crate::session::Session;

/// Who gets a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) user: UserId,
    /// The team that the record then belongs to.
    pub(crate) team: Option<TeamId>,
}

/// What planning knows of assignment.
#[derive(Debug, Default)]
pub(crate) struct Assigning {
    pub(crate) rules: Arc<Rules>,
    /// By the number of the step whose record it is.
    turns: HashMap<usize, Turn>,
    /// The access version at which the turns were taken.
    version: i64,
}

impl Assigning {
    /// The turn that a step has taken.
    pub(crate) fn turn(&self, step: usize) -> Option<Turn> {
        self.turns.get(&step).copied()
    }
}

impl Session {
    /// Brings the rules up to date. Where they are others by now, turns are taken again.
    pub(crate) async fn follow_rules(&self, assigning: &mut Assigning) -> Result<()> {
        let version = self.caller.access_version;
        if assigning.version != version {
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
            let count = i64::try_from(steps.len()).unwrap_or(i64::MAX);
            let last = counter::take(self.engine.store(), self.tenant(), &format!("assignment.{id}"), count).await?;
            let numbers = last - count..last;
            let turns = steps.into_iter().zip(numbers).filter_map(|(step, number)| {
                let among = i64::try_from(rule.users.len()).ok()?;
                let place = usize::try_from(number.checked_rem_euclid(among)?).ok()?;
                Some((step, Turn { user: *rule.users.get(place)?, team: rule.team }))
            });
            assigning.turns.extend(turns.collect::<Vec<_>>());
        }
        Ok(())
    }
}
