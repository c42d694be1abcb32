//! Jobs: in whose hands they are, what comes in for them, what goes wrong in them.

use engine_model::time::Timestamp;
use engine_model::{JobId, TenantId, UserId};
use engine_store::counter;
use engine_store::job::{self, Holder, InputExtent};

use crate::fixture::Home;
use crate::on_both;

on_both![
    a_job_belongs_to_one_worker_until_its_lease_ends,
    only_the_holder_keeps_progress_gives_back_or_ends,
    jobs_of_a_kind_wait_for_each_other_within_a_tenant,
    input_comes_in_parts_as_long_as_the_job_takes_it,
    a_job_that_ends_forgets_its_input_and_ends_once,
    errors_are_read_in_order_and_replaced,
    jobs_are_listed_newest_first_and_by_who_asked,
    uploads_that_rest_are_found,
    other_tenants_see_nothing,
    jobs_that_have_long_been_over_are_forgotten,
];

const DAY: i64 = 86_400_000_000;

async fn add(home: &Home, tenant: TenantId, kind: &str, state: &str, by: i64, at: i64) -> JobId {
    let mut tx = home.store.begin(tenant).await.unwrap();
    let id = JobId(counter::next(&mut tx, "job").await.unwrap());
    job::create(&mut tx, id, kind, state, "{}", Some(UserId(by)), Timestamp(at)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn claim(home: &Home, tenant: TenantId, id: JobId, until: i64, now: i64) -> bool {
    job::claim(&home.store, tenant, id, Timestamp(until), Timestamp(now)).await.unwrap()
}

/// State, progress and last change.
async fn look(home: &Home, tenant: TenantId, id: JobId) -> (String, String, i64) {
    let row = job::get(&mut home.reader(tenant).await, id).await.unwrap().unwrap();
    (row.state, row.progress, row.updated_at)
}

/// Jobs of `tenant` that nobody works on.
async fn waiting(home: &Home, tenant: TenantId, now: i64) -> Vec<JobId> {
    let found = job::waiting(&home.store, Timestamp(now), 10_000).await.unwrap();
    found.into_iter().filter(|(of, _)| *of == tenant).map(|(_, id)| id).collect()
}

async fn a_job_belongs_to_one_worker_until_its_lease_ends(home: Home) {
    let tenant = home.tenant().await;
    let id = add(&home, tenant, "import", "queued", 1, 10).await;
    assert_eq!(waiting(&home, tenant, 20).await, [id]);
    assert!(claim(&home, tenant, id, 50, 20).await);
    assert!(!claim(&home, tenant, id, 60, 30).await);
    assert_eq!(waiting(&home, tenant, 50).await, []);
    assert_eq!(look(&home, tenant, id).await, ("running".to_owned(), "{}".to_owned(), 20));
    assert_eq!(waiting(&home, tenant, 51).await, [id]);
    assert!(claim(&home, tenant, id, 90, 51).await);
}

async fn only_the_holder_keeps_progress_gives_back_or_ends(home: Home) {
    let tenant = home.tenant().await;
    let id = add(&home, tenant, "import", "queued", 1, 10).await;
    assert!(claim(&home, tenant, id, 50, 20).await);
    let renew = async |held: i64, progress: &str, until: i64| {
        let (held, until) = (Timestamp(held), Timestamp(until));
        job::renew(&home.store, tenant, id, held, progress, Timestamp(30), until).await.unwrap()
    };
    assert!(renew(50, r#"{"rows":1}"#, 60).await);
    assert!(!renew(50, r#"{"rows":9}"#, 70).await);
    let release = async |held: i64| {
        job::release(&home.store, tenant, id, Timestamp(held), Timestamp(40), Timestamp(45)).await.unwrap()
    };
    assert!(!release(50).await);
    assert!(release(60).await);
    assert_eq!(look(&home, tenant, id).await, ("queued".to_owned(), r#"{"rows":1}"#.to_owned(), 40));
    assert!(!claim(&home, tenant, id, 90, 45).await, "not before that");
    assert!(claim(&home, tenant, id, 90, 46).await);
    let end =
        async |holder: Holder| job::end(&home.store, tenant, id, holder, "done", "{}", Timestamp(50)).await.unwrap();
    assert!(!end(Holder::Worker(Timestamp(60))).await);
    assert!(!end(Holder::Uploader).await);
    assert!(end(Holder::Worker(Timestamp(90))).await);
    assert!(!renew(90, "{}", 100).await);
    assert_eq!(waiting(&home, tenant, DAY).await, []);
}

async fn jobs_of_a_kind_wait_for_each_other_within_a_tenant(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let first = add(&home, tenant, "import", "queued", 1, 10).await;
    let second = add(&home, tenant, "import", "queued", 1, 11).await;
    let export = add(&home, tenant, "export", "queued", 1, 12).await;
    let elsewhere = add(&home, other, "import", "queued", 1, 13).await;
    assert_eq!(waiting(&home, tenant, 20).await, [first, export]);
    assert_eq!(waiting(&home, other, 20).await, [elsewhere]);
    assert!(!claim(&home, tenant, second, 50, 20).await);
    assert!(claim(&home, tenant, first, 50, 20).await);
    assert!(!claim(&home, tenant, second, 50, 20).await);
    let held = Holder::Worker(Timestamp(50));
    assert!(job::end(&home.store, tenant, first, held, "failed", "{}", Timestamp(30)).await.unwrap());
    assert!(claim(&home, tenant, second, 50, 30).await);
}

async fn input_comes_in_parts_as_long_as_the_job_takes_it(home: Home) {
    let tenant = home.tenant().await;
    let id = add(&home, tenant, "import", "uploading", 1, 10).await;
    let extent = async || job::input_extent(&mut home.reader(tenant).await, id).await.unwrap();
    assert_eq!(extent().await, InputExtent { parts: 0, last: -1, bytes: 0 });
    let put =
        async |part: i64, bytes: &[u8]| job::add_input(&home.store, tenant, id, part, bytes.to_vec()).await.unwrap();
    assert!(put(2, b"\x00\xFF").await);
    assert!(put(0, b"wrong").await);
    assert!(put(0, b"right!").await);
    assert_eq!(extent().await, InputExtent { parts: 2, last: 2, bytes: 8 });
    let get = async |part: i64| job::input(&mut home.reader(tenant).await, id, part).await.unwrap();
    assert_eq!((get(0).await, get(1).await, get(2).await), (Some(b"right!".to_vec()), None, Some(vec![0, 255])));
    let save = async |from: &str, to: &str| {
        job::save(&home.store, tenant, id, from, to, r#"{"total_bytes":8}"#, Timestamp(20)).await.unwrap()
    };
    assert!(save("uploading", "uploading").await);
    assert!(save("uploading", "queued").await);
    assert!(!save("uploading", "queued").await);
    assert!(!put(1, b"late").await);
    assert!(!job::add_input(&home.store, tenant, JobId(999), 0, vec![1]).await.unwrap());
    assert_eq!(extent().await.parts, 2);
    assert_eq!(look(&home, tenant, id).await, ("queued".to_owned(), r#"{"total_bytes":8}"#.to_owned(), 20));
}

async fn a_job_that_ends_forgets_its_input_and_ends_once(home: Home) {
    let tenant = home.tenant().await;
    let (id, kept) = (
        add(&home, tenant, "import", "uploading", 1, 10).await,
        add(&home, tenant, "import", "uploading", 1, 10).await,
    );
    for job in [id, kept] {
        assert!(job::add_input(&home.store, tenant, job, 0, vec![1, 2]).await.unwrap());
    }
    let end = async |state: &str| {
        job::end(&home.store, tenant, id, Holder::Any, state, r#"{"a":1}"#, Timestamp(20)).await.unwrap()
    };
    assert!(end("cancelled").await);
    assert!(!end("done").await);
    assert_eq!(look(&home, tenant, id).await, ("cancelled".to_owned(), r#"{"a":1}"#.to_owned(), 20));
    let mut reader = home.reader(tenant).await;
    assert_eq!(job::input_extent(&mut reader, id).await.unwrap().parts, 0);
    assert_eq!(job::input_extent(&mut reader, kept).await.unwrap().parts, 1);
}

async fn errors_are_read_in_order_and_replaced(home: Home) {
    let tenant = home.tenant().await;
    let id = add(&home, tenant, "import", "running", 1, 10).await;
    let put = async |errors: &[(i64, &str)]| {
        let errors: Vec<_> = errors.iter().map(|(row, detail)| (*row, (*detail).to_owned())).collect();
        job::add_errors(&home.store, tenant, id, &errors).await.unwrap();
    };
    put(&[(7, "seven"), (3, "thr\"ee\n")]).await;
    put(&[(7, "again"), (9, "nine")]).await;
    let errors =
        async |after: i64, limit: i64| job::errors(&mut home.reader(tenant).await, id, after, limit).await.unwrap();
    let all = [(3, "thr\"ee\n".to_owned()), (7, "again".to_owned()), (9, "nine".to_owned())];
    assert_eq!(errors(0, 10).await, all);
    assert_eq!(errors(3, 1).await, all[1..2]);
}

async fn jobs_are_listed_newest_first_and_by_who_asked(home: Home) {
    let tenant = home.tenant().await;
    let mut ids = Vec::new();
    for by in [1, 2, 1] {
        ids.push(add(&home, tenant, "import", "queued", by, 10).await.0);
    }
    let list = async |before: i64, by: Option<i64>, limit: i64| {
        let rows = job::list(&mut home.reader(tenant).await, before, by.map(UserId), limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(list(i64::MAX, None, 10).await, [ids[2], ids[1], ids[0]]);
    assert_eq!(list(ids[2], None, 1).await, [ids[1]]);
    assert_eq!(list(i64::MAX, Some(1), 10).await, [ids[2], ids[0]]);
}

async fn uploads_that_rest_are_found(home: Home) {
    let tenant = home.tenant().await;
    let resting = add(&home, tenant, "import", "uploading", 1, 10).await;
    let going_on = add(&home, tenant, "import", "uploading", 1, 10).await;
    add(&home, tenant, "import", "queued", 1, 10).await;
    assert!(job::save(&home.store, tenant, going_on, "uploading", "uploading", "{}", Timestamp(100)).await.unwrap());
    let found = job::stale_uploads(&home.store, Timestamp(100), 10_000).await.unwrap();
    let own: Vec<JobId> = found.into_iter().filter(|(of, _)| *of == tenant).map(|(_, id)| id).collect();
    assert_eq!(own, [resting]);
}

async fn jobs_that_have_long_been_over_are_forgotten(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut ids = Vec::new();
    for (state, ended_at) in [("done", 50), ("failed", 60), ("cancelled", 61)] {
        let id = add(&home, tenant, "import", "queued", 1, 10).await;
        job::add_errors(&home.store, tenant, id, &[(1, "wrong".to_owned())]).await.unwrap();
        assert!(job::end(&home.store, tenant, id, Holder::Any, state, "{}", Timestamp(ended_at)).await.unwrap());
        ids.push(id.0);
    }
    let waiting = add(&home, tenant, "import", "queued", 1, 10).await;
    add(&home, other, "import", "queued", 1, 10).await;
    for forgotten in [1, 1, 0] {
        assert_eq!(job::forget(&home.store, tenant, Timestamp(60), 1).await.unwrap(), forgotten);
    }
    let mut raw = home.raw().await;
    assert_eq!(raw.numbers("select id from job where tenant_id = 1 order by id").await, [ids[2], waiting.0]);
    assert_eq!(raw.numbers("select job_id from job_error").await, [ids[2]]);
    assert_eq!(raw.number("select count(*) from job where tenant_id = 2").await, 1);
}

async fn other_tenants_see_nothing(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let id = add(&home, tenant, "import", "uploading", 1, 10).await;
    assert!(job::add_input(&home.store, tenant, id, 0, vec![1]).await.unwrap());
    job::add_errors(&home.store, tenant, id, &[(1, "wrong".to_owned())]).await.unwrap();
    let mut reader = home.reader(other).await;
    assert!(job::get(&mut reader, id).await.unwrap().is_none());
    assert_eq!(job::input(&mut reader, id, 0).await.unwrap(), None);
    assert_eq!(job::errors(&mut reader, id, 0, 10).await.unwrap(), []);
    assert!(!job::add_input(&home.store, other, id, 1, vec![1]).await.unwrap());
    assert!(!job::end(&home.store, other, id, Holder::Any, "failed", "{}", Timestamp(20)).await.unwrap());
}
