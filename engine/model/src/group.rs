//! Groups that properties of an object are shown in.

use serde_json::{Map, Value};

use crate::layer::{Folded, Layer};
use crate::name::did_you_mean;
use crate::problem::{Problem, Problems, push_segment};
use crate::registry::Registry;
use crate::spec::{SpecReader, named_entries, shape};

/// Groups that are not `{label?, order?}`, and names that are none.
pub(crate) fn check_groups(folded: &Folded, problems: &mut Problems) {
    let Some(groups) = folded.spec.get("groups").and_then(Value::as_object) else { return };
    for (_, group, at) in named_entries(groups, &push_segment(&folded.pointer, "groups"), problems) {
        let Some(mut reader) = SpecReader::new(group, &at, problems) else { continue };
        reader.string("label");
        if let Some(order) = reader.value("order").filter(|order| !(order.is_i64() || order.is_u64())) {
            reader.problem("order", "wrong_type", format!("a whole number is expected, not {}", shape(order)));
        }
        reader.finish();
    }
}

impl Registry {
    /// Groups that a layer puts properties of objects into, and that there are not.
    ///
    /// Only of what is new this is asked: a pack that gives up a group is not held up by those who still name it.
    pub fn check_groups(&self, layer: &Layer) -> Problems {
        let mut problems = Problems::new();
        for (section, objects) in [("/objects", &layer.objects), ("/extend", &layer.extend)] {
            for (name, written) in objects {
                let Some(object) = self.objects.get(name) else { continue };
                let properties = written.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter);
                for (property, written) in properties {
                    let Some(group) = written.get("group").and_then(Value::as_str) else { continue };
                    let is_archived = object.properties.get(property.as_str()).is_none_or(|found| found.archived);
                    if is_archived || object.groups.contains_key(group) {
                        continue;
                    }
                    let at = push_segment(&format!("{}/properties", push_segment(section, name)), property);
                    let hint = did_you_mean(group, object.groups.keys().map(String::as_str));
                    let message = format!("`{name}` has no group `{group}`{hint}");
                    problems.push(Problem::new(format!("{at}/group"), "unknown", message));
                }
            }
        }
        problems
    }
}
