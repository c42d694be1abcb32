//! The change log's vocabulary: what happened to which record, from what to what.

use serde_json::{Map, Value, json};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// A record came to be.
    RecordCreated,
    /// Properties or the owner changed.
    RecordUpdated,
    /// A record was put away.
    RecordArchived,
    /// An archived record came back.
    RecordRestored,
    /// A record's values were erased for good.
    RecordPurged,
    /// Two records were linked, or their link changed.
    AssociationCreated,
    /// A link was taken away.
    AssociationRemoved,
    /// A record moved to another stage or pipeline.
    StageChanged,
    /// Definitions changed.
    MetadataChanged,
}

impl ChangeKind {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecordCreated => "record.created",
            Self::RecordUpdated => "record.updated",
            Self::RecordArchived => "record.archived",
            Self::RecordRestored => "record.restored",
            Self::RecordPurged => "record.purged",
            Self::AssociationCreated => "association.created",
            Self::AssociationRemoved => "association.removed",
            Self::StageChanged => "stage.changed",
            Self::MetadataChanged => "metadata.changed",
        }
    }
}

/// What differs between two states of a record: property to `[old, new]`, null where there was or is no value.
pub fn differences(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut changes = Map::new();
    for (name, old) in before {
        match after.get(name) {
            Some(new) if new == old => {}
            new => drop(changes.insert(name.clone(), json!([old, new]))),
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        changes.insert(name.clone(), json!([null, new]));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_what_was_added_changed_and_removed_and_nothing_else() {
        let before = json!({"a": 1, "b": 2, "c": 3});
        let after = json!({"a": 1, "b": 5, "d": 4});
        let (before, after) = (before.as_object().expect("map"), after.as_object().expect("map"));
        assert_eq!(Value::from(differences(before, after)), json!({"b": [2, 5], "c": [3, null], "d": [null, 4]}));
        assert!(differences(after, after).is_empty());
    }
}
