use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::*;
use crate::error::ALL;
use crate::testing::TestServer;

#[tokio::test]
async fn the_document_has_every_call_with_a_name_of_its_own() {
    let document = TestServer::new(|_| {}).await.get("/api/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.contains_key("/api/v1/openapi.json") && paths.contains_key("/healthz"));
    let operations: Vec<&Value> = paths.values().flat_map(|item| item.as_object().expect("an item").values()).collect();
    let names: HashSet<&str> = operations.iter().filter_map(|operation| operation["operationId"].as_str()).collect();
    assert_eq!(names.len(), operations.len());
    for operation in operations {
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(problem, "#/components/schemas/Problem");
    }
}

#[tokio::test]
async fn a_tenants_part_is_added() {
    let server = TestServer::new(|_| {}).await;
    let path = ("/api/v1/deals".to_owned(), json!({"get": {"responses": {}}}));
    let schema = ("Deal".to_owned(), json!({"type": "object"}));
    let part = TenantPart { paths: Map::from_iter([path]), schemas: Map::from_iter([schema]) };
    let document = server.document.with(part);
    assert!(document["paths"]["/api/v1/deals"]["get"].is_object());
    assert!(document["paths"]["/healthz"]["get"].is_object());
    assert_eq!(document["components"]["schemas"]["Deal"]["type"], "object");
    assert!(document["components"]["schemas"]["Problem"].is_object());
}

#[tokio::test]
async fn the_pages_load_nothing_from_elsewhere() {
    let server = TestServer::new(|_| {}).await;
    for page in ["/docs", "/docs/errors"] {
        let answer = server.get(page).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(!answer.text.contains("://"), "{page} names another server");
        for part in answer.text.split("=\"/docs/").skip(1) {
            let name = part.split('"').next().expect("a name");
            let file = server.get(&format!("/docs/{name}")).await;
            assert_eq!(file.status, 200, "{page} loads {name}");
        }
    }
    assert!(server.get("/docs/swagger-ui-bundle.js").await.text.len() > 1_000_000);
    assert_eq!(server.get("/docs/other.js").await.status, 404);
}

#[tokio::test]
async fn every_code_is_explained_where_problems_point_to() {
    let text = TestServer::new(|_| {}).await.get("/docs/errors").await.text;
    for code in ALL {
        assert!(text.contains(&format!("id=\"{}\"", code.as_str())), "{code:?}");
    }
}
