//! What scenarios begin with, and how they look at what has happened.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Builder, Client, Store, Tenant, TestServer};

/// The product's program, built together with these tests.
const PROGRAM: &str = env!("CARGO_BIN_EXE_trellis-under-test");

/// A server that is not started yet.
pub(crate) fn builder(store: Store) -> Builder {
    Builder::new(PROGRAM, store)
}

/// A server on a fresh store.
pub(crate) async fn start(store: Store) -> TestServer {
    builder(store).start().await
}

/// Defines an object of the tenant's own.
pub(crate) async fn define(tenant: &Client, definition: Value) {
    tenant.post("/object-definitions", &definition).await.ok(201);
}

/// Defines an object `thing` with a required `name` and these properties.
pub(crate) async fn define_thing(tenant: &Client, properties: Value) {
    let mut all = json!({"name": {"type": "string", "label": "Name", "required": true}});
    all.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let definition = json!({
        "name": "thing", "label": "Thing", "plural": "things", "display": "{{ name }}", "properties": all,
    });
    define(tenant, definition).await;
}

/// Creates a record and gives it back.
pub(crate) async fn create(tenant: &Client, object: &str, properties: Value) -> Value {
    tenant.post(&format!("/records/{object}"), &json!({"properties": properties})).await.ok(201)
}

/// Creates a record and gives its id back.
pub(crate) async fn create_id(tenant: &Client, object: &str, properties: Value) -> String {
    id(&create(tenant, object, properties).await)
}

/// The properties of a contact with this e-mail address.
pub(crate) fn contact(email: &str) -> Value {
    json!({"first_name": "Ada", "last_name": "Lovelace", "email": email})
}

/// The id in a reply.
pub(crate) fn id(record: &Value) -> String {
    record["id"].as_str().unwrap_or_else(|| panic!("no id in {record}")).to_owned()
}

/// The results of a list.
pub(crate) fn results(list: &Value) -> &Vec<Value> {
    list["results"].as_array().unwrap_or_else(|| panic!("no results in {list}"))
}

/// Every record of a list, page by page.
pub(crate) async fn all_records(tenant: &Client, object: &str) -> Vec<Value> {
    let mut records = Vec::new();
    let mut path = format!("/records/{object}?limit=200");
    loop {
        let page = tenant.get(&path).await.ok(200);
        records.extend(results(&page).iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return records };
        path = format!("/records/{object}?limit=200&cursor={cursor}");
    }
}

/// What a search answers, once the index has taken over what definitions have changed.
pub(crate) async fn searched(tenant: &Client, object: &str, query: &Value) -> Value {
    loop {
        let reply = tenant.post(&format!("/records/{object}/search"), query).await;
        if reply.status != 503 {
            return reply.ok(200);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Waits until no job is under way.
pub(crate) async fn jobs_are_done(tenant: &Client) {
    loop {
        let jobs = tenant.get("/jobs?limit=200").await.ok(200);
        let is_open = |job: &Value| ["queued", "running"].contains(&job["state"].as_str().unwrap_or_default());
        let failed = results(&jobs).iter().find(|job| job["state"] == "failed");
        assert!(failed.is_none(), "{failed:#?}");
        if !results(&jobs).iter().any(is_open) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Looks at a job until its progress counts some of `counted`, or it has ended.
pub(crate) async fn under_way(tenant: &Client, id: &str, counted: &str) -> Value {
    loop {
        let job = tenant.get(&format!("/jobs/{id}")).await.ok(200);
        let has_begun = job["progress"][counted].as_u64().is_some_and(|count| count > 0);
        if has_begun || !["queued", "running"].contains(&job["state"].as_str().unwrap_or_default()) {
            return job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// Kills the server while a job is under way; the tenant after the restart, and the job once it has ended.
pub(crate) async fn killed_under_way(
    server: &mut TestServer,
    tenant: &Tenant,
    job: &str,
    counted: &str,
) -> (Tenant, Value) {
    under_way(tenant, job, counted).await;
    server.kill();
    server.start().await;
    let tenant = server.again(tenant);
    jobs_are_done(&tenant).await;
    let job = tenant.get(&format!("/jobs/{job}")).await.ok(200);
    (tenant, job)
}

/// Cancels a job that is under way.
pub(crate) async fn cancelled_under_way(tenant: &Client, job: &str, counted: &str) {
    under_way(tenant, job, counted).await;
    tenant.request(Method::POST, &format!("/jobs/{job}/cancel")).await.ok(200);
    jobs_are_done(tenant).await;
    let cancelled = tenant.get(&format!("/jobs/{job}")).await.ok(200);
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
}

/// Every change after a position, in order.
pub(crate) async fn changes_after(tenant: &Client, position: u64) -> Vec<Value> {
    let mut changes: Vec<Value> = Vec::new();
    let mut after = position;
    loop {
        let page = tenant.get(&format!("/changes?after={after}&wait=0")).await.ok(200);
        let Some(last) = results(&page).last() else { return changes };
        after = sequence(last);
        changes.extend(results(&page).iter().cloned());
    }
}

/// The position of a change; the wire has it as a number or as its digits.
pub(crate) fn sequence(change: &Value) -> u64 {
    let sequence = &change["sequence"];
    let digits = sequence.as_str().and_then(|digits| digits.parse().ok());
    sequence.as_u64().or(digits).unwrap_or_else(|| panic!("no sequence in {change}"))
}

/// The kinds of changes, in order.
pub(crate) fn kinds(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["kind"].as_str().unwrap()).collect()
}

/// Where the log of a tenant ends; later compared with where it ends then.
pub(crate) struct Silence<'a> {
    tenant: &'a Tenant,
    position: u64,
}

impl<'a> Silence<'a> {
    /// Remembers where the log ends now.
    pub(crate) async fn begins(tenant: &'a Tenant) -> Self {
        let position = changes_after(tenant, 0).await.last().map_or(0, sequence);
        Self { tenant, position }
    }

    /// Fails where anything has been logged since.
    pub(crate) async fn holds(&self) {
        let changes = changes_after(self.tenant, self.position).await;
        assert!(changes.is_empty(), "something has changed: {changes:#?}");
    }

    /// What has been logged since.
    pub(crate) async fn broken_by(&self) -> Vec<Value> {
        changes_after(self.tenant, self.position).await
    }
}
