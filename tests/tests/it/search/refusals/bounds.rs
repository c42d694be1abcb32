//! Too deep, too long, too many.

use serde_json::{Value, json};
use tests::TestServer;

use super::{check, refused, things};
use crate::fixture::create;
use crate::search::names;

async fn too_much_is_refused_with_the_bound(server: TestServer) {
    let tenant = things(&server).await;
    create(&tenant, "thing", json!({"name": "one", "seats": 1})).await;
    let leaf = json!({"property": "seats", "op": "eq", "value": 1});
    let nested = |depth: usize| (1..depth).fold(leaf.clone(), |inner, _| json!({"not": inner}));
    assert_eq!(names(&tenant, "thing", json!({"filter": nested(15)})).await, ["one"]);
    let problem = refused(&tenant, &json!({"filter": nested(17)})).await;
    assert_eq!(problem.errors(), [(format!("/filter{}", "/not".repeat(16)), "too_deep".to_owned())]);
    assert!(problem.words().contains("16"), "{}", problem.body);
    tenant.post("/records/thing/search", &json!({"filter": nested(100)})).await.problem(400, "bad_request");

    let many = |count: usize| json!({"filter": {"any": vec![leaf.clone(); count]}});
    assert_eq!(names(&tenant, "thing", many(500)).await, ["one"]);
    assert!(refused(&tenant, &many(501)).await.errors().iter().all(|(_, code)| code == "too_many"));
    let values =
        |count: u64| json!({"filter": {"property": "seats", "op": "in", "value": (1..=count).collect::<Vec<_>>()}});
    assert_eq!(names(&tenant, "thing", values(10_000)).await, ["one"]);
    check(&tenant, values(10_001), "/filter/value", "too_many", "").await;

    let hop = |inner: Value| json!({"association": "thing_next", "direction": "out", "match": inner});
    assert!(names(&tenant, "thing", json!({"filter": hop(hop(hop(leaf.clone())))})).await.is_empty());
    check(&tenant, json!({"filter": hop(hop(hop(hop(leaf.clone()))))}), "/filter/match/match/match", "too_deep", "3")
        .await;

    check(&tenant, json!({"limit": 201}), "/limit", "too_large", "200").await;
    for limit in [json!(-1), json!(1.5), json!("5"), json!(1e30)] {
        assert_eq!(refused(&tenant, &json!({"limit": limit})).await.pointers(), ["/limit"], "{limit}");
    }
    check(&tenant, json!({"q": "word ".repeat(129)}), "/q", "too_many", "128").await;
    check(&tenant, json!({"q": "x".repeat(1_001)}), "/q", "too_long", "1000").await;
    let tables = |name: &str, value: Value| {
        let mut table = json!({"group": ["stage"]});
        table[name] = value;
        json!({"aggregate": {"t": table}})
    };
    check(&tenant, tables("limit", json!(10_001)), "/aggregate/t/limit", "too_large", "10000").await;
    check(&tenant, tables("limit", json!(0)), "/aggregate/t/limit", "too_small", "").await;
    check(&tenant, tables("group", json!(vec!["stage"; 6])), "/aggregate/t/group", "too_many", "5").await;
    check(&tenant, json!({"sort": vec!["seats"; 9]}), "/sort", "too_many", "8").await;
    let all: serde_json::Map<_, _> = (0..21).map(|n| (format!("t{n}"), json!({}))).collect();
    check(&tenant, json!({"aggregate": all}), "/aggregate", "too_many", "20").await;
    for q in ["/a.*/".to_owned(), "x".repeat(1_001)] {
        let problem = tenant.get(&format!("/records/thing/suggest?q={q}")).await.problem(400, "bad_request");
        assert_eq!(problem.pointers(), ["/q"], "{q}");
    }
    for query in ["limit=0", "limit=51", "limit=x"] {
        let problem = tenant.get(&format!("/records/thing/suggest?{query}")).await.problem(400, "bad_request");
        assert_eq!(problem.pointers(), ["/limit"], "{query}");
    }
}

scenarios![too_much_is_refused_with_the_bound];
