//! A pack planned and applied over many tenants: each line says what became of one, and who fails keeps what it had.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{Silence, changes_after, create_id, results};

fn library(version: &str, properties: &str) -> String {
    format!(
        "pack: library\nversion: {version}\nrequires: {{core: ^1.0}}\nobjects:\n  book:\n    plural: books\n    \
         properties:\n{properties}"
    )
}

const FIRST: &str =
    "      title: {type: string, label: Title}\n      pages: {type: integer}\n      shelf: {type: string}\n";
const SECOND: &str = "      title: {type: string, label: Name, required: true}\n      pages: {type: string}\n      \
    shelf: {type: string}\n      isbn: {type: string, unique: true}\n";

fn slug(tenant: &Tenant) -> &str {
    tenant.description["slug"].as_str().unwrap()
}

/// A tenant with a pack of its own choice.
async fn tenant_with(server: &TestServer, source: &str) -> Tenant {
    let tenant = server.tenant("generic").await;
    let plan = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": plan["plan"]})).await.ok(200);
    tenant
}

/// The lines of an answer by tenant, and the last one.
async fn over(server: &TestServer, what: &str, body: &Value) -> (BTreeMap<String, Value>, Value) {
    let reply = server.platform().post(&format!("/tenants/packs/{what}"), body).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"), "{}", reply.text);
    let mut lines: Vec<Value> = reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.pop().unwrap();
    let count = lines.len();
    let by_tenant: BTreeMap<_, _> =
        lines.into_iter().map(|line| (line["tenant"].as_str().unwrap().to_owned(), line)).collect();
    assert_eq!(by_tenant.len(), count, "a tenant has two lines");
    (by_tenant, last)
}

/// What a tenant's definitions are, and how they came about.
async fn portrait(tenant: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/object-definitions?archived=true", "/metadata/history?limit=200", "/packs", "/tenant"] {
        all.push(tenant.get(path).await.ok(200));
    }
    all
}

/// Tenants of many kinds, and those of them that have the pack in version 1.0.0.
struct Fleet {
    without: Tenant,
    current: Tenant,
    plain: Vec<Tenant>,
    /// Has a property of the name that the pack takes.
    own: Tenant,
    /// Has renamed what the pack renames.
    renamed: Tenant,
    /// Has a record that would not be valid.
    blocked: Tenant,
    /// Has a formula that would not compute.
    broken: Tenant,
}

impl Fleet {
    async fn new(server: &TestServer) -> Self {
        let (first, second) = (library("1.0.0", FIRST), library("1.1.0", SECOND));
        let mut plain = Vec::new();
        for _ in 0..6 {
            plain.push(tenant_with(server, &first).await);
        }
        let fleet = Self {
            without: server.tenant("generic").await,
            current: tenant_with(server, &second).await,
            plain,
            own: tenant_with(server, &first).await,
            renamed: tenant_with(server, &first).await,
            blocked: tenant_with(server, &first).await,
            broken: tenant_with(server, &first).await,
        };
        let properties = "/object-definitions/book/properties";
        fleet.own.post(properties, &json!({"name": "isbn", "type": "integer"})).await.ok(201);
        fleet.renamed.patch(&format!("{properties}/title"), &json!({"label": "Heading"})).await.ok(200);
        create_id(&fleet.blocked, "book", json!({"shelf": "A"})).await;
        create_id(&fleet.plain[0], "book", json!({"title": "Emma", "shelf": "A"})).await;
        let half = json!({"name": "half", "type": "formula", "formula": "pages * 2", "result": "integer"});
        fleet.broken.post(properties, &half).await.ok(201);
        fleet
    }

    fn failing(&self) -> [&Tenant; 2] {
        [&self.blocked, &self.broken]
    }

    fn untouched(&self) -> [&Tenant; 4] {
        [&self.without, &self.current, &self.blocked, &self.broken]
    }
}

async fn each_tenant_is_planned_and_applied_for_itself(server: TestServer) {
    let fleet = Fleet::new(&server).await;
    let body = json!({"source": library("1.1.0", SECOND)});
    let mut before = Vec::new();
    for tenant in fleet.untouched() {
        before.push((portrait(tenant).await, Silence::begins(tenant).await));
    }
    let quiet = Silence::begins(&fleet.plain[0]).await;

    let (planned, last) = over(&server, "plan", &body).await;
    let counts = |planned, changed, unchanged, failed| {
        json!({"done": true, "tenants": 11, "planned": planned, "changed": changed, "unchanged": unchanged,
            "failed": failed, "skipped": 0})
    };
    assert_eq!(last, counts(9, 0, 1, 1));
    assert!(!planned.contains_key(slug(&fleet.without)));
    let alone = fleet.plain[0].post("/packs/plan", &body).await.ok(200);
    for tenant in &fleet.plain {
        let line = &planned[slug(tenant)];
        let (versions, status) = ([&line["from"], &line["to"]], &line["status"]);
        assert_eq!((versions, status), ([&json!("1.0.0"), &json!("1.1.0")], &json!("planned")));
        assert_eq!((&line["steps"], &line["conflicts"]), (&alone["steps"], &json!([])));
        assert_eq!(line["summary"], json!({"add": 1, "change": 2, "remove": 0}));
    }
    let in_the_way = planned[slug(&fleet.blocked)]["steps"].as_array().unwrap();
    let in_the_way: Vec<_> = in_the_way.iter().filter(|step| step["job"] == true).collect();
    assert_eq!(in_the_way.len(), 1);
    assert_eq!([&in_the_way[0]["name"], &in_the_way[0]["records"]], [&json!("book.title"), &json!(1)]);
    quiet.holds().await;

    let (applied, last) = over(&server, "apply", &body).await;
    assert_eq!(last, counts(0, 8, 1, 2));
    for tenant in &fleet.plain {
        let expected = json!({"tenant": slug(tenant), "from": "1.0.0", "to": "1.1.0", "status": "changed",
            "summary": {"add": 1, "change": 2, "remove": 0}, "conflicts": [], "jobs": []});
        assert_eq!(applied[slug(tenant)], expected);
        let version = tenant.get("/packs").await.ok(200);
        let of_library = results(&version).iter().find(|pack| pack["pack"] == "library").unwrap().clone();
        assert_eq!(of_library["installed"], "1.1.0");
    }
    let expected = json!({"tenant": slug(&fleet.current), "from": "1.1.0", "to": "1.1.0", "status": "unchanged"});
    assert_eq!(applied[slug(&fleet.current)], expected);
    let own = &applied[slug(&fleet.own)]["conflicts"];
    assert_eq!((own.as_array().unwrap().len(), &own[0]["name"]), (1, &json!("book.isbn")));
    assert_eq!((&own[0]["pack"]["type"], &own[0]["tenant"]["type"]), (&json!("string"), &json!("integer")));
    let kept = fleet.own.get("/object-definitions/book").await.ok(200);
    assert_eq!(kept["properties"]["isbn"]["type"], "integer");
    let renamed = &applied[slug(&fleet.renamed)]["conflicts"];
    assert_eq!(
        renamed,
        &json!([{"kind": "property", "name": "book.title", "pack": {"label": "Name"}, "tenant": {"label": "Heading"}, "holds": "tenant"}])
    );

    // What fails says so as the tenant's own call does, and has changed nothing.
    for (tenant, code, status) in [(&fleet.blocked, "records_in_the_way", 409), (&fleet.broken, "conflict", 409)] {
        let line = &applied[slug(tenant)];
        assert_eq!((&line["status"], &line["from"]), (&json!("failed"), &json!("1.0.0")));
        let problem = &line["problem"];
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{problem}");
        assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()));
    }
    let plan = fleet.blocked.post("/packs/plan", &body).await.ok(200);
    let refused = fleet.blocked.post("/packs/apply", &json!({"plan": plan["plan"]})).await;
    let alone = refused.problem(409, "records_in_the_way").body;
    let problem = &applied[slug(&fleet.blocked)]["problem"];
    for key in ["type", "title", "status", "detail", "code", "errors"] {
        assert_eq!(problem[key], alone[key], "{key}");
    }
    assert_eq!(problem["errors"][0]["count"], 1);
    for (tenant, (portrait_before, quiet)) in fleet.untouched().into_iter().zip(before) {
        assert_eq!(portrait(tenant).await, portrait_before);
        quiet.holds().await;
    }

    // The history and the log say who it was.
    let history = fleet.plain[0].get("/metadata/history?limit=1").await.ok(200);
    let entry = &results(&history)[0];
    assert_eq!(entry["summary"], "move pack library from 1.0.0 to 1.1.0, by the platform");
    assert_eq!((&entry["by"], &entry["changes"]["packs.library"]), (&Value::Null, &json!(["1.0.0", "1.1.0"])));
    let logged = quiet.broken_by().await;
    assert_eq!(logged.len(), 1);
    assert_eq!(
        [&logged[0]["kind"], &logged[0]["source"], &logged[0]["actor"]],
        [&json!("metadata.changed"), &json!("platform"), &Value::Null]
    );
    assert_eq!(logged[0]["request_id"], problem["request_id"]);

    // Nothing is left but what fails.
    let (again, last) = over(&server, "plan", &body).await;
    assert_eq!(last, counts(1, 0, 9, 1));
    for tenant in fleet.plain.iter().chain([&fleet.own, &fleet.renamed, &fleet.current]) {
        assert_eq!(again[slug(tenant)]["status"], "unchanged");
    }
    let title = json!({"properties": {"title": "Persuasion"}});
    let book = results(&fleet.blocked.get("/records/book").await.ok(200))[0]["id"].as_str().unwrap().to_owned();
    fleet.blocked.patch(&format!("/records/book/{book}"), &title).await.ok(200);
    fleet.broken.delete("/object-definitions/book/properties/half").await.ok(204);
    let (mended, last) = over(&server, "apply", &body).await;
    assert_eq!(last, counts(0, 2, 9, 0));
    fleet.failing().iter().for_each(|tenant| assert_eq!(mended[slug(tenant)]["status"], "changed"));
}

async fn some_tenants_are_meant_and_those_without_the_pack_if_asked_for(server: TestServer) {
    let first = library("1.0.0", FIRST);
    let (has, without, other) =
        (tenant_with(&server, &first).await, server.tenant("generic").await, tenant_with(&server, &first).await);
    let quiet = Silence::begins(&other).await;
    let second = library("1.1.0", SECOND);
    let body = json!({"source": second, "tenants": [slug(&without), slug(&has), slug(&without)]});
    let (lines, last) = over(&server, "apply", &body).await;
    assert_eq!(last["tenants"], 2);
    assert_eq!((&last["changed"], &last["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&lines[slug(&has)]["status"], &lines[slug(&without)]["status"]),
        (&json!("changed"), &json!("skipped"))
    );
    assert!(lines[slug(&without)]["reason"].as_str().unwrap().contains("does not have the pack"));
    quiet.holds().await;

    let body = json!({"source": second, "tenants": [slug(&without)], "install": true});
    let (lines, _) = over(&server, "plan", &body).await;
    assert_eq!(lines[slug(&without)]["from"], Value::Null);
    assert_eq!(lines[slug(&without)]["summary"], json!({"add": 5, "change": 0, "remove": 0}));
    let (lines, _) = over(&server, "apply", &body).await;
    assert_eq!(lines[slug(&without)]["status"], "changed");
    create_id(&without, "book", json!({"title": "Emma", "isbn": "978"})).await;
    // All of them have it now, but for the server's first.
    let (lines, last) = over(&server, "apply", &json!({"source": second, "install": true})).await;
    assert_eq!((&last["tenants"], &last["changed"], &last["unchanged"]), (&json!(4), &json!(2), &json!(2)));
    assert_eq!((&lines["demo"]["from"], &lines["demo"]["status"]), (&Value::Null, &json!("changed")));

    let misspelt = format!("{}x", slug(&has));
    let body = json!({"source": second, "tenants": [slug(&has), misspelt, "!"]});
    let problem = server.platform().post("/tenants/packs/apply", &body).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/tenants/1", "/tenants/2"]);
    assert!(problem.words().contains(&format!("did you mean `{}`", slug(&has))), "{}", problem.words());
    let body = json!({"source": second, "tenants": []});
    let problem = server.platform().post("/tenants/packs/apply", &body).await.problem(422, "validation_failed");
    assert_eq!(problem.pointers(), ["/tenants"]);
}

async fn what_is_destructive_or_lacks_another_pack_fails_on_its_tenant(server: TestServer) {
    let (first, rest) = (library("1.0.0", FIRST), "      title: {type: string, label: Title}\n");
    let (one, two) = (tenant_with(&server, &first).await, tenant_with(&server, &first).await);
    let shelved = create_id(&one, "book", json!({"title": "Emma", "shelf": "A"})).await;
    let fewer = json!({"source": library("2.0.0", rest)});
    let (lines, last) = over(&server, "plan", &fewer).await;
    let removed = |tenant: &Tenant| lines[slug(tenant)]["steps"][1].clone();
    assert_eq!([&removed(&one)["name"], &removed(&one)["records"]], [&json!("book.shelf"), &json!(1)]);
    assert_eq!([&removed(&one)["samples"], &removed(&two)["records"]], [&json!([shelved]), &json!(0)]);
    assert_eq!(last["planned"], 2);
    let (lines, last) = over(&server, "apply", &fewer).await;
    assert_eq!((&last["failed"], &last["changed"]), (&json!(2), &json!(0)));
    let problem = &lines[slug(&two)]["problem"];
    assert_eq!((&problem["code"], &problem["status"]), (&json!("destructive"), &json!(422)));
    let pointers: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/steps/0", "/steps/1"]);

    // Only tenants know what this one builds on.
    let shelves =
        "pack: shelves\nversion: 1.0.0\nobjects: {room: {plural: rooms, properties: {name: {type: string}}}}\n";
    let plan = one.post("/packs/plan", &json!({"source": shelves})).await.ok(200);
    one.post("/packs/apply", &json!({"plan": plan["plan"]})).await.ok(200);
    let source = library("2.0.0", rest).replace("core: ^1.0", "core: ^1.0, shelves: ^1.0");
    let builds = json!({"source": source, "allow_destructive": true});
    let (lines, last) = over(&server, "apply", &builds).await;
    assert_eq!((&last["failed"], &last["changed"]), (&json!(1), &json!(1)));
    assert_eq!(lines[slug(&one)]["summary"], json!({"add": 0, "change": 0, "remove": 2}));
    let errors = &lines[slug(&two)]["problem"]["errors"];
    assert_eq!((&errors[0]["pointer"], &errors[0]["code"]), (&json!("/requires/shelves"), &json!("missing_pack")));
    // The same version with other contents is refused where it stands.
    let (lines, _) =
        over(&server, "apply", &json!({"source": library("2.0.0", rest), "allow_destructive": true})).await;
    assert_eq!(lines[slug(&one)]["problem"]["code"], "conflict");
    assert_eq!(lines[slug(&two)]["status"], "changed");
}

async fn sides_and_migrations_are_those_of_every_tenant(server: TestServer) {
    let first = library("1.0.0", FIRST);
    let (plain, renamed) = (tenant_with(&server, &first).await, tenant_with(&server, &first).await);
    let title = "/object-definitions/book/properties/title";
    renamed.patch(title, &json!({"label": "Heading"})).await.ok(200);
    let book = create_id(&plain, "book", json!({"title": "Emma", "pages": 7})).await;
    let source = library("1.1.0", SECOND);
    let (lines, _) = over(&server, "apply", &json!({"source": source, "tenants": [slug(&plain)]})).await;
    assert_eq!(lines[slug(&plain)]["problem"]["code"], "records_in_the_way");
    let body = json!({"source": source, "accept": {"book.title": "pack"},
        "migrations": {"book.pages": {"convert": "string(value)"}}});
    let (lines, last) = over(&server, "apply", &body).await;
    assert_eq!(last["changed"], 2, "{lines:#?}");
    let jobs = lines[slug(&plain)]["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 1);
    crate::fixture::jobs_are_done(&plain).await;
    let job = plain.get(&format!("/jobs/{}", jobs[0].as_str().unwrap())).await.ok(200);
    assert_eq!((&job["kind"], &job["state"]), (&json!("migration"), &json!("done")));
    let read = plain.get(&format!("/records/book/{book}")).await.ok(200);
    assert_eq!(read["properties"], json!({"title": "Emma", "pages": "7"}));
    let definition = renamed.get("/object-definitions/book").await.ok(200);
    assert_eq!(definition["properties"]["title"]["label"], "Name");
    let migrated = changes_after(&plain, 0).await;
    assert!(migrated.iter().any(|change| change["source"] == "migration"));
}

async fn pack_with_mistakes_is_refused_once(server: TestServer) {
    let tenant = tenant_with(&server, &library("1.0.0", FIRST)).await;
    let quiet = Silence::begins(&tenant).await;
    let wrong = library("1.1.0", "      title: {type: strng}\n      half: {type: formula, formula: pgs * 2}\n");
    for what in ["plan", "apply"] {
        let path = format!("/tenants/packs/{what}");
        let body = json!({"files": {"pack.yaml": wrong}});
        let problem = server.platform().post(&path, &body).await.problem(422, "validation_failed");
        assert!(problem.words().contains("pack.yaml:8:21: `strng` is no property type"), "{}", problem.words());
        assert!(problem.words().contains("pack.yaml:9:"), "{}", problem.words());
        let broken = json!({"source": "pack: library\nversion: 1\nobjcts: {}\n"});
        let problem = server.platform().post(&path, &broken).await.problem(422, "validation_failed");
        assert_eq!(problem.pointers(), ["/version", "/objcts"]);
        let unknown = server.platform().post(&path, &json!({"pack": "libary"})).await.problem(422, "validation_failed");
        assert_eq!(unknown.pointers(), ["/pack"]);
        let body = json!({"source": library("1.1.0", SECOND)});
        tenant.post(&path, &body).await.problem(403, "forbidden");
        server.anonymous().post(&path, &body).await.problem(401, "unauthenticated");
    }
    quiet.holds().await;
}

async fn command_line_tells_tenants_together(mut server: TestServer) {
    let fleet = Fleet::new(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack.yaml");
    fs::write(&path, library("1.1.0", SECOND)).unwrap();
    let run = |server: &TestServer, what: &str, further: &[&str]| {
        let file = path.to_str().unwrap();
        let arguments: Vec<&str> =
            ["pack", what, file, "--all-tenants"].into_iter().chain(further.iter().copied()).collect();
        let output = server.command(&arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let address = server.address().to_owned();
    let access = ["--url", &address, "--token", tests::PLATFORM_TOKEN];
    let call = |server: &TestServer, what: &str, further: &[&str]| run(server, what, &[&access[..], further].concat());

    let (told, said, code) =
        call(&server, "plan", &["--tenant", slug(&fleet.plain[1]), "--tenant", slug(&fleet.plain[2])]);
    assert_eq!(code, Some(3), "{said}");
    let expected = format!(
        "1.0.0 → 1.1.0, 2 tenants: {}, {}\n  ~ property book.title\n        label: \"Title\" → \"Name\"\n        \
         required: (none) → true\n  ~ property book.pages\n        type: \"integer\" → \"string\"\n  + property book.isbn\n  \
         1 to add, 2 to change, 0 to remove\n\n2 tenants: 2 to change, 0 unchanged, 0 failed, 0 skipped\n",
        slug(&fleet.plain[1]),
        slug(&fleet.plain[2])
    );
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split([' ', ',', '\n']).map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    // Who is done first is named first.
    assert_eq!(sorted(&told), sorted(&expected), "{told}");

    let (told, said, code) = call(&server, "plan", &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(told.contains("! ") && told.contains(&format!("! {}: ", slug(&fleet.broken))), "{told}");
    assert!(
        told.contains(&format!("  {}\n      book.isbn\n          pack: {{\"type\":\"string\"", slug(&fleet.own))),
        "{told}"
    );
    assert!(told.contains("11 tenants: 9 to change, 1 unchanged, 1 failed, 0 skipped"), "{told}");
    let (told, _, code) = call(&server, "apply", &["--json"]);
    assert_eq!(code, Some(1));
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 12);
    assert_eq!((&lines[11]["done"], &lines[11]["changed"], &lines[11]["failed"]), (&json!(true), &json!(8), &json!(2)));
    let (told, said, code) = call(&server, "apply", &[]);
    assert_eq!(code, Some(1), "{said}");
    let blocked = format!("! {}: ", slug(&fleet.blocked));
    assert!(told.contains(&blocked) && told.contains("(records_in_the_way, 409)"), "{told}");
    assert!(told.ends_with("11 tenants: 0 changed, 9 unchanged, 2 failed, 0 skipped\n"), "{told}");
    let done = ["--tenant", slug(&fleet.plain[1])];
    let (told, _, code) = call(&server, "plan", &done);
    assert_eq!((told.as_str(), code), ("1 tenant: 0 changed, 1 unchanged, 0 failed, 0 skipped\n", Some(0)));
    assert_eq!(call(&server, "apply", &done).2, Some(0));
    let (_, said, code) = run(&server, "plan", &["--url", access[1], "--token", fleet.own.token().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(said.contains("managed with the platform's token"), "{said}");

    server.terminate().await;
    let (told, said, code) = run(&server, "plan", &["--direct", "--install", "--tenant", slug(&fleet.without)]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        told.starts_with(&format!("new in 1.1.0, 1 tenant: {}\n  + object book\n", slug(&fleet.without))),
        "{told}"
    );
}

scenarios![
    each_tenant_is_planned_and_applied_for_itself,
    some_tenants_are_meant_and_those_without_the_pack_if_asked_for,
    what_is_destructive_or_lacks_another_pack_fails_on_its_tenant,
    sides_and_migrations_are_those_of_every_tenant,
    pack_with_mistakes_is_refused_once,
    command_line_tells_tenants_together,
];
