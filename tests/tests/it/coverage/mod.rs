//! Every operation of the API has a case: what it does for those who may, whom it refuses, and what.
//!
//! The server's own OpenAPI document is the list of operations. A new one fails here until it has a line in the table
//! of its area: `case(METHOD, path)`, `.allows(who, call, status, shape)` for what it does, `.refuses(call, status,
//! code, pointers)` for its own mistakes. What every operation refuses is tried without a line of its own, and so is
//! that refused calls change nothing, and that replies are as the document declares them.

mod access;
mod case;
mod check;
mod definitions;
mod document;
mod duplicates;
mod links;
mod lists;
mod packs;
mod pipelines;
mod records;
mod saved;
mod scores;
mod search;
mod timeline;
mod typed;
mod work;
mod world;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tests::TestServer;

use case::Case;
use document::Document;
use world::World;

async fn operations_of_every_tenant(server: TestServer) {
    let cases = static_cases();
    let mut world = World::new(&server).await;
    let mut document = Document::new(world.tenant.get("/openapi.json").await.ok(200));
    let typed = typed::cases();
    check_is_complete(&document.operations(), cases.iter().chain(&typed));
    let anonymous = Document::new(server.anonymous().get("/openapi.json").await.ok(200));
    check_is_complete(&anonymous.operations(), &cases);
    check_pages(&server).await;
    check_all(&mut world, &mut document, &cases).await;
}

async fn operations_of_a_tenants_own_objects(server: TestServer) {
    let mut world = World::new(&server).await;
    let mut document = Document::new(world.tenant.get("/openapi.json").await.ok(200));
    check_all(&mut world, &mut document, &typed::cases()).await;
}

/// Those of what every tenant has.
fn static_cases() -> Vec<Case> {
    let areas = [
        records::cases(),
        pipelines::cases(),
        search::cases(),
        links::cases(),
        definitions::cases(),
        packs::cases(),
        access::cases(),
        saved::cases(),
        duplicates::cases(),
        lists::cases(),
        scores::cases(),
        timeline::cases(),
        work::cases(),
    ];
    areas.into_iter().flatten().collect()
}

/// Fails for operations without a case, for cases without an operation, and for two cases of one.
fn check_is_complete<'a>(operations: &BTreeSet<String>, cases: impl IntoIterator<Item = &'a Case>) {
    let mut covered = BTreeSet::new();
    for case in cases {
        assert!(covered.insert(case.name()), "{} has two cases", case.name());
    }
    let missing: Vec<_> = operations.difference(&covered).collect();
    assert!(missing.is_empty(), "operations without a case: {missing:#?}");
    let gone: Vec<_> = covered.difference(operations).collect();
    assert!(gone.is_empty(), "cases without an operation: {gone:#?}");
}

/// Every case, and then all that have failed.
async fn check_all(world: &mut World<'_>, document: &mut Document, cases: &[Case]) {
    let mut failed = Vec::new();
    for case in cases {
        if AssertUnwindSafe(check::check(world, document, case)).catch_unwind().await.is_err() {
            eprintln!("{} is not as its case says.", case.name());
            failed.push(case.name());
        }
    }
    assert!(failed.is_empty(), "operations that are not as their cases say: {failed:#?}");
}

/// Pages for people are in no description: address and media type.
const PAGES: [(&str, &str); 6] = [
    ("/docs", "text/html; charset=utf-8"),
    ("/docs/errors", "text/html; charset=utf-8"),
    ("/docs/docs.css", "text/css; charset=utf-8"),
    ("/docs/docs.js", "text/javascript; charset=utf-8"),
    ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
    ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
];

async fn check_pages(server: &TestServer) {
    let anonymous = server.anonymous().at_root();
    for (page, media_type) in PAGES {
        let reply = anonymous.get(page).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, media_type), "{page}");
    }
    anonymous.get("/docs/nonsense").await.problem(404, "not_found");
}

scenarios![operations_of_every_tenant, operations_of_a_tenants_own_objects];

#[test]
fn operation_without_a_case_is_named() {
    let cases = static_cases();
    let all: BTreeSet<String> = cases.iter().map(Case::name).collect();
    check_is_complete(&all, &cases);
    let said = |operations: &BTreeSet<String>| {
        let failed = std::panic::catch_unwind(AssertUnwindSafe(|| check_is_complete(operations, &cases)));
        failed.unwrap_err().downcast_ref::<String>().unwrap().clone()
    };
    let (new, old) = ("GET /api/v1/new".to_owned(), "GET /healthz".to_owned());
    let mut more = all.clone();
    more.insert(new.clone());
    assert_eq!(said(&more), format!("operations without a case: {:#?}", [new]));
    let mut fewer = all;
    fewer.remove(&old);
    assert_eq!(said(&fewer), format!("cases without an operation: {:#?}", [old]));
}
