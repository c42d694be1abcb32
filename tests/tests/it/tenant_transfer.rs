//! A tenant moves: what comes out of the file is what went in, whatever the store, or nothing at all.

use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Client, Response, Store, Tenant, TestServer};

use crate::fixture::{
    all_records, changes_after, contact, create, create_id, define, id, jobs_are_done, results, sequence, start,
};

async fn export(tenant: &Client) -> String {
    let reply = tenant.get("/tenant/export").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"), "{}", reply.text);
    reply.text
}

async fn send(server: &TestServer, slug: &str, file: impl Into<Vec<u8>>) -> Response {
    server
        .platform()
        .request(reqwest::Method::POST, &format!("/tenants/import?slug={slug}"))
        .bytes("application/x-ndjson", file)
        .await
}

async fn import(server: &TestServer, slug: &str, file: &str) -> Client {
    let made = send(server, slug, file).await.ok(201);
    assert_eq!(made["tenant"]["slug"], slug);
    server.anonymous().with_token(made["token"].as_str().unwrap())
}

fn lines(file: &str) -> Vec<Value> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a file says beside what the tenant is called, in an order that does not depend on how a store sorts texts.
fn content(file: &str) -> Vec<String> {
    let mut lines: Vec<String> =
        file.lines().skip(1).filter(|line| !line.starts_with("{\"end\"")).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// The file of a tenant at rest: with every roll-up and every list followed.
async fn settled_export(tenant: &Client) -> String {
    for _ in 0..500 {
        jobs_are_done(tenant).await;
        let file = export(tenant).await;
        let all = lines(&file);
        let find = |kind: &str| all.iter().find_map(|line| line.get(kind)).cloned().unwrap_or_default();
        let followers = all.iter().filter_map(|line| line.get("follower"));
        let mut positions = followers.map(|follower| &follower["sequence"]);
        if positions.all(|position| *position == find("head")["last_sequence"]) && find("open_job").is_null() {
            return file;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("roll-ups do not follow");
}

/// A tenant with some of everything.
async fn furnish(tenant: &Tenant) {
    let name = json!({"type": "string"});
    define(
        tenant,
        json!({"name": "firm", "plural": "firms", "display": "{{ name }} {{ code }}",
        "properties": {"name": name, "code": {"type": "auto_number", "pattern": "F-{0}"}}}),
    )
    .await;
    define(tenant, json!({"name": "bill", "plural": "bills", "properties": {
        "number": {"type": "string", "unique": true}, "net": {"type": "money", "currency": "EUR", "maximum": 1000},
        "state": {"type": "enum", "options": ["open", "paid"], "default": "open"}, "tags": {"type": "tags"}, "raw": {"type": "json"},
        "gross": {"type": "formula", "formula": "net * 1.19", "result": "money", "currency": "EUR"}}})).await;
    define(
        tenant,
        json!({"name": "stay", "plural": "stays", "properties": {
        "room": name, "from": {"type": "date"}, "to": {"type": "date"}},
        "constraints": [{"no_overlap": {"within": "room", "from": "from", "to": "to"}}]}),
    )
    .await;
    let link = json!({"name": "bill_firm", "from": "bill", "to": "firm", "cardinality": "many_to_many",
        "labels": {"payer": "Payer"}, "properties": {"since": {"type": "date"}}});
    tenant.post("/association-definitions", &link).await.ok(201);
    for rollup in [
        json!({"name": "bills", "type": "rollup", "association": "bill_firm", "function": "count"}),
        json!({"name": "owed", "type": "rollup", "association": "bill_firm", "function": "sum", "property": "gross"}),
    ] {
        tenant.post("/object-definitions/firm/properties", &rollup).await.ok(201);
    }
    let (_, mia) = tenant.user("mia", "member").await;
    let (_, gone) = tenant.user("gone", "admin").await;
    tenant.delete(&format!("/users/{gone}")).await;
    let north = id(&tenant.post("/teams", &json!({"name": "North", "members": [mia]})).await.ok(201));
    let role =
        json!({"name": "north", "objects": {"firm": {"read": "team"}}, "properties": {"bill.net": {"write": false}}});
    tenant.post("/roles", &role).await.ok(201);

    let firm = create_id(tenant, "firm", json!({"name": "Müller \"&\" Söhne"})).await;
    tenant.patch(&format!("/records/firm/{firm}"), &json!({"team_id": north})).await.ok(200);
    for number in 0..12 {
        let links = json!([{"type": "bill_firm", "to": firm, "label": "payer", "properties": {"since": "2026-01-02"}}]);
        let properties = json!({"number": format!("B{number}\\\n"), "net": format!("{number}.50"), "tags": ["a", "ä"],
            "raw": {"deep": [1.50, "x"]}});
        tenant
            .post("/records/bill", &json!({"properties": properties, "associations": links, "owner_id": mia}))
            .await
            .ok(201);
    }
    let large = json!({"association": "bill_firm", "match": {"property": "name", "op": "exists"}});
    let linked = json!({"object": "bill", "name": "Linked", "filter": {"all": [large, {"property": "net", "op": "gt", "value": "3"}]}});
    tenant.post("/lists", &linked).await.ok(201);
    let by_hand = id(&tenant.post("/lists", &json!({"object": "firm", "name": "By hand"})).await.ok(201));
    tenant.put(&format!("/lists/{by_hand}/members/{firm}"), &Value::Null).await.ok(204);
    create(tenant, "stay", json!({"room": "1", "from": "2026-05-01", "to": "2026-05-04"})).await;
    let bills = all_records(tenant, "bill").await;
    let path = |at: usize| format!("/records/bill/{}", id(&bills[at]));
    tenant.patch(&path(0), &json!({"properties": {"state": "paid", "net": "900"}})).await.ok(200);
    tenant.delete(&path(1)).await;
    tenant.delete(&format!("{}?purge=true", path(2))).await;
    tenant.post(&format!("{}/merge", path(3)), &json!({"from": [id(&bills[4])]})).await.ok(200);
    tenant.post("/records/contact", &json!({"properties": contact("ada@example.com")})).await.ok(201);
    // A pack that has moved on and is no more, and a definition that was away for a while.
    for (version, property) in [("1.0.0", "shelf: {type: integer}"), ("1.1.0", "isbn: {type: string}")] {
        let source = format!(
            "pack: library\nversion: {version}\nobjects:\n  book:\n    plural: books\n    properties:\n      {property}\n"
        );
        let plan = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
        tenant.post("/packs/apply", &json!({"plan": plan["plan"], "allow_destructive": true})).await.ok(200);
    }
    create(tenant, "book", json!({"isbn": "978"})).await;
    tenant.delete("/packs/library").await.ok(200);
    tenant.delete("/object-definitions/stay/properties/room").await;
    tenant.post("/object-definitions/stay/properties/room/restore", &json!({})).await.ok(200);
    jobs_are_done(tenant).await;
}

/// Everything that a tenant shows.
async fn portrait(tenant: &Client) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for path in [
        "/object-definitions?archived=true",
        "/association-definitions",
        "/pipelines/deal",
        "/packs",
        "/metadata/history?limit=200",
        "/users",
        "/teams",
        "/records/bill?archived=true",
    ] {
        all.push((path.to_owned(), tenant.get(path).await.json()));
    }
    for object in ["firm", "bill", "stay", "contact"] {
        all.push((object.to_owned(), tenant.get(&format!("/object-definitions/{object}")).await.ok(200)));
        let mut records = all_records(tenant, object).await;
        records.extend(results(&tenant.get(&format!("/records/{object}?archived=true")).await.ok(200)).clone());
        for record in &records {
            let path = format!("/records/{object}/{}", id(record));
            for path in [path.clone(), format!("{path}/history?limit=200"), format!("{path}/associations/bill_firm")] {
                all.push((path.clone(), tenant.get(&path).await.json()));
            }
        }
        let query = json!({"limit": 100, "aggregate": {"n": {"measures": {"n": {"count": true}}}}});
        all.push((format!("search {object}"), search(tenant, object, &query).await));
    }
    let query = json!({"q": "b", "filter": {"property": "gross", "op": "gt", "value": "5"}, "aggregate": {"t": {"group": ["state"],
        "measures": {"s": {"sum": "gross"}, "n": {"count": true}}}}});
    all.push(("search by value".to_owned(), search(tenant, "bill", &query).await));
    all.push(("changes".to_owned(), json!(changes_after(tenant, 0).await)));
    all
}

/// The reply to a search, once the index is there.
async fn search(tenant: &Client, object: &str, query: &Value) -> Value {
    for _ in 0..500 {
        let reply = tenant.post(&format!("/records/{object}/search"), query).await;
        if reply.status != 503 {
            let mut found = reply.json();
            assert!(found["results"].is_array() || reply.status == 422, "{}", reply.text);
            found.as_object_mut().unwrap().remove("request_id");
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the index is not built");
}

/// The first thing in which two portraits differ.
fn assert_same(one: &[(String, Value)], other: &[(String, Value)]) {
    let ignored = |value: &Value| {
        let mut value = value.clone();
        if let Some(object) = value.as_object_mut() {
            object.remove("request_id");
        }
        value
    };
    for ((path, one), (also, other)) in one.iter().zip(other) {
        assert_eq!(path, also);
        assert_eq!(ignored(one), ignored(other), "{path}");
    }
    assert_eq!(one.len(), other.len());
}

/// Writing goes on where the original was.
async fn assert_goes_on(tenant: &Client) {
    let before = changes_after(tenant, 0).await;
    let last_bill =
        all_records(tenant, "bill").await.iter().map(|bill| id(bill).parse::<u64>().unwrap()).max().unwrap();
    tenant.post("/records/bill", &json!({"properties": {"number": "B5\\\n"}})).await.problem(409, "conflict");
    let stay = json!({"properties": {"room": "1", "from": "2026-05-03", "to": "2026-05-05"}});
    tenant.post("/records/stay", &stay).await.problem(409, "conflict");
    let firm = create(tenant, "firm", json!({"name": "Next"})).await;
    assert_eq!(firm["properties"]["code"], "F-2");
    assert!(id(&firm).parse::<u64>().unwrap() > last_bill);
    let links = json!([{"type": "bill_firm", "to": id(&firm)}]);
    let bill = json!({"properties": {"number": "new", "net": "100"}, "associations": links});
    tenant.post("/records/bill", &bill).await.ok(201);
    let read = tenant.get(&format!("/records/firm/{}", id(&firm))).await.ok(200);
    assert_eq!((&read["properties"]["bills"], &read["properties"]["owed"]), (&json!(1), &json!("119.00")));
    let after = changes_after(tenant, 0).await;
    assert_eq!(after[..before.len()], before);
    let sequences: Vec<u64> = after.iter().map(sequence).collect();
    assert_eq!(sequences, (1..=after.len() as u64).collect::<Vec<_>>());
    let user =
        tenant.post("/users", &json!({"name": "New", "email": "new@example.com", "role": "member"})).await.ok(201);
    assert_eq!(user["id"], "4");
    let purged = tenant.get("/records/bill?archived=true").await.ok(200);
    assert_eq!(results(&purged).len(), 1);
    let merged = changes_after(tenant, 0).await.into_iter().find(|change| change["kind"] == "record.merged").unwrap();
    let (winner, loser) = (&merged["record_id"], &merged["changes"]["merged_from"][1][0]);
    let (winner, loser) = (winner.as_str().unwrap(), loser.as_str().unwrap());
    assert_eq!(id(&tenant.get(&format!("/records/bill/{loser}")).await.ok(200)), winner);
    tenant.post(&format!("/records/bill/{winner}/unmerge"), &json!({"id": loser})).await.ok(200);
    assert_eq!(id(&tenant.get(&format!("/records/bill/{loser}")).await.ok(200)), loser);
    let versions = tenant.get("/metadata/history?limit=1").await.ok(200);
    let version = results(&versions)[0]["version"].clone();
    tenant.post("/object-definitions/stay/properties", &json!({"name": "more", "type": "text"})).await.ok(201);
    tenant.post("/metadata/rollback", &json!({"to_version": version})).await.ok(200);
    // The files of versions that were there before came along.
    let versions = tenant.get("/metadata/history?limit=200").await.ok(200);
    let first =
        results(&versions).iter().find(|entry| entry["changes"]["packs.library"] == json!([null, "1.0.0"])).unwrap();
    tenant.post("/metadata/rollback", &json!({"to_version": first["version"]})).await.ok(200);
    let book = tenant.get("/object-definitions/book").await.ok(200);
    assert_eq!((&book["properties"]["shelf"]["type"], &book["properties"]["isbn"]), (&json!("integer"), &Value::Null));
}

async fn imported_tenant_is_the_one_that_was_exported(server: TestServer) {
    let tenant = server.tenant("generic").await;
    furnish(&tenant).await;
    let other = server.tenant("generic").await;
    create(&other, "company", json!({"name": "Somebody else's"})).await;
    let file = settled_export(&tenant).await;
    assert!(!file.contains("Somebody else's"));
    let secret = tenant.token().unwrap();
    assert!(!file.contains(secret) && !file.contains("first token"));
    let copy = import(&server, "copy", &file).await;
    let described = copy.get("/tenant").await.ok(200);
    assert_eq!((&described["tenant"]["name"], &described["role"]), (&json!("Acme"), &json!("owner")));
    assert_ne!(described["tenant"]["id"], tenant.description["id"]);
    assert_same(&portrait(&tenant).await, &portrait(&copy).await);
    let again = settled_export(&copy).await;
    let between = |file: &str| -> Vec<String> {
        file.lines().skip(1).filter(|line| !line.starts_with("{\"end\"")).map(str::to_owned).collect()
    };
    assert_eq!(between(&file), between(&again));
    let (last, last_again) = (lines(&file).pop().unwrap(), lines(&again).pop().unwrap());
    assert_eq!(last["end"]["lines"], last_again["end"]["lines"]);
    assert_eq!(last["end"]["lines"]["record"], lines(&file).iter().filter(|line| line.get("record").is_some()).count());

    assert_goes_on(&copy).await;
    assert_eq!(content(&settled_export(&tenant).await), content(&file), "the original stays as it was");
    assert_goes_on(&tenant).await;
}

#[tokio::test]
async fn tenant_moves_from_store_to_store_and_back() {
    let (sqlite, postgres) = (start(Store::Sqlite).await, start(Store::Postgres).await);
    let tenant = sqlite.tenant("construction").await;
    furnish(&tenant).await;
    let first = settled_export(&tenant).await;
    let moved = import(&postgres, "moved", &first).await;
    assert_same(&portrait(&tenant).await, &portrait(&moved).await);
    let second = settled_export(&moved).await;
    assert_eq!(content(&first), content(&second));
    let back = import(&sqlite, "back", &second).await;
    let third = settled_export(&back).await;
    assert_eq!(content(&first), content(&third));
    assert_goes_on(&moved).await;
    assert_goes_on(&back).await;
}

async fn broken_file_leaves_no_tenant(server: TestServer) {
    let tenant = server.tenant("generic").await;
    furnish(&tenant).await;
    let file = settled_export(&tenant).await;
    let tenants = async || results(&server.platform().get("/tenants?limit=200").await.ok(200)).len();
    let before = tenants().await;
    let refused = async |file: Vec<u8>, code: &str, words: &str| {
        let problem = send(&server, "broken", file).await.problem(422, "validation_failed");
        assert_eq!(problem.errors(), [(String::new(), code.to_owned())], "{}", problem.body);
        assert!(problem.words().contains(words), "no `{words}` in {}", problem.body);
    };
    let bytes = file.as_bytes();
    for tenth in 1..10 {
        refused(bytes[..bytes.len() * tenth / 10].to_vec(), "incomplete", "line ").await;
    }
    let count = file.lines().count();
    refused(bytes[..bytes.len() - 1].to_vec(), "incomplete", &format!("line {count}:")).await;
    let without_end = file.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    refused(without_end.into_bytes(), "incomplete", &format!("line {count}:")).await;
    refused(Vec::new(), "incomplete", "line 1:").await;
    // A changed byte in a value, in a key, in the digest; a line that is gone, one that is there twice.
    refused(file.replacen("900.00", "901.00", 1).into_bytes(), "changed", &format!("line {count}:")).await;
    refused(file.replacen("\"uid\"", "\"uic\"", 1).into_bytes(), "invalid", "unknown field `uic`").await;
    let digest = lines(&file).pop().unwrap()["end"]["sha256"].as_str().unwrap().to_owned();
    refused(file.replacen(&digest, &"0".repeat(64), 1).into_bytes(), "changed", "the file was changed").await;
    let at = file.lines().position(|line| line.starts_with("{\"record\"")).unwrap();
    let all: Vec<&str> = file.lines().collect();
    let joined = |lines: &[&str]| (lines.join("\n") + "\n").into_bytes();
    refused(joined(&[&all[..at], &all[at + 1..]].concat()), "changed", "the file was changed").await;
    refused(joined(&[&all[..=at], &all[at..]].concat()), "changed", "the file was changed").await;
    refused(joined(&[&all[..at], &["{\"recrd\":{}}"][..], &all[at..]].concat()), "unknown", "`record`").await;
    refused(joined(&[&all[..at], &["nonsense"][..], &all[at..]].concat()), "invalid", &format!("line {}:", at + 1))
        .await;
    refused(joined(&[&all[..], &all[..1]].concat()), "invalid", &format!("line {}:", count + 1)).await;
    refused(file.replacen("{\"format\":2,", "{\"format\":3,", 1).into_bytes(), "unknown_format", "format 3").await;
    refused(b"a,b\n1,2\n".to_vec(), "invalid", "line 1:").await;
    refused([&bytes[..bytes.len() / 2], &[0xff, 0xfe][..], &bytes[bytes.len() / 2..]].concat(), "invalid", "UTF-8")
        .await;

    let taken = tenant.description["slug"].as_str().unwrap();
    let problem = send(&server, taken, file.as_str()).await.problem(409, "conflict");
    assert_eq!(problem.errors(), [("/slug".to_owned(), "taken".to_owned())]);
    let problem = send(&server, "No-Slug&name=", file.as_str()).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/slug"]);
    server
        .platform()
        .request(reqwest::Method::POST, "/tenants/import")
        .bytes("application/x-ndjson", file.as_str())
        .await
        .problem(400, "bad_request");
    tenant
        .request(reqwest::Method::POST, "/tenants/import?slug=mine")
        .bytes("application/x-ndjson", file.as_str())
        .await
        .problem(403, "forbidden");
    assert_eq!(tenants().await, before);
    // Nothing stands in the way of the whole file.
    import(&server, "broken", &file).await;
    assert_eq!(tenants().await, before + 1);
}

async fn one_of_several_imports_gets_the_slug(server: TestServer) {
    let tenant = server.tenant("generic").await;
    create(&tenant, "company", json!({"name": "One"})).await;
    let file = export(&tenant).await;
    let replies = join_all((0..4).map(|_| send(&server, "same", file.as_str()))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    let slugs: Vec<Value> = results(&server.platform().get("/tenants?limit=200").await.ok(200))
        .iter()
        .map(|one| one["slug"].clone())
        .collect();
    assert_eq!(slugs.iter().filter(|slug| **slug == "same").count(), 1, "{slugs:?}");
}

async fn writers_do_not_tear_an_export(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define(
        &tenant,
        json!({"name": "thing", "plural": "things", "properties": {"name": {"type": "string", "unique": true}}}),
    )
    .await;
    define(
        &tenant,
        json!({"name": "part", "plural": "parts", "properties": {"name": {"type": "string", "unique": true}}}),
    )
    .await;
    let body = json!({"name": "part_of", "from": "part", "to": "thing", "cardinality": "many_to_many"});
    tenant.post("/association-definitions", &body).await.ok(201);
    let (is_over, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let writers = join_all((0..4).map(|writer| {
        let (tenant, is_over, written) = (&tenant, &is_over, &written);
        async move {
            for turn in 0.. {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let name = format!("{writer}-{turn}");
                let thing = create_id(tenant, "thing", json!({"name": name})).await;
                let links = json!([{"type": "part_of", "to": thing}]);
                tenant
                    .post("/records/part", &json!({"properties": {"name": name}, "associations": links}))
                    .await
                    .ok(201);
                written.fetch_add(1, Ordering::Relaxed);
            }
        }
    }));
    let exports = async {
        let mut files = Vec::new();
        for _ in 0..5 {
            let before = written.load(Ordering::Relaxed);
            while written.load(Ordering::Relaxed) < before + 4 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            files.push(export(&tenant).await);
        }
        is_over.store(true, Ordering::Relaxed);
        files
    };
    let (_, files) = futures::join!(writers, exports);
    let mut before = 0;
    for (at, file) in files.iter().enumerate() {
        let all = lines(file);
        let of = |kind: &str| all.iter().filter_map(|line| line.get(kind)).cloned().collect::<Vec<Value>>();
        let (head, records, changes) = (&of("head")[0], of("record"), of("change"));
        assert_eq!(head["last_sequence"], changes.len());
        assert_eq!(head["last_record_id"], records.len());
        assert_eq!(of("unique_value").len(), records.len());
        let parts = records.iter().filter(|record| record["object"] == "part").count();
        assert_eq!(of("association").len(), parts);
        let made = changes.iter().filter(|change| change["kind"] == "record.created").count();
        assert_eq!(made, records.len());
        assert!(records.len() > before, "the tenant grows meanwhile");
        before = records.len();
        let copy = import(&server, &format!("copy-{at}"), file).await;
        let found =
            search(&copy, "part", &json!({"limit": 0, "aggregate": {"n": {"measures": {"n": {"count": true}}}}})).await;
        assert_eq!(found["aggregates"]["n"][0]["n"], parts);
    }
}

fn ran(server: &TestServer, arguments: &[&str]) -> (String, String, bool) {
    let Output { status, stdout, stderr } = server.command(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(stdout), text(stderr), status.success())
}

async fn command_line_moves_a_tenant(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    create(&tenant, "company", json!({"name": "One"})).await;
    let (url, token) = (server.address().to_owned(), tenant.token().unwrap().to_owned());
    let path = server.data_folder().join("acme.ndjson");
    let file = path.to_string_lossy().into_owned();
    let (out, said, is_done) = ran(&server, &["tenant", "export", "--out", &file, "--url", &url, "--token", &token]);
    assert!(is_done && out.is_empty() && said.contains("wrote `"), "{out}{said}");
    let (out, said, is_done) = ran(&server, &["tenant", "export", "--url", &url, "--token", &token]);
    assert!(is_done, "{said}");
    assert_eq!(content(&out), content(&std::fs::read_to_string(&path).unwrap()));
    let (_, said, is_done) =
        ran(&server, &["tenant", "export", "--out", &file, "--url", &url, "--token", "trl_of_nobody"]);
    assert!(!is_done && said.contains("the token is not known"), "{said}");
    let platform = ["--url", &url, "--token", tests::PLATFORM_TOKEN];
    let moved = ["tenant", "import", &file, "--slug", "moved", "--name", "Moved"];
    let (secret, said, is_done) = ran(&server, &[&moved[..], &platform[..]].concat());
    assert!(is_done, "{said}");
    let copy = server.anonymous().with_token(secret.trim());
    assert_eq!(copy.get("/tenant").await.ok(200)["tenant"]["name"], "Moved");
    let (_, said, is_done) = ran(&server, &[&moved[..], &platform[..]].concat());
    assert!(!is_done && said.contains("there is a tenant `moved` already"), "{said}");

    server.terminate().await;
    let (secret, said, is_done) = ran(&server, &["tenant", "import", &file, "--slug", "direct", "--direct"]);
    assert!(is_done, "{said}");
    server.start().await;
    let copy = server.anonymous().with_token(secret.trim());
    let names: Vec<Value> = all_records(&copy, "company").await.iter().map(|one| one["display_name"].clone()).collect();
    assert_eq!(names, ["One"]);
}

scenarios![
    imported_tenant_is_the_one_that_was_exported,
    broken_file_leaves_no_tenant,
    one_of_several_imports_gets_the_slug,
    writers_do_not_tear_an_export,
    command_line_moves_a_tenant,
];
