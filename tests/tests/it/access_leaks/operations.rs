//! How each operation is looked at.

use serde_json::{Value, json};

use super::SECRETS;
use super::vaults::Vaults;

/// One call; without a body where that is null.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) body: Value,
}

fn get(path: impl Into<String>) -> Call {
    Call { path: path.into(), body: Value::Null }
}

fn send(path: impl Into<String>, body: Value) -> Call {
    Call { path: path.into(), body }
}

/// How an operation is looked at.
pub(super) enum Look {
    /// By these calls.
    Calls(Vec<Call>),
    /// By these exports and their files.
    Files(Vec<Value>),
    /// It has to do with no record.
    NoRecord,
    /// By reading it until the last record comes.
    Stream,
}

impl Vaults {
    /// How an operation of the document is looked at; none where nobody has said.
    pub(super) fn look(&self, operation: &str) -> Option<Look> {
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
}
