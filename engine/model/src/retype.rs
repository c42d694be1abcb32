//! Types of properties belong to the layer that declares them: whoever adds to an object leaves them as they are.

use serde_json::{Map, Value};

use crate::layer::{ENGINE, Layer};
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Property;
use crate::registry::Registry;

impl Registry {
    /// Properties of these definitions to which a layer on top of them would give another type.
    pub fn check_types(&self, layer: &Layer) -> Problems {
        let mut problems = Problems::new();
        for (name, written) in &layer.extend {
            let Some(object) = self.objects.get(name) else { continue };
            check(layer, &push_segment("/extend", name), written, |name| object.properties.get(name), &mut problems);
        }
        for name in &layer.changed.associations {
            let (Some(association), Some(written)) = (self.associations.get(name), layer.associations.get(name)) else {
                continue;
            };
            let at = push_segment("/associations", name);
            check(layer, &at, written, |name| association.properties.get(name), &mut problems);
        }
        problems
    }
}

fn check<'p>(
    layer: &Layer,
    at: &str,
    written: &Map<String, Value>,
    below: impl Fn(&str) -> Option<&'p Property>,
    problems: &mut Problems,
) {
    let written = written.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter);
    for (name, written) in written {
        let (Some(kind), Some(present)) = (written.get("type").and_then(Value::as_str), below(name)) else { continue };
        // What the engine gives is of its own type, whatever is written.
        if kind == present.kind.name() || present.layer == layer.name || present.layer == ENGINE {
            continue;
        }
        let (owner, was): (&str, &str) = (&present.layer, present.kind.name());
        let message = format!(
            "`{name}` belongs to `{owner}` and stays of type {was}; leave `type` out to adjust it, or name yours \
             otherwise"
        );
        let at = push_segment(&format!("{at}/properties"), name);
        problems.push(Problem::new(format!("{at}/type"), "immutable", message));
    }
}
