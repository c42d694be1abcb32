//! An activity or a note as a timeline shows it.

use engine_model::access::Action;
use engine_model::behavior::{ActivityType, Behavior, Content, Section};
use engine_model::entry::{Entry, EntryKind, EntryType};
use engine_model::name::Name;
use engine_model::object::ObjectDefinition;
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, UserId};
use engine_store::record::RecordRow;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::records::{Record, Shown};
use crate::session::Session;

/// An activity or a note on a timeline.
#[derive(Debug, Clone)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: Timestamp,
    /// What sort of entry it is.
    pub kind: EntryKind,
    /// Who did it.
    pub by: Option<UserId>,
    /// Of which type an activity is, such as `email.sent`.
    pub of: Option<String>,
    /// What people read for that.
    pub label: String,
    /// What is said of it.
    pub text: Option<String>,
    /// What is told of it.
    pub details: Value,
    /// Whether it is to be seen first.
    pub is_pinned: bool,
    /// The record that it is.
    pub record: RecordId,
    /// Its identifier anywhere.
    pub uid: Uuid,
    /// Its object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
}

/// An object whose records are entries, as one caller sees them.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) object: &'a ObjectDefinition,
    pub(super) entry: &'a Entry,
    /// What of the records is shown: what the entry names.
    shown: Shown<'a>,
    registry: &'a Registry,
}

impl Session {
    /// The objects whose records are entries of timelines of an object, as far as the caller sees them. Where it does
    /// not see when they happened, it does not see them there at all.
    pub(super) fn sources(&self, of: &str) -> Vec<Source<'_>> {
        let mut sources = Vec::new();
        for object in self.catalog.objects() {
            if let Some(source) = self.source(object).filter(|source| source.leads_to(of))
                && self.caller.check_any(Action::Read, &object.name).is_ok()
                && source.reads(self, object.entry_time().map(|property| &property.name))
            {
                sources.push(source);
            }
        }
        sources
    }

    /// The object, if its records are entries.
    pub(super) fn source<'a>(&'a self, object: &'a ObjectDefinition) -> Option<Source<'a>> {
        let (entry, registry) = (object.entry.as_ref()?, &self.catalog.effective.registry);
        let named: Vec<String> = entry.properties().map(|(_, name)| name.to_string()).collect();
        let shown = Shown::of(&self.catalog, object, &self.caller.rights, Some(&named), self.now());
        Some(Source { object, entry, shown, registry })
    }
}

impl Source<'_> {
    /// Whether its entries may stand on timelines of an object.
    pub(super) fn leads_to(&self, of: &str) -> bool {
        let about = self.registry.associations.get(&self.entry.about);
        about.is_some_and(|about| !about.archived && about.to.accepts(of))
    }

    /// Whether the caller sees a property, where one is named.
    fn reads(&self, session: &Session, name: Option<&Name>) -> bool {
        let property = name.and_then(|name| self.object.property(name));
        property.is_none_or(|property| session.caller.reads(self.registry, self.object, property))
    }

    /// Whether an entry of hers may be of one of these types, as far as the caller may know.
    pub(super) fn may_be_of(&self, session: &Session, types: &[String]) -> bool {
        match &self.entry.of {
            Some(EntryType::Fixed(name)) => types.iter().any(|of| of == name.as_str()),
            Some(EntryType::Property(name)) => !types.is_empty() && self.reads(session, Some(name)),
            None => false,
        }
    }

    /// A stored record as a timeline shows it, with the record as far as it is shown.
    pub(super) fn read(&self, row: RecordRow, at: Timestamp) -> Result<(TimelineEntry, Record)> {
        let record = Record::from_row(row, &self.shown)?;
        Ok((tell(self.object, self.entry, self.registry, &record, Some(at))?, record))
    }
}

/// A record as a timeline shows it; without `at`, at the time that it has.
pub(super) fn tell(
    object: &ObjectDefinition,
    entry: &Entry,
    registry: &Registry,
    record: &Record,
    at: Option<Timestamp>,
) -> Result<TimelineEntry> {
    let values: Properties = serde_json::from_str(record.properties.get()).map_err(Error::internal)?;
    let value = |name: &Option<Name>| {
        let property = object.property(name.as_ref()?)?;
        values.get(property.name.as_str())
    };
    let text = |name: &Option<Name>| value(name).and_then(Value::as_str).map(str::to_owned);
    let of = match &entry.of {
        Some(EntryType::Fixed(name)) => Some(name.to_string()),
        Some(EntryType::Property(name)) => text(&Some(name.clone())),
        None => None,
    };
    let declared = of.as_deref().and_then(|of| declared(registry, of));
    let own = || text(&entry.at).and_then(|moment| Timestamp::parse(&moment));
    Ok(TimelineEntry {
        at: at.or_else(own).unwrap_or(record.created_at),
        kind: entry.kind,
        by: text(&entry.by).and_then(|user| user.parse().ok()).or(record.created_by),
        label: declared.map_or_else(|| object.label.clone(), |(behavior, _)| behavior.label.clone()),
        of,
        text: text(&entry.text),
        details: value(&entry.details).cloned().unwrap_or(Value::Null),
        is_pinned: value(&entry.pinned).and_then(Value::as_bool).unwrap_or(false),
        record: record.id,
        uid: record.uid,
        object: record.object.clone(),
        display_name: record.display_name.clone(),
    })
}

/// The type of activity of that name.
pub(crate) fn declared<'r>(registry: &'r Registry, name: &str) -> Option<(&'r Behavior, &'r ActivityType)> {
    let behavior = registry.behaviors.get(&(Section::Activities, Name::event(name).ok()?))?;
    match &behavior.content {
        Content::Activity(activity) => Some((behavior, activity)),
        Content::View(_)
        | Content::Report(_)
        | Content::Dashboard(_)
        | Content::Workflow(_)
        | Content::Score(_)
        | Content::Role(_) => None,
    }
}

/// The names of all types of activities.
pub(super) fn types(registry: &Registry) -> impl Iterator<Item = &str> {
    registry.behaviors.keys().filter(|key| key.0 == Section::Activities).map(|key| key.1.as_str())
}
