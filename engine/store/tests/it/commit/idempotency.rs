//! A key makes a unit happen once.

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence};
use engine_store::commit::Outcome;
use engine_store::idempotency::{self, LIFETIME_MICROS, StoredReply};
use futures::future::join_all;

use crate::build::{NOW, New, claim, create, insert, unit, update};
use crate::fixture::{Home, committed};
use crate::on_both;

on_both!(
    same_request_is_answered_the_same_and_happens_once,
    other_request_under_the_key_is_refused,
    key_belongs_to_its_tenant,
    key_is_used_once_within_a_group,
    key_is_free_after_its_lifetime,
    kept_reply_outlives_the_definitions,
    refused_unit_keeps_no_reply,
    unit_that_changes_nothing_keeps_its_reply,
    reply_is_kept_letter_by_letter,
    expired_replies_are_forgotten,
);

mod concurrent {
    use super::request_sent_many_times_at_once_happens_once;
    use crate::on_both;

    on_both!(threads; request_sent_many_times_at_once_happens_once);
}

fn replayed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Replayed(reply) => reply.body,
        other => panic!("not replayed: {other:?}"),
    }
}

async fn same_request_is_answered_the_same_and_happens_once(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0)).key("k", "f")).await;
    for _ in 0..2 {
        let again = home.commit(unit(tenant).item(create("Ada", 0)).key("k", "f")).await;
        assert_eq!(replayed(again), format!(r#"{{"id":"{id}"}}"#));
    }
    assert_eq!(home.log(tenant).await.len(), 1);
    let kept = idempotency::get(&mut home.reader(tenant).await, "k", NOW).await.unwrap().unwrap();
    assert_eq!((kept.fingerprint.as_str(), kept.status, kept.headers.as_str()), ("f", 201, "{}"));
    assert_eq!((kept.body, kept.created_at), (format!(r#"{{"id":"{id}"}}"#), NOW.0));
}

async fn other_request_under_the_key_is_refused(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("Ada", 0)).key("k", "f")).await;
    let other = home.commit(unit(tenant).item(create("Eve", 0)).key("k", "g")).await;
    assert!(matches!(other, Outcome::KeyReused), "{other:?}");
    assert_eq!(home.log(tenant).await.len(), 1);
}

async fn key_belongs_to_its_tenant(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    home.insert(unit(tenant).item(create("Ada", 0)).key("k", "f")).await;
    home.insert(unit(other).item(create("Eve", 0)).key("k", "g")).await;
    assert!(idempotency::get(&mut home.reader(other).await, "K", NOW).await.unwrap().is_none());
}

async fn key_is_used_once_within_a_group(home: Home) {
    let tenant = home.tenant().await;
    let make = |fingerprint| unit(tenant).item(create("Ada", 0)).key("k", fingerprint).build();
    let mut outcomes = home.group(tenant, vec![make("f"), make("f"), make("g"), make("f")]).await.into_iter();
    assert_eq!(committed(outcomes.next().unwrap()).inserted, [Some(RecordId(1))]);
    assert_eq!(replayed(outcomes.next().unwrap()), r#"{"id":"1"}"#);
    assert!(matches!(outcomes.next(), Some(Outcome::KeyReused)));
    assert_eq!(replayed(outcomes.next().unwrap()), r#"{"id":"1"}"#);
    assert_eq!(home.log(tenant).await.len(), 1);
}

async fn key_is_free_after_its_lifetime(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("Ada", 0)).key("k", "f")).await;
    let last = Timestamp(NOW.0 + LIFETIME_MICROS - 1);
    assert_eq!(
        replayed(home.commit(unit(tenant).at(last).item(create("Ada", 0)).key("k", "f")).await),
        r#"{"id":"1"}"#
    );
    let after = Timestamp(NOW.0 + LIFETIME_MICROS);
    assert!(idempotency::get(&mut home.reader(tenant).await, "k", last).await.unwrap().is_some());
    assert!(idempotency::get(&mut home.reader(tenant).await, "k", after).await.unwrap().is_none());
    assert_eq!(home.insert(unit(tenant).at(after).item(create("Ada", 0)).key("k", "other")).await, RecordId(2));
    let again = home.commit(unit(tenant).at(after).item(create("Ada", 0)).key("k", "other")).await;
    assert_eq!(replayed(again), r#"{"id":"2"}"#);
}

async fn kept_reply_outlives_the_definitions(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("Ada", 0)).key("k", "f")).await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    tx.head.metadata_version += 1;
    tx.commit().await.unwrap();
    assert_eq!(replayed(home.commit(unit(tenant).item(create("Ada", 0)).key("k", "f")).await), r#"{"id":"1"}"#);
}

async fn refused_unit_keeps_no_reply(home: Home) {
    let tenant = home.tenant().await;
    let ada = home.insert(unit(tenant).item([insert("Ada"), claim(New(0), "a")])).await;
    let taken = || unit(tenant).atomic().item([insert("Eve"), claim(New(0), "a")]).key("k", "f");
    assert!(matches!(home.commit(taken()).await, Outcome::Refused(_)));
    let outdated = unit(tenant).metadata_version(9).item(create("Eve", 0)).key("k", "f");
    assert!(matches!(home.commit(outdated).await, Outcome::Outdated));
    home.done(unit(tenant).item([update(ada, 1, "gives it back"), crate::build::release(ada, "a")])).await;
    home.insert(taken()).await;
}

async fn unit_that_changes_nothing_keeps_its_reply(home: Home) {
    let tenant = home.tenant().await;
    assert_eq!(home.done(unit(tenant).key("k", "f")).await.sequence, Sequence(0));
    assert_eq!(replayed(home.commit(unit(tenant).key("k", "f")).await), r#"{"id":"0"}"#);
}

async fn reply_is_kept_letter_by_letter(home: Home) {
    let tenant = home.tenant().await;
    let reply = StoredReply {
        status: 207,
        headers: r#"{"ETag":"\"1\""}"#.to_owned(),
        body: "{\"a\":\"\\u0000 \u{1} é 🦀\\\\\"}\n".to_owned(),
    };
    let replying = || {
        let reply = reply.clone();
        unit(tenant).item(create("Ada", 0)).reply("k \"'\\", "f", move |_| reply)
    };
    home.insert(replying()).await;
    let Outcome::Replayed(kept) = home.commit(replying()).await else { panic!("a kept reply") };
    assert_eq!(kept, reply);

    let mut tx = home.store.begin(tenant).await.unwrap();
    idempotency::put(&mut tx, "tx", "f", &reply, NOW).await.unwrap();
    tx.commit().await.unwrap();
    let kept = idempotency::get(&mut home.reader(tenant).await, "tx", NOW).await.unwrap().unwrap();
    assert_eq!((kept.status, kept.headers, kept.body), (reply.status, reply.headers.clone(), reply.body.clone()));
    assert_eq!(home.commit(unit(tenant).key("tx", "f")).await.into_reply(), reply);
}

async fn expired_replies_are_forgotten(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    for (tenant, key, at) in
        [(tenant, "old", NOW.0 - 1), (tenant, "edge", NOW.0), (tenant, "new", NOW.0 + 1), (other, "old", 0)]
    {
        home.done(unit(tenant).at(Timestamp(at)).key(key, "f")).await;
    }
    let now = Timestamp(NOW.0 + LIFETIME_MICROS);
    for forgotten in [1, 1, 0] {
        assert_eq!(idempotency::expire(&home.store, tenant, now, 1).await.unwrap(), forgotten);
    }
    assert_eq!(home.raw().await.texts("select key from idempotency order by key").await, ["new", "old"]);
}

async fn request_sent_many_times_at_once_happens_once(home: Home) {
    let tenant = home.tenant().await;
    let tasks = (0..64).map(|_| {
        let (store, unit) = (home.store.clone(), unit(tenant).item(create("Ada", 0)).key("k", "f").build());
        tokio::spawn(async move { store.commit(unit).await })
    });
    let mut done = 0;
    for outcome in join_all(tasks).await {
        match outcome.unwrap().unwrap() {
            Outcome::Committed(committed) => {
                assert_eq!(committed.inserted, [Some(RecordId(1))]);
                done += 1;
            }
            other => assert_eq!(replayed(other), r#"{"id":"1"}"#),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(home.raw().await.number("select count(*) from record").await, 1);
}

trait IntoReply {
    fn into_reply(self) -> StoredReply;
}

impl IntoReply for Outcome {
    fn into_reply(self) -> StoredReply {
        match self {
            Self::Replayed(reply) => reply,
            other => panic!("not replayed: {other:?}"),
        }
    }
}
