//! Migrations: how stored values of a property become those of its changed definition.
//!
//! A definition that says how stays beside the stored values, so that changing it costs the same for ten records and for
//! ten million: a record that was written before is brought forward whenever it is read, and written anew by and by.
//! Which ones are forward already is noted in the record itself, under a key that no property can have; so is the value
//! from before, which makes the way back.

mod check;
mod former;
mod forward;
mod how;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

pub use former::Former;
pub use forward::{forget_before, is_hidden};

use crate::Properties;
use crate::computed::rounded;
use crate::expression::{Expression, Scope};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::Problems;
use crate::property::Property;
use crate::spec::SpecReader;
use forward::{before_key, renamed_key};
use how::{How, is_valid, mapped, normal, read_how};

/// Earlier migrations of a property that are remembered, to be undone.
const MOST_EARLIER: usize = 100;

/// How stored values become those of the definition of which it is part.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The metadata version that it came with; later ones are higher.
    pub version: i64,
    /// Every record has been written anew.
    pub is_settled: bool,
    /// The definition of the values before; none where there were none.
    before: Option<Arc<Property>>,
    /// [`Property::since`] of the values before.
    before_since: i64,
    /// What the property was called whose values it takes over.
    renamed: Option<Name>,
    /// What the property was called in earlier versions, the newest name first.
    pub(crate) once: Vec<Name>,
    /// The versions of those before, the last one first.
    earlier: Vec<i64>,
    how: How,
}

impl Migration {
    /// What a caller asks for: exactly one of `default`, `map`, `convert` and `undo`, as it is kept with the property.
    ///
    /// `before` is the definition in force, if there is one; `version` is the metadata version that it will come with.
    pub fn specify(
        asked: &Json,
        before: Option<&Property>,
        version: i64,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Json> {
        let known = problems.len();
        let mut reader = SpecReader::new(asked, pointer, problems)?;
        let how = read_how(&mut reader, None);
        reader.finish();
        let mut kept = asked.as_object().cloned()?;
        if how.is_none() || problems.len() > known {
            return None;
        }
        // As a list, since null takes an entry of a map away where layers are laid over each other.
        if let Some(Json::Object(map)) = kept.get("map") {
            let pairs: Json = map.iter().map(|(key, value)| json!([key, value])).collect();
            kept.insert("map".to_owned(), pairs);
        }
        kept.insert("version".to_owned(), json!(version));
        if let Some(once) = before.and_then(|before| before.migrated.as_ref()).and_then(Self::kept_once) {
            kept.insert("once".to_owned(), once);
        }
        if let Some(before) = before.filter(|before| !before.kind.is_computed()) {
            kept.extend(kept_before(before).map(|(key, value)| (key.to_owned(), value)));
        }
        Some(Json::Object(kept))
    }

    /// What is kept with a property that takes over the values of `old`, which it was called before; `kept` is what
    /// becomes of them, where that is said.
    pub fn of_rename(old: &Property, version: i64, kept: Option<Json>) -> Json {
        let mut kept = kept.unwrap_or_else(|| json!({"version": version}));
        kept["rename"] = json!(old.name);
        // A version that does not say so any more, or says only what the last name was, is understood all the same.
        kept["once"] = std::iter::once(&old.name).chain(old.former_names()).map(|name| json!(name)).collect();
        for (key, value) in kept_before(old) {
            kept[key] = value;
        }
        kept
    }

    /// What is kept with the property of the former name that takes its values back from `new`, which had them by this
    /// migration: as they were, unless they have been changed since.
    pub fn of_return(&self, new: &Property, version: i64) -> Json {
        let undone = match &self.how {
            How::Keep => None,
            How::Default(_) | How::Map(_) | How::Convert(_) | How::Undo(_) => {
                Some(json!({"undo": self.version, "version": version}))
            }
        };
        Self::of_rename(new, version, undone)
    }

    /// Whether it is about records without a value.
    pub fn fills_in(&self) -> bool {
        matches!(self.how, How::Default(_))
    }

    /// The values that become others, as texts, where it says so of each.
    pub fn mapped(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.how {
            How::Map(map) => Some(map.keys().map(String::as_str)),
            How::Default(_) | How::Convert(_) | How::Undo(_) | How::Keep => None,
        }
    }

    /// What goes on to be kept of former names with another migration of the same property.
    pub fn kept_once(&self) -> Option<Json> {
        (!self.once.is_empty()).then(|| json!(self.once))
    }

    /// What the property was called whose values it takes over.
    pub fn renamed_from(&self) -> Option<&Name> {
        self.renamed.as_ref()
    }

    /// Reads what is kept with the property of that name.
    pub(crate) fn read(
        property: &Name,
        spec: &Map<String, Json>,
        pointer: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut reader = SpecReader::of_map(spec, pointer, problems);
        let version = reader.count("version").and_then(|version| i64::try_from(version).ok());
        let is_settled = reader.boolean("settled").unwrap_or(false);
        let renamed = reader.name("rename");
        let once = reader.names("once").unwrap_or_default();
        let how = read_how(&mut reader, renamed.as_ref());
        let earlier = reader.value("earlier").and_then(Json::as_array);
        let earlier = earlier.into_iter().flatten().filter_map(Json::as_i64).collect();
        let before = reader.map("before").cloned();
        let before_since = reader.count("before_since").and_then(|version| i64::try_from(version).ok());
        reader.finish();
        let before = match before {
            Some(spec) => {
                let name = renamed.as_ref().unwrap_or(property).clone();
                Some(Arc::new(Property::read(name, &Json::Object(spec), "", &format!("{pointer}/before"), problems)?))
            }
            None => None,
        };
        let before_since = before_since.unwrap_or_default();
        Some(Self { version: version?, is_settled, before, before_since, renamed, once, earlier, how: how? })
    }

    /// Whether stored values may differ from what they were before it.
    pub fn is_pending(&self, mark: i64) -> bool {
        !self.is_settled && self.version > mark
    }

    /// What the value of `property` becomes in a record whose properties are these.
    ///
    /// # Errors
    /// Why there is none.
    pub fn next(
        &self,
        object: &ObjectDefinition,
        property: &Property,
        properties: &Properties,
    ) -> Result<Option<Json>, String> {
        let stored = self.stored(property, properties);
        let kind = property.kind.as_ref();
        match &self.how {
            How::Default(default) => match stored {
                Some(value) if is_valid(kind, value) => Ok(Some(value.clone())),
                Some(_) | None => normal(kind, default),
            },
            How::Map(map) => stored.map_or(Ok(None), |value| mapped(map, kind, value)),
            How::Convert(expression) => self.converted(expression, object, property, properties),
            How::Keep => stored.map_or(Ok(None), |value| normal(kind, value)),
            How::Undo(version) => match properties.get(&self.key_before(*version, property)) {
                Some(Json::Null) => Ok(None),
                Some(value) => normal(kind, value),
                None => stored.map_or(Ok(None), |value| normal(kind, value)),
            },
        }
    }

    /// The value that there is, under the name that it has or had.
    fn stored<'p>(&self, property: &Property, properties: &'p Properties) -> Option<&'p Json> {
        let before = || properties.get(self.renamed.as_ref()?.as_str());
        properties.get(property.name.as_str()).or_else(before)
    }

    /// The key of the value from before the migration that is undone.
    fn key_before(&self, version: i64, property: &Property) -> String {
        match &self.renamed {
            Some(new) => renamed_key(version, new),
            None => before_key(version, &property.name),
        }
    }

    fn converted(
        &self,
        expression: &Expression,
        object: &ObjectDefinition,
        property: &Property,
        properties: &Properties,
    ) -> Result<Option<Json>, String> {
        let null = Json::Null;
        let stored = self.stored(property, properties).unwrap_or(&null);
        let before = self.before.as_ref().map_or(property.kind.as_ref(), |before| before.kind.as_ref());
        let scope = Scope::new()
            .bind_record_with("record", &object.properties, properties, (&property.name, before))
            .bind_property("value", before, stored);
        match expression.evaluate(&scope) {
            Ok(value) => normal(property.kind.as_ref(), &rounded(&value, property.kind.as_ref())),
            Err(error) if error.is_missing_value() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What a migration keeps of the definition before it.
fn kept_before(before: &Property) -> [(&'static str, Json); 3] {
    let mut spec = before.spec.clone();
    spec.shift_remove("migration");
    let earlier: Vec<i64> = before.migrations().take(MOST_EARLIER).collect();
    [("before", Json::Object(spec)), ("before_since", json!(before.since())), ("earlier", json!(earlier))]
}
