//! Named JSON Schema fragments, and who names one that there is not.

use serde_json::{Map, Value};

use crate::layer::Layer;
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Property;
use crate::registry::Registry;

impl Registry {
    /// Fragments that a layer's properties name and that no layer has.
    pub fn check_fragments(&self, layer: &Layer) -> Problems {
        let mut problems = Problems::new();
        for (section, objects) in [("/objects", &layer.objects), ("/extend", &layer.extend)] {
            for (name, written) in objects {
                let Some(object) = self.objects.get(name) else { continue };
                let property = |name: &str| object.properties.get(name);
                self.check_named(&push_segment(section, name), written, property, &mut problems);
            }
        }
        for (name, written) in &layer.associations {
            let Some(association) = self.associations.get(name) else { continue };
            let property = |name: &str| association.properties.get(name);
            self.check_named(&push_segment("/associations", name), written, property, &mut problems);
        }
        problems
    }

    fn check_named<'p>(
        &self,
        at: &str,
        written: &Map<String, Value>,
        property: impl Fn(&str) -> Option<&'p Property>,
        problems: &mut Problems,
    ) {
        let properties = written.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter);
        for (name, _) in properties.filter(|(_, written)| written.get("schema").is_some()) {
            let Some(fragment) = property(name).and_then(|property| property.kind.schema_reference()) else { continue };
            if !self.schemas.contains_key(fragment) {
                let at = push_segment(&format!("{at}/properties"), name);
                let message = self.no_fragment(fragment);
                problems.push(Problem::new(format!("{at}/schema"), "unknown", message));
            }
        }
    }

    /// What is said of a fragment that there is not.
    pub fn no_fragment(&self, name: &str) -> String {
        let hint = did_you_mean(name, self.schemas.keys().map(Name::as_str));
        format!("no pack has a schema `{name}`{hint}")
    }
}
