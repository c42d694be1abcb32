//! What screens and followers offer for an object's records.

use serde_json::Value;

use crate::layer::Folded;
use crate::name::did_you_mean;
use crate::problem::{Problem, Problems, push_segment};
use crate::spec::shape;

/// Features that are on or off.
pub(crate) const SWITCHES: [&str; 5] = ["search", "timeline", "tasks", "notes", "files"];

/// The feature that has rules; see [`DuplicateRule`](crate::duplicate::DuplicateRule).
const DUPLICATES: &str = "duplicates";

/// Features that there are not, and switches that are neither on nor off.
pub(crate) fn check_features(folded: &Folded, problems: &mut Problems) {
    let written = folded.spec.get("features").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in written.filter(|(name, value)| *name != DUPLICATES && !value.is_null()) {
        let at = push_segment(&format!("{}/features", folded.pointer), name);
        if !SWITCHES.contains(&name.as_str()) {
            let hint = did_you_mean(name, SWITCHES.into_iter().chain([DUPLICATES]));
            let message = match hint.as_str() {
                "" => format!("`{name}` is no feature; there are {}, {DUPLICATES}", SWITCHES.join(", ")),
                hint => format!("`{name}` is no feature{hint}"),
            };
            problems.push(Problem::new(at, "unknown_key", message));
        } else if !value.is_boolean() {
            let message = format!("true or false is expected, not {}", shape(value));
            problems.push(Problem::new(at, "wrong_type", message));
        }
    }
}
