//! The server's own description, and whether replies are as it says.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// An OpenAPI document.
pub(super) struct Document {
    document: Value,
    /// Schemas of bodies, by method, template and key of the response.
    validators: BTreeMap<String, Validator>,
}

/// What a server has answered.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    /// Without its parameters.
    pub(super) media_type: String,
    /// None where it is no JSON or was not read.
    pub(super) json: Option<Value>,
}

impl Document {
    pub(super) fn new(mut document: Value) -> Self {
        assert_eq!(document["openapi"], "3.1.0");
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        // What is not described is not sent.
        for schema in schemas.values_mut().filter_map(Value::as_object_mut) {
            if schema.contains_key("properties") {
                schema.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        check_references(&document, &document);
        Self { document, validators: BTreeMap::new() }
    }

    /// Every operation, as `GET /path`. Fails where two have the same id.
    pub(super) fn operations(&self) -> BTreeSet<String> {
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for (path, item) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if operation.get("responses").is_some() {
                    names.insert(format!("{} {path}", method.to_uppercase()));
                    let id = operation["operationId"].as_str().unwrap();
                    assert!(ids.insert(id), "two operations have the id {id}");
                }
            }
        }
        names
    }

    /// Whether it may be called without a token.
    pub(super) fn is_public(&self, method: &Method, template: &str) -> bool {
        let operation = self.operation(method, template);
        let security = operation.get("security").unwrap_or(&self.document["security"]);
        security.as_array().unwrap().contains(&json!({}))
    }

    /// The names of its parameters in the path or the query.
    pub(super) fn parameters(&self, method: &Method, template: &str, place: &str) -> Vec<&str> {
        let parameters = self.operation(method, template).get("parameters").and_then(Value::as_array);
        let parameters = parameters.into_iter().flatten().filter(|parameter| parameter["in"] == place);
        parameters.map(|parameter| parameter["name"].as_str().unwrap()).collect()
    }

    /// Fails where the operation takes a body and there is none, takes none and there is one, or takes another.
    pub(super) fn check_body(&mut self, method: &Method, template: &str, body: Option<(&str, Option<&Value>)>) {
        let content = self.operation(method, template).get("requestBody").map(|declared| &declared["content"]);
        assert_eq!(content.is_some(), body.is_some(), "{method} {template} and bodies");
        let (Some(content), Some((media_type, json))) = (content, body) else { return };
        let media_type = media_type.split(';').next().unwrap_or_default();
        let media = content.get(media_type);
        let media = media.unwrap_or_else(|| panic!("{method} {template} does not declare {media_type:?}"));
        if let Some(json) = json {
            let schema = media["schema"].clone();
            self.check_json(&format!("{method} {template} request"), schema, json);
        }
    }

    /// The members that the body of the operation may have at its top.
    pub(super) fn members(&self, method: &Method, template: &str) -> Vec<String> {
        let schema = &self.operation(method, template)["requestBody"]["content"]["application/json"]["schema"];
        let all = [schema, &schema["allOf"][0], &schema["oneOf"][1]];
        let named = all.iter().filter_map(|schema| schema["$ref"].as_str()?.strip_prefix("#/components/schemas/"));
        let schemas = named.map(|name| &self.document["components"]["schemas"][name]);
        let members = schemas.filter_map(|schema| schema["properties"].as_object());
        members.flat_map(|members| members.keys().cloned()).collect()
    }

    /// Fails where the reply is not one of those that the operation declares.
    pub(super) fn check(&mut self, method: &Method, template: &str, seen: &Seen) {
        let name = format!("{method} {template}");
        let responses = &self.operation(method, template)["responses"];
        // Only problems may be left to `default`: whatever else an operation answers, it says so.
        let key = match responses.get(seen.status.to_string()) {
            None if seen.status >= 400 => "default".to_owned(),
            _ => seen.status.to_string(),
        };
        let response = responses.get(&key).unwrap_or_else(|| panic!("{name} does not declare {}", seen.status));
        let Some(content) = response.get("content").and_then(Value::as_object) else {
            assert_eq!(seen.media_type, "", "{name} declares no content of {}", seen.status);
            return;
        };
        let media = content.get(&seen.media_type);
        let media = media.unwrap_or_else(|| panic!("{name} does not declare {:?} of {}", seen.media_type, seen.status));
        let Some(reply) = &seen.json else { return };
        let schema = media["schema"].clone();
        self.check_json(&format!("{name} {key}"), schema, reply);
    }

    fn check_json(&mut self, name: &str, schema: Value, value: &Value) {
        let validator = self.validators.entry(name.to_owned()).or_insert_with(|| {
            assert_ne!(schema, json!({"type": "object"}), "{name} says nothing of its members");
            let whole = json!({"allOf": [schema], "components": self.document["components"]});
            jsonschema::draft202012::new(&whole).unwrap_or_else(|error| panic!("{name}: {error}"))
        });
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name} is not as declared:\n{}\n{value:#}", errors.join("\n"));
    }

    fn operation(&self, method: &Method, template: &str) -> &Map<String, Value> {
        let operation = &self.document["paths"][template][method.as_str().to_lowercase()];
        operation.as_object().unwrap_or_else(|| panic!("{method} {template} is not in the document"))
    }
}

/// Fails for a reference that leads nowhere.
fn check_references(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap_or_default();
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|member| check_references(document, member));
        }
        Value::Array(elements) => elements.iter().for_each(|element| check_references(document, element)),
        _ => {}
    }
}
