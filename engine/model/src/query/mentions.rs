//! The properties that a query names, with the objects whose they are.

use super::Direction;
use super::ast::{AggregateText, AssociationText, FilterForm, FilterText, GroupingText, MeasureForm, QueryText};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::push_segment;
use crate::registry::Registry;

/// A property that something names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Whose property it is.
    pub object: Name,
    /// The property.
    pub property: Name,
    /// Where it is named.
    pub pointer: String,
}

/// The properties that a query of `object` names; what is no property of its object is left out.
pub fn mentions(text: &QueryText, object: &ObjectDefinition, registry: &Registry) -> Vec<Mention> {
    let mut mentions = Mentions { registry, found: Vec::new() };
    if let Some(filter) = &text.filter {
        mentions.filter(filter, object);
    }
    for key in &text.sort {
        mentions.property(&key.property, object, push_segment(&key.pointer, "property"));
    }
    text.aggregates.iter().for_each(|table| mentions.table(table, object));
    mentions.found
}

struct Mentions<'a> {
    registry: &'a Registry,
    found: Vec<Mention>,
}

impl<'a> Mentions<'a> {
    fn property(&mut self, name: &str, object: &ObjectDefinition, pointer: String) {
        if let Some(property) = object.property_called(name) {
            let (object, property) = (object.name.clone(), property.name.clone());
            self.found.push(Mention { object, property, pointer });
        }
    }

    fn filter(&mut self, filter: &FilterText, object: &ObjectDefinition) {
        match &filter.form {
            FilterForm::All(list) | FilterForm::Any(list) => list.iter().for_each(|inner| self.filter(inner, object)),
            FilterForm::Not(inner) => self.filter(inner, object),
            FilterForm::Property(sent) => {
                self.property(&sent.property, object, push_segment(&filter.pointer, "property"));
            }
            FilterForm::Association(sent) => {
                let Some(matches) = &sent.matches else { return };
                for other in self.others(sent, object) {
                    self.filter(matches, other);
                }
            }
            // A list says by itself what it names.
            FilterForm::List(_) => {}
        }
    }

    /// The objects that a condition on linked records of `object` asks.
    fn others(&self, sent: &AssociationText, object: &ObjectDefinition) -> Vec<&'a ObjectDefinition> {
        let registry = self.registry;
        let Some(association) = registry.associations.get(sent.association.as_str()) else { return Vec::new() };
        let is_there = |other: &&ObjectDefinition| {
            let out = association.from == object.name && association.to.accepts(&other.name);
            let back = association.to.accepts(&object.name) && association.from == other.name;
            match sent.direction {
                Some(Direction::Out) => out,
                Some(Direction::In) => back,
                None => out || back,
            }
        };
        registry.objects.values().filter(|object| !object.archived).filter(is_there).collect()
    }

    fn table(&mut self, table: &AggregateText, object: &ObjectDefinition) {
        for group in &table.groups {
            let (name, pointer) = match &group.grouping {
                GroupingText::Property(name) => (name, group.pointer.clone()),
                GroupingText::Date(name, _) => (name, push_segment(&group.pointer, "date")),
                GroupingText::Number(name, _) => (name, push_segment(&group.pointer, "number")),
            };
            self.property(name, object, pointer);
        }
        for measure in &table.measures {
            if let Some((function, name)) = measure.form.of() {
                self.property(name, object, format!("{}/{function}", measure.pointer));
            }
        }
    }
}

impl MeasureForm {
    /// Where the property stands of which it is computed, and its name.
    pub(super) fn of(&self) -> Option<(&'static str, &String)> {
        Some(match self {
            Self::Count => return None,
            Self::CountDistinct(name) => ("count_distinct", name),
            Self::Sum(name) => ("sum", name),
            Self::Avg(name) => ("avg", name),
            Self::Min(name) => ("min", name),
            Self::Max(name) => ("max", name),
            Self::Percentiles(name, _) => ("percentiles/property", name),
        })
    }
}
