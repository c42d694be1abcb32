//! What values were before a migration: where the search index still has them, they answer until it has the new ones.

use serde_json::Value as Json;

use super::forward::{before_key, renamed_key};
use super::how::normal;
use crate::Properties;
use crate::property::Property;

/// A property as it was before its last migration.
#[derive(Debug, Clone, Copy)]
pub struct Former<'a> {
    /// Its definition, under the name that it had.
    pub property: &'a Property,
    /// [`Property::since`] of it.
    pub since: i64,
    /// It came with the migration: it had no values before.
    pub is_new: bool,
}

impl Property {
    /// The metadata version of the migration that its values came with; 0 where there was none.
    pub fn since(&self) -> i64 {
        self.migrated.as_ref().map_or(0, |migrated| migrated.version)
    }

    /// The metadata versions that its migrations came with, the last one first.
    pub fn migrations(&self) -> impl Iterator<Item = i64> {
        self.migrated
            .iter()
            .flat_map(|migrated| std::iter::once(migrated.version).chain(migrated.earlier.iter().copied()))
    }

    /// What it was before its last migration, if there was one; one that is new with it was as it is, without values.
    pub fn former(&self) -> Option<Former<'_>> {
        let migrated = self.migrated.as_ref()?;
        let property = migrated.before.as_deref();
        Some(Former { property: property.unwrap_or(self), since: migrated.before_since, is_new: property.is_none() })
    }

    /// The value that a record, brought forward, had before the last migration; of one that was given another value
    /// since, that value as it would have been written, if it could have been.
    pub fn former_value(&self, properties: &Properties) -> Option<Json> {
        let migrated = self.migrated.as_ref()?;
        let kept = || properties.get(&before_key(migrated.version, &self.name));
        let taken_over = || properties.get(&renamed_key(migrated.version, &self.name));
        let before = if migrated.renamed.is_some() { taken_over().or_else(kept) } else { kept() };
        match before {
            Some(before) => Some(before.clone()).filter(|before| !before.is_null()),
            None => {
                let (kind, value) = (&migrated.before.as_ref()?.kind, properties.get(self.name.as_str())?);
                let mut origins = migrated.how.origins(value).into_iter();
                origins.find_map(|origin| normal(kind.as_ref(), &origin).ok().flatten())
            }
        }
    }
}
