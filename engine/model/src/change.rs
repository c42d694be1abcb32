//! The change log's vocabulary: what happened to which record, from what to what.

use serde::Serializer as _;
use serde::ser::SerializeMap as _;
use serde_json::{Map, Value};

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
    /// Other records were merged into a record.
    RecordMerged,
    /// A record's values were erased for good.
    RecordPurged,
    /// Two records were linked, or their link changed.
    AssociationCreated,
    /// A link was taken away.
    AssociationRemoved,
    /// A record moved to another stage or pipeline.
    StageChanged,
    /// Somebody took a record on, or was given it.
    OwnerClaimed,
    /// A record was given back, and nobody owns it.
    OwnerReleased,
    /// A record became a member of a list.
    SegmentJoined,
    /// A record is no member of a list any more.
    SegmentLeft,
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
            Self::RecordMerged => "record.merged",
            Self::RecordPurged => "record.purged",
            Self::AssociationCreated => "association.created",
            Self::AssociationRemoved => "association.removed",
            Self::StageChanged => "stage.changed",
            Self::OwnerClaimed => "owner.claimed",
            Self::OwnerReleased => "owner.released",
            Self::SegmentJoined => "segment.joined",
            Self::SegmentLeft => "segment.left",
            Self::MetadataChanged => "metadata.changed",
        }
    }

    /// Kinds of their own for what an update does to a record; what was another value before stands in them.
    const OF_VALUES: [Self; 3] = [Self::StageChanged, Self::OwnerClaimed, Self::OwnerReleased];

    /// Whether a change of this kind, as stored, gives a record other values, or another owner or team.
    pub fn is_of_values(kind: &str) -> bool {
        kind == Self::RecordUpdated.as_str() || Self::OF_VALUES.iter().any(|of_values| of_values.as_str() == kind)
    }

    /// Whether a change of this kind, as stored, is one of a record rather than of a link or of definitions.
    pub fn is_of_record(kind: &str) -> bool {
        kind.starts_with("record.") || Self::is_of_values(kind)
    }
}

/// One property in two states of a record, which differ in it; none where there was or is no value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference<'a> {
    /// Name of the property.
    pub name: &'a str,
    /// Its value before.
    pub old: Option<&'a Value>,
    /// Its value after.
    pub new: Option<&'a Value>,
}

/// What differs between two states of a record.
pub fn differences<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>) -> Vec<Difference<'a>> {
    let there = before.iter().map(|(name, old)| Difference { name, old: Some(old), new: after.get(name) });
    let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
    let added = added.map(|(name, new)| Difference { name, old: None, new: Some(new) });
    there.filter(|difference| difference.old != difference.new).chain(added).collect()
}

/// Beside the pairs of a stored `stage.changed`: whole seconds that the record was in the stage that it has left.
pub const SECONDS: &str = "seconds";

/// Differences as the log has them: a JSON object of property to `[old, new]`, null where there is no value.
pub fn changes_text(differences: &[Difference<'_>]) -> String {
    text_of(differences, None)
}

/// The same of a move, with how many seconds the record was in the stage that it leaves.
pub fn move_text(differences: &[Difference<'_>], seconds: Option<i64>) -> String {
    text_of(differences, seconds)
}

fn text_of(differences: &[Difference<'_>], seconds: Option<i64>) -> String {
    let pairs = |differences: &[Difference<'_>]| {
        let mut text = Vec::with_capacity(differences.len() * 48 + 2);
        let mut serializer = serde_json::Serializer::new(&mut text);
        let mut map = serializer.serialize_map(None)?;
        for difference in differences {
            map.serialize_entry(difference.name, &(difference.old, difference.new))?;
        }
        if let Some(seconds) = seconds {
            map.serialize_entry(SECONDS, &seconds)?;
        }
        map.end()?;
        Ok::<_, serde_json::Error>(text)
    };
    // JSON values always serialise, to UTF-8.
    pairs(differences).ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_else(|| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_name_what_was_added_changed_and_removed_and_nothing_else() {
        let before = json!({"a": 1, "b": 2, "c": 3});
        let after = json!({"a": 1, "b": 5, "d": 4});
        let (before, after) = (before.as_object().expect("map"), after.as_object().expect("map"));
        let text = changes_text(&differences(before, after));
        assert_eq!(text, r#"{"b":[2,5],"c":[3,null],"d":[null,4]}"#);
        assert_eq!(move_text(&differences(before, after)[..1], Some(7)), r#"{"b":[2,5],"seconds":7}"#);
        assert!(differences(after, after).is_empty());
    }
}
