//! Puts the document together: what every tenant has, then what one tenant has of its own.

use axum::http::header;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::error::ALL;

/// The document of what every tenant has.
#[derive(Debug)]
pub struct StaticDocument {
    document: Value,
    bytes: Bytes,
}

/// What a tenant's own objects add.
#[derive(Debug, Default)]
pub struct TenantPart {
    /// Path items by path.
    pub paths: Map<String, Value>,
    /// JSON Schemas by name, to be referred to as `#/components/schemas/NAME`.
    pub schemas: Map<String, Value>,
}

impl StaticDocument {
    /// The document of the routes as they were collected.
    pub fn new(collected: &OpenApi) -> serde_json::Result<Self> {
        let mut document = serde_json::to_value(collected)?;
        document["info"] = json!({
            "title": "Trellis",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Records of objects that each tenant defines for itself. Errors are RFC 9457 problems; \
                            `/docs/errors` explains their codes.",
        });
        document["servers"] = json!([{"url": "/"}]);
        document["security"] = json!([{"bearer": []}]);
        document["components"]["securitySchemes"]["bearer"] = json!({"type": "http", "scheme": "bearer"});
        document["components"]["schemas"]["Problem"] = problem_schema();
        for operation in operations(&mut document) {
            name(operation);
            operation["responses"]["default"] = json!({
                "description": "A problem",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            });
        }
        let bytes = serde_json::to_vec(&document)?.into();
        Ok(Self { document, bytes })
    }

    /// The document as it is sent.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The document of one tenant: the static one with the tenant's part added.
    pub fn with(&self, part: TenantPart) -> Value {
        let mut document = self.document.clone();
        if let Some(paths) = document["paths"].as_object_mut() {
            paths.extend(part.paths);
        }
        if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
            schemas.extend(part.schemas);
        }
        document
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let members = items.filter_map(Value::as_object_mut).flat_map(|item| item.iter_mut());
    members.filter(|(_, value)| value.get("responses").is_some()).map(|(_, operation)| operation)
}

/// Handlers are named by their verb; with their tag before it the name is the only one: `records_create`.
fn name(operation: &mut Value) {
    if let (Some(tag), Some(verb)) = (operation["tags"][0].as_str(), operation["operationId"].as_str()) {
        operation["operationId"] = Value::from(format!("{tag}_{verb}"));
    }
}

fn problem_schema() -> Value {
    let codes: Vec<&str> = ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object",
        "description": format!("Problem details (RFC 9457). `{}` carries the same id.", header::HeaderName::from_static("x-request-id")),
        "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "Where the code is explained"},
            "title": {"type": "string", "description": "The same for every problem of the code"},
            "status": {"type": "integer", "description": "The HTTP status"},
            "detail": {"type": "string", "description": "What is wrong and what to do"},
            "code": {"type": "string", "description": "Stable word", "examples": codes},
            "errors": {"type": "array", "description": "Everything that is wrong", "items": {
                "type": "object",
                "required": ["pointer", "code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901 pointer into the body, or `/` and a parameter's name"},
                    "code": {"type": "string", "description": "Stable word"},
                    "message": {"type": "string", "description": "What is wrong and what to do"},
                    "count": {"type": "integer", "description": "How many records are concerned"},
                    "samples": {"type": "array", "items": {"type": "string"}, "description": "Ids of some of them"},
                },
            }},
            "request_id": {"type": "string", "description": "The request's id, as in the log"},
        },
    })
}
