//! Behaviors of all layers laid on each other, and what they name looked up.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Behavior, Names, Section};
use crate::access::Rights;
use crate::layer::{Folded, Layer};
use crate::name::{Name, did_you_mean};
use crate::problem::Problems;
use crate::query::Mention;
use crate::registry::{Registry, may_lay};
use crate::uses::Use;

/// Keys that a higher layer replaces as a whole, since their parts only mean something together.
const WHOLE: [&str; 3] = ["filter", "when", "measures"];

impl Registry {
    pub(crate) fn read_behaviors(&mut self, layers: &[&Layer], problems: &mut Problems) {
        let mut folded: IndexMap<&(Section, Name), Folded> = IndexMap::new();
        for layer in layers {
            for (key, spec) in &layer.behaviors {
                let (section, name) = key;
                let pointer = section.pointer(name);
                let is_change = layer.changed.behaviors.contains(key);
                let present = folded.get(key).map(|present| present.layer.as_str());
                let known = folded.keys().filter(|known| known.0 == *section).map(|known| known.1.as_str());
                let what = format!("there is no {} `{name}`{}", section.kind(), did_you_mean(name, known));
                if !may_lay(layer, is_change, name, present, &pointer, &what, problems) {
                    continue;
                }
                match folded.get_mut(key) {
                    Some(present) => lay(present, layer, spec, pointer),
                    None => drop(folded.insert(key, Folded::new(&layer.name, spec.clone(), pointer))),
                }
            }
        }
        for (key, folded) in folded {
            let (section, name) = key;
            if let Some(behavior) = Behavior::read(*section, name.clone(), &folded, problems) {
                self.behaviors.insert(key.clone(), behavior);
            }
        }
    }

    /// What views, reports, workflows, activities, scores and roles name that is not there, or cannot be what they make of it. With `layer`,
    /// of those alone that it has a part in.
    pub fn check_behaviors(&self, layer: Option<&Layer>) -> Problems {
        let is_meant = |key: &&(Section, Name)| layer.is_none_or(|layer| layer.behaviors.contains_key(*key));
        let keys = self.behaviors.keys().filter(is_meant);
        keys.filter_map(|key| self.behaviors.get(key)).flat_map(|behavior| self.names_of(behavior).problems).collect()
    }

    /// What is wrong with the names of one behavior; places are those within it.
    pub fn check_behavior(&self, behavior: &Behavior) -> Problems {
        let mut names = Names::new(self, String::new());
        behavior.look_up(&mut names);
        names.problems
    }

    /// The same for somebody with these rights: what they do not show is as if it were not there.
    pub fn check_behavior_for(&self, behavior: &Behavior, rights: &Rights) -> Problems {
        let mut names = Names::new(self, String::new()).seen_by(rights);
        behavior.look_up(&mut names);
        names.problems
    }

    /// The properties that one behavior names; what is not there is left out. Places are those within it.
    pub fn mentioned_by(&self, behavior: &Behavior) -> Vec<Mention> {
        let mut names = Names::new(self, String::new());
        behavior.look_up(&mut names);
        names.named
    }

    /// The behaviors that name a property.
    pub(crate) fn behaviors_that_use(&self, object: &str, property: &str) -> Vec<Use> {
        let mut uses = Vec::new();
        for behavior in self.behaviors.values() {
            let named = self.names_of(behavior).named.into_iter();
            let places = named.filter(|named| named.object.as_str() == object && named.property.as_str() == property);
            uses.extend(places.map(|named| Use {
                kind: behavior.section.kind(),
                name: behavior.name.to_string(),
                label: None,
                pointer: named.pointer,
                layer: behavior.layer.clone(),
            }));
        }
        uses.dedup();
        uses
    }

    fn names_of(&self, behavior: &Behavior) -> Names<'_> {
        let mut names = Names::new(self, behavior.pointer.clone());
        behavior.look_up(&mut names);
        names
    }
}

/// Lays what a higher layer says over what is there.
fn lay(present: &mut Folded, layer: &Layer, spec: &Map<String, Value>, pointer: String) {
    for key in WHOLE.into_iter().filter(|key| spec.contains_key(*key)) {
        present.spec.shift_remove(key);
    }
    present.add(&layer.name, spec.clone(), Some(pointer));
}
