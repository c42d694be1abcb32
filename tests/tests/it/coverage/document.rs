//! The server's own description, and whether replies are as it says.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// An OpenAPI document.
pub(super) struct Document {
    document: Value,
    /// Schemas of replies, by method, template and key of the response.
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
        Self { document, validators: BTreeMap::new() }
    }

    /// Every operation, as `GET /path`.
    pub(super) fn operations(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (path, item) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if operation.get("responses").is_some() {
                    names.insert(format!("{} {path}", method.to_uppercase()));
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

    /// Whether the operation says that it takes a body.
    pub(super) fn takes_a_body(&self, method: &Method, template: &str) -> bool {
        self.operation(method, template).get("requestBody").is_some()
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
        let validator = self.validators.entry(format!("{name} {key}")).or_insert_with(|| {
            let whole = json!({"allOf": [schema], "components": self.document["components"]});
            jsonschema::draft202012::new(&whole).unwrap_or_else(|error| panic!("{name}: {error}"))
        });
        let errors: Vec<String> =
            validator.iter_errors(reply).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {} is not as declared:\n{}\n{reply:#}", seen.status, errors.join("\n"));
    }

    fn operation(&self, method: &Method, template: &str) -> &Map<String, Value> {
        let operation = &self.document["paths"][template][method.as_str().to_lowercase()];
        operation.as_object().unwrap_or_else(|| panic!("{method} {template} is not in the document"))
    }
}
