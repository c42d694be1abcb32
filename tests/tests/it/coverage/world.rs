//! The tenant in which cases are carried out, and those who call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Request, Response, Tenant, TestServer};

use crate::fixture::define;

use super::case::{API, Body, Call, Caller, Case, Given};

/// How long a small job may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One tenant with callers of all kinds, and what the case at hand was given.
pub(super) struct World<'a> {
    server: &'a TestServer,
    pub(super) tenant: Tenant,
    callers: BTreeMap<Caller, Client>,
    names: BTreeMap<&'static str, String>,
}

impl<'a> World<'a> {
    pub(super) async fn new(server: &'a TestServer) -> Self {
        let tenant = server.tenant("generic").await;
        // What those see who may see nothing else.
        define(&tenant, json!({"name": "elsewhere", "properties": {"name": {"type": "string"}}})).await;
        // Of assessments the score writes all but what the tenant adds.
        let remark = json!({"name": "remark", "type": "string"});
        tenant.post("/object-definitions/fit_assessment/properties", &remark).await.ok(201);
        let (callers, names) = (BTreeMap::new(), BTreeMap::new());
        Self { server, tenant, callers, names }
    }

    /// Makes what the case needs.
    pub(super) async fn prepare(&mut self, case: &Case) {
        self.names.clear();
        for Given { name, pointer, method, call, is_awaited } in &case.given {
            let reply = self.request(&self.tenant.at_root(), method, API, call).await;
            assert!((200..300).contains(&reply.status), "{}: {call:?}: {}", case.name(), reply.text);
            let made = reply.json();
            if let Some(id) = made.pointer(pointer).and_then(Value::as_str) {
                self.names.insert(name, id.to_owned());
                if *is_awaited {
                    self.is_done(id).await;
                }
            }
        }
    }

    async fn is_done(&self, job: &str) {
        let began = Instant::now();
        while self.tenant.get(&format!("/jobs/{job}")).await.ok(200)["state"] != "done" {
            assert!(began.elapsed() < PATIENCE, "job {job} is not done");
        }
    }

    /// Somebody, made when first asked for.
    pub(super) async fn caller(&mut self, caller: Caller) -> Client {
        if let Some(known) = self.callers.get(&caller) {
            return known.clone();
        }
        let client = match caller {
            Caller::Anonymous => self.server.anonymous(),
            Caller::Platform => self.server.platform(),
            Caller::Role(role) => self.service(json!({"name": role, "role": role})).await,
            Caller::Scope(scope) => self.service(json!({"name": scope, "role": "owner", "scopes": [scope]})).await,
        };
        self.callers.insert(caller, client.at_root());
        client.at_root()
    }

    async fn service(&self, token: Value) -> Client {
        let made = self.tenant.post("/tokens", &token).await.ok(201);
        self.tenant.with_token(made["secret"].as_str().unwrap())
    }

    /// A request of the case, not yet sent.
    pub(super) fn request(&self, client: &Client, method: &Method, base: &str, call: &Call) -> Request {
        let mut request = client.request(method.clone(), &format!("{base}{}", self.fill(&call.path)));
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        match &call.body {
            Body::None => request,
            Body::Json(body) => request.json(&serde_json::from_str(&self.fill(&body.to_string())).unwrap()),
            Body::Text(content_type, text) => request.bytes(content_type, self.fill(text)),
        }
    }

    /// A request of the case, sent.
    pub(super) async fn send(&mut self, caller: Caller, case: &Case, call: &Call) -> Response {
        let client = self.caller(caller).await;
        self.request(&client, &case.method, case.base, call).await
    }

    /// The text with every `$name` replaced by what it stands for.
    pub(super) fn fill(&self, text: &str) -> String {
        // Longer names first, so that none is taken for the beginning of another.
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.into_iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("${name}"), id))
    }
}
