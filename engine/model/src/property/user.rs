//! `user`: a user of the tenant, by id.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::reference::{id_schema, read_id};
use super::{Faults, Input, Locale, PropertyKind, Reference, Storage};
use crate::name::Name;
use crate::spec::SpecReader;

#[derive(Debug)]
struct User {
    team: Option<Name>,
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(User { team: reader.name("team") }))
}

impl PropertyKind for User {
    fn name(&self) -> &'static str {
        "user"
    }

    fn storage(&self) -> Storage {
        Storage::Text
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        read_id(input, "user")
    }

    fn schema(&self) -> Map<String, Value> {
        id_schema()
    }

    fn reference(&self) -> Option<Reference<'_>> {
        Some(Reference::User { team: self.team.as_ref() })
    }

    /// Ids have no order and no words that mean anything.
    fn operators(&self) -> &'static [&'static str] {
        &["eq", "neq", "in", "not_in", "exists", "not_exists"]
    }

    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        let narrowed_team = match next.reference() {
            Some(Reference::User { team }) => team.is_some() && team != self.team.as_ref(),
            Some(Reference::File(_)) => true,
            None => false,
        };
        narrowed_team || next.is_computed() || !super::widening::admits(&next.schema(), &self.schema())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{accept, codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn a_user_is_named_by_id() {
        let user = kind(json!({"type": "user", "team": "sales"}));
        assert_eq!(accept(&user, r#"" 42 ""#), json!("42"));
        for wrong in ["0", "-1", "042", "+4", "ada", "9223372036854775808", "4 2"] {
            assert_eq!(codes(&refuse(&user, &json!(wrong).to_string())), ["invalid"], "{wrong}");
        }
        assert_eq!(refuse(&user, "42")[0].message, "ids are strings: write \"42\"");
        assert_eq!(codes(&refuse(&user, "4.2")), ["wrong_type"]);
        let team = Name::new("sales").expect("a name");
        assert_eq!(user.reference(), Some(Reference::User { team: Some(&team) }));
        assert_eq!(problems(json!({"type": "user", "team": "The Sales"})), [("/team", "invalid_name")]);
    }

    #[test]
    fn another_team_narrows() {
        let anybody = kind(json!({"type": "user"}));
        let sales = kind(json!({"type": "user", "team": "sales"}));
        assert!(anybody.narrows_to(sales.as_ref()));
        assert!(!sales.narrows_to(anybody.as_ref()));
        assert!(!sales.narrows_to(sales.as_ref()));
        assert!(anybody.narrows_to(kind(json!({"type": "file"})).as_ref()));
        assert!(!anybody.narrows_to(kind(json!({"type": "string"})).as_ref()));
    }
}
