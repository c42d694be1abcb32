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
        let named: HashSet<UserId> = operations.iter().flat_map(|operation| named(&self.catalog, operation)).collect();
        let mut strangers = HashSet::new();
        for user in named {
            if !self.user_exists(user).await? {
                strangers.insert(user);
            }
        }
        Ok(strangers)
    }

    async fn user_exists(&self, user: UserId) -> Result<bool> {
        let key = (self.tenant(), self.caller.access_version, user.0);
        if user == self.caller.user || self.engine.inner.known_users.contains_key(&key) {
            return Ok(true);
        }
        let found = access::user(&mut self.reader().await?, user).await?;
        let exists = found.is_some_and(|user| user.archived_at.is_none());
        if exists {
            self.engine.inner.known_users.insert(key, true).await;
        }
        Ok(exists)
    }
}

/// Users that an operation names as owner or in a property. What is no id is told where it is read.
fn named(catalog: &Catalog, operation: &Operation) -> Vec<UserId> {
    let (Operation::Create { object, input }
    | Operation::Update { object, input, .. }
    | Operation::Upsert { object, input, .. }) = operation
    else {
        return Vec::new();
    };
    let owner = input.owner.iter().flatten().filter_map(|text| text.parse().ok());
    let Ok(object) = catalog.object(object) else { return owner.collect() };
    let is_user = |name: &str| object.property(name).is_some_and(|property| property.kind.name() == "user");
    let values = input.properties.0.iter().filter(|(name, _)| is_user(name));
    owner.chain(values.filter_map(|(_, raw)| read_id(raw))).collect()
}

fn read_id(raw: &RawValue) -> Option<UserId> {
    serde_json::from_str::<&str>(raw.get()).ok()?.parse().ok()
}
