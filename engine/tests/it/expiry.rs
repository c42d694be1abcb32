//! What has had its time is forgotten, of every tenant, and nothing before.

use engine::NewTenant;
use engine::model::time::Timestamp;
use engine::model::{JobId, TenantId};
use engine_store::idempotency::{self, StoredReply};
use engine_store::job::{self, Holder};
use engine_store::{Store, counter, tenant};

use crate::support::Home;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Keeps a reply and a job that is over.
async fn leave(store: &Store, tenant: TenantId, now: Timestamp) {
    let mut tx = store.begin(tenant).await.expect("a transaction");
    let reply = StoredReply { status: 200, headers: "{}".to_owned(), body: "{}".to_owned() };
    idempotency::put(&mut tx, "key", "request", &reply, now).await.expect("a kept reply");
    let id = JobId(counter::next(&mut tx, "job").await.expect("a number"));
    job::create(&mut tx, id, "import", "queued", "{}", None, now).await.expect("a job");
    tx.commit().await.expect("a commit");
    assert!(job::end(store, tenant, id, Holder::Any, "done", "{}", now).await.expect("an end"));
}

/// How many replies and jobs there are.
async fn left(store: &Store, tenant: TenantId) -> (usize, usize) {
    let mut reader = store.read(tenant).await.expect("a reader");
    let reply = idempotency::get(&mut reader, "key", Timestamp(0)).await.expect("a look");
    let jobs = job::list(&mut reader, i64::MAX, None, 10).await.expect("a list");
    (usize::from(reply.is_some()), jobs.len())
}

#[tokio::test]
async fn replies_go_after_a_day_and_jobs_after_ninety() {
    let home = Home::open().await;
    let new = NewTenant { slug: "second".to_owned(), ..NewTenant::default() };
    home.engine.tenant_create(new, None).await.expect("a tenant");
    let (store, tenants) = (home.store().await, [TenantId(1), TenantId(2)]);
    for tenant in tenants {
        leave(&store, tenant, home.engine.now()).await;
    }
    for (pause, replies, jobs) in [(DAY - 1, 1, 1), (1, 0, 1), (89 * DAY - 1, 0, 1), (1, 0, 0)] {
        home.clock.advance(pause);
        home.engine.forget_expired().await.expect("nothing in the way");
        for tenant in tenants {
            assert_eq!(left(&store, tenant).await, (replies, jobs), "after {pause}");
        }
    }
}

#[tokio::test]
async fn tenant_that_nobody_goes_on_importing_goes_after_an_hour() {
    const HOUR: i64 = DAY / 24;
    let home = Home::open().await;
    let store = home.store().await;
    let row = tenant::get(&mut store.read(TenantId(1)).await.expect("a reader")).await.expect("a look");
    let row = row.expect("a tenant");
    let unfinished = tenant::begin_unfinished(&store, &row, "mark", home.engine.now()).await.expect("an import");
    for (pause, is_there) in [(HOUR, true), (HOUR, true), (HOUR + 1, false)] {
        home.clock.advance(pause);
        home.engine.forget_expired().await.expect("nothing in the way");
        // A look is a sign of life.
        let found = tenant::write_unfinished(&store, &unfinished, home.engine.now()).await.expect("a look");
        assert_eq!(found.is_some(), is_there);
        if let Some(tx) = found {
            tx.commit().await.expect("a commit");
        }
    }
    assert_eq!(home.engine.tenants(0, 10).await.expect("a list").len(), 1);
}
