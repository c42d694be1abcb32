//! Filters over links to records of which the caller may read none.

use engine_model::access::Reach;
use engine_model::association::Target;
use engine_model::query::Direction;
use engine_model::query::ast::{FilterForm, FilterText};

use crate::session::Session;

impl Session {
    /// Where a filter of an object's records asks about linked records of which the caller may read none, so that it would
    /// find nothing, or all, whatever there is.
    pub(crate) fn unread_links(&self, text: &FilterText, object: &str) -> Vec<String> {
        let mut places = Vec::new();
        if !self.caller.rights.reads_every_record() {
            self.find_unread_links(text, object, &mut places);
        }
        places
    }

    fn find_unread_links(&self, text: &FilterText, object: &str, places: &mut Vec<String>) {
        let asked = match &text.form {
            FilterForm::All(list) | FilterForm::Any(list) => {
                return list.iter().for_each(|inner| self.find_unread_links(inner, object, places));
            }
            FilterForm::Not(inner) => return self.find_unread_links(inner, object, places),
            FilterForm::Association(asked) => asked,
            FilterForm::Property(_) | FilterForm::List(_) => return,
        };
        let registry = &self.catalog.effective.registry;
        let Some(association) = registry.associations.get(asked.association.as_str()) else { return };
        let leads_out = association.from.as_str() == object && asked.direction != Some(Direction::In);
        let far: Vec<&str> = match (&association.to, leads_out) {
            (_, false) => vec![&association.from],
            (Target::Objects(objects), true) => objects.iter().map(|name| name.as_str()).collect(),
            (Target::Any, true) => registry.objects.keys().map(|name| name.as_str()).collect(),
        };
        if far.iter().all(|object| self.caller.rights.grants(object).read == Reach::NONE) {
            places.push(format!("{}/association", text.pointer));
        } else if let ([far], Some(inner)) = (far.as_slice(), &asked.matches) {
            self.find_unread_links(inner, far, places);
        }
    }
}
