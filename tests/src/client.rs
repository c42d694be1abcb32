//! A small JSON client that keeps everything a test may want to look at.

use std::fmt::Write as _;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Below this all calls of the product's own API are.
const API: &str = "/api/v1";

/// Speaks to one server as one caller.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A caller without a token; `address` is `http://HOST:PORT`.
    pub fn new(address: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client without special settings");
        Self { http, base: format!("{address}{API}"), token: None }
    }

    /// The same server, another caller.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same server without a token.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same caller, with paths that begin at the server's root instead of `/api/v1`.
    #[must_use]
    pub fn at_root(&self) -> Self {
        Self { base: self.base.trim_end_matches(API).to_owned(), ..self.clone() }
    }

    /// The token this caller sends.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The URL that `path` stands for.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// A POST with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Request {
        self.request(Method::POST, path).json(body)
    }

    /// A PATCH with a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> Request {
        self.request(Method::PATCH, path).json(body)
    }

    /// A PUT with a JSON body.
    pub fn put(&self, path: &str, body: &Value) -> Request {
        self.request(Method::PUT, path).json(body)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    /// Any method, no body.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let what = format!("{method} {path}");
        let mut builder = self.http.request(method, self.url(path));
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        Request { builder, what }
    }
}

/// A request that is sent when awaited.
#[derive(Debug)]
pub struct Request {
    builder: reqwest::RequestBuilder,
    what: String,
}

impl Request {
    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self { builder: self.builder.header(name, value.as_ref()), what: self.what }
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    /// Sets any body.
    #[must_use]
    pub fn bytes(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { builder: self.builder.header("content-type", content_type).body(body.into()), what: self.what }
    }

    /// Sets a body of form fields and files.
    #[must_use]
    pub fn multipart(self, form: reqwest::multipart::Form) -> Self {
        Self { builder: self.builder.multipart(form), what: self.what }
    }

    /// Sends it and gives the reply before its body has come, to read a stream.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn stream(self) -> Result<reqwest::Response, reqwest::Error> {
        self.builder.send().await
    }

    /// Sends it; an error when the server does not answer.
    ///
    /// # Errors
    /// When the connection cannot be made or breaks before the reply is complete.
    pub async fn send(self) -> Result<Response, reqwest::Error> {
        let reply = self.builder.send().await?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let text = reply.text().await?;
        Ok(Response { what: self.what, status, headers, text })
    }
}

impl IntoFuture for Request {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let what = self.what.clone();
        Box::pin(async move { self.send().await.unwrap_or_else(|error| panic!("{what}: no answer: {error:?}")) })
    }
}

/// A complete reply.
#[derive(Debug)]
pub struct Response {
    what: String,
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
}

impl Response {
    /// The body as JSON; the test fails on any other `status`.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.describe());
        self.json()
    }

    /// The body as JSON, null where there is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.describe()))
    }

    /// The problem in the body; the test fails unless it has this status and code and all that a problem must have.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Problem {
        assert_eq!(self.status, status, "{}", self.describe());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.describe());
        let body = self.json();
        assert_eq!(body["status"], status, "{}", self.describe());
        assert_eq!(body["code"], code, "{}", self.describe());
        for name in ["type", "title", "request_id"] {
            assert!(body[name].as_str().is_some_and(|text| !text.is_empty()), "no {name}: {}", self.describe());
        }
        assert_eq!(body["request_id"], self.header("x-request-id"), "{}", self.describe());
        Problem { body }
    }

    /// A header's text, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The change-log position that a write's reply carries.
    #[track_caller]
    pub fn sequence(&self) -> u64 {
        let text = self.header("trellis-sequence");
        text.parse().unwrap_or_else(|_| panic!("Trellis-Sequence is {text:?}: {}", self.describe()))
    }

    fn describe(&self) -> String {
        let mut text = format!("{} answered {} {:?}\n", self.what, self.status, self.headers);
        // Writing to a string does not fail.
        let _ = write!(text, "{}", self.text.chars().take(4000).collect::<String>());
        text
    }
}

/// A problem document (RFC 9457).
#[derive(Debug)]
pub struct Problem {
    /// The whole of it.
    pub body: Value,
}

impl Problem {
    /// Pointer and code of each single error, in order.
    pub fn errors(&self) -> Vec<(String, String)> {
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
    }

    /// The pointers of all errors, in order.
    pub fn pointers(&self) -> Vec<String> {
        self.errors().into_iter().map(|(pointer, _)| pointer).collect()
    }

    /// All words for people in it: the detail and each error's message.
    pub fn words(&self) -> String {
        let messages = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let messages = messages.iter().filter_map(|error| error["message"].as_str());
        self.body["detail"].as_str().into_iter().chain(messages).collect::<Vec<_>>().join("\n")
    }
}
