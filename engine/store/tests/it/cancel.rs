//! Callers that go away in the middle leave no lock and no half write.

use std::task::Poll;

use engine_model::TenantId;
use engine_store::definition::{self, Kind};
use futures::poll;

use crate::build::{NOW, New, claim, create, email, insert, log, unit};
use crate::fixture::{Home, committed};
use crate::on_both;

on_both!(
    dropped_transaction_changes_nothing_and_frees_the_tenant,
    transaction_dropped_while_it_begins_frees_the_tenant,
    transaction_dropped_within_a_statement_changes_nothing,
    transaction_dropped_within_its_commit_is_whole,
    commit_dropped_while_it_waits_is_not_begun,
    commit_dropped_at_any_moment_is_whole,
    reader_dropped_within_a_statement_leaves_a_working_pool,
);

async fn put(home: &Home, tenant: TenantId, name: &str) -> engine_store::Tx {
    let mut tx = home.store.begin(tenant).await.unwrap();
    definition::put(&mut tx, Kind::Object, name, "{}".to_owned(), NOW).await.unwrap();
    tx.head.metadata_version += 1;
    tx
}

async fn names(home: &Home) -> Vec<String> {
    home.raw().await.texts("select name from object_definition order by name").await
}

async fn dropped_transaction_changes_nothing_and_frees_the_tenant(home: Home) {
    let tenant = home.tenant().await;
    for _ in 0..20 {
        drop(put(&home, tenant, "dropped").await);
    }
    home.insert(unit(tenant).item(create("after", 0))).await;
    put(&home, tenant, "kept").await.commit().await.unwrap();
    assert_eq!(names(&home).await, ["kept"]);
    let head = home.reader(tenant).await.head().await.unwrap();
    assert_eq!((head.metadata_version, head.last_sequence), (2, 1));
}

async fn transaction_dropped_while_it_begins_frees_the_tenant(home: Home) {
    let tenant = home.tenant().await;
    // The further it gets, the more it holds when it is dropped.
    for polls in 0..40 {
        let mut beginning = Box::pin(home.store.begin(tenant));
        for _ in 0..polls {
            if poll!(&mut beginning).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    home.insert(unit(tenant).metadata_version(1).item(create("after", 0))).await;
}

async fn transaction_dropped_within_a_statement_changes_nothing(home: Home) {
    let tenant = home.tenant().await;
    for polls in 0..20 {
        let mut tx = home.store.begin(tenant).await.unwrap();
        let mut putting = Box::pin(definition::put(&mut tx, Kind::Object, "dropped", "{}".to_owned(), NOW));
        for _ in 0..polls {
            if poll!(&mut putting).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    put(&home, tenant, "kept").await.commit().await.unwrap();
    assert_eq!(names(&home).await, ["kept"]);
}

async fn transaction_dropped_within_its_commit_is_whole(home: Home) {
    let tenant = home.tenant().await;
    for polls in 0..20_i64 {
        let name = format!("object_{polls:02}");
        let mut committing = Box::pin(put(&home, tenant, &name).await.commit());
        for _ in 0..polls {
            if poll!(&mut committing).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(committing);
        // The next transaction waits until that one has ended, one way or the other.
        drop(home.store.begin(tenant).await.unwrap());
    }
    let head = home.reader(tenant).await.head().await.unwrap();
    assert_eq!(head.metadata_version, 1 + i64::try_from(names(&home).await.len()).unwrap());
}

async fn commit_dropped_while_it_waits_is_not_begun(home: Home) {
    let tenant = home.tenant().await;
    let tx = home.store.begin(tenant).await.unwrap();
    let mut first = Box::pin(home.store.commit(unit(tenant).item(create("first", 0)).build()));
    assert!(poll!(&mut first).is_pending());
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let mut abandoned = Box::pin(home.store.commit(unit(tenant).item(create("abandoned", 0)).build()));
    let mut last = Box::pin(home.store.commit(unit(tenant).item(create("last", 0)).build()));
    assert!(poll!(&mut abandoned).is_pending() && poll!(&mut last).is_pending());
    drop(abandoned);
    tx.commit().await.unwrap();
    committed(first.await.unwrap());
    committed(last.await.unwrap());
    assert_eq!(home.raw().await.texts("select display_name from record order by id").await, ["first", "last"]);
    assert_eq!(home.log(tenant).await.iter().map(|row| row.sequence).collect::<Vec<_>>(), [1, 2]);
}

async fn commit_dropped_at_any_moment_is_whole(home: Home) {
    let tenant = home.tenant().await;
    for polls in 0..60 {
        let name = format!("{polls}");
        let item = [insert(&name), claim(New(0), &name), log(engine_model::change::ChangeKind::RecordCreated, New(0))];
        let mut committing = Box::pin(home.store.commit(unit(tenant).item(item).build()));
        for _ in 0..polls {
            if let Poll::Ready(outcome) = poll!(&mut committing) {
                committed(outcome.unwrap());
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // What was accepted is finished before this one.
    home.done(unit(tenant)).await;
    let mut raw = home.raw().await;
    let records = raw.number("select count(*) from record").await;
    let mut holders = Vec::new();
    for polls in 0..60 {
        let mut reader = home.reader(tenant).await;
        let found = engine_store::record::holders(&mut reader, &[email(&format!("{polls}"))]).await.unwrap();
        holders.extend(found.into_iter().map(|(_, holder)| holder.0));
    }
    holders.sort_unstable();
    assert_eq!(holders, (1..=records).collect::<Vec<_>>());
    let log = home.log(tenant).await;
    assert_eq!(log.iter().map(|row| row.sequence).collect::<Vec<_>>(), (1..=records).collect::<Vec<_>>());
    assert_eq!(log.iter().filter_map(|row| row.record_id).collect::<Vec<_>>(), (1..=records).collect::<Vec<_>>());
}

async fn reader_dropped_within_a_statement_leaves_a_working_pool(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("a", 0))).await;
    for polls in 0..60 {
        let mut reading = Box::pin(home.log(tenant));
        for _ in 0..polls % 12 {
            if poll!(&mut reading).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    for _ in 0..20 {
        assert_eq!(home.log(tenant).await.len(), 1);
    }
}
