//! Roll-ups that are made of what is archived: one that is there keeps its value, but a new one would never have any.

use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Property;
use crate::registry::Registry;

impl Registry {
    /// What a roll-up reads that is archived, at the keys below `at` that name it; empty for any other property.
    pub fn archived_parts(&self, object: &ObjectDefinition, property: &Property, at: &str) -> Problems {
        let mut problems = Problems::new();
        let Some(rollup) = property.kind.rollup() else { return problems };
        let Some(association) = self.associations.get(&rollup.association) else { return problems };
        let Ok(direction) = rollup.end(association, object) else { return problems };
        let mut tell = |key: &str, what: String| {
            let message = format!("{what} is archived, so nothing is drawn together from it; restore it first");
            problems.push(Problem::new(push_segment(at, key), "archived", message));
        };
        if association.archived {
            tell("association", format!("the association `{}`", association.name));
        }
        let others = self.at_other_end(association, direction);
        if let Some(first) = others.first().filter(|_| others.iter().all(|other| other.archived)) {
            tell("association", format!("the object `{}`, to which `{}` leads,", first.name, association.name));
        }
        // One object that still has it is enough.
        let gone_in = |name: &str| {
            let mut having =
                others.iter().filter_map(|other| Some((&other.name, other.properties.get(name)?))).peekable();
            let first: Option<&Name> = having.peek().map(|(other, _)| *other);
            first.filter(|_| having.all(|(_, found)| found.archived))
        };
        let drawn = rollup.property.iter().map(|name| ("property", name.as_str()));
        let asked = rollup.condition.iter().flat_map(|condition| condition.names()).map(|name| ("where", name));
        for (key, name) in drawn.chain(asked) {
            if let Some(other) = gone_in(name) {
                tell(key, format!("`{other}.{name}`"));
            }
        }
        problems
    }
}
