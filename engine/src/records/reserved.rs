//! What administrators and automation keep to themselves: records and tags that are told by how they begin.

use engine_model::object::{Constraint, ObjectDefinition};
use engine_model::problem::push_segment;
use engine_model::property::Storage;
use engine_model::reserved::Reserved;
use engine_model::{Problem, Problems, Properties};

use super::basis::Basis;
use super::state::State;
use crate::error::{Error, Result};

fn of(object: &ObjectDefinition) -> impl Iterator<Item = &Reserved> {
    object.constraints.iter().filter_map(|constraint| match constraint {
        Constraint::Reserved(reserved) => Some(reserved),
        Constraint::Unique { .. } | Constraint::Rule(_) | Constraint::NoOverlap { .. } => None,
    })
}

/// Whether some of an object's records are as a whole kept by administrators and automation.
pub(super) fn keeps_records(object: &ObjectDefinition) -> bool {
    whole(object).next().is_some()
}

/// What tells records of an object that are kept as a whole.
fn whole(object: &ObjectDefinition) -> impl Iterator<Item = &Reserved> {
    of(object).filter(|reserved| {
        let property = object.property(&reserved.property);
        property.is_some_and(|property| property.kind.storage() == Storage::Text)
    })
}

impl Basis<'_> {
    /// Refuses to change, link or put away a record that is kept by others.
    pub(super) fn check_kept(&self, object: &ObjectDefinition, state: &State) -> Result<()> {
        match whole(object).find(|reserved| !reserved.among(&state.properties).is_empty()) {
            Some(reserved) if !self.pen.keeps_reserved => Err(Error::forbidden(format!(
                "records of `{}` whose `{}` begins with {} are kept by administrators and automation",
                object.name,
                reserved.property,
                reserved.beginnings()
            ))),
            _ => Ok(()),
        }
    }

    /// Reserved values are neither given nor taken away by others.
    pub(super) fn check_reserved(
        &self,
        object: &ObjectDefinition,
        before: Option<&Properties>,
        properties: &Properties,
        problems: &mut Problems,
    ) {
        if self.pen.keeps_reserved {
            return;
        }
        for reserved in of(object) {
            let (old, new) =
                (before.map(|before| reserved.among(before)).unwrap_or_default(), reserved.among(properties));
            if old.iter().any(|value| !new.contains(value)) || new.iter().any(|value| !old.contains(value)) {
                let message = format!(
                    "what begins with {} is set and taken away by administrators and automation only",
                    reserved.beginnings()
                );
                problems.push(Problem::new(push_segment("/properties", &reserved.property), "forbidden", message));
            }
        }
    }
}
