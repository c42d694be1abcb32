//! What a tenant's own definitions add to the document: a schema and typed paths for each of its objects.

use engine::Catalog;
use engine::model::object::ObjectDefinition;
use serde_json::{Value, json};

use super::TenantPart;
use crate::routes::API_BASE;

/// The tenant's part of the document.
pub(super) fn part(catalog: &Catalog) -> TenantPart {
    let mut part = TenantPart::default();
    for object in catalog.objects() {
        // A name that no object can have.
        let properties = format!("{}.properties", object.name);
        let mut schema = catalog.effective.registry.json_schema(object);
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove("$schema");
        }
        part.schemas.insert(object.name.to_string(), record_schema(object, &properties));
        part.schemas.insert(properties.clone(), schema);
        let base = format!("{API_BASE}/records/{}", object.name);
        part.paths.insert(base.clone(), collection(object, &properties));
        part.paths.insert(format!("{base}/{{id}}"), single(object));
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

/// The body of a write, narrower than that of any record.
fn input(properties: &Value) -> Value {
    let schema =
        json!({"allOf": [reference("RecordInput"), {"type": "object", "properties": {"properties": properties}}]});
    json!({"required": true, "content": {"application/json": {"schema": schema}}})
}

fn answer(status: &str, description: &str, schema: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    json!({status: {"description": description, "content": content}, "default": problem()})
}

fn problem() -> Value {
    json!({"description": "A problem", "content": {"application/problem+json": {"schema": reference("Problem")}}})
}

/// One of the parameters that records of every object take.
fn parameter(name: &str) -> Value {
    let (place, kind, description) = match name {
        "id" => ("path", "string", "Id, uid, or a value of `id_property`"),
        "id_property" => ("query", "string", "A unique property"),
        "limit" => ("query", "integer", "1 to 200, by default 50"),
        "cursor" => ("query", "string", "`next_cursor` of the page before"),
        "archived" => ("query", "boolean", "The archived records only"),
        "select" => ("query", "string", "Properties to show, separated by commas"),
        "include" => ("query", "string", "Linked records to bring along: `company(name,domain)`"),
        "at" => ("query", "string", "A moment, or a sequence of the change log"),
        "purge" => ("query", "boolean", "Erase the values for good, from the history too"),
        _ => ("header", "string", "Only if the record is at this version"),
    };
    json!({"name": name, "in": place, "required": place == "path", "description": description, "schema": {"type": kind}})
}

fn parameters(names: &[&str]) -> Value {
    names.iter().map(|name| parameter(name)).collect()
}

fn operation(object: &ObjectDefinition, verb: &str, summary: String, names: &[&str], responses: Value) -> Value {
    json!({
        "operationId": format!("records_{}_{verb}", object.name),
        "tags": [object.plural_label],
        "summary": summary,
        "parameters": parameters(names),
        "responses": responses,
    })
}

fn collection(object: &ObjectDefinition, properties: &str) -> Value {
    let (record, label, plural) = (reference(&object.name), &object.label, &object.plural_label);
    let page = json!({"type": "object", "required": ["results", "next_cursor"], "properties": {
        "results": {"type": "array", "items": record}, "next_cursor": {"type": ["string", "null"]}}});
    let wanted = ["limit", "cursor", "archived", "select", "include"];
    let list = operation(object, "list", format!("List {plural}"), &wanted, answer("200", "A page", &page));
    let made = answer("201", "The record", &record);
    let mut create = operation(object, "create", format!("Make a {label}"), &[], made);
    create["requestBody"] = input(&reference(properties));
    json!({"get": list, "post": create})
}

fn single(object: &ObjectDefinition) -> Value {
    let (record, label) = (answer("200", "The record", &reference(&object.name)), &object.label);
    let wanted = ["id", "id_property", "select", "include", "at"];
    let read = operation(object, "read", format!("Read a {label}"), &wanted, record.clone());
    let wanted = ["id", "id_property", "If-Match"];
    let mut update = operation(object, "update", format!("Change a {label}"), &wanted, record);
    // Any of the properties: those that are required are there already.
    update["requestBody"] = input(&json!({"type": "object"}));
    let gone = json!({"204": {"description": "Done"}, "default": problem()});
    let wanted = ["id", "id_property", "purge", "If-Match"];
    let archive = operation(object, "archive", format!("Archive a {label}"), &wanted, gone);
    json!({"get": read, "patch": update, "delete": archive})
}
