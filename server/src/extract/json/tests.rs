use std::borrow::Cow;

use axum::body::Body;
use axum::http::Request as HttpRequest;
use serde_json::value::RawValue;

use super::*;
use crate::testing::TestServer;

fn body(text: &str) -> JsonBody {
    JsonBody(Buffered::of(text.to_owned().into()))
}

/// Pointers and codes of what a body is refused for.
fn told(error: &ApiError) -> Vec<(&str, &str)> {
    assert_eq!((error.status().as_u16(), error.code().as_str()), (422, "validation_failed"));
    error.errors().iter().map(|found| (found.pointer.as_str(), found.code)).collect()
}

#[test]
fn properties_keep_order_and_spelling_and_take_no_name_twice() {
    let properties: PropertiesBody = body(r#"{"b": 1.500, "a": null, "c": {"x": [1e3]}}"#).read().expect("valid");
    let read: Vec<_> = properties.0.iter().map(|(name, raw)| (name.as_str(), raw.get())).collect();
    assert_eq!(read, [("b", "1.500"), ("a", "null"), ("c", r#"{"x": [1e3]}"#)]);
    let twice = body(r#"{"a": 1, "a": 2}"#).read::<PropertiesBody>().expect_err("refused");
    assert_eq!(told(&twice), [("/a", "duplicate")]);
}

#[test]
fn what_can_be_understood_is_read_beside_what_is_wrong() {
    let (list, problems) = body(r#"{"a": 1, "a": 2}"#).read_all::<PropertiesBody>().expect("understood");
    assert_eq!((list.0.len(), problems.len()), (2, 1));
    let nothing = body("[]").read_all::<PropertiesBody>().expect_err("refused");
    assert_eq!(told(&nothing), [("", "wrong_type")]);
}

#[test]
fn a_body_lends_what_is_read_from_it() {
    struct Lent<'a>(Cow<'a, str>, &'a RawValue);
    impl<'a> FromJson<'a> for Lent<'a> {
        fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
            let mut object = reading.object(raw)?;
            let (name, rest) = (object.required("name"), object.required("rest"));
            object.finish();
            Some(Self(name?, rest?))
        }
    }
    let body = body(r#"{"name": "plain", "rest": [1, 2]}"#);
    let lent: Lent<'_> = body.read().expect("valid");
    assert!(matches!(lent.0, Cow::Borrowed("plain")));
    assert_eq!(lent.1.get(), "[1, 2]");
}

#[tokio::test]
async fn a_body_needs_the_media_type_of_json() {
    let server = TestServer::new(|_| {}).await;
    let status = async |media_type: Option<&str>| {
        let mut request = HttpRequest::post("/");
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let request = request.body(Body::from("{}")).expect("a request");
        <JsonBody as FromRequest<_>>::from_request(request, &server)
            .await
            .map_or_else(|error| error.status().as_u16(), |_| 200)
    };
    for taken in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        assert_eq!(status(Some(taken)).await, 200, "{taken}");
    }
    for refused in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json"), Some("")] {
        assert_eq!(status(refused).await, 415, "{refused:?}");
    }
}
