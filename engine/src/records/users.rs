//! Users that records name must exist.

use std::collections::HashSet;

use engine_model::UserId;
use engine_store::access;
use serde_json::value::RawValue;

use super::operation::Operation;
use crate::definitions::catalog::Catalog;
use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Those users named by the operations who do not exist, or are archived.
    pub(super) async fn strangers(&self, operations: &[&Operation]) -> Result<HashSet<UserId>> {
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
        Operation::Create { object, input }
        | Operation::Update { object, input, .. }
        | Operation::Upsert { object, input, .. } => (object, &input.properties, input.owner.as_ref()),
        Operation::Move { object, input, .. } => (object, &input.properties, None),
        _ => return Vec::new(),
    };
    let owner = owner.into_iter().flatten().filter_map(|text| text.parse().ok());
    let Ok(object) = catalog.object(object) else { return owner.collect() };
    let is_user = |name: &str| object.property(name).is_some_and(|property| property.kind.name() == "user");
    let values = properties.0.iter().filter(|(name, _)| is_user(name));
    owner.chain(values.filter_map(|(_, raw)| read_id(raw))).collect()
}

fn read_id(raw: &RawValue) -> Option<UserId> {
    serde_json::from_str::<&str>(raw.get()).ok()?.parse().ok()
}
