//! What somebody may not see is in no answer, header or error of any operation.
//!
//! The server's own OpenAPI document is the list of operations. One that is added later fails here until it has a line:
//! calls that could give a record's content, or that it has to do with no record.

mod asking;
mod operations;
mod vaults;

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::TestServer;

use self::asking::{found, streamed};
use self::operations::Look;
use self::vaults::Vaults;
use crate::fixture::{id, results};

/// The value of a sensitive property, of one that a role hides, and of a record that is not seen at all.
const SECRETS: [&str; 3] = ["Zyxwvut", "Qponmlk", "Ghijklm"];

/// What is written last, so that a stream that has given it has given all before it.
const LAST: &str = "the-last-one";

const PATIENCE: Duration = Duration::from_secs(30);

async fn secrets_are_in_no_answer(server: TestServer) {
    let vaults = Vaults::make(&server).await;
    let document = server.anonymous().get("/openapi.json").await.ok(200);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().iter().filter(|(_, operation)| operation.get("responses").is_some());
        operations.extend(methods.map(|(method, _)| format!("{} {path}", method.to_uppercase())));
    }
    assert!(operations.len() > 80, "{operations:#?}");
    // Whoever sees only what is their own has something to wait for at the end of a stream.
    for (role, caller, _) in vaults.callers.iter().filter(|(role, ..)| *role == "lonely") {
        let own = id(&caller
            .post("/records/vault", &json!({"properties": {"name": format!("{LAST} {role}")}}))
            .await
            .ok(201));
        let user = caller.get("/tenant").await.ok(200)["user"]["id"].clone();
        vaults.tenant.patch(&format!("/records/vault/{own}"), &json!({"owner_id": user})).await.ok(200);
    }
    let (mut unknown, mut leaks, mut shown) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut unlogged = Vec::new();
    for operation in &operations {
        let (method, path) = operation.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let calls = match vaults.look(operation) {
            None => {
                unknown.push(operation.clone());
                continue;
            }
            Some(Look::NoRecord) => continue,
            Some(Look::Files(bodies)) => {
                for body in &bodies {
                    for (role, caller, secrets) in &vaults.callers {
                        let (file, told) = vaults.file(caller, body).await;
                        assert!(file.status < 500, "{body}: {}", file.text);
                        let text = format!("{} {told}", file.text).to_lowercase();
                        let leaked = secrets.iter().filter(|secret| text.contains(&secret.to_lowercase()));
                        leaks.extend(leaked.map(|secret| format!("{role}: {body} gives {secret}: {}", file.text)));
                    }
                }
                let (file, _) = vaults.file(&vaults.tenant, &bodies[0]).await;
                if found(&file).contains(SECRETS[0]) {
                    shown.insert(operation.clone());
                }
                continue;
            }
            Some(Look::Stream) => {
                for (role, caller, secrets) in &vaults.callers {
                    let text = streamed(caller, path).await.to_lowercase();
                    let leaked = secrets.iter().filter(|secret| text.contains(&secret.to_lowercase()));
                    leaks.extend(leaked.map(|secret| format!("{role}: {operation} gives {secret}")));
                }
                continue;
            }
            Some(Look::Calls(calls)) => calls,
        };
        for call in &calls {
            for (role, caller, secrets) in &vaults.callers {
                let reply = vaults.call(caller, &method, call).await;
                assert!(reply.status < 500, "{operation} {}: {}", call.path, reply.text);
                let leaked: Vec<_> = found(&reply).into_iter().filter(|secret| secrets.contains(secret)).collect();
                if !leaked.is_empty() {
                    leaks.push(format!(
                        "{role}: {operation} {} {} gives {leaked:?}: {}",
                        call.path, call.body, reply.text
                    ));
                }
            }
            // What is shown to who may see it is written down.
            if method == Method::DELETE || path.ends_with("/undo") || path.ends_with("/export") {
                continue;
            }
            let reply = vaults.call(&vaults.tenant, &method, call).await;
            if found(&reply).contains(SECRETS[0]) {
                shown.insert(operation.clone());
                let log = vaults.tenant.get("/access/log?limit=1").await.ok(200);
                let request = results(&log).first().map(|read| read["request_id"].clone());
                if request != Some(json!(reply.header("x-request-id"))) && !call.path.contains("associations") {
                    unlogged.push(format!("{operation} {} {}", call.path, call.body));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "operations of which nobody has said what they give: {unknown:#?}");
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
    assert!(unlogged.is_empty(), "sensitive values were given and not written down: {unlogged:#?}");
    // Where nothing is shown to who may see it, nothing is said about who may not.
    let must_show = [
        "GET /api/v1/records/{object}",
        "GET /api/v1/records/{object}/{id}",
        "PUT /api/v1/records/{object}",
        "PATCH /api/v1/records/{object}/{id}",
        "GET /api/v1/records/{object}/{id}/history",
        "POST /api/v1/search",
        "POST /api/v1/records/{object}/search",
        "POST /api/v1/records/{object}/batch/{verb}",
        "POST /api/v1/transactions",
        "POST /api/v1/records/{object}/{id}/restore",
        "GET /api/v1/changes",
        "GET /api/v1/jobs/{id}/file",
    ];
    let missing: Vec<_> = must_show.into_iter().filter(|operation| !shown.contains(*operation)).collect();
    assert!(missing.is_empty(), "these show nothing to the owner: {missing:#?}");
}

scenarios![secrets_are_in_no_answer];
