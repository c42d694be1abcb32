//! What a caller may see, as conditions of a query.

use std::collections::BTreeSet;

use engine_model::access::{Action, Reach};
use engine_model::query::{Filter, Test, system_field};
use engine_model::{Name, UserId};

use crate::caller::Caller;

/// The condition that records of an object meet which the caller may see; none where that is no record at all.
pub(super) fn visible(caller: &Caller, object: &str) -> Option<Filter> {
    caller.check_any(Action::Read, object).ok()?;
    let owner = system_field(&Name::new(object).ok()?, "owner_id")?;
    let owned_by = |users: BTreeSet<UserId>| {
        Filter::Is(owner.clone(), Test::Texts(users.iter().map(ToString::to_string).collect()))
    };
    let own = || owned_by(BTreeSet::from([caller.user]));
    match caller.role.grants(object).reach(Action::Read) {
        Reach::None => None,
        Reach::All => Some(Filter::everything()),
        Reach::Own => Some(own()),
        Reach::OwnOrUnclaimed => Some(Filter::Any(vec![own(), Filter::Not(Box::new(Filter::Exists(owner.clone())))])),
        Reach::Team => Some(owned_by(caller.team_mates.iter().copied().chain([caller.user]).collect())),
    }
}
