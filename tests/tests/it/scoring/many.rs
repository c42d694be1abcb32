//! Many records at once, as a job.

use serde_json::{Value, json};
use tests::{Tenant, TestServer};

use super::{counted, criterion};
use crate::fixture::{Silence, cancelled_under_way, create_id, id, jobs_are_done, killed_under_way, kinds, results};

/// Has contacts assessed, and gives the job once it is done.
async fn assess_many(tenant: &Tenant, body: Value) -> Value {
    let accepted = tenant.post("/scores/fit/assess", &body).await.ok(202);
    jobs_are_done(tenant).await;
    tenant.get(&format!("/jobs/{}", id(&accepted["job"]))).await.ok(200)
}

async fn many_are_assessed_by_a_job(server: TestServer) {
    let tenant = server.tenant("generic").await;
    criterion(&tenant, "Given", "subject.customer_value", "1").await;
    let inputs: Vec<Value> = (0..130)
        .map(|number| json!({"properties": {"first_name": "Ada", "last_name": "Lovelace", "customer_value": number % 100}}))
        .collect();
    tenant.post("/records/contact/batch/create", &json!({"inputs": inputs})).await.ok(207);
    let filter = json!({"property": "customer_value", "op": "gte", "value": 90});
    let job = assess_many(&tenant, json!({"object": "contact", "filter": filter})).await;
    assert_eq!((&job["kind"], &job["state"], &job["spec"]["filter"]), (&json!("assess"), &json!("done"), &filter));
    assert_eq!((&job["progress"]["done"], &job["counts"]["updated"]), (&json!(10), &json!(10)));
    assert_eq!(counted(&tenant).await, (20, 20));
    let job = assess_many(&tenant, json!({"object": "contact"})).await;
    assert_eq!(
        (&job["progress"]["done"], &job["counts"]["updated"], &job["counts"]["unchanged"]),
        (&json!(130), &json!(120), &json!(10))
    );
    assert_eq!((counted(&tenant).await, &job["counts"]["failed"]), ((260, 260), &json!(0)));
    let quiet = Silence::begins(&tenant).await;
    assert_eq!(assess_many(&tenant, json!({"object": "contact"})).await["counts"]["unchanged"], 130);
    assert!(kinds(&quiet.broken_by().await).iter().all(|kind| !kind.starts_with("record")));
    let best = tenant.get("/scores/fit/ranking?object=contact&limit=3").await.ok(200);
    assert_eq!(results(&best).iter().map(|found| &found["total"]).collect::<Vec<_>>(), [99, 98, 97]);
    let all = json!({"object": "contact"});
    let post = || tenant.post("/scores/fit/assess", &all).header("idempotency-key", "once");
    let (first, again) = (post().await, post().await);
    assert_eq!((again.header("idempotent-replayed"), again.ok(202)), ("true", first.ok(202)));
    let product = create_id(&tenant, "product", json!({"name": "Roof"})).await;
    let job = assess_many(&tenant, json!({"object": "contact", "for": product, "filter": filter})).await;
    assert_eq!((&job["counts"]["updated"], &job["spec"]["for"]), (&json!(10), &json!(product)));
    for (body, pointers) in [
        (json!({}), vec!["/object"]),
        (json!({"object": "contcat", "for": "x"}), vec!["/object", "/for"]),
        (json!({"object": "deal"}), vec!["/object"]),
        (json!({"object": "contact", "filter": {"property": "nmae", "op": "exists"}}), vec!["/filter/property"]),
        (json!({"object": "contact", "filter": 7, "sort": 1}), vec!["/filter", "/sort"]),
    ] {
        let refused = tenant.post("/scores/fit/assess", &body).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }
}

/// So many contacts.
async fn contacts(tenant: &Tenant, many: usize) {
    let input =
        |worth: usize| json!({"properties": {"first_name": "Ada", "last_name": "L", "customer_value": worth % 100}});
    let inputs: Vec<Value> = (0..many).map(input).collect();
    tenant.post("/records/contact/batch/create", &json!({"inputs": inputs, "atomic": true})).await.ok(200);
}

async fn begin(tenant: &Tenant) -> String {
    id(&tenant.post("/scores/fit/assess", &json!({"object": "contact"})).await.ok(202)["job"])
}

async fn a_job_goes_on_after_its_server_was_killed(mut server: TestServer) {
    let tenant = server.tenant("generic").await;
    criterion(&tenant, "Given", "subject.customer_value", "1").await;
    contacts(&tenant, 300).await;
    let job = begin(&tenant).await;
    let (tenant, job) = killed_under_way(&mut server, &tenant, &job, "done").await;
    assert_eq!(
        (&job["state"], &job["progress"]["done"], &job["counts"]["failed"]),
        (&json!("done"), &json!(300), &json!(0))
    );
    // Whatever was assessed twice stands once, and nothing was left out.
    assert_eq!(counted(&tenant).await, (600, 600));
}

async fn a_cancelled_job_keeps_what_it_did(server: TestServer) {
    let tenant = server.tenant("generic").await;
    criterion(&tenant, "Given", "subject.customer_value", "1").await;
    contacts(&tenant, 300).await;
    let job = begin(&tenant).await;
    cancelled_under_way(&tenant, &job, "done").await;
    // What was being written when it was cancelled may come between the two counts.
    let all = loop {
        let (all, standing) = counted(&tenant).await;
        if all == standing {
            break all;
        }
    };
    assert!((2..600).contains(&all), "{all}");
    let rest = assess_many(&tenant, json!({"object": "contact"})).await;
    let counts = [&rest["counts"]["updated"], &rest["counts"]["unchanged"]].map(|count| count.as_u64().unwrap());
    // What was being written when it was cancelled may have come after the count.
    assert!(counts[0] > 0 && counts[0] + counts[1] == 300 && counts[1] * 2 >= all, "{counts:?} {all}");
    assert_eq!(counted(&tenant).await, (600, 600));
}

scenarios![many_are_assessed_by_a_job, a_job_goes_on_after_its_server_was_killed, a_cancelled_job_keeps_what_it_did,];
