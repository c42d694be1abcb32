//! A job from its input to its end.

use engine_model::JobId;
use engine_model::time::Timestamp;
use engine_store::job::{self, Holder};
use engine_store::job_file;

use crate::build::NOW;
use crate::fixture::Home;

const ID: JobId = JobId(1);

pub(super) async fn tour(home: &Home) {
    let (store, tenant) = (&home.store, home.tenant().await);
    let after = |microseconds| Timestamp(NOW.0 + microseconds);
    let mut tx = store.begin(tenant).await.unwrap();
    job::create(&mut tx, ID, "import", "uploading", "{}", None, NOW).await.unwrap();
    tx.commit().await.unwrap();
    job::add_input(store, tenant, ID, 0, vec![1]).await.unwrap();
    job::stale_uploads(store, after(1), 10).await.unwrap();
    assert!(job::save(store, tenant, ID, "uploading", "queued", "{}", NOW).await.unwrap());
    job::waiting(store, after(1), 10).await.unwrap();
    assert!(job::claim(store, tenant, ID, after(50), after(1)).await.unwrap());
    assert!(job::renew(store, tenant, ID, after(50), "{}", after(2), after(60)).await.unwrap());
    job::release_abandoned(store).await.unwrap();
    assert!(job::claim(store, tenant, ID, after(60), after(2)).await.unwrap() != store.is_postgres());
    job::add_errors(store, tenant, ID, &[(1, "wrong".to_owned())]).await.unwrap();
    job_file::restart(store, tenant, ID, after(60)).await.unwrap();
    assert!(job_file::add(store, tenant, ID, after(60), 0, vec![1]).await.unwrap());
    assert!(job::release(store, tenant, ID, after(60), after(3), after(3)).await.unwrap());
    let mut reader = home.reader(tenant).await;
    job::get(&mut reader, ID).await.unwrap();
    job::list(&mut reader, i64::MAX, None, 10).await.unwrap();
    job::unended(&mut reader, "import", 10).await.unwrap();
    job::input(&mut reader, ID, 0).await.unwrap();
    job::input_extent(&mut reader, ID).await.unwrap();
    job::errors(&mut reader, ID, 0, 10).await.unwrap();
    job_file::part(&mut reader, ID, 0).await.unwrap();
    job_file::kept(&mut reader, 10).await.unwrap();
    assert!(job::end(store, tenant, ID, Holder::Any, "done", "{}", after(4)).await.unwrap());
    job_file::over(&mut reader, after(4), 10).await.unwrap();
    job_file::discard(store, tenant, ID).await.unwrap();
    assert_eq!(job::forget(store, tenant, after(5), 10).await.unwrap(), 1);
}
