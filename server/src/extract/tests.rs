use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request};

use super::*;
use crate::error::ApiResult;
use crate::testing::TestServer;

fn parts(headers: &[(&'static str, &str)]) -> Parts {
    let mut parts = Request::post("/api/v1/records/deal").body(()).expect("a request").into_parts().0;
    for (name, value) in headers {
        parts.headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
    }
    parts
}

async fn take<T: FromRequestParts<(), Rejection = crate::error::ApiError>>(
    headers: &[(&'static str, &str)],
) -> ApiResult<T> {
    T::from_request_parts(&mut parts(headers), &()).await
}

async fn key(headers: &[(&'static str, &str)]) -> ApiResult<Option<IdempotencyKey>> {
    Option::<IdempotencyKey>::from_request_parts(&mut parts(headers), &()).await
}

#[tokio::test]
async fn a_token_is_taken_from_the_bearer_scheme_only() {
    let token: BearerToken = take(&[("authorization", "bearer trl_abc")]).await.expect("a token");
    assert_eq!((token.expose(), format!("{token:?}").as_str()), ("trl_abc", "BearerToken(…)"));
    let wrong = [
        vec![],
        vec![("authorization", "trl_abc")],
        vec![("authorization", "Basic dXNlcjpwYXNz")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", "Bearer two words")],
        vec![("authorization", "Bearer ü")],
        vec![("authorization", "Bearer a"), ("authorization", "Bearer b")],
    ];
    for headers in wrong {
        let refused = take::<BearerToken>(&headers).await.expect_err("refused");
        assert_eq!(refused.status(), 401, "{headers:?}");
    }
    let none = Option::<BearerToken>::from_request_parts(&mut parts(&[]), &()).await.expect("none");
    assert_eq!(none, None);
}

#[tokio::test]
async fn an_idempotency_key_is_short_and_printable() {
    assert_eq!(key(&[]).await.expect("none"), None);
    let longest = "k".repeat(255);
    assert_eq!(key(&[("idempotency-key", &longest)]).await.expect("a key").expect("some").as_str(), longest);
    for wrong in ["", "ü", "a\tb", &"k".repeat(256)] {
        assert_eq!(key(&[("idempotency-key", wrong)]).await.expect_err("refused").status(), 400, "{wrong}");
    }
    let twice = key(&[("idempotency-key", "a"), ("idempotency-key", "a")]).await;
    assert_eq!(twice.expect_err("refused").status(), 400);
}

#[tokio::test]
async fn a_position_is_a_number() {
    assert_eq!(take::<AtLeast>(&[]).await.expect("none"), AtLeast(None));
    assert_eq!(take::<AtLeast>(&[("trellis-sequence", "81234")]).await.expect("a number"), AtLeast(Some(81_234)));
    for wrong in ["", "-1", "1.5", "x", "99999999999999999999"] {
        assert_eq!(
            take::<AtLeast>(&[("trellis-sequence", wrong)]).await.expect_err("refused").status(),
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_version_comes_once() {
    assert_eq!(take::<IfMatch>(&[("if-match", "\"7\"")]).await.expect("a version"), IfMatch::Version(7));
    assert_eq!(take::<IfMatch>(&[]).await.expect("none"), IfMatch::Any);
    assert_eq!(take::<IfMatch>(&[("if-match", "x")]).await.expect_err("refused").status(), 400);
    assert_eq!(
        take::<IfMatch>(&[("if-match", "\"1\""), ("if-match", "\"2\"")]).await.expect_err("refused").status(),
        400
    );
}

#[tokio::test]
async fn the_address_is_the_proxys_word_only_where_it_is_trusted() {
    let peer = PeerAddress("10.0.0.9:4711".parse().expect("an address"));
    let forwarded = [("x-forwarded-for", "6.6.6.6, 192.0.2.7"), ("user-agent", "curl/8")];
    let client = async |server: &TestServer| {
        let mut parts = parts(&forwarded);
        parts.extensions.insert(peer);
        Client::from_request_parts(&mut parts, server).await.expect("a client")
    };
    let alone = client(&TestServer::new(|_| {}).await).await;
    assert_eq!(alone, Client { ip: Some(peer.0.ip()), user_agent: Some("curl/8".to_owned()) });
    let behind =
        TestServer::new(|config| config.http.trusted_proxy_header = Some("x-forwarded-for".parse().expect("a name")))
            .await;
    assert_eq!(client(&behind).await.ip, Some("192.0.2.7".parse().expect("an address")));
}
