//! Where in a request's body a place of the definitions is.
//!
//! Checking happens on the definitions as a whole, so problems say `/objects/deal/properties/amount/scale`; who sent a
//! body for `deal` looks for `/properties/amount/scale`, and who sent one for `amount` for `/scale`.

use engine_model::problem::push_segment;
use serde_json::{Map, Value};

use super::edit::Target;

/// The lists of a body that definitions keep in another order or as a map.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Names of the stages as listed; empty where the body has none or a map of them.
    stages: Vec<String>,
    /// The constraints as listed.
    constraints: Vec<Value>,
    /// The constraints as they are kept, where that may be another order.
    kept_constraints: Vec<Value>,
}

impl Place {
    /// Places of a body.
    pub(crate) fn of(body: &Map<String, Value>) -> Self {
        let list = |key: &str| body.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let name = |stage: &Value| stage.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            stages: list("stages").iter().map(name).collect(),
            constraints: list("constraints"),
            kept_constraints: Vec::new(),
        }
    }

    /// The constraints are kept in this order.
    pub(crate) fn keeps_constraints(&mut self, kept: Vec<Value>) {
        self.kept_constraints = kept;
    }

    /// Whether a place is in what the call is about.
    pub(crate) fn covers(&self, target: &Target, pointer: &str) -> bool {
        prefixes(target).iter().any(|prefix| below(pointer, prefix).is_some())
    }

    /// The pointer into the body of a call about `target`; a place that the body is not about keeps its pointer.
    pub(crate) fn find(&self, target: &Target, pointer: &str, code: &str) -> String {
        let Some(rest) = prefixes(target).iter().find_map(|prefix| below(pointer, prefix)) else {
            return pointer.to_owned();
        };
        if rest.is_empty() && matches!(code, "reserved" | "invalid_name") {
            return "/name".to_owned();
        }
        self.listed(rest)
    }

    fn listed(&self, rest: &str) -> String {
        let mut segments = rest.splitn(4, '/').skip(1);
        let (Some(section), Some(entry)) = (segments.next(), segments.next()) else { return rest.to_owned() };
        let tail = segments.next().map_or_else(String::new, |tail| format!("/{tail}"));
        let index = match section {
            "stages" => self.stages.iter().position(|name| name == entry),
            "constraints" => {
                let kept = entry.parse().ok().and_then(|index: usize| self.kept_constraints.get(index));
                kept.and_then(|kept| self.constraints.iter().position(|constraint| constraint == kept))
            }
            _ => None,
        };
        index.map_or_else(|| rest.to_owned(), |index| format!("/{section}/{index}{tail}"))
    }
}

/// What stands before the pointers of a definition.
fn prefixes(target: &Target) -> Vec<String> {
    match target {
        Target::Object(name) => vec![push_segment("/objects", name), push_segment("/extend", name)],
        Target::Property { object, property } => ["/objects", "/extend"]
            .map(|section| push_segment(&format!("{}/properties", push_segment(section, object)), property))
            .to_vec(),
        Target::Association(name) => vec![push_segment("/associations", name)],
        Target::Pipeline { name, .. } => vec![push_segment("/pipelines", name)],
    }
}

fn below<'a>(pointer: &'a str, prefix: &str) -> Option<&'a str> {
    pointer.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use engine_model::Name;
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn place(body: Value) -> Place {
        Place::of(body.as_object().expect("an object"))
    }

    #[test]
    fn a_pointer_is_relative_to_what_the_call_is_about() {
        let place = place(json!({}));
        let object = Target::Object(name("deal"));
        assert_eq!(place.find(&object, "/objects/deal/properties/a/scale", "x"), "/properties/a/scale");
        assert_eq!(place.find(&object, "/extend/deal/display", "x"), "/display");
        assert_eq!(place.find(&object, "/objects/deals/display", "x"), "/objects/deals/display");
        let property = Target::Property { object: name("deal"), property: name("a") };
        assert_eq!(place.find(&property, "/extend/deal/properties/a/options/2", "x"), "/options/2");
        assert_eq!(place.find(&property, "/objects/deal/properties/a", "x"), "");
        assert_eq!(place.find(&property, "/objects/deal/properties/a", "reserved"), "/name");
        assert_eq!(place.find(&property, "/objects/deal/properties/b/type", "x"), "/objects/deal/properties/b/type");
        assert_eq!(place.find(&Target::Association(name("x")), "/associations/x/from", "x"), "/from");
    }

    #[test]
    fn entries_are_found_where_the_body_lists_them() {
        let target = Target::Pipeline { object: name("deal"), name: name("sales") };
        let listed = place(json!({"stages": [{"name": "open"}, {"name": "won"}]}));
        assert_eq!(listed.find(&target, "/pipelines/sales/stages/won/requires/0", "x"), "/stages/1/requires/0");
        assert_eq!(listed.find(&target, "/pipelines/sales/stages/lost", "x"), "/stages/lost");
        let mapped = place(json!({"stages": {"open": {}}}));
        assert_eq!(mapped.find(&target, "/pipelines/sales/stages/open/label", "x"), "/stages/open/label");
        let mut place = place(json!({"constraints": [{"unique": ["b"]}, {"unique": ["a"]}]}));
        let object = Target::Object(name("deal"));
        assert_eq!(place.find(&object, "/objects/deal/constraints/0/unique", "x"), "/constraints/0/unique");
        place.keeps_constraints(vec![json!({"unique": ["a"]}), json!({"unique": ["b"]})]);
        assert_eq!(place.find(&object, "/extend/deal/constraints/0/unique", "x"), "/constraints/1/unique");
    }
}
