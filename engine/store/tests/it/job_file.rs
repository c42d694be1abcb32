//! Files that jobs have made: whose they are, and when they go.

use engine_model::time::Timestamp;
use engine_model::{JobId, TenantId};
use engine_store::job::{self, Holder};
use engine_store::{counter, job_file};

use crate::fixture::Home;
use crate::on_both;

on_both![
    a_file_is_written_by_whoever_holds_its_job,
    an_attempt_begins_with_nothing_of_the_one_before,
    files_go_when_their_jobs_come_to_nothing_or_have_long_been_done,
    parts_are_counted_up_to_a_limit,
];

/// A job that is held until 50.
async fn running(home: &Home, tenant: TenantId) -> JobId {
    let mut tx = home.store.begin(tenant).await.unwrap();
    let id = JobId(counter::next(&mut tx, "job").await.unwrap());
    // Each of a kind of its own, so that none waits for another.
    job::create(&mut tx, id, &format!("export {id}"), "queued", "{}", None, Timestamp(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(job::claim(&home.store, tenant, id, Timestamp(50), Timestamp(10)).await.unwrap());
    id
}

async fn add(home: &Home, tenant: TenantId, id: JobId, held: i64, part: i64, content: &[u8]) -> bool {
    job_file::add(&home.store, tenant, id, Timestamp(held), part, content.to_vec()).await.unwrap()
}

async fn part(home: &Home, tenant: TenantId, id: JobId, part: i64) -> Option<Vec<u8>> {
    job_file::part(&mut home.reader(tenant).await, id, part).await.unwrap()
}

async fn end(home: &Home, tenant: TenantId, id: JobId, state: &str, at: i64) {
    assert!(job::end(&home.store, tenant, id, Holder::Any, state, "{}", Timestamp(at)).await.unwrap());
}

async fn a_file_is_written_by_whoever_holds_its_job(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let id = running(&home, tenant).await;
    assert!(add(&home, tenant, id, 50, 0, b"a\x00\xFF").await);
    assert!(!add(&home, tenant, id, 49, 1, b"of somebody who held it before").await);
    assert!(!add(&home, other, id, 50, 1, b"of another tenant").await);
    assert_eq!(part(&home, tenant, id, 0).await, Some(b"a\x00\xFF".to_vec()));
    assert_eq!(part(&home, tenant, id, 1).await, None);
    assert_eq!(part(&home, other, id, 0).await, None);
    end(&home, tenant, id, "cancelled", 20).await;
    assert!(!add(&home, tenant, id, 50, 1, b"too late").await);
}

async fn an_attempt_begins_with_nothing_of_the_one_before(home: Home) {
    let tenant = home.tenant().await;
    let (id, other) = (running(&home, tenant).await, running(&home, tenant).await);
    for number in 0..40 {
        assert!(add(&home, tenant, id, 50, number, b"old").await);
    }
    assert!(add(&home, tenant, other, 50, 0, b"kept").await);
    assert!(job::claim(&home.store, tenant, id, Timestamp(90), Timestamp(60)).await.unwrap());
    job_file::restart(&home.store, tenant, id, Timestamp(50)).await.unwrap();
    assert_eq!(part(&home, tenant, id, 0).await, Some(b"old".to_vec()), "who held it before takes nothing away");
    job_file::restart(&home.store, tenant, id, Timestamp(90)).await.unwrap();
    assert_eq!((part(&home, tenant, id, 0).await, part(&home, tenant, id, 39).await), (None, None));
    assert!(add(&home, tenant, id, 90, 0, b"new").await);
    job_file::restart(&home.store, tenant, id, Timestamp(50)).await.unwrap();
    assert_eq!(part(&home, tenant, id, 0).await, Some(b"new".to_vec()));
    assert_eq!(part(&home, tenant, other, 0).await, Some(b"kept".to_vec()));
}

async fn files_go_when_their_jobs_come_to_nothing_or_have_long_been_done(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut ids = Vec::new();
    for (state, at) in [("done", 100), ("done", 101), ("failed", 200), ("cancelled", 200), ("", 0)] {
        let id = running(&home, tenant).await;
        assert!(add(&home, tenant, id, 50, 0, b"x").await);
        if !state.is_empty() {
            end(&home, tenant, id, state, at).await;
        }
        ids.push(id);
    }
    // Without a file there is nothing to take away.
    let without = running(&home, tenant).await;
    end(&home, tenant, without, "failed", 20).await;
    let over = async |limit| job_file::over(&mut home.reader(tenant).await, Timestamp(100), limit).await.unwrap();
    assert_eq!(over(10).await, [ids[0], ids[2], ids[3]]);
    assert_eq!(over(1).await, [ids[0]]);
    assert_eq!(job_file::over(&mut home.reader(other).await, Timestamp(100), 10).await.unwrap(), []);
    job_file::discard(&home.store, other, ids[0]).await.unwrap();
    assert_eq!(over(10).await.len(), 3);
    job_file::discard(&home.store, tenant, ids[0]).await.unwrap();
    assert_eq!(over(10).await, [ids[2], ids[3]]);
    assert_eq!(part(&home, tenant, ids[0], 0).await, None);
    assert_eq!(part(&home, tenant, ids[1], 0).await, Some(b"x".to_vec()));
    // What is forgotten altogether takes its file along.
    assert_eq!(job::forget(&home.store, tenant, Timestamp(500), 10).await.unwrap(), 5);
    assert_eq!(part(&home, tenant, ids[1], 0).await, None);
    assert_eq!(part(&home, tenant, ids[4], 0).await, Some(b"x".to_vec()));
}

async fn parts_are_counted_up_to_a_limit(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    for (of, parts) in [(tenant, 3), (tenant, 2), (other, 1)] {
        let id = running(&home, of).await;
        for number in 0..parts {
            assert!(add(&home, of, id, 50, number, b"x").await);
        }
    }
    let kept = async |of, limit| job_file::kept(&mut home.reader(of).await, limit).await.unwrap();
    assert_eq!((kept(tenant, 10).await, kept(tenant, 4).await, kept(other, 10).await), (5, 4, 1));
}
