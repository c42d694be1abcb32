//! What a tenant's own definitions add to the document: a schema and typed paths for each of its objects.

use engine::Catalog;
use engine::model::object::ObjectDefinition;
use serde_json::{Map, Value, json};

use super::TenantPart;
use crate::routes::API_BASE;

/// The tenant's part of the document.
pub(super) fn part(catalog: &Catalog) -> TenantPart {
    let mut part = TenantPart::default();
    for object in catalog.objects() {
        let properties = format!("{}_properties", object.name);
        let mut schema = catalog.registry.json_schema(object);
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove("$schema");
        }
        part.schemas.insert(object.name.to_string(), record_schema(object, &properties));
        part.schemas.insert(properties.clone(), schema);
        let base = format!("{API_BASE}/records/{}", object.name);
        part.paths.insert(base.clone(), collection(object, &properties));
        part.paths.insert(format!("{base}/{{id}}"), single(object, &properties));
    }
    part
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn record_schema(object: &ObjectDefinition, properties: &str) -> Value {
    json!({
        "title": object.label,
        "description": object.description,
        "allOf": [
            reference("Record"),
            {"type": "object", "properties": {"object": {"const": object.name}, "properties": reference(properties)}},
        ],
    })
}

/// The body of a write: any of the properties; those that are required are asked for by the engine.
fn input(properties: &str, all: bool) -> Value {
    let mut fields = Map::new();
    fields.insert("properties".to_owned(), if all { reference(properties) } else { json!({"type": "object"}) });
    fields.insert("owner_id".to_owned(), json!({"type": ["string", "null"]}));
    fields.insert("associations".to_owned(), json!({"type": "array", "items": {"type": "object"}}));
    json!({"required": true, "content": {"application/json": {"schema": {"type": "object", "properties": fields}}}})
}

fn answer(status: &str, description: &str, schema: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    json!({status: {"description": description, "content": content}, "default": problem()})
}

fn problem() -> Value {
    json!({"description": "A problem", "content": {"application/problem+json": {"schema": reference("Problem")}}})
}

fn collection(object: &ObjectDefinition, properties: &str) -> Value {
    let (name, tag, record) = (&object.name, [&object.plural_label], reference(&object.name));
    let page = json!({"type": "object", "properties": {
        "results": {"type": "array", "items": record}, "next_cursor": {"type": ["string", "null"]}}});
    let parameters = json!([
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}},
        {"name": "archived", "in": "query", "schema": {"type": "boolean"}},
        {"name": "select", "in": "query", "schema": {"type": "string"}},
        {"name": "include", "in": "query", "schema": {"type": "string"}},
    ]);
    json!({
        "get": {"operationId": format!("{name}_list"), "tags": tag, "summary": format!("List {}", object.plural_label),
            "parameters": parameters, "responses": answer("200", "A page", &page)},
        "post": {"operationId": format!("{name}_create"), "tags": tag, "summary": format!("Make a {}", object.label),
            "requestBody": input(properties, true), "responses": answer("201", "The record", &record)},
    })
}

fn single(object: &ObjectDefinition, properties: &str) -> Value {
    let (name, tag, record) = (&object.name, [&object.plural_label], reference(&object.name));
    let parameters = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    json!({
        "get": {"operationId": format!("{name}_read"), "tags": tag, "summary": format!("Read a {}", object.label),
            "parameters": parameters, "responses": answer("200", "The record", &record)},
        "patch": {"operationId": format!("{name}_update"), "tags": tag, "summary": format!("Change a {}", object.label),
            "parameters": parameters, "requestBody": input(properties, false),
            "responses": answer("200", "The record", &record)},
        "delete": {"operationId": format!("{name}_archive"), "tags": tag,
            "summary": format!("Archive a {}", object.label), "parameters": parameters,
            "responses": {"204": {"description": "Done"}, "default": problem()}},
    })
}
