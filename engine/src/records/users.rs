//! Users and teams that records name must exist.

use std::collections::HashSet;

use engine_model::{TeamId, UserId};
use engine_store::access;
use serde_json::value::RawValue;

use super::details::users_sent;
use super::handover::Handover;
use super::input::RecordInput;
use super::operation::Operation;
use crate::definitions::catalog::Catalog;
use crate::error::Result;
use crate::session::Session;

/// Users and teams that are named and do not exist.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// Archived ones are among them.
    pub(crate) users: HashSet<UserId>,
    pub(crate) teams: HashSet<TeamId>,
}

impl Session {
    /// Those users and teams named by the operations that do not exist.
    pub(super) async fn strangers(&self, operations: &[&Operation]) -> Result<Strangers> {
        let users = self.unknown_users(operations).await?;
        let inputs = operations.iter().filter_map(|operation| input_of(operation));
        let named = inputs.filter_map(|(_, input)| input.team.as_ref()?.as_ref()?.parse().ok());
        let mut teams: HashSet<TeamId> = named.filter(|team| !self.caller.teams.contains(team)).collect();
        if !teams.is_empty() {
            let ids = teams.iter().map(|team| team.0).collect();
            for team in access::teams_among(&mut self.reader().await?, ids).await? {
                teams.remove(&team);
            }
        }
        Ok(Strangers { users, teams })
    }

    async fn unknown_users(&self, operations: &[&Operation]) -> Result<HashSet<UserId>> {
        let known = &self.engine.inner.known_users;
        let key = |user: UserId| (self.tenant(), self.caller.access_version, user.0);
        let named = operations.iter().flat_map(|operation| named(&self.catalog, operation));
        let mut strangers: HashSet<UserId> =
            named.filter(|user| *user != self.caller.user && !known.contains_key(&key(*user))).collect();
        if strangers.is_empty() {
            return Ok(strangers);
        }
        let ids = strangers.iter().map(|user| user.0).collect();
        for user in access::users_among(&mut self.reader().await?, ids).await? {
            known.insert(key(user), true).await;
            strangers.remove(&user);
        }
        Ok(strangers)
    }
}

/// Users that an operation names as owner or in a property. What is no id is told where it is read.
fn named(catalog: &Catalog, operation: &Operation) -> Vec<UserId> {
    let (object, properties, owner) = match operation {
        Operation::Move { object, input, .. } => (object.as_str(), &input.properties, None),
        Operation::Own { handover: Handover::Assign(user), .. } => return user.parse().into_iter().collect(),
        _ => {
            let Some((object, input)) = input_of(operation) else { return Vec::new() };
            (object, &input.properties, input.owner.as_ref())
        }
    };
    let owner = owner.into_iter().flatten().filter_map(|text| text.parse().ok());
    let Ok(object) = catalog.object(object) else { return owner.collect() };
    let is_user = |name: &str| object.property(name).is_some_and(|property| property.kind.name() == "user");
    let values = properties.0.iter().filter(|(name, _)| is_user(name));
    owner.chain(values.filter_map(|(_, raw)| read_id(raw))).chain(users_sent(object, properties)).collect()
}

/// The object and the input of an operation that has one.
fn input_of(operation: &Operation) -> Option<(&str, &RecordInput)> {
    match operation {
        Operation::Create { object, input }
        | Operation::Update { object, input, .. }
        | Operation::Upsert { object, input, .. } => Some((object, input)),
        _ => None,
    }
}

fn read_id(raw: &RawValue) -> Option<UserId> {
    serde_json::from_str::<&str>(raw.get()).ok()?.parse().ok()
}
