//! Who was given sensitive values.

use engine_model::time::Timestamp;
use engine_model::{RecordId, TenantId, TokenId, UserId};
use engine_store::StoreError;
use engine_store::sensitive::{self, NewRead, ReadRow};
use futures::future::join_all;
use uuid::Uuid;

use crate::fixture::Home;
use crate::on_both;

on_both!(reads_are_listed_newest_first, requests_that_wait_are_written_together, old_reads_are_forgotten);

/// A read at a moment; ids of the same moment differ in `n`.
fn read(at: i64, n: u128, user: i64, record: Option<i64>) -> NewRead {
    NewRead {
        id: Uuid::from_u128((u128::try_from(at / 1_000).unwrap() << 80) + n),
        at: Timestamp(at),
        user: UserId(user),
        token: TokenId(7),
        object: "patient".to_owned(),
        record: record.map(RecordId),
        properties: "race,ssn".to_owned(),
        request_id: Some("r1".to_owned()),
        ip: None,
        user_agent: Some("curl".to_owned()),
    }
}

async fn all(home: &Home, tenant: TenantId) -> Vec<ReadRow> {
    sensitive::list(&mut home.reader(tenant).await, Uuid::max(), 100).await.unwrap()
}

fn moments(rows: &[ReadRow]) -> Vec<i64> {
    rows.iter().map(|row| row.at).collect()
}

async fn reads_are_listed_newest_first(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let reads = vec![read(1_000, 1, 1, Some(5)), read(2_000, 1, 2, Some(5)), read(3_000, 1, 1, None)];
    home.store.record_sensitive(tenant, reads).await.unwrap();
    home.store.record_sensitive(other, vec![read(4_000, 1, 1, Some(5))]).await.unwrap();
    let rows = all(&home, tenant).await;
    assert_eq!(moments(&rows), [3_000, 2_000, 1_000]);
    let ReadRow { user_id, token_id, object, record_id, properties, request_id, ip, user_agent, .. } = &rows[1];
    assert_eq!((*user_id, *token_id, object.as_str(), *record_id), (2, 7, "patient", Some(5)));
    assert_eq!((properties.as_str(), request_id.as_deref(), ip.as_deref()), ("race,ssn", Some("r1"), None));
    assert_eq!(user_agent.as_deref(), Some("curl"));
    let mut reader = home.reader(tenant).await;
    let next = sensitive::list(&mut reader, rows[0].id, 1).await.unwrap();
    assert_eq!(moments(&next), [2_000]);
    let of_record = sensitive::of_record(&mut reader, RecordId(5), Uuid::max(), 9).await.unwrap();
    assert_eq!(moments(&of_record), [2_000, 1_000]);
    let by_user = sensitive::by_user(&mut reader, UserId(1), Uuid::max(), 9).await.unwrap();
    assert_eq!(moments(&by_user), [3_000, 1_000]);
    let both = sensitive::of_record_by_user(&mut reader, RecordId(5), UserId(1), Uuid::max(), 9).await.unwrap();
    assert_eq!(moments(&both), [1_000]);
}

async fn requests_that_wait_are_written_together(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let before = home.reader(tenant).await.head().await.unwrap();
    let written = (0..40).map(|n| {
        let tenant = if n % 2 == 0 { tenant } else { other };
        home.store.record_sensitive(tenant, vec![read(1_000 + n, 1 + u128::try_from(n).unwrap(), 1, Some(n))])
    });
    assert!(join_all(written).await.into_iter().all(|written| written.is_ok()));
    assert_eq!((all(&home, tenant).await.len(), all(&home, other).await.len()), (20, 20));
    assert_eq!(home.reader(tenant).await.head().await.unwrap(), before, "nothing else depends on it");
    home.store.close().await;
    let late = home.store.record_sensitive(tenant, vec![read(9_000, 1, 1, None)]).await;
    assert!(matches!(late, Err(StoreError::Closing)));
}

async fn old_reads_are_forgotten(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let reads = (1..=5).map(|n| read(n * 1_000, 1, 1, Some(n))).collect();
    home.store.record_sensitive(tenant, reads).await.unwrap();
    home.store.record_sensitive(other, vec![read(1_000, 1, 1, None)]).await.unwrap();
    let forget = async |limit| sensitive::forget(&home.store, tenant, Timestamp(4_000), limit).await.unwrap();
    assert_eq!(forget(2).await, 2);
    assert_eq!(forget(2).await, 1);
    assert_eq!(forget(2).await, 0);
    assert_eq!(moments(&all(&home, tenant).await), [5_000, 4_000]);
    assert_eq!(all(&home, other).await.len(), 1);
}
