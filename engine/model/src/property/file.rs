//! `file`: an uploaded file, by id.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::reference::{id_schema, read_id};
use super::{Faults, Input, Locale, PropertyKind, Reference, Storage};
use crate::spec::SpecReader;

/// Which files a property takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRules {
    /// Media types such as `image/png` or `image/*`, and endings such as `.pdf`, in lower case; any file where empty.
    pub accept: Vec<String>,
    /// Largest size in bytes.
    pub max_bytes: Option<u64>,
}

#[derive(Debug)]
struct File {
    rules: FileRules,
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    let accept: Vec<_> =
        reader.strings("accept").unwrap_or_default().into_iter().map(str::to_ascii_lowercase).collect();
    for wrong in accept.iter().filter(|accepted| !is_media_type(accepted) && !is_ending(accepted)) {
        let message = format!("`{wrong}` is neither a media type such as `image/*` nor an ending such as `.pdf`");
        reader.problem("accept", "invalid", message);
    }
    Some(Arc::new(File { rules: FileRules { accept, max_bytes: reader.count("max_bytes") } }))
}

fn is_media_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(class, format)| is_token(class) && (format == "*" || is_token(format)))
}

fn is_ending(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(is_token)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+._".contains(&byte))
}

impl PropertyKind for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn storage(&self) -> Storage {
        Storage::Opaque
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        read_id(input, "file")
    }

    fn schema(&self) -> Map<String, Value> {
        id_schema()
    }

    fn reference(&self) -> Option<Reference<'_>> {
        Some(Reference::File(&self.rules))
    }

    /// The rules are for uploads: files that are stored already stay.
    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        match next.reference() {
            Some(Reference::File(_)) => false,
            Some(Reference::User { .. }) => true,
            None => next.is_computed() || !super::widening::admits(&next.schema(), &self.schema()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{accept, codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn a_file_is_named_by_id_and_its_rules_are_told() {
        let file = kind(json!({"type": "file", "accept": ["image/*", ".PDF", "text/csv"], "max_bytes": 1000}));
        assert_eq!(accept(&file, r#""7""#), json!("7"));
        assert_eq!(codes(&refuse(&file, r#""photo.png""#)), ["invalid"]);
        let rules = FileRules {
            accept: vec!["image/*".to_owned(), ".pdf".to_owned(), "text/csv".to_owned()],
            max_bytes: Some(1000),
        };
        assert_eq!(file.reference(), Some(Reference::File(&rules)));
        let wrong = json!({"type": "file", "accept": ["pdf", "*/*"], "max_bytes": -1});
        assert_eq!(problems(wrong), [("/accept", "invalid"), ("/accept", "invalid"), ("/max_bytes", "wrong_type")]);
    }
}
