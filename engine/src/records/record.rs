//! A record as it is answered.

use engine_model::access::Role;
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, UserId};
use engine_store::record::RecordRow;
use serde::Serializer as _;
use serde_json::value::RawValue;
use uuid::Uuid;

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

/// Which properties of an object's records are shown.
#[derive(Debug, Clone)]
pub enum Shown {
    /// All that are stored; the text can pass as it is.
    All,
    /// Only these.
    Only(Vec<String>),
    /// All but these.
    Except(Vec<String>),
}

impl Shown {
    /// What a role sees of an object, narrowed to the selected properties.
    pub fn of(object: &ObjectDefinition, role: &Role, selected: Option<&[String]>) -> Self {
        let hidden = |name: &str| {
            object
                .properties
                .get(name)
                .is_none_or(|property| property.archived || (property.sensitive && !role.sees_sensitive))
        };
        if let Some(selected) = selected {
            return Self::Only(selected.iter().filter(|name| !hidden(name)).cloned().collect());
        }
        let hidden: Vec<String> =
            object.properties.keys().filter(|name| hidden(name)).map(ToString::to_string).collect();
        if hidden.is_empty() { Self::All } else { Self::Except(hidden) }
    }

    /// The visible part of a record's properties as stored.
    pub fn apply(&self, stored: String) -> Result<Box<RawValue>> {
        match self {
            Self::All => RawValue::from_string(stored).map_err(Error::internal),
            Self::Only(_) | Self::Except(_) => {
                let properties: Properties = serde_json::from_str(&stored).map_err(Error::internal)?;
                self.apply_map(&properties)
            }
        }
    }

    /// The visible part of properties.
    pub fn apply_map(&self, properties: &Properties) -> Result<Box<RawValue>> {
        let mut text = Vec::with_capacity(1024);
        let shown = properties.iter().filter(|(name, _)| self.shows(name));
        serde_json::Serializer::new(&mut text).collect_map(shown).map_err(Error::internal)?;
        let text = String::from_utf8(text).map_err(Error::internal)?;
        RawValue::from_string(text).map_err(Error::internal)
    }

    /// Whether a property is shown.
    pub fn shows(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|shown| shown == name),
            Self::Except(names) => !names.iter().any(|hidden| hidden == name),
        }
    }
}

impl Record {
    /// A stored record as far as it is shown.
    pub fn from_row(row: RecordRow, shown: &Shown) -> Result<Self> {
        Ok(Self {
            id: RecordId(row.id),
            uid: row.uid,
            object: row.object,
            display_name: row.display_name,
            properties: shown.apply(row.properties)?,
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
        self.properties = Shown::Only(names.to_vec()).apply_map(&properties)?;
        Ok(())
    }
}
