//! What somebody may not see is in no answer, header or error of any operation.
//!
//! The server's own OpenAPI document is the list of operations. One that is added later fails here until it has a line:
//! calls that could give a record's content, or that it has to do with no record.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Response, Tenant, TestServer};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::fixture::{create_id, define, id, results};

/// The value of a sensitive property, of one that a role hides, and of a record that is not seen at all.
const SECRETS: [&str; 3] = ["Zyxwvut", "Qponmlk", "Ghijklm"];

/// What is written last, so that a stream that has given it has given all before it.
const LAST: &str = "the-last-one";

const PATIENCE: Duration = Duration::from_secs(30);

/// A score whose criteria read what is secret.
const WORTH: &str = r#"
pack: worth
version: 1.0.0
objects:
  question: {plural: questions, display: "{{ name }}", properties: {name: {type: string}, rule: {type: text}, weight: {type: integer}}}
  answer:
    plural: answers
    properties:
      points: {type: integer}
      why: {type: text}
      at: {type: datetime}
      by: {type: enum, options: [person, rule]}
      who: {type: user}
      review: {type: enum, options: [pending, accepted, rejected]}
      stands: {type: boolean}
      key: {type: string, unique: true}
associations:
  answer_question: {from: answer, to: question}
  answer_about: {from: answer, to: any}
scores:
  worth:
    criteria: {object: question, expression: rule, weight: weight}
    assessments: {object: answer, score: points, rationale: why, at: at, by: by, user: who, review: review, current: stands,
      key: key, criterion: answer_question, subject: answer_about}
"#;

/// One call; without a body where that is null.
struct Call {
    path: String,
    body: Value,
}

fn get(path: impl Into<String>) -> Call {
    Call { path: path.into(), body: Value::Null }
}

fn send(path: impl Into<String>, body: Value) -> Call {
    Call { path: path.into(), body }
}

/// How an operation is looked at.
enum Look {
    /// By these calls.
    Calls(Vec<Call>),
    /// By these exports and their files.
    Files(Vec<Value>),
    /// It has to do with no record.
    NoRecord,
    /// By reading it until the last record comes.
    Stream,
}

/// A tenant with secrets, and who may not see which of them.
struct Vaults {
    tenant: Tenant,
    /// Callers, and how many of the secrets each may not see, from the first on; the second sees the sensitive one.
    callers: Vec<(&'static str, Client, Vec<&'static str>)>,
    /// A record with secrets; it is linked to itself.
    one: String,
    /// A record that was merged into the first, and one that is archived.
    merged: String,
    archived: String,
    /// A record that is not linked to anything.
    other: String,
    /// The request that has changed the first record's secrets.
    request: String,
    /// Views, reports and a dashboard of them all that name what is secret, for everyone.
    views: Vec<String>,
    reports: Vec<String>,
    dashboard: String,
    /// Lists of them all that ask about what is secret, for everyone.
    lists: Vec<String>,
    /// Criteria that read what is secret.
    questions: Vec<String>,
}

impl Vaults {
    async fn make(server: &TestServer) -> Self {
        let tenant = server.tenant("generic").await;
        let text = |more: Value| {
            let mut spec = json!({"type": "string", "searchable": true});
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            spec
        };
        let properties = json!({
            "name": text(json!({"required": true})), "code": text(json!({"unique": true})),
            "secret": text(json!({"sensitive": true, "unique": true})), "hidden": text(json!({"substring": true})),
            "shouted": {"type": "formula", "formula": "hidden + '!'", "result": "string"},
        });
        // A rule that fails quotes what it is about.
        let rule = json!({"rule": "size(hidden) < 100 || int(hidden) > 0", "message": "no number", "at": "hidden"});
        define(
            &tenant,
            json!({"name": "vault", "plural": "vaults", "display": "{{ name }} {{ hidden }}",
            "features": {"duplicates": [["hidden"], [["secret", "name"]]]},
            "properties": properties, "constraints": [rule]}),
        )
        .await;
        let link = json!({"name": "vault_vault", "from": "vault", "to": "vault",
            "properties": {"note": {"type": "string", "sensitive": true}}});
        tenant.post("/association-definitions", &link).await.ok(201);
        let pipeline = json!({"name": "course", "stages": {"open": {}, "done": {"requires": ["hidden"]}}});
        tenant.post("/pipelines/vault", &pipeline).await.ok(201);
        let all = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
        let own = json!({"create": true, "read": "own", "update": "own", "archive": "own"});
        for (name, grants, properties) in [
            ("blind", &all, json!({"vault.hidden": {"read": false}, "vault.secret": {"read": true}})),
            ("plain", &all, json!({})),
            ("lonely", &own, json!({})),
        ] {
            tenant
                .post("/roles", &json!({"name": name, "objects": {"*": grants}, "properties": properties}))
                .await
                .ok(201);
        }
        let [sensitive, hidden, unseen] = SECRETS;
        let mut callers = Vec::new();
        for (role, secrets) in
            [("plain", vec![sensitive]), ("blind", vec![hidden]), ("lonely", vec![sensitive, hidden, unseen])]
        {
            callers.push((role, tenant.user(role, role).await.0, secrets));
        }
        let vault = async |name: &str, code: &str| {
            let secret = format!("{sensitive} {code}");
            let properties = json!({"name": name, "code": code, "secret": secret, "hidden": hidden});
            create_id(&tenant, "vault", properties).await
        };
        let (one, merged) = (vault(unseen, "c1").await, vault("Merged", "c2").await);
        let (archived, other) = (vault("Archived", "c3").await, vault("Other", "c4").await);
        let before = json!({"properties": {"secret": format!("{sensitive} old"), "hidden": format!("{hidden} old")}});
        let request = "changes-secrets".to_owned();
        tenant.patch(&format!("/records/vault/{one}"), &before).header("x-request-id", &request).await.ok(200);
        tenant.post(&format!("/records/vault/{one}/merge"), &json!({"from": [merged]})).await.ok(200);
        tenant.delete(&format!("/records/vault/{archived}")).await.ok(204);
        let link = json!({"properties": {"note": format!("{sensitive} note")}});
        tenant.put(&format!("/records/vault/{one}/associations/vault_vault/{other}"), &link).await.ok(204);
        let questions = judged(&tenant, &[&one, &other]).await;
        create_id(&tenant, "vault", json!({"name": LAST, "code": LAST})).await;
        let (views, reports, dashboard) = saved(&tenant).await;
        let lists = listed(&tenant, &one).await;
        Self { tenant, callers, one, merged, archived, other, request, views, reports, dashboard, lists, questions }
    }

    /// How an operation of the document is looked at; none where nobody has said.
    fn look(&self, operation: &str) -> Option<Look> {
        let Self { one, merged, archived, other, request, .. } = self;
        let vault = |rest: &str| format!("/records/vault{rest}");
        let record = |rest: &str| format!("/records/vault/{one}{rest}");
        let (method, path) = operation.split_once(' ').unwrap();
        let calls = match (method, path.strip_prefix("/api/v1").unwrap_or(path)) {
            ("GET", "/records/{object}") => [
                "",
                "?archived=true",
                "?include=vault",
                "?select=name,secret,hidden,shouted",
                "?filter=name!=''",
                "?filter=secret!=''",
                "?filter=hidden!=''",
                "?filter=hiden!=''",
            ]
            .map(|query| get(vault(query)))
            .into(),
            ("POST", "/records/{object}") => vec![
                send(vault(""), json!({"properties": {"name": "new", "code": "c1"}})),
                send(vault(""), json!({"properties": {"secret": "x", "hidden": 7}})),
                send(
                    vault(""),
                    json!({"properties": {"name": "linked"}, "associations": [{"type": "vault_vault", "to": one}]}),
                ),
            ],
            ("PUT", "/records/{object}") => vec![
                send(vault("?id_property=code"), json!({"properties": {"code": "c1", "name": SECRETS[2]}})),
                send(vault("?id_property=secret"), json!({"properties": {"name": "new", "secret": "none"}})),
            ],
            ("GET", "/records/{object}/{id}") => vec![
                get(record("")),
                get(record("?include=vault")),
                get(record("?html=true")),
                get(record("?include=vault(secret,hidden)")),
                get(record("?select=secret,hidden,shouted")),
                get(record("?at=2099-01-01T00:00:00Z")),
                get(vault(&format!("/{merged}"))),
                get(vault(&format!("/{archived}"))),
                get(vault("/c1?id_property=code")),
                get(vault("/x?id_property=secret")),
                get(vault("/x?id_property=hidden")),
            ],
            ("PATCH", "/records/{object}/{id}") => vec![
                send(record(""), json!({"properties": {"code": "c4"}})),
                send(record(""), json!({"properties": {"code": "c1"}, "owner_id": null})),
                send(record(""), json!({"properties": {"hidden": 7}, "owner_id": "999999"})),
            ],
            ("DELETE", "/records/{object}/{id}") => vec![get(vault("/999999")), get(record("?purge=true"))],
            ("POST", "/records/{object}/{id}/restore") => vec![get(record("/restore"))],
            ("POST", "/records/{object}/{id}/merge") => vec![
                send(
                    record("/merge"),
                    json!({"from": [archived, "999999"], "properties": {"secret": merged, "hidden": one}}),
                ),
                send(record("/merge"), json!({"from": [one]})),
            ],
            ("POST", "/records/{object}/{id}/unmerge") => vec![send(record("/unmerge"), json!({"id": other}))],
            ("GET", "/records/{object}/{id}/history") => {
                vec![get(record("/history")), get(vault(&format!("/{merged}/history")))]
            }
            ("GET", "/records/{object}/{id}/timeline") => ["", "?kinds=change", "?kinds=activity,note", "?limit=1"]
                .iter()
                .flat_map(|query| [one, merged, other].map(|id| get(vault(&format!("/{id}/timeline{query}")))))
                .collect(),
            ("POST", "/records/{object}/{id}/activities") => vec![
                send(record("/activities"), json!({"type": "call", "details": {"subject": "x"}, "also": [other]})),
                send(record("/activities"), json!({"type": "cal", "also": [archived]})),
            ],
            ("GET", "/scores") => vec![get("/scores")],
            ("GET", "/scores/{score}/ranking") => {
                ["", "&limit=1"].map(|query| get(format!("/scores/worth/ranking?object=vault{query}"))).into()
            }
            ("POST", "/scores/{score}/assess") => ["secret", "hidden", "hiden"]
                .map(|property| json!({"property": property, "op": "eq", "value": "x"}))
                .map(|filter| send("/scores/worth/assess", json!({"object": "vault", "filter": filter})))
                .into(),
            ("GET", "/records/{object}/{id}/scores/{score}" | "/records/{object}/{id}/scores/{score}/history") => {
                let rest = if path.ends_with("history") { "/history" } else { "" };
                let all = [one, merged, other, archived];
                all.map(|id| get(vault(&format!("/{id}/scores/worth{rest}")))).into()
            }
            ("POST", "/records/{object}/{id}/scores/{score}") => vec![
                send(record("/scores/worth"), json!({})),
                send(vault(&format!("/{other}/scores/worth")), json!({"for": one})),
            ],
            ("PUT" | "DELETE", "/records/{object}/{id}/scores/{score}/criteria/{criterion}") => {
                let body = json!({"score": 1, "rationale": "x", "for": one});
                let path = |id: &String| record(&format!("/scores/worth/criteria/{id}"));
                self.questions.iter().map(|id| send(path(id), body.clone())).collect()
            }
            ("PUT", "/records/{object}/{id}/scores/{score}/criteria/{criterion}/review") => {
                let path = |id: &String| record(&format!("/scores/worth/criteria/{id}/review"));
                self.questions.iter().map(|id| send(path(id), json!({"review": "accepted"}))).collect()
            }
            ("GET", "/records/{object}/{id}/audit") => {
                vec![get(record("/audit")), get(vault(&format!("/{merged}/audit")))]
            }
            ("GET", "/audit") => vec![get("/audit?limit=200")],
            ("POST", "/records/{object}/search") => self.searches().map(|body| send(vault("/search"), body)).collect(),
            ("POST", "/search") => self.searches().map(|body| send("/search", body)).collect(),
            ("GET", "/records/{object}/suggest") => {
                ["", "zyx", "qpo", "ghi", "oth"].map(|q| get(vault(&format!("/suggest?q={q}")))).into()
            }
            ("POST", "/records/{object}/batch/{verb}") => vec![
                send(
                    vault("/batch/read"),
                    json!({"inputs": [{"id": one}, {"id": merged}, {"id": archived}], "select": ["secret", "hidden", "shouted"]}),
                ),
                send(vault("/batch/read"), json!({"inputs": [{"id": one}]})),
                send(vault("/batch/read"), json!({"inputs": [{"id": "x"}], "id_property": "secret"})),
                send(
                    vault("/batch/update"),
                    json!({"inputs": [{"id": one, "properties": {"code": "c1"}}, {"id": one, "properties": {"code": "c4"}}]}),
                ),
                send(vault("/batch/create"), json!({"inputs": [{"properties": {"name": "new", "code": "c1"}}]})),
                send(
                    vault("/batch/upsert"),
                    json!({"inputs": [{"properties": {"code": "c1"}}], "id_property": "code"}),
                ),
                send(vault("/batch/restore"), json!({"inputs": [{"id": one}]})),
                send(vault("/batch/archive"), json!({"inputs": [{"id": archived}]})),
                send(vault("/batch/claim"), json!({"inputs": [{"id": archived}]})),
                send(vault("/batch/assign"), json!({"inputs": [{"id": one}], "owner_id": "999999"})),
            ],
            ("POST", "/transactions") => vec![
                send(
                    "/transactions",
                    json!({"operations": [{"op": "update", "object": "vault", "id": one, "properties": {"code": "c1"}}]}),
                ),
                send(
                    "/transactions",
                    json!({"operations": [{"op": "associate", "type": "vault_vault", "from": one, "to": other}, {"op": "create", "object": "vault", "properties": {"name": "n", "code": "c4"}}]}),
                ),
            ],
            ("POST", "/undo") => vec![send("/undo", json!({"request_id": request}))],
            ("GET", "/records/{object}/{id}/associations/{type}") => vec![
                get(record("/associations/vault_vault")),
                get(vault(&format!("/{other}/associations/vault_vault?direction=in"))),
            ],
            ("PUT" | "DELETE", "/records/{object}/{id}/associations/{type}/{to}") => {
                vec![send(record(&format!("/associations/vault_vault/{archived}")), json!({}))]
            }
            ("POST", "/associations/batch/create") => {
                vec![send(
                    "/associations/batch/create",
                    json!({"inputs": [{"type": "vault_vault", "from": one, "to": "999999"}]}),
                )]
            }
            ("POST", "/associations/batch/archive") => {
                vec![send(
                    "/associations/batch/archive",
                    json!({"inputs": [{"type": "vault_vault", "from": one, "to": archived}]}),
                )]
            }
            ("POST", "/associations/batch/read") => {
                vec![send(
                    "/associations/batch/read",
                    json!({"type": "vault_vault", "inputs": [{"object": "vault", "id": one}]}),
                )]
            }
            ("GET", "/changes") => {
                vec![get("/changes?after=0&limit=200&wait=0"), get("/changes?after=0&object=vault&wait=0")]
            }
            ("GET", "/access/explain") => ["create", "read", "update", "archive"]
                .map(|action| get(format!("/access/explain?record={one}&action={action}&property=hidden")))
                .into(),
            ("GET", "/access/log") => vec![get("/access/log")],
            ("GET", "/tenant/export") => vec![get("/tenant/export")],
            ("POST", "/imports") => vec![get("/imports?object=vault&format=csv&dry_run=true")],
            ("POST", "/exports") => self.exports().map(|body| send("/exports", body)).collect(),
            ("GET", "/jobs/{id}/file") => return Some(Look::Files(self.exports().collect())),
            ("GET", "/jobs") => vec![get("/jobs?limit=200")],
            ("GET" | "POST", "/jobs/{id}" | "/jobs/{id}/cancel" | "/jobs/{id}/errors") => {
                vec![get("/jobs/1"), get("/jobs/1/errors")]
            }
            ("PUT", "/records/{object}/{id}/stage") => vec![
                send(record("/stage"), json!({"stage": "done", "properties": {"code": "c4"}})),
                send(record("/stage"), json!({"stage": "done", "properties": {"hidden": 7}, "after": other})),
            ],
            ("POST", "/records/{object}/{id}/claim" | "/records/{object}/{id}/release") => {
                let verb = path.rsplit('/').next().unwrap_or_default();
                vec![send(vault(&format!("/{archived}/{verb}")), json!({}))]
            }
            ("GET", "/records/{object}/{id}/stages") => vec![get(record("/stages"))],
            ("GET", "/pipelines/{object}/{pipeline}/board") => [
                "",
                "?select=name,secret,hidden,shouted",
                "?filter=secret!=''",
                "?sort=hidden",
                "?q=zyx",
                "?sum=hidden",
            ]
            .map(|query| get(format!("/pipelines/vault/course/board{query}")))
            .into(),
            ("GET", path) if path.starts_with("/pipelines/{object}/{pipeline}/report/") => {
                let report = path.rsplit('/').next().unwrap_or_default();
                let reports = if report.starts_with('{') {
                    vec!["forecast", "win_rate", "conversion", "velocity"]
                } else {
                    vec![report]
                };
                let of = |report: &str| {
                    get(format!("/pipelines/vault/course/report/{report}?filter=hidden!=''&amount=secret"))
                };
                reports.into_iter().map(of).collect()
            }
            ("GET" | "POST", "/views" | "/reports" | "/dashboards") => {
                let body = json!({"label": "New", "object": "vault", "columns": ["hidden", "hiden"],
                    "filter": {"property": "secret", "op": "gt", "value": 7}, "measures": {"m": {"sum": "hidden"}}});
                vec![send(path.trim_start_matches("/api/v1"), body)]
            }
            ("GET" | "PATCH" | "DELETE", "/views/{id}" | "/reports/{id}" | "/dashboards/{id}") => {
                let first = path.trim_start_matches("/api/v1").trim_end_matches("/{id}");
                vec![get(format!("{first}/999999"))]
            }
            ("GET", "/views/{id}/records") => self
                .views
                .iter()
                .flat_map(|id| ["", "?q=zyx", "?limit=1"].map(|query| get(format!("/views/{id}/records{query}"))))
                .collect(),
            ("GET", "/reports/{id}/data") => self.reports.iter().map(|id| get(format!("/reports/{id}/data"))).collect(),
            ("GET", "/dashboards/{id}/data") => vec![get(format!("/dashboards/{}/data", self.dashboard))],
            ("GET", "/duplicates/{object}") => vec![get("/duplicates/vault"), get("/duplicates/vault?dismissed=true")],
            ("POST", "/duplicates/{object}/scan") => vec![send("/duplicates/vault/scan", Value::Null)],
            ("POST", "/duplicates/{object}/check") => {
                let likely = json!({"hidden": SECRETS[1], "secret": SECRETS[0], "name": "Other"});
                let one_by_one = likely.as_object().unwrap().clone().into_iter();
                let mut bodies: Vec<Value> =
                    one_by_one.map(|(name, value)| json!({"properties": {name: value}})).collect();
                bodies.push(json!({"properties": likely, "record": self.one}));
                bodies.into_iter().map(|body| send("/duplicates/vault/check", body)).collect()
            }
            ("PUT" | "DELETE", "/duplicates/{object}/dismissed/{id}/{to}") => {
                vec![get(format!("/duplicates/vault/dismissed/{}/{}", self.one, self.other))]
            }
            ("GET" | "POST", "/lists") => {
                let body = json!({"object": "vault", "name": "New", "filter": {"any": [
                    {"property": "secret", "op": "gt", "value": 7}, {"property": "hidden", "op": "eq", "value": 7},
                    {"property": "hiden", "op": "exists"}]}});
                vec![send("/lists", body), get("/lists?limit=200")]
            }
            ("GET" | "PATCH" | "DELETE", "/lists/{id}") => {
                self.lists.iter().map(|id| get(format!("/lists/{id}"))).collect()
            }
            ("GET", "/lists/{id}/members") => {
                let path = |id: &String| ["", "?limit=1"].map(|query| get(format!("/lists/{id}/members{query}")));
                self.lists.iter().flat_map(path).collect()
            }
            ("POST", "/lists/{id}/members") => {
                let body = json!({"add": [self.one, self.other, self.merged, self.archived]});
                self.lists.iter().map(|id| send(format!("/lists/{id}/members"), body.clone())).collect()
            }
            ("PUT" | "DELETE", "/lists/{id}/members/{record}") => {
                self.lists.iter().map(|id| get(format!("/lists/{id}/members/{}", self.one))).collect()
            }
            ("GET", "/changes/stream" | "/live") => return Some(Look::Stream),
            (_, path) => {
                let first = path.split('/').nth(1).unwrap_or_default();
                let has_none = [
                    "object-definitions",
                    "association-definitions",
                    "pipelines",
                    "metadata",
                    "packs",
                    "tenants",
                    "tenant",
                    "search-index",
                    "users",
                    "assignment-rules",
                    "teams",
                    "roles",
                    "tokens",
                    "openapi.json",
                    "healthz",
                    "readyz",
                    "metrics",
                ];
                return has_none.contains(&first).then_some(Look::NoRecord);
            }
        };
        Some(Look::Calls(calls))
    }

    fn searches(&self) -> impl Iterator<Item = Value> {
        let of = |property: &str| json!({"property": property, "op": "exists"});
        let aggregate = |property: &str| json!({"limit": 0, "aggregate": {"t": {"group": [property]}, "m": {"measures": {"m": {"max": property}}}}});
        let linked = |property: &str| json!({"filter": {"association": "vault_vault", "direction": "out", "match": of(property)}});
        let mut bodies = vec![
            json!({}),
            json!({"archived": true}),
            json!({"include": ["vault"], "count": true}),
            json!({"sort": ["display_name"]}),
            json!({"limit": 1, "sort": ["-name"]}),
            json!({"q": "\"zyxwvut\" o"}),
        ];
        for q in ["zyx", "qpo", "ghi", "oth", "zyxwvt"] {
            bodies.push(json!({"q": q, "fuzzy": q.len() > 3, "count": true, "select": ["name", "code"]}));
        }
        for property in ["secret", "hidden", "shouted", "display_name", "hiden"] {
            bodies.extend([aggregate(property), linked(property), json!({"filter": of(property)})]);
            bodies.push(json!({"sort": [property]}));
            bodies.push(json!({"select": [property]}));
        }
        bodies.into_iter()
    }

    /// Everything that names what is secret, and everything that does not.
    fn exports(&self) -> impl Iterator<Item = Value> {
        let mut bodies = Vec::new();
        for format in ["csv", "ndjson"] {
            bodies.push(json!({"object": "vault", "format": format}));
            bodies.push(json!({"object": "vault", "format": format, "sort": ["display_name"]}));
            bodies.push(json!({"object": "vault", "format": format, "select": ["display_name", "code"]}));
            bodies.extend(self.views.iter().map(|view| json!({"view": view, "format": format})));
            bodies.extend(self.reports.iter().map(|report| json!({"report": report, "format": format})));
            for property in ["secret", "hidden", "shouted", "hiden"] {
                let filter = json!({"property": property, "op": "exists"});
                bodies.push(json!({"object": "vault", "format": format, "filter": filter}));
                bodies.push(json!({"object": "vault", "format": format, "sort": [property]}));
                bodies.push(json!({"object": "vault", "format": format, "select": [property]}));
            }
        }
        bodies.into_iter()
    }

    /// The file of an export, with the job and what went wrong in it; or why there is none.
    async fn file(&self, caller: &Client, body: &Value) -> (Response, String) {
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

    async fn call(&self, caller: &Client, method: &Method, call: &Call) -> Response {
        let request = caller.request(method.clone(), &call.path);
        match (&call.body, call.path.contains("/imports?")) {
            (_, true) => request.bytes("text/csv", "name,code\nx,c1\n"),
            (Value::Null, false) => request,
            (body, false) => request.json(body),
        }
        .await
    }
}

/// Criteria that read what is secret, and what they answer of these records.
async fn judged(tenant: &Tenant, vaults: &[&String]) -> Vec<String> {
    let planned = tenant.post("/packs/plan", &json!({"source": WORTH})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"]})).await.ok(200);
    let mut questions = Vec::new();
    for rule in [
        "size(subject.hidden) > 3",
        "int(subject.secret)",
        "subject.hidden == 'x' ? 3 : subject.hidden",
        "{'a': 1}[subject.hidden]",
    ] {
        questions.push(create_id(tenant, "question", json!({"name": "Worth", "rule": rule})).await);
    }
    for vault in vaults {
        tenant.post(&format!("/records/vault/{vault}/scores/worth"), &json!({})).await.ok(200);
    }
    questions
}

/// Views and reports that name what is secret, and a dashboard of them all.
async fn saved(tenant: &Tenant) -> (Vec<String>, Vec<String>, String) {
    let of = |property: &str| json!({"property": property, "op": "exists"});
    let save = async |path: &str, more: Value| {
        let mut item = json!({"label": "Named", "object": "vault", "sharing": "everyone"});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        id(&tenant.post(path, &item).await.ok(201))
    };
    let (mut views, mut reports, mut items) = (Vec::new(), Vec::new(), Vec::new());
    views.push(save("/views", json!({"columns": ["name", "secret", "hidden", "shouted", "code"]})).await);
    views.push(save("/views", json!({})).await);
    for property in ["secret", "hidden", "shouted"] {
        views.push(save("/views", json!({"filter": of(property), "group": property})).await);
        views.push(save("/views", json!({"sort": [{"property": property}]})).await);
        reports.push(save("/reports", json!({"group": [property], "measures": {"n": {"count": true}}})).await);
        reports.push(
            save("/reports", json!({"measures": {"m": {"count_distinct": property}}, "filter": of(property)})).await,
        );
    }
    items.extend(views.iter().map(|view| json!({"view": view})));
    items.extend(reports.iter().map(|report| json!({"report": report})));
    let dashboard = json!({"label": "All", "items": items, "sharing": "everyone"});
    let dashboard = id(&tenant.post("/dashboards", &dashboard).await.ok(201));
    (views, reports, dashboard)
}

/// Lists that ask about what is secret, and one with everything in it.
async fn listed(tenant: &Tenant, one: &str) -> Vec<String> {
    let mut lists = Vec::new();
    for property in ["secret", "hidden", "shouted", "name"] {
        let filter = json!({"property": property, "op": "exists"});
        let linked = json!({"association": "vault_vault", "direction": "out", "match": filter});
        for filter in [filter, linked] {
            let body = json!({"object": "vault", "name": "Asks", "filter": filter});
            lists.push(id(&tenant.post("/lists", &body).await.ok(201)));
        }
    }
    let by_hand = id(&tenant.post("/lists", &json!({"object": "vault", "name": "By hand"})).await.ok(201));
    tenant.put(&format!("/lists/{by_hand}/members/{one}"), &Value::Null).await.ok(204);
    lists.push(by_hand);
    lists
}

/// Every secret that a reply has, in its body or its headers.
fn found(reply: &Response) -> BTreeSet<&'static str> {
    let text = format!("{} {:?}", reply.text, reply.headers).to_lowercase();
    SECRETS.into_iter().filter(|secret| text.contains(&secret.to_lowercase())).collect()
}

/// What a stream gives until the last record has come; for who sees none, until the owner makes one for it.
async fn streamed(caller: &Client, path: &str) -> String {
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
