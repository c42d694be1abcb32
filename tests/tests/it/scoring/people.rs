//! What people say of answers.

use serde_json::{Value, json};
use tests::TestServer;

use super::{assess, contact, criterion, history, lead_score, lines, score_of};
use crate::fixture::Silence;

async fn what_a_person_says_stands_until_it_is_taken_back(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (size, reach) =
        (criterion(&tenant, "Size", "20", "1").await, criterion(&tenant, "Reach", "subject.email != null", "1").await);
    let ada = contact(&tenant, json!({"email": "ada@example.com"})).await;
    let (member, user) = tenant.user("mia", "member").await;
    let of = |criterion: &str| format!("{}/criteria/{criterion}", score_of(&ada));
    // Before any rule has answered.
    let said = json!({"score": 40, "rationale": "I know her"});
    let said = member.put(&of(&size), &said).header("idempotency-key", "k").await.ok(200);
    assert_eq!(
        (&said["total"], &lines(&said)[..]),
        (&json!(40), &[("Size", Some(40), Some("person")), ("Reach", None, None)][..])
    );
    let first = &said["criteria"][0];
    assert_eq!((&first["user"], &first["review"]), (&json!(user), &json!("accepted")));
    assert_eq!((&first["rationale"], &first["rule"]), (&json!("I know her"), &Value::Null));
    assert_eq!(said["rationale"], "Size: 40 of 100, by a person, weight 1\nReach: not answered, weight 1");
    let again = member.put(&of(&size), &json!({"score": 40, "rationale": "I know her"})).header("idempotency-key", "k");
    let again = again.await;
    assert_eq!((again.header("idempotent-replayed"), again.ok(200)), ("true", said));

    // Rules answer beside it, and it stays.
    let assessed = assess(&tenant, &ada).await;
    assert_eq!(assessed["total"], 70);
    assert_eq!(lines(&assessed), [("Size", Some(40), Some("person")), ("Reach", Some(100), Some("rule"))]);
    assert_eq!(assessed["criteria"][0]["rule"]["score"], 20);
    let changed = json!({"properties": {"expression": "30"}});
    tenant.patch(&format!("/records/fit_criterion/{size}"), &changed).await.ok(200);
    let assessed = assess(&tenant, &ada).await;
    assert_eq!((&assessed["total"], &assessed["criteria"][0]["rule"]["score"]), (&json!(70), &json!(30)));
    // Another override stands in place of the first; the same once more changes nothing.
    let other = json!({"score": 60, "rationale": "Met her"});
    let other = tenant.put(&of(&size), &other).await.ok(200);
    assert_eq!((&other["total"], lines(&other)[0].1), (&json!(80), Some(60)));
    let quiet = Silence::begins(&tenant).await;
    tenant.put(&of(&size), &json!({"score": 60, "rationale": "Met her"})).await.ok(200);
    assess(&tenant, &ada).await;
    quiet.holds().await;

    // Taken back, what the rule said last counts.
    let back = tenant.delete(&of(&size)).await.ok(200);
    assert_eq!((&back["total"], lines(&back)[0]), (&json!(65), ("Size", Some(30), Some("rule"))));
    tenant.delete(&of(&size)).await.problem(404, "not_found");
    // Both overrides and both answers of the rule are history.
    let past = history(&tenant, &ada, "").await;
    let of_size: Vec<_> = past.iter().filter(|entry| entry["criterion"]["id"] == json!(size)).collect();
    let mut told: Vec<_> = of_size
        .iter()
        .map(|entry| (entry["score"].as_i64().unwrap(), entry["by"].as_str().unwrap(), entry["current"] == true))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(20, "rule", false), (30, "rule", true), (40, "person", false), (60, "person", false)]);

    // What is rejected does not count, and is not asked for again as long as it says the same.
    let review = |review: &str| json!({"review": review});
    let at = format!("{}/review", of(&reach));
    let rejected = tenant.put(&at, &review("rejected")).await.ok(200);
    assert_eq!((&rejected["total"], &rejected["criteria"][1]["review"]), (&json!(30), &json!("rejected")));
    assert_eq!(assess(&tenant, &ada).await["total"], 30);
    assert_eq!(lead_score(&tenant, &ada).await, 30);
    let accepted = tenant.put(&at, &review("accepted")).await.ok(200);
    assert_eq!((&accepted["total"], &accepted["criteria"][1]["review"]), (&json!(65), &json!("accepted")));
    tenant.put(&at, &review("rejected")).await.ok(200);
    tenant.patch(&format!("/records/contact/{ada}"), &json!({"properties": {"email": null}})).await.ok(200);
    let anew = assess(&tenant, &ada).await;
    assert_eq!((&anew["total"], &anew["criteria"][1]["review"]), (&json!(15), &json!("pending")));
}

scenarios![what_a_person_says_stands_until_it_is_taken_back,];
