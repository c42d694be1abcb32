//! Bringing records forward, and what is kept in them of before.

use serde_json::{Value as Json, json};

use super::Migration;
use crate::Properties;
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::property::Property;

/// What keys begin with that are stored in a record and are no properties.
const HIDDEN: char = '\u{1}';

/// The key of the version up to which a record was brought forward.
const MARK: &str = "\u{1}m";

/// Whether a key in stored properties belongs to no property, and to nobody but the engine.
pub fn is_hidden(key: &str) -> bool {
    key.starts_with(HIDDEN)
}

/// Takes away what is kept of a property from before migrations: it has another value now, to which no way leads back.
pub fn forget_before(properties: &mut Properties, property: &str) {
    let is_before = |key: &str| is_hidden(key) && key.split_once(':').is_some_and(|(_, name)| name == property);
    properties.retain(|key, _| !is_before(key));
}

/// The key of the value from before a migration that a property took over from one of another name.
pub(super) fn renamed_key(version: i64, property: &str) -> String {
    format!("{HIDDEN}r{version}:{property}")
}

/// The key of a value from before a migration.
pub(super) fn before_key(version: i64, property: &str) -> String {
    format!("{HIDDEN}b{version}:{property}")
}

impl ObjectDefinition {
    /// Properties whose stored values may still have to be brought forward.
    pub fn migrating(&self) -> impl Iterator<Item = (&Property, &Migration)> {
        let migrating = self.properties.values().filter_map(|property| Some((property, property.migrated.as_ref()?)));
        migrating.filter(|(_, migration)| !migration.is_settled)
    }

    /// Whether stored values of a property were ever brought forward, or are to be.
    pub fn has_migrated(&self) -> bool {
        self.properties.values().any(|property| property.migrated.is_some())
    }

    /// The version to which a record is brought forward that is written now; 0 where there is nothing to do.
    fn mark(&self) -> i64 {
        self.migrating().map(|(_, migration)| migration.version).max().unwrap_or_default()
    }

    /// Notes that a record is as the definition has it now.
    pub fn mark_forward(&self, properties: &mut Properties) {
        if self.is_migrating {
            properties.insert(MARK.to_owned(), json!(self.mark()));
        }
    }

    /// Brings stored properties to what the definition says now; whether a value has become another. A value that cannot
    /// be brought forward, which is looked for before a definition changes, goes.
    pub fn bring_forward(&self, properties: &mut Properties) -> bool {
        if !self.is_migrating {
            return false;
        }
        self.forward(properties).0
    }

    /// The same with the properties whose values cannot be brought forward, each with the reason.
    pub fn forward(&self, properties: &mut Properties) -> (bool, Vec<(&Name, String)>) {
        let mark = properties.get(MARK).and_then(Json::as_i64).unwrap_or_default();
        let pending = self.migrating().filter(|(_, migration)| migration.is_pending(mark));
        let (mut next, mut failed) = (Vec::new(), Vec::new());
        for (property, migration) in pending {
            match migration.next(self, property, properties) {
                Ok(value) => next.push((property, migration.version, value)),
                Err(reason) => {
                    failed.push((&property.name, reason));
                    next.push((property, migration.version, None));
                }
            }
        }
        if next.is_empty() {
            return (false, failed);
        }
        let mut is_other = false;
        for (property, version, value) in next {
            let old = property.migrated.as_ref().and_then(Migration::renamed_from);
            if let Some((old, stored)) = old.and_then(|old| properties.shift_remove_entry(old.as_str())) {
                properties.insert(renamed_key(version, &property.name), stored.clone());
                properties.insert(before_key(version, &old), stored);
            }
            let stored = properties.get(property.name.as_str());
            if stored == value.as_ref() {
                continue;
            }
            is_other = true;
            let before = stored.cloned().unwrap_or_default();
            properties.insert(before_key(version, &property.name), before);
            match value {
                Some(value) => drop(properties.insert(property.name.to_string(), value)),
                None => drop(properties.shift_remove(property.name.as_str())),
            }
        }
        self.mark_forward(properties);
        (is_other, failed)
    }

    /// The values that properties had before they were brought forward, as far as they differ: name and value.
    pub fn values_before<'a>(&'a self, properties: &'a Properties) -> impl Iterator<Item = (&'a Name, Option<Json>)> {
        let names = self.migrating().flat_map(|(property, migration)| {
            let names = [Some(&property.name), migration.renamed_from()];
            names.into_iter().flatten().map(move |name| (name, migration.version))
        });
        names.filter_map(|(name, version)| {
            let before = properties.get(&before_key(version, name))?;
            Some((name, Some(before.clone()).filter(|before| !before.is_null())))
        })
    }
}
