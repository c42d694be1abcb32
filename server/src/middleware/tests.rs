use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::routing::{get, post};
use serde_json::json;

use crate::error::ApiResult;
use crate::extract::json::Json;
use crate::extract::query::{NoQuery, Query};
use crate::routes::Routes;
use crate::testing::{Answer, TestServer};

async fn fails() -> ApiResult<()> {
    let inner = std::io::Error::other("password of the database");
    Err(engine::Error::internal(inner).into())
}

#[expect(clippy::panic, reason = "this is what is tested")]
async fn panics() {
    panic!("a secret");
}

async fn never() {
    std::future::pending::<()>().await;
}

async fn takes_nothing(_: Query<NoQuery>) -> &'static str {
    "ok"
}

async fn echoes(Json(text): Json<String>) -> String {
    text
}

async fn server() -> TestServer {
    server_with(2).await
}

async fn server_with(max_requests: usize) -> TestServer {
    let routes = Routes::default()
        .operational(utoipa_axum::routes!(crate::health::metrics))
        .page("/fails", get(fails))
        .page("/panics", get(panics))
        .page("/never", get(never).post(never))
        .page("/nothing/{id}", get(takes_nothing))
        .page("/echo", post(echoes));
    TestServer::with_routes(routes, |config| {
        config.http.max_requests = max_requests;
        config.http.max_body_bytes = 1000;
    })
    .await
}

async fn post_json(server: &TestServer, body: impl Into<Bytes>) -> Answer {
    let request = Request::post("/echo").header("content-type", "application/json").body(Body::from(body.into()));
    server.send(request.expect("a request")).await
}

#[tokio::test]
async fn every_answer_has_the_id_that_was_sent_or_a_new_one() {
    let server = server().await;
    let request = Request::get("/nothing/1").header("x-request-id", "mine-1").body(Body::empty()).expect("a request");
    let answer = server.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-request-id")), (200, "mine-1"));
    let made = server.get("/nothing/1").await;
    assert_eq!(made.header("x-request-id").len(), 36);
    let missing = server.get("/nowhere").await;
    assert_eq!(missing.json()["request_id"], missing.header("x-request-id"));
}

#[tokio::test]
async fn a_problem_is_written_whole_and_tells_nothing_internal() {
    let answer = server().await.get("/fails").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (500, "application/problem+json"));
    assert!(!answer.text.contains("password"), "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["code"], "internal");
    assert_eq!(body["type"], "/docs/errors#internal");
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_next_request_is_served() {
    let server = server().await;
    for _ in 0..3 {
        let answer = server.get("/panics").await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (500, Some("internal")));
        assert!(!answer.text.contains("secret"));
    }
    assert_eq!(server.get("/nothing/1").await.status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let server = server().await;
    let missing = server.get("/api/v1/nowhere").await;
    assert_eq!((missing.status.as_u16(), missing.json()["code"].as_str()), (404, Some("not_found")));
    assert_eq!(missing.json()["detail"], "there is nothing at this path; `/docs` lists the paths of the API");

    let request = Request::delete("/never").body(Body::empty()).expect("a request");
    let wrong = server.send(request).await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET,HEAD,POST"));
    assert_eq!(wrong.json()["code"], "method_not_allowed");

    let request = Request::options("/never").body(Body::empty()).expect("a request");
    let options = server.send(request).await;
    assert_eq!((options.status.as_u16(), options.header("allow"), options.text.as_str()), (204, "GET,HEAD,POST", ""));

    let request = Request::head("/nothing/1").body(Body::empty()).expect("a request");
    let head = server.send(request).await;
    assert_eq!((head.status.as_u16(), head.text.as_str(), head.header("content-length")), (200, "", "2"));
}

#[tokio::test]
async fn bad_bodies_and_parameters_are_problems() {
    let server = server().await;
    assert_eq!(post_json(&server, "\"hi\"").await.text, "hi");
    let cases: [(&[u8], u16, &str); 7] = [
        (b"{", 400, "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        (b"", 400, "the request has no body; a JSON value is expected"),
        (b"\"\xff\"", 400, "the body is not UTF-8 at line 1 column 2"),
        (&[b'['; 500], 400, "the body nests deeper than 64 levels at line 1 column 65"),
        (b"7", 422, "a string is expected, not a number"),
        (b"null", 422, "a value is expected, not null"),
        (&[b' '; 1001], 413, "a body of at most 1000 bytes is taken; use an import or batches for more"),
    ];
    for (body, status, detail) in cases {
        let answer = post_json(&server, body.to_vec()).await;
        assert_eq!((answer.status.as_u16(), answer.json()["detail"].as_str()), (status, Some(detail)));
    }
    let answer = server.get("/nothing/1?limt=3").await;
    assert_eq!(answer.status, 400);
    let expected = json!([{"pointer": "/limt", "code": "unknown", "message": "`limt` is no parameter of this call"}]);
    assert_eq!(answer.json()["errors"], expected);
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let server = server().await;
    tokio::time::pause();
    let read = server.get("/never").await;
    assert_eq!((read.status.as_u16(), read.header("retry-after")), (503, "1"));
    let write = server.send(Request::post("/never").body(Body::empty()).expect("a request")).await;
    assert!(write.json()["detail"].as_str().is_some_and(|text| text.contains("may have happened")), "{}", write.text);
}

#[tokio::test]
async fn beyond_the_bound_requests_are_put_off_but_probes_are_not() {
    let server = server_with(1).await;
    tokio::time::pause();
    let (first, rest) = tokio::join!(server.get("/never"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        (server.get("/nothing/1").await, server.get("/metrics").await)
    });
    let (second, metrics) = rest;
    assert_eq!((second.status.as_u16(), second.json()["code"].as_str()), (503, Some("unavailable")));
    assert!(metrics.text.contains("http_requests_in_flight 1\n"), "{}", metrics.text);
    assert_eq!(first.status, 503);
    assert_eq!(server.get("/nothing/1").await.status, 200, "the place is free again");
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_class() {
    let server = server().await;
    for path in ["/nothing/1", "/nothing/2", "/fails", "/a", "/b", "/c"] {
        server.get(path).await;
    }
    let text = server.get("/metrics").await.text;
    for line in [
        "http_requests_total{route=\"/nothing/{id}\",method=\"GET\",status=\"2xx\"} 2\n",
        "http_requests_total{route=\"/fails\",method=\"GET\",status=\"5xx\"} 1\n",
        "http_requests_total{route=\"unmatched\",method=\"GET\",status=\"4xx\"} 3\n",
        "http_request_duration_seconds_count{route=\"/nothing/{id}\",method=\"GET\",status=\"2xx\"} 2\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(text.contains("process_resident_memory_bytes "));
    assert!(text.contains("process_cpu_seconds_total "));
}

#[tokio::test]
async fn a_caller_that_goes_away_is_counted_and_gives_its_place_back() {
    let server = server_with(1).await;
    let gone = tokio::time::timeout(Duration::from_millis(1), server.get("/never")).await;
    assert!(gone.is_err());
    assert_eq!(server.get("/nothing/1").await.status, 200);
    let text = server.get("/metrics").await.text;
    assert!(text.contains("http_requests_total{route=\"/never\",method=\"GET\",status=\"4xx\"} 1\n"), "{text}");
}
