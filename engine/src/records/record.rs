//! A record as it is answered.

use engine_model::access::Role;
use engine_model::computed::Formulas;
use engine_model::migration::is_hidden;
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, UserId};
use engine_store::record::RecordRow;
use serde::Serializer as _;
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
}

/// What of an object's records is shown: which properties, those included whose values are computed for it.
#[derive(Debug, Clone)]
pub(crate) struct Shown<'a> {
    properties: Chosen,
    /// The object, where its stored values may have to be brought forward.
    migrated: Option<&'a ObjectDefinition>,
    /// Formulas whose values depend on the moment; none where no such value is shown.
    live: Option<Live<'a>>,
}

/// Some of an object's properties.
#[derive(Debug, Clone)]
enum Chosen {
    /// All that are stored; the text can pass as it is.
    All,
    Only(Vec<String>),
    Except(Vec<String>),
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
    /// What a role sees of an object at a moment, narrowed to the selected properties.
    pub(crate) fn of(
        catalog: &'a Catalog,
        object: &'a ObjectDefinition,
        role: &Role,
        selected: Option<&[String]>,
        now: Timestamp,
    ) -> Self {
        let hidden = |name: &str| {
            object
                .properties
                .get(name)
                .is_none_or(|property| property.archived || (property.sensitive && !role.sees_sensitive))
        };
        let properties = match selected {
            Some(selected) => Chosen::Only(selected.iter().filter(|name| !hidden(name)).cloned().collect()),
            None => {
                let hidden: Vec<String> =
                    object.properties.keys().filter(|name| hidden(name)).map(ToString::to_string).collect();
                // What is stored may be more than values of properties.
                let is_plain = hidden.is_empty() && !object.has_migrated();
                if is_plain { Chosen::All } else { Chosen::Except(hidden) }
            }
        };
        let migrated = object.has_migrated().then_some(object);
        let live = catalog.live_formulas(&object.name).map(|formulas| Live { catalog, object, formulas, now });
        let live = live.filter(|live| live.formulas.live().any(|name| properties.shows(name)));
        Self { properties, migrated, live }
    }

    /// Nothing, of an object that is no more.
    pub(crate) fn nothing() -> Self {
        Self { properties: Chosen::Only(Vec::new()), migrated: None, live: None }
    }

    /// The visible part of a record's properties as stored.
    fn apply(&self, stored: String, about: &About) -> Result<Box<RawValue>> {
        if let (Chosen::All, None) = (&self.properties, &self.live) {
            return RawValue::from_string(stored).map_err(Error::internal);
        }
        let mut properties: Properties = serde_json::from_str(&stored).map_err(Error::internal)?;
        if let Some(object) = self.migrated {
            object.bring_forward(&mut properties);
        }
        self.apply_map(&properties, about)
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
            Self::Only(names) => names.iter().any(|shown| shown == name),
            Self::Except(names) => !is_hidden(name) && !names.iter().any(|hidden| hidden == name),
        }
    }
}

impl Record {
    /// A stored record as far as it is shown.
    pub(crate) fn from_row(row: RecordRow, shown: &Shown<'_>) -> Result<Self> {
        let about = About::from(&row);
        Ok(Self {
            id: RecordId(row.id),
            uid: row.uid,
            object: row.object,
            display_name: row.display_name,
            properties: shown.apply(row.properties, &about)?,
            owner: row.owner_id.map(UserId),
            version: row.version,
            created_at: Timestamp(row.created_at),
            created_by: row.created_by.map(UserId),
            updated_at: Timestamp(row.updated_at),
            updated_by: row.updated_by.map(UserId),
            archived_at: row.archived_at.map(Timestamp),
            included: Vec::new(),
        })
    }

    /// Shows only these properties.
    pub fn narrow(&mut self, names: &[String]) -> Result<()> {
        let properties: Properties = serde_json::from_str(self.properties.get()).map_err(Error::internal)?;
        self.properties = Chosen::Only(names.to_vec()).apply(&properties)?;
        Ok(())
    }
}
