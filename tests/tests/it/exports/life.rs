//! An export from its beginning to the end of its file: kills, cancellations, others who write meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tests::TestServer;

use super::{begin, column, csv_rows, ended, export, fetch, many_things};
use crate::fixture::{create_id, define_thing, id, under_way};

async fn a_file_is_answered_with_all_that_says_what_it_is(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    create_id(&tenant, "thing", json!({"name": "a"})).await;
    for (format, media_type) in [
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("ndjson", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ] {
        let (job, file) = export(&tenant, &json!({"object": "thing", "format": format})).await;
        let path = format!("/jobs/{}/file", job["id"].as_str().unwrap());
        for method in [Method::GET, Method::HEAD] {
            let reply = tenant.request(method, &path).stream().await.unwrap();
            let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
            assert_eq!((reply.status().as_u16(), header("content-type")), (200, media_type.to_owned()));
            assert_eq!(header("content-length"), file.len().to_string());
            let name = job["file"]["name"].as_str().unwrap();
            assert_eq!(header("content-disposition"), format!("attachment; filename=\"{name}\""));
        }
        assert!(job["file"]["expires_at"].as_str().unwrap() > job["updated_at"].as_str().unwrap());
    }
}

async fn jobs_without_a_file_say_so(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    tenant.get("/jobs/999999/file").await.problem(404, "not_found");
    tenant.get("/jobs/x/file").await.problem(404, "not_found");
    let import =
        tenant.request(Method::POST, "/imports?object=thing&format=csv").bytes("text/csv", "name\nx\n").await.ok(202);
    let import = import["job"]["id"].as_str().unwrap().to_owned();
    ended(&tenant, &import).await;
    let problem = tenant.get(&format!("/jobs/{import}/file")).await.problem(404, "not_found");
    assert!(problem.words().contains("`import`, which makes no file"), "{}", problem.words());
    // The second waits for the first.
    let first = begin(&tenant, &json!({"object": "thing", "format": "xlsx"})).await;
    let waiting = begin(&tenant, &json!({"object": "thing", "format": "csv"})).await;
    let reply = tenant.get(&format!("/jobs/{waiting}/file")).await;
    if reply.status != 200 {
        assert_eq!(reply.problem(409, "conflict").errors(), [("".into(), "running".into())]);
    }
    ended(&tenant, &waiting).await;
    assert_eq!(csv_rows(&fetch(&tenant, &waiting).await).len(), 1);
    assert_eq!(ended(&tenant, &first).await["state"], "done");
}

async fn a_killed_server_leaves_a_whole_file_in_the_end(mut server: TestServer) {
    const MANY: usize = 20_000;
    let mut tenant = server.tenant("generic").await;
    many_things(&tenant, MANY).await;
    let mut ids = Vec::new();
    for format in ["csv", "ndjson"] {
        ids.push(begin(&tenant, &json!({"object": "thing", "format": format, "sort": ["-number"]})).await);
    }
    for _ in 0..2 {
        under_way(&tenant, &ids[0], "records").await;
        server.kill();
        server.start().await;
        tenant = server.again(&tenant);
    }
    for id in &ids {
        let job = ended(&tenant, id).await;
        assert_eq!((&job["state"], &job["progress"]["records"]), (&json!("done"), &json!(MANY)), "{job}");
    }
    let numbers: Vec<usize> =
        column(&fetch(&tenant, &ids[0]).await, "number").iter().map(|number| number.parse().unwrap()).collect();
    assert!(numbers.into_iter().eq((0..MANY).rev()));
    let lines = super::lines(&fetch(&tenant, &ids[1]).await);
    assert!(lines.iter().map(|line| line["properties"]["number"].as_u64().unwrap()).eq((0..MANY as u64).rev()));
}

async fn a_cancelled_export_has_no_file(server: TestServer) {
    let tenant = server.tenant("generic").await;
    many_things(&tenant, 20_000).await;
    let id = begin(&tenant, &json!({"object": "thing", "format": "xlsx"})).await;
    under_way(&tenant, &id, "records").await;
    let cancelled = tenant.post(&format!("/jobs/{id}/cancel"), &Value::Null).await;
    let job = ended(&tenant, &id).await;
    if cancelled.status == 200 {
        assert_eq!(job["state"], "cancelled");
        assert_eq!(job.get("file"), None);
        tenant.get(&format!("/jobs/{id}/file")).await.problem(404, "not_found");
    }
    // The next one is not held up.
    assert_eq!(export(&tenant, &json!({"object": "thing", "format": "csv"})).await.0["progress"]["records"], 20_000);
}

async fn records_that_are_there_come_once_whatever_others_write(server: TestServer) {
    const MANY: usize = 10_000;
    let tenant = server.tenant("generic").await;
    many_things(&tenant, MANY).await;
    let before: BTreeSet<String> =
        column(&export(&tenant, &json!({"object": "thing", "format": "csv"})).await.1, "id").into_iter().collect();
    let stop = Arc::new(AtomicBool::new(false));
    let ids: Vec<String> = before.iter().cloned().collect();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (tenant, stop, ids) = (tenant.clone(), Arc::clone(&stop), ids.clone());
            tokio::spawn(async move {
                let mut made = BTreeSet::new();
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // Moves a record to the other end of the order.
                    let id = &ids[(turn * 7 + writer * 1_000) % ids.len()];
                    let number = if turn % 2 == 0 { 1_000_000 + turn } else { turn };
                    let patch = json!({"properties": {"number": number}});
                    tenant.patch(&format!("/records/thing/{id}"), &patch).await.ok(200);
                    made.insert(create_id(&tenant, "thing", json!({"name": "new", "number": turn})).await);
                }
                made
            })
        })
        .collect();
    let mut exported = Vec::new();
    for request in [
        json!({"object": "thing", "format": "csv", "select": ["number"]}),
        json!({"object": "thing", "format": "csv", "sort": ["number"], "select": ["number"]}),
        json!({"object": "thing", "format": "csv", "filter": {"property": "note", "op": "exists"}, "sort": ["-number", "name"]}),
    ] {
        exported.push(export(&tenant, &request).await.1);
    }
    stop.store(true, Ordering::Relaxed);
    let mut made = BTreeSet::new();
    for writer in writers {
        made.extend(writer.await.unwrap());
    }
    assert!(!made.is_empty());
    for file in exported {
        let ids = column(&file, "id");
        let found: BTreeSet<String> = ids.iter().cloned().collect();
        assert_eq!(found.len(), ids.len(), "no record is there twice");
        assert!(found.is_superset(&before), "{} are missing", before.difference(&found).count());
        assert!(found.difference(&before).all(|id| made.contains(id)), "nobody has made these");
    }
}

async fn exports_change_nothing_and_are_not_told_of(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    create_id(&tenant, "thing", json!({"name": "a"})).await;
    let quiet = crate::fixture::Silence::begins(&tenant).await;
    let (job, _) = export(&tenant, &json!({"object": "thing", "format": "csv"})).await;
    quiet.holds().await;
    // There is nothing to take back.
    tenant.post("/undo", &json!({"job_id": id(&job)})).await.problem(404, "not_found");
}

scenarios![
    a_file_is_answered_with_all_that_says_what_it_is,
    jobs_without_a_file_say_so,
    a_killed_server_leaves_a_whole_file_in_the_end,
    a_cancelled_export_has_no_file,
    records_that_are_there_come_once_whatever_others_write,
    exports_change_nothing_and_are_not_told_of,
];
