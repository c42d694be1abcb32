//! A record as it is answered.

use std::collections::HashSet;

use engine_model::access::Rights;
use engine_model::computed::Formulas;
use engine_model::migration::is_hidden;
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, TeamId, UserId};
use engine_store::record::RecordRow;
use indexmap::IndexMap;
use serde::Serializer as _;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::computed::About;
use super::draft::in_order;
use crate::definitions::catalog::Catalog;
use crate::error::{Error, Result};

/// A record as a caller may see it.
#[derive(Debug, Clone)]
pub struct Record {
    /// Identifier in the tenant.
    pub id: RecordId,
    /// Identifier anywhere.
    pub uid: Uuid,
    /// The object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
    /// Property values in normal form, as JSON text.
    pub properties: Box<RawValue>,
    /// Who owns it.
    pub owner: Option<UserId>,
    /// The team that it belongs to.
    pub team: Option<TeamId>,
    /// Counts the record's states from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: Option<UserId>,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// Linked records that were asked for, by object or association.
    pub included: Vec<(String, Vec<Record>)>,
    /// Texts in Markdown as HTML, by property, where that was asked for.
    pub html: Option<Vec<(String, String)>>,
    /// Those of the properties that are sensitive and have a value here.
    pub(crate) sensitive: Vec<String>,
}

/// What of an object's records is shown: which properties, those included whose values are computed for it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    properties: Chosen,
    /// The object, where its stored values may have to be brought forward.
    migrated: Option<&'a ObjectDefinition>,
    /// Formulas whose values depend on the moment; none where no such value is shown.
    live: Option<Live<'a>>,
    /// Those of the properties that are sensitive.
    sensitive: Vec<&'a str>,
    /// What records are called by, where not all of it is seen.
    called: Option<Called<'a>>,
}

/// What records of an object are called, by what is seen of them.
#[derive(Debug, Clone)]
struct Called<'a> {
    object: &'a ObjectDefinition,
    /// What is not seen.
    hidden: Vec<&'a str>,
}

impl Called<'_> {
    fn of(&self, properties: &Properties) -> String {
        let mut seen = properties.clone();
        seen.retain(|name, _| !self.hidden.contains(&name.as_str()));
        self.object.display.render(&seen)
    }
}

/// Some of an object's properties.
#[derive(Debug, Clone)]
enum Chosen {
    /// All that are stored; the text can pass as it is.
    All,
    Only(HashSet<String>),
    Except(HashSet<String>),
}

/// Formulas whose values are computed at every look.
#[derive(Debug, Clone, Copy)]
struct Live<'a> {
    catalog: &'a Catalog,
    object: &'a ObjectDefinition,
    formulas: &'a Formulas,
    /// The moment that is looked at.
    now: Timestamp,
}

impl<'a> Shown<'a> {
    /// What somebody with these rights sees of an object at a moment, narrowed to the selected properties.
    pub(crate) fn of(
        catalog: &'a Catalog,
        object: &'a ObjectDefinition,
        rights: &Rights,
        selected: Option<&[String]>,
        now: Timestamp,
    ) -> Self {
        let registry = &catalog.effective.registry;
        let hidden = |name: &str| {
            let property = object.properties.get(name);
            property.is_none_or(|property| property.archived || !rights.reads(registry, object, property))
        };
        let properties = match selected {
            Some(selected) => Chosen::Only(selected.iter().filter(|name| !hidden(name)).cloned().collect()),
            None => {
                let hidden: HashSet<String> =
                    object.properties.keys().filter(|name| hidden(name)).map(ToString::to_string).collect();
                // What is stored may be more than values of properties.
                let is_plain = hidden.is_empty() && !object.has_migrated();
                if is_plain { Chosen::All } else { Chosen::Except(hidden) }
            }
        };
        let migrated = object.has_migrated().then_some(object);
        let live = catalog.live_formulas(&object.name).map(|formulas| Live { catalog, object, formulas, now });
        let live = live.filter(|live| live.formulas.live().any(|name| properties.shows(name)));
        let is_given = |name: &&str| properties.shows(name) && !hidden(name);
        let sensitive = object.properties.values().filter(|property| property.sensitive);
        let sensitive = sensitive.map(|property| property.name.as_str()).filter(is_given).collect();
        let is_unseen = |name: &&str| {
            object.properties.get(*name).is_some_and(|property| !rights.reads(registry, object, property))
        };
        let unseen: Vec<&str> = object.display.names().filter(is_unseen).collect();
        let called = (!unseen.is_empty()).then_some(Called { object, hidden: unseen });
        Self { properties, migrated, live, sensitive, called }
    }

    /// Nothing, of an object that is no more.
    pub(crate) fn nothing() -> Self {
        let (sensitive, called) = (Vec::new(), None);
        Self { properties: Chosen::Only(HashSet::new()), migrated: None, live: None, sensitive, called }
    }

    /// The visible part of a record as stored: its properties, those of them that are sensitive, and what it is called
    /// where that is not what is stored.
    fn apply(&self, stored: String, about: &About) -> Result<(Box<RawValue>, Vec<String>, Option<String>)> {
        if let (Chosen::All, None, None) = (&self.properties, &self.live, &self.called) {
            let sensitive = self.sensitive_in_text(&stored)?;
            return Ok((RawValue::from_string(stored).map_err(Error::internal)?, sensitive, None));
        }
        let mut properties: Properties = serde_json::from_str(&stored).map_err(Error::internal)?;
        if let Some(object) = self.migrated {
            object.bring_forward(&mut properties);
        }
        let (sensitive, called) = (self.sensitive_in(&properties), self.called(&properties));
        Ok((self.apply_map(&properties, about)?, sensitive, called))
    }

    /// What a record is called, where that is not what is stored.
    pub(crate) fn called(&self, properties: &Properties) -> Option<String> {
        self.called.as_ref().map(|called| called.of(properties))
    }

    /// Whether a shown property is sensitive.
    pub(crate) fn is_sensitive(&self, name: &str) -> bool {
        self.sensitive.contains(&name)
    }

    /// Those of the shown properties that are sensitive and have a value.
    pub(crate) fn sensitive_in(&self, properties: &Properties) -> Vec<String> {
        self.sensitive.iter().filter(|name| properties.contains_key(**name)).map(|name| (*name).to_owned()).collect()
    }

    fn sensitive_in_text(&self, stored: &str) -> Result<Vec<String>> {
        if self.sensitive.is_empty() {
            return Ok(Vec::new());
        }
        let present: IndexMap<String, IgnoredAny> = serde_json::from_str(stored).map_err(Error::internal)?;
        let sensitive = self.sensitive.iter().filter(|name| present.contains_key(**name));
        Ok(sensitive.map(|name| (*name).to_owned()).collect())
    }

    /// The visible part of properties.
    pub(crate) fn apply_map(&self, properties: &Properties, about: &About) -> Result<Box<RawValue>> {
        match &self.live {
            None => self.properties.apply(properties),
            Some(live) => {
                let mut properties = properties.clone();
                live.formulas.compute_live(live.object, &mut properties, &live.catalog.circumstances(live.now, about));
                self.properties.apply(&in_order(live.object, properties))
            }
        }
    }

    /// Whether a property is shown.
    pub(crate) fn shows(&self, name: &str) -> bool {
        self.properties.shows(name)
    }
}

impl Chosen {
    fn apply(&self, properties: &Properties) -> Result<Box<RawValue>> {
        let mut text = Vec::with_capacity(1024);
        let shown = properties.iter().filter(|(name, _)| self.shows(name));
        serde_json::Serializer::new(&mut text).collect_map(shown).map_err(Error::internal)?;
        let text = String::from_utf8(text).map_err(Error::internal)?;
        RawValue::from_string(text).map_err(Error::internal)
    }

    fn shows(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
            Self::Except(names) => !is_hidden(name) && !names.contains(name),
        }
    }
}

impl Record {
    /// A stored record as far as it is shown.
    pub(crate) fn from_row(row: RecordRow, shown: &Shown<'_>) -> Result<Self> {
        let about = About::from(&row);
        let (properties, sensitive, called) = shown.apply(row.properties, &about)?;
        Ok(Self {
            id: RecordId(row.id),
            uid: row.uid,
            object: row.object,
            display_name: called.unwrap_or(row.display_name),
            properties,
            owner: row.owner_id.map(UserId),
            team: row.team_id.map(TeamId),
            version: row.version,
            created_at: Timestamp(row.created_at),
            created_by: row.created_by.map(UserId),
            updated_at: Timestamp(row.updated_at),
            updated_by: row.updated_by.map(UserId),
            archived_at: row.archived_at.map(Timestamp),
            included: Vec::new(),
            html: None,
            sensitive,
        })
    }

    /// Properties of it that are given beside it.
    pub(crate) fn add_sensitive<'n>(&mut self, object: &ObjectDefinition, names: impl Iterator<Item = &'n str>) {
        for name in names {
            let is_sensitive = object.property(name).is_some_and(|property| property.sensitive);
            if is_sensitive && !self.sensitive.iter().any(|known| known == name) {
                self.sensitive.push(name.to_owned());
            }
        }
    }

    /// Shows only these properties.
    pub fn narrow(&mut self, names: &[String]) -> Result<()> {
        let properties: Properties = serde_json::from_str(self.properties.get()).map_err(Error::internal)?;
        self.properties = Chosen::Only(names.iter().cloned().collect()).apply(&properties)?;
        self.sensitive.retain(|name| names.contains(name));
        Ok(())
    }
}
