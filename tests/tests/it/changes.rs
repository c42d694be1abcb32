//! The change log and the ways to follow it: every change once, in order, from any position.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::fixture::{changes_after, contact, create, create_id, define_thing, id, kinds, results, sequence};

const PATIENCE: Duration = Duration::from_secs(30);

async fn change_says_who_did_what_to_which_record(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let reply = tenant
        .post("/records/contact", &json!({"properties": contact("ada@example.com")}))
        .header("x-request-id", "wish-1")
        .header("user-agent", "scenario/1")
        .await;
    let record = reply.ok(201);
    let change = changes_after(&tenant, reply.sequence() - 1).await.remove(0);
    let user = tenant.get("/tenant").await.ok(200)["user"]["id"].clone();
    let expected = json!({"kind": "record.created", "object": "contact", "record_id": record["id"], "request_id": "wish-1",
        "source": "api", "ip": "127.0.0.1", "user_agent": "scenario/1", "at": record["created_at"]});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(change[name], *value, "{name} in {change}");
    }
    assert!(change["actor"] == user || change["actor"]["id"] == user, "{change}");
    assert_eq!(change["changes"]["email"], json!([null, "ada@example.com"]));
    assert_eq!(sequence(&change), reply.sequence());
}

async fn log_is_read_in_pieces_from_any_position_and_by_object(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for n in 0..5 {
        create(&tenant, "contact", contact(&format!("c{n}@example.com"))).await;
        create(&tenant, "company", json!({"name": format!("Company {n}")})).await;
    }
    let all = changes_after(&tenant, 0).await;
    assert!(all.is_sorted_by(|one, next| sequence(one) < sequence(next)));
    let mut pieces = Vec::new();
    let mut after = 0;
    loop {
        let page = tenant.get(&format!("/changes?after={after}&limit=3&wait=0")).await.ok(200);
        let Some(last) = results(&page).last() else { break };
        assert!(results(&page).len() <= 3);
        after = sequence(last);
        pieces.extend(results(&page).iter().cloned());
    }
    assert_eq!(pieces, all);
    let companies = tenant.get("/changes?after=0&limit=200&object=company&wait=0").await.ok(200);
    let ids: BTreeSet<String> = results(&companies)
        .iter()
        .filter(|change| change["kind"] == "record.created")
        .map(|change| change["record_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 5);
    assert!(results(&companies).iter().all(|change| change["object"] == "company"));
    for query in ["after=-1", "after=x", "limit=0", "wait=x", "aftr=1"] {
        tenant.get(&format!("/changes?{query}")).await.problem(400, "bad_request");
    }
}

async fn long_poll_answers_as_soon_as_something_changes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let position = changes_after(&tenant, 0).await.last().map_or(0, sequence);
    let waiting = async {
        let began = Instant::now();
        let page = tenant.get(&format!("/changes?after={position}&wait=30")).await.ok(200);
        (page, began.elapsed())
    };
    let writing = async {
        tokio::task::yield_now().await;
        create(&tenant, "company", json!({"name": "Acme"})).await
    };
    let ((page, elapsed), record) = tokio::join!(waiting, writing);
    assert_eq!(results(&page)[0]["record_id"], record["id"]);
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    let now = sequence(results(&page).last().unwrap());
    let began = Instant::now();
    assert!(results(&tenant.get(&format!("/changes?after={now}&wait=1")).await.ok(200)).is_empty());
    assert!(began.elapsed() >= Duration::from_millis(900), "a long poll waits");
}

async fn event_stream_gives_what_was_and_what_comes_and_resumes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let first = create_id(&tenant, "thing", json!({"name": "One"})).await;
    let all = changes_after(&tenant, 0).await;
    let mut stream = Events::open(&tenant, "/changes/stream?after=0", None).await;
    for change in &all {
        assert_eq!(stream.next().await, *change);
    }
    let second = create(&tenant, "thing", json!({"name": "Two"})).await;
    let change = stream.next().await;
    assert_eq!((&change["record_id"], stream.last_id), (&second["id"], sequence(&change)));
    let before_last = sequence(all.last().unwrap());
    let mut resumed = Events::open(&tenant, "/changes/stream", Some(before_last)).await;
    assert_eq!(resumed.next().await, change);
    let mut of_company = Events::open(&tenant, "/changes/stream?after=0&object=company", None).await;
    create(&tenant, "thing", json!({"name": "Three"})).await;
    let company = create(&tenant, "company", json!({"name": "Acme"})).await;
    assert_eq!(of_company.next().await["record_id"], company["id"]);
    assert!(!first.is_empty());
}

async fn socket_gives_what_was_and_what_comes(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let position = changes_after(&tenant, 0).await.last().map_or(0, sequence);
    let was = create(&tenant, "company", json!({"name": "Acme"})).await;
    let url = tenant.url(&format!("/live?after={position}")).replace("http://", "ws://");
    let mut request = url.as_str().into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", tenant.token().unwrap()).parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let mut next = async || loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        if let Ok(text) = message.to_text()
            && let Ok(change) = serde_json::from_str::<Value>(text)
            && change["sequence"] != Value::Null
        {
            return change;
        }
    };
    assert_eq!(next().await["record_id"], was["id"]);
    let comes = create(&tenant, "company", json!({"name": "Bcme"})).await;
    assert_eq!(next().await["record_id"], comes["id"]);
    let refused = connect_async(url.as_str()).await.unwrap_err();
    assert!(refused.to_string().contains("401"), "{refused}");
}

async fn reader_behind_many_writers_misses_nothing(server: TestServer) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let tenant = server.tenant("generic").await;
    let position = changes_after(&tenant, 0).await.last().map_or(0, sequence);
    let writers = (0..WRITERS).map(|writer| write_many(&tenant, writer, EACH));
    let reader = async {
        let (mut seen, mut after) = (Vec::new(), position);
        let began = Instant::now();
        while seen.len() < WRITERS * EACH {
            assert!(began.elapsed() < PATIENCE, "only {} changes are seen", seen.len());
            let page = tenant.get(&format!("/changes?after={after}&limit=7&wait=1")).await.ok(200);
            for change in results(&page) {
                assert!(sequence(change) > after, "the log goes forward");
                after = sequence(change);
                seen.push(change.clone());
            }
        }
        (seen, after)
    };
    let (written, (seen, after)) = tokio::join!(futures::future::join_all(writers), reader);
    let written: BTreeSet<String> = written.into_iter().flatten().collect();
    let created: BTreeSet<String> =
        seen.iter().map(|change| change["record_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(created, written);
    assert_eq!(kinds(&seen), vec!["record.created"; WRITERS * EACH]);
    assert!(changes_after(&tenant, after).await.is_empty());
}

async fn write_many(tenant: &Client, writer: usize, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(id(&create(tenant, "company", json!({"name": format!("Company {writer}-{n}")})).await));
    }
    ids
}

scenarios![
    change_says_who_did_what_to_which_record,
    log_is_read_in_pieces_from_any_position_and_by_object,
    long_poll_answers_as_soon_as_something_changes,
    event_stream_gives_what_was_and_what_comes_and_resumes,
    socket_gives_what_was_and_what_comes,
    reader_behind_many_writers_misses_nothing,
];

/// A reader of server-sent events.
struct Events {
    reply: reqwest::Response,
    text: String,
    last_id: u64,
}

impl Events {
    async fn open(tenant: &Tenant, path: &str, last_id: Option<u64>) -> Self {
        let mut request = tenant.get(path).header("accept", "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id.to_string());
        }
        let reply = request.stream().await.unwrap();
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["content-type"], "text/event-stream");
        Self { reply, text: String::new(), last_id: 0 }
    }

    /// The next change; comments that keep the connection alive are skipped.
    async fn next(&mut self) -> Value {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                let (data, id) = (field("data:"), field("id:"));
                self.text = rest.to_owned();
                if let Some(data) = data {
                    self.last_id = id.and_then(|id| id.parse().ok()).unwrap_or_default();
                    return serde_json::from_str(&data).unwrap();
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.reply.chunk()).await.expect("an event comes").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
        }
    }
}
