//! Bodies of definitions: the name of what is new, and what no body may hold yet.

use engine_model::spec::shape;
use engine_model::{Name, Problem, Problems};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Stands for a name that is missing or wrong while the rest of the body is checked.
const NAMELESS: &str = "nameless";

/// Refuses a migration where it could not be said which values are meant.
pub(crate) fn check_supported(body: &Map<String, Value>) -> Result<()> {
    if body.contains_key("migration") {
        let message = "a migration goes with the property whose values it is about: send it to \
                       `/object-definitions/{object}/properties/{property}`";
        return Err(Error::invalid_at("/migration", "not_applicable", message));
    }
    Ok(())
}

/// A migration of a property that is sent with all of its object, where none is carried out; null says that there is none.
pub(super) fn misplaced_migration(property: &Map<String, Value>, at: &str) -> Option<Problem> {
    property.get("migration").filter(|migration| !migration.is_null())?;
    let message = "a migration goes with one property: send it to `PATCH /object-definitions/{object}/properties/\
                   {property}`, together with what changes of the property";
    Some(Problem::new(format!("{at}/migration"), "not_applicable", message))
}

/// Takes the name of what is to be defined out of its body.
pub(crate) fn take_name(body: &mut Map<String, Value>, problems: &mut Problems) -> Result<Name> {
    let problem = match body.shift_remove("name") {
        None | Some(Value::Null) => Problem::new("/name", "required", "`name` is required"),
        Some(Value::String(text)) => match Name::new(&text) {
            Ok(name) => return Ok(name),
            Err(error) => Problem::new("/name", "invalid_name", error.to_string()),
        },
        Some(other) => {
            let message = format!("a string is expected, not {}", shape(&other));
            Problem::new("/name", "wrong_type", message)
        }
    };
    problems.push(problem);
    Name::new(NAMELESS).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_says_its_name() {
        let mut problems = Problems::new();
        let mut take = |body: Value| {
            let mut body = body.as_object().cloned().expect("an object");
            let name = take_name(&mut body, &mut problems).expect("a name").to_string();
            (name, body.contains_key("name"))
        };
        assert_eq!(take(json!({"name": "permit"})), ("permit".to_owned(), false));
        for wrong in [json!({}), json!({"name": null}), json!({"name": "Permit"}), json!({"name": 7})] {
            assert_eq!(take(wrong), (NAMELESS.to_owned(), false));
        }
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["required", "required", "invalid_name", "wrong_type"]);
    }
}
