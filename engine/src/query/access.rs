//! What a caller may see, as conditions of a query.

use std::collections::BTreeSet;

use engine_model::access::{Action, Holder, Reach, Teams};
use engine_model::query::{Field, Filter, Test, system_field};
use engine_model::{Name, UserId};

use crate::caller::Caller;

/// The condition that records of an object meet which the caller may see; none where that is no record at all.
pub(super) fn visible(caller: &Caller, object: &str) -> Option<Filter> {
    match caller.rights.grants(object).reach(Action::Read) {
        Reach::NONE => None,
        Reach::ALL => Some(Filter::everything()),
        reach => Fields::of(object).map(|fields| fields.within(reach, caller)),
    }
}

/// The fields that say where a record stands.
struct Fields {
    owner: Field,
    team: Field,
}

impl Fields {
    fn of(object: &str) -> Option<Self> {
        let object = Name::new(object).ok()?;
        Some(Self { owner: system_field(&object, "owner_id")?, team: system_field(&object, "team_id")? })
    }

    /// Records that a reach covers: each part of it, and what is of the caller's teams at once where all of that is.
    fn within(&self, reach: Reach, caller: &Caller) -> Filter {
        let covers_own_teams =
            Holder::ALL.into_iter().all(|holder| matches!(reach.teams_of(holder), Teams::Own | Teams::Any));
        let mut parts: Vec<Filter> = covers_own_teams.then(|| self.of_own_teams(caller)).into_iter().collect();
        for holder in Holder::ALL {
            let owned = self.owned_by(holder, caller);
            parts.extend(match reach.teams_of(holder) {
                Teams::Any => Some(owned),
                Teams::Own if covers_own_teams => None,
                Teams::Own => Some(Filter::All(vec![owned, self.of_own_teams(caller)])),
                Teams::Others => Some(Filter::All(vec![owned, not(self.of_own_teams(caller))])),
                Teams::None => None,
            });
        }
        Filter::Any(parts)
    }

    fn owned_by(&self, holder: Holder, caller: &Caller) -> Filter {
        let one_of = |users: BTreeSet<UserId>| one_of(&self.owner, users.iter().map(ToString::to_string).collect());
        let mates = || caller.team_mates.iter().copied();
        match holder {
            Holder::Oneself => one_of(BTreeSet::from([caller.user])),
            Holder::Mate => one_of(mates().filter(|mate| *mate != caller.user).collect()),
            Holder::Nobody => not(Filter::Exists(self.owner.clone())),
            Holder::Other => {
                let near = one_of(mates().chain([caller.user]).collect());
                Filter::All(vec![Filter::Exists(self.owner.clone()), not(near)])
            }
        }
    }

    fn of_own_teams(&self, caller: &Caller) -> Filter {
        one_of(&self.team, caller.teams.iter().map(ToString::to_string).collect())
    }
}

fn one_of(field: &Field, ids: BTreeSet<String>) -> Filter {
    match ids.is_empty() {
        true => Filter::nothing(),
        false => Filter::Is(field.clone(), Test::Texts(ids.into_iter().collect())),
    }
}

fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}
