//! Claims that are gathered for a constraint, and the counters that they and others count by.

use engine_model::time::Timestamp;
use engine_store::claim::{self, Constraint, Form, Occupied, Rivals};
use engine_store::counter;

use crate::build::NOW;
use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    counter::take(&home.store, tenant, "number", 3).await.unwrap();
    let mut tx = home.store.begin(tenant).await.unwrap();
    counter::next(&mut tx, "number").await.unwrap();
    claim::begin(&mut tx, NOW, Timestamp(NOW.0 + 1)).await.unwrap().unwrap();
    claim::hold(&mut tx, NOW).await.unwrap();
    claim::last_ticket(tx.reader()).await.unwrap();
    let of = |form| Constraint { form, object: "contact".to_owned(), properties: "email".to_owned() };
    let (values, intervals) = (of(Form::Value), of(Form::Interval));
    claim::take_values(&mut tx, &values, &[("a".to_owned(), 1)]).await.unwrap();
    let occupied = Occupied { within: "1".to_owned(), starts_at: 0, ends_at: 10, record: 1 };
    claim::take_intervals(&mut tx, &intervals, &[occupied], Rivals::Earlier).await.unwrap();
    for constraint in [values, intervals] {
        claim::free(&mut tx, &constraint, vec![1, 2]).await.unwrap();
        claim::free_first(&mut tx, &constraint, 10).await.unwrap();
    }
    tx.commit().await.unwrap();
}
