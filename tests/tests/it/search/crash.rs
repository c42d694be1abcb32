//! The program is killed, its index taken away or damaged: answers are exact again, and lists by id always.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use super::{names, search};
use crate::fixture::{all_records, define, define_thing, id, results};

const ROUNDS: usize = 6;
const WRITERS: usize = 8;

/// A debug build on a busy machine is slow; an index that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(120);

/// Things of five groups with a size, and links between them.
async fn define_things(tenant: &Tenant) {
    let group = json!({"type": "enum", "options": ["a", "b", "c", "d", "e"]});
    define_thing(tenant, json!({"group": group, "size": {"type": "integer"}})).await;
    tenant.post("/association-definitions", &json!({"name": "next", "from": "thing", "to": "thing"})).await.ok(201);
}

fn thing(n: usize) -> Value {
    let group = ["a", "b", "c", "d", "e"][n % 5];
    json!({"name": format!("Thing {n}"), "group": group, "size": n})
}

/// Writes of all kinds until the server is gone.
async fn write(tenant: Tenant, stop: Arc<AtomicBool>, done: Arc<AtomicUsize>) {
    let client: &Client = &tenant;
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let body = json!({"properties": thing(n)});
        let Ok(made) = client.post("/records/thing", &body).send().await else { return };
        let made = id(&made.ok(201));
        let path = format!("/records/thing/{made}");
        let request = match n % 4 {
            0 => client.patch(&path, &json!({"properties": {"size": n + 1, "group": null}})),
            1 => client.delete(&path),
            2 => client.put(&format!("{path}/associations/next/{made}"), &json!({})),
            // Some search at once, so that there is something to make visible when the end comes.
            _ => client.post("/records/thing/search", &json!({"limit": 1, "sort": ["-size"]})),
        };
        if request.send().await.is_err() {
            return;
        }
        done.fetch_add(2, Ordering::Relaxed);
    }
}

/// Fails where counts, groups, sums, order or links are not those of the records as they are stored.
async fn check(tenant: &Tenant, object: &str) {
    let records = all_records(tenant, object).await;
    let size = |record: &Value| record["properties"]["size"].as_i64().unwrap();
    let mut groups: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for record in &records {
        let (count, sum) = groups.entry(record["properties"]["group"].to_string()).or_default();
        (*count, *sum) = (*count + 1, *sum + size(record));
    }
    let measures = json!({"n": {"count": true}, "s": {"sum": "size"}});
    let table = json!({"group": ["group"], "order": [{"key": "asc"}], "measures": measures});
    let found = search(tenant, object, json!({"limit": 0, "count": true, "aggregate": {"t": table}})).await;
    assert_eq!(found["total"], records.len());
    let rows: BTreeMap<String, (u64, i64)> = found["aggregates"]["t"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["key"][0].to_string(), (row["n"].as_u64().unwrap(), row["s"].as_i64().unwrap())))
        .collect();
    assert_eq!(rows, groups);
    let mut sorted = records;
    sorted.sort_by_key(|record| (std::cmp::Reverse(size(record)), id(record).parse::<u64>().unwrap()));
    let mut query = json!({"limit": 200, "sort": [{"property": "size", "direction": "desc"}]});
    let mut all = Vec::new();
    loop {
        let page = search(tenant, object, query.clone()).await;
        all.extend(results(&page).iter().cloned());
        if page["next_cursor"].is_null() {
            break;
        }
        query["cursor"] = page["next_cursor"].clone();
    }
    assert_eq!(all.iter().map(id).collect::<Vec<_>>(), sorted.iter().map(id).collect::<Vec<_>>());
    assert_eq!(all, sorted, "each as it is stored");
}

async fn answers_are_exact_after_each_crash(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_things(&tenant).await;
    for round in 0..ROUNDS {
        let tenant = server.again(&tenant);
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let writers: Vec<_> =
            (0..WRITERS).map(|_| tokio::spawn(write(tenant.clone(), Arc::clone(&stop), Arc::clone(&done)))).collect();
        // Each round ends in the middle of another number of writes.
        while done.load(Ordering::Relaxed) < 30 + 61 * round {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        server.start().await;
        let tenant = server.again(&tenant);
        check(&tenant, "thing").await;
        check_links(&tenant).await;
    }
}

/// Each third of four is linked with itself, unless the end came between the two.
async fn check_links(tenant: &Tenant) {
    let linked = json!({"association": "next", "direction": "out"});
    let mut query = json!({"limit": 200, "filter": linked});
    let mut found = Vec::new();
    loop {
        let page = search(tenant, "thing", query.clone()).await;
        found.extend(results(&page).iter().map(id));
        if page["next_cursor"].is_null() {
            break;
        }
        query["cursor"] = page["next_cursor"].clone();
    }
    let mut stored = Vec::new();
    for record in all_records(tenant, "thing").await {
        let links = tenant.get(&format!("/records/thing/{}/associations/next", id(&record))).await.ok(200);
        if !results(&links).is_empty() {
            stored.push(id(&record));
        }
    }
    assert_eq!(found, stored);
}

/// Fills a tenant with so many things.
async fn fill(tenant: &Tenant, count: usize) {
    let things: Vec<usize> = (0..count).collect();
    for chunk in things.chunks(1_000) {
        let inputs: Vec<Value> = chunk.iter().map(|n| json!({"properties": thing(*n)})).collect();
        tenant.post("/records/thing/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
    }
}

/// Lists work at once; searches say that they have to wait, or answer exactly, and in the end they do.
async fn comes_back(tenant: &Tenant, count: usize) {
    assert_eq!(results(&tenant.get("/records/thing?limit=200").await.ok(200)).len(), 200.min(count), "lists by id");
    let began = Instant::now();
    loop {
        let reply = tenant.post("/records/thing/search", &json!({"limit": 0, "count": true})).await;
        if reply.status == 200 {
            assert_eq!(reply.ok(200)["total"], count);
            break;
        }
        let problem = reply.problem(503, "unavailable");
        assert!(problem.words().contains("index"), "{}", problem.body);
        assert!(began.elapsed() < PATIENCE, "the index does not come back");
    }
    check(tenant, "thing").await;
}

fn index_folder(server: &TestServer) -> PathBuf {
    server.data_folder().join("index")
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}

async fn an_index_that_was_removed_is_made_anew(mut server: TestServer) {
    const COUNT: usize = 3_000;
    let tenant = server.tenant("generic").await;
    define_things(&tenant).await;
    fill(&tenant, COUNT).await;
    check(&tenant, "thing").await;
    for is_killed in [true, false] {
        if is_killed {
            server.kill();
        } else {
            assert!(server.terminate().await.success());
        }
        assert!(!files_below(&index_folder(&server)).is_empty(), "there is an index to remove");
        fs::remove_dir_all(index_folder(&server)).unwrap();
        server.start().await;
        comes_back(&server.again(&tenant), COUNT).await;
    }
}

async fn a_damaged_index_is_made_anew(mut server: TestServer) {
    const COUNT: usize = 600;
    let tenant = server.tenant("generic").await;
    define_things(&tenant).await;
    fill(&tenant, COUNT).await;
    check(&tenant, "thing").await;
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("cut in half", |file| {
            let length = fs::metadata(file).unwrap().len();
            fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length / 2).unwrap();
        }),
        ("empty", |file| fs::write(file, b"").unwrap()),
        ("gone", |file| fs::remove_file(file).unwrap()),
        ("something else", |file| fs::write(file, b"{\"something\": \"else\"}").unwrap()),
    ];
    for (what, damage) in damages {
        assert!(server.terminate().await.success());
        let files = files_below(&index_folder(&server));
        assert!(files.iter().any(|file| fs::metadata(file).unwrap().len() > 0), "there is an index to damage");
        files.iter().for_each(|file| damage(file));
        server.start().await;
        eprintln!("Every file {what}.");
        comes_back(&server.again(&tenant), COUNT).await;
    }
}

async fn one_damaged_file_is_enough(mut server: TestServer) {
    const COUNT: usize = 300;
    let tenant = server.tenant("generic").await;
    define_things(&tenant).await;
    fill(&tenant, COUNT).await;
    check(&tenant, "thing").await;
    assert!(server.terminate().await.success());
    let (whole, index) = (server.data_folder().join("whole"), index_folder(&server));
    fs::rename(&index, &whole).unwrap();
    let names: Vec<PathBuf> =
        files_below(&whole).iter().map(|file| file.strip_prefix(&whole).unwrap().to_owned()).collect();
    let parts = names.iter().filter(|name| fs::metadata(whole.join(name)).unwrap().len() > 0);
    // One of each kind is as good as all.
    let kinds: BTreeMap<_, _> = parts.map(|name| (name.extension().map(ToOwned::to_owned), name)).collect();
    for name in kinds.values() {
        if index.exists() {
            fs::remove_dir_all(&index).unwrap();
        }
        copy(&whole, &index);
        let file = fs::OpenOptions::new().write(true).open(index.join(name)).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        server.start().await;
        eprintln!("{} cut in half.", name.display());
        comes_back(&server.again(&tenant), COUNT).await;
        assert!(server.terminate().await.success());
    }
    server.start().await;
}

async fn the_index_of_another_database_is_not_taken_for_its_own(mut server: TestServer) {
    let mut other = crate::fixture::start(server.store()).await;
    let mut tenants = Vec::new();
    for (server, name) in [(&server, "Ours"), (&other, "Theirs")] {
        let tenant = server.tenant("generic").await;
        define_things(&tenant).await;
        for n in 0..20 {
            let properties = json!({"name": format!("{name} {n}"), "size": n});
            tenant.post("/records/thing", &json!({"properties": properties})).await.ok(201);
        }
        assert_eq!(search(&tenant, "thing", json!({"count": true})).await["total"], 20);
        tenants.push(tenant);
    }
    // The one database is at the same position as the other, or behind it, or before.
    for more in [0, 5, 0] {
        for n in 0..more {
            let properties = json!({"name": format!("Theirs too {n}"), "size": n});
            other.again(&tenants[1]).post("/records/thing", &json!({"properties": properties})).await.ok(201);
        }
        search(&other.again(&tenants[1]), "thing", json!({})).await;
        assert!(server.terminate().await.success() && other.terminate().await.success());
        fs::remove_dir_all(index_folder(&server)).unwrap();
        copy(&index_folder(&other), &index_folder(&server));
        server.start().await;
        other.start().await;
        let tenant = server.again(&tenants[0]);
        assert!(names(&tenant, "thing", json!({"q": "theirs"})).await.is_empty());
        assert_eq!(
            names(&tenant, "thing", json!({"q": "ours", "limit": 200})).await.len(),
            all_records(&tenant, "thing").await.len()
        );
        check(&tenant, "thing").await;
        let properties = json!({"name": "Ours again", "size": 1});
        tenant.post("/records/thing", &json!({"properties": properties})).await.ok(201);
        check(&tenant, "thing").await;
    }
}

async fn many_tenants_come_back_at_once(mut server: TestServer) {
    const TENANTS: usize = 12;
    let mut tenants = Vec::new();
    for n in 0..TENANTS {
        let tenant = server.tenant("generic").await;
        define(&tenant, json!({"name": "thing", "display": "{{ name }}", "properties": {"name": {"type": "string"}}}))
            .await;
        for _ in 0..=n {
            tenant.post("/records/thing", &json!({"properties": {"name": "One"}})).await.ok(201);
        }
        tenants.push(tenant);
    }
    for is_removed in [false, true] {
        server.kill();
        if is_removed && index_folder(&server).exists() {
            fs::remove_dir_all(index_folder(&server)).unwrap();
        }
        server.start().await;
        let counts = tenants.iter().map(|tenant| {
            let tenant = server.again(tenant);
            async move { search(&tenant, "thing", json!({"limit": 0, "count": true})).await["total"].as_u64().unwrap() }
        });
        let counts = futures::future::join_all(counts).await;
        assert_eq!(counts, (1..=TENANTS as u64).collect::<Vec<_>>());
    }
}

scenarios![
    answers_are_exact_after_each_crash,
    an_index_that_was_removed_is_made_anew,
    a_damaged_index_is_made_anew,
    one_damaged_file_is_enough,
    the_index_of_another_database_is_not_taken_for_its_own,
    many_tenants_come_back_at_once,
];
