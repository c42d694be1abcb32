//! Operations that are planned and can be written.

use std::sync::Arc;

use engine_model::Properties;
use engine_model::duplicate::OnCreate;
use engine_model::object::ObjectDefinition;

use super::operation::Effect;
use super::plan::{Body, Plan};
use crate::definitions::catalog::Catalog;
use crate::duplicates::{Duplicate, on_create};

/// An operation that can be written.
pub(super) struct Ready {
    pub(super) index: usize,
    pub(super) plan: Plan,
    /// What the record that it makes resembles, where a rule warns of that.
    pub(super) duplicates: Vec<Duplicate>,
}

/// Records of an object that are about to be made, by their places in a list.
pub(super) struct NewRecords<'a> {
    pub(super) object: &'a ObjectDefinition,
    pub(super) on_create: OnCreate,
    pub(super) places: Vec<usize>,
}

impl Ready {
    /// Step, object and assignment rule of a record that waits for its turn.
    pub(super) fn waits_for(&self) -> Option<(usize, String, i64)> {
        match &self.plan.body {
            Body::Record(draft) => Some((self.index, draft.after.object.clone(), draft.waits_for?)),
            Body::Purge(_) | Body::Merge(_) | Body::Unmerge(_) | Body::Unlink(_) | Body::Links => None,
        }
    }

    /// Values of the record that it makes.
    pub(super) fn made(&self) -> Option<&Arc<Properties>> {
        match &self.plan.body {
            Body::Record(draft) if draft.before.is_none() && self.plan.effect == Effect::Created => {
                Some(&draft.after.properties)
            }
            _ => None,
        }
    }

    fn object(&self) -> Option<&str> {
        match &self.plan.body {
            Body::Record(draft) => Some(&draft.after.object),
            Body::Purge(_) | Body::Merge(_) | Body::Unmerge(_) | Body::Unlink(_) | Body::Links => None,
        }
    }
}

/// The new records of those objects whose rules have to do with them.
pub(super) fn new_records<'a>(catalog: &'a Catalog, ready: &[Ready]) -> Vec<NewRecords<'a>> {
    let mut found: Vec<NewRecords<'a>> = Vec::new();
    for (place, name) in ready
        .iter()
        .enumerate()
        .filter(|(_, ready)| ready.made().is_some())
        .filter_map(|(place, ready)| Some((place, ready.object()?)))
    {
        if let Some(known) = found.iter_mut().find(|known| known.object.name.as_str() == name) {
            known.places.push(place);
        } else if let Ok(object) = catalog.object(name) {
            found.push(NewRecords { object, on_create: on_create(object), places: vec![place] });
        }
    }
    found.retain(|found| found.on_create != OnCreate::Ignore);
    found
}
