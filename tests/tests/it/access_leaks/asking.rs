//! Calls, files and streams as a caller gets them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::Value;
use tests::{Client, Response};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::operations::Call;
use super::vaults::Vaults;
use super::{LAST, PATIENCE, SECRETS};

impl Vaults {
    /// The file of an export, with the job and what went wrong in it; or why there is none.
    pub(super) async fn file(&self, caller: &Client, body: &Value) -> (Response, String) {
        let reply = caller.post("/exports", body).await;
        if reply.status != 202 {
            return (reply, String::new());
        }
        let path = format!("/jobs/{}", reply.json()["job"]["id"].as_str().unwrap());
        loop {
            let job = caller.get(&path).await;
            if !["queued", "running"].contains(&job.ok(200)["state"].as_str().unwrap()) {
                let errors = caller.get(&format!("{path}/errors")).await;
                let file = caller.get(&format!("{path}/file")).await;
                return (file, format!("{} {}", job.text, errors.text));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn call(&self, caller: &Client, method: &Method, call: &Call) -> Response {
        let request = caller.request(method.clone(), &call.path);
        match (&call.body, call.path.contains("/imports?")) {
            (_, true) => request.bytes("text/csv", "name,code\nx,c1\n"),
            (Value::Null, false) => request,
            (body, false) => request.json(body),
        }
        .await
    }
}

/// Every secret that a reply has, in its body or its headers.
pub(super) fn found(reply: &Response) -> BTreeSet<&'static str> {
    let text = format!("{} {:?}", reply.text, reply.headers).to_lowercase();
    SECRETS.into_iter().filter(|secret| text.contains(&secret.to_lowercase())).collect()
}

/// What a stream gives until the last record has come; for who sees none, until the owner makes one for it.
pub(super) async fn streamed(caller: &Client, path: &str) -> String {
    let mut text = String::new();
    let began = std::time::Instant::now();
    if path.ends_with("/live") {
        let url = caller.url("/live?after=0").replace("http://", "ws://");
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", caller.token().unwrap()).parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        while !text.contains(LAST) {
            let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
            text.push_str(message.to_text().unwrap_or_default());
        }
        return text;
    }
    let mut reply = caller.get("/changes/stream?after=0").stream().await.unwrap();
    while !text.contains(LAST) {
        assert!(began.elapsed() < PATIENCE, "{text}");
        let chunk = tokio::time::timeout(PATIENCE, reply.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    text
}
