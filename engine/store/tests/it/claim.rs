//! Claims gathered before a constraint is in force.

use engine_model::TenantId;
use engine_model::time::Timestamp;
use engine_store::claim::{self, Constraint, Form, Occupied, Rivals};

use crate::build::{claim as claimed, create, unit};
use crate::fixture::Home;
use crate::on_both;

on_both!(
    values_are_taken_once_and_told_by_record,
    values_are_given_back_by_record_and_in_batches,
    intervals_tell_whose_overlap,
    intervals_are_given_back_by_record_and_in_batches,
    one_gathers_at_a_time,
    claims_of_another_tenant_or_constraint_are_not_seen,
);

fn constraint(form: Form, properties: &str) -> Constraint {
    Constraint { form, object: "contact".to_owned(), properties: properties.to_owned() }
}

fn values(list: &[(&str, i64)]) -> Vec<(String, i64)> {
    list.iter().map(|(value, record)| ((*value).to_owned(), *record)).collect()
}

async fn take(home: &Home, tenant: TenantId, of: &Constraint, list: &[(&str, i64)]) -> Vec<i64> {
    let mut tx = home.store.begin(tenant).await.unwrap();
    let mut taken = claim::take_values(&mut tx, of, &values(list)).await.unwrap();
    tx.commit().await.unwrap();
    taken.sort_unstable();
    taken
}

async fn values_are_taken_once_and_told_by_record(home: Home) {
    let tenant = home.tenant().await;
    let emails = constraint(Form::Value, "email");
    let ada = home
        .insert(unit(tenant).item(create("Ada", 0).into_iter().chain([claimed(crate::build::New(0), "a@b.c")])))
        .await;
    assert_eq!(ada.0, 1);
    let list = [("a@b.c", 2), ("d@e.f", 3), ("d@e.f", 4), ("\"é\\ \n", 5)];
    assert_eq!(take(&home, tenant, &emails, &list).await, [3, 5]);
    assert_eq!(take(&home, tenant, &emails, &[("\"é\\ \n", 6), ("g", 7)]).await, [7]);
    assert_eq!(take(&home, tenant, &emails, &[]).await, [0_i64; 0]);
}

async fn values_are_given_back_by_record_and_in_batches(home: Home) {
    let tenant = home.tenant().await;
    let names = constraint(Form::Value, "name");
    assert_eq!(take(&home, tenant, &names, &[("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 4)]).await, [1, 2, 3, 4, 4]);
    let mut tx = home.store.begin(tenant).await.unwrap();
    claim::free(&mut tx, &names, vec![2, 4, 99]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take(&home, tenant, &names, &[("a", 9), ("b", 9), ("c", 9), ("d", 9), ("e", 9)]).await, [9, 9, 9]);
    let mut tx = home.store.begin(tenant).await.unwrap();
    assert_eq!(claim::free_first(&mut tx, &names, 2).await.unwrap(), 2);
    assert_eq!(claim::free_first(&mut tx, &names, 9).await.unwrap(), 3);
    assert_eq!(claim::free_first(&mut tx, &names, 9).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(take(&home, tenant, &names, &[("a", 7)]).await, [7]);
}

fn occupied(list: &[(&str, i64, i64, i64)]) -> Vec<Occupied> {
    let occupied = |(within, starts_at, ends_at, record): &(&str, i64, i64, i64)| Occupied {
        within: (*within).to_owned(),
        starts_at: *starts_at,
        ends_at: *ends_at,
        record: *record,
    };
    list.iter().map(occupied).collect()
}

async fn occupy(home: &Home, tenant: TenantId, list: &[(&str, i64, i64, i64)], rivals: Rivals) -> Vec<i64> {
    let rooms = constraint(Form::Interval, "room,from,to");
    let mut tx = home.store.begin(tenant).await.unwrap();
    let overlapping = claim::take_intervals(&mut tx, &rooms, &occupied(list), rivals).await.unwrap();
    tx.commit().await.unwrap();
    overlapping
}

async fn intervals_tell_whose_overlap(home: Home) {
    let tenant = home.tenant().await;
    let list = [("1", 0, 10, 1), ("1", 10, 20, 2), ("2", 5, 15, 3), ("1", 15, i64::MAX, 4)];
    assert_eq!(occupy(&home, tenant, &list, Rivals::Earlier).await, [4]);
    assert_eq!(occupy(&home, tenant, &[("1", 9, 11, 9)], Rivals::Earlier).await, [9]);
    assert_eq!(occupy(&home, tenant, &[("2", 0, 6, 0)], Rivals::Earlier).await, [0_i64; 0]);
    assert_eq!(occupy(&home, tenant, &[("2", 14, 16, 2)], Rivals::All).await, [2]);
    assert_eq!(occupy(&home, tenant, &[("2", 16, 17, 8)], Rivals::All).await, [0_i64; 0]);
}

async fn intervals_are_given_back_by_record_and_in_batches(home: Home) {
    let tenant = home.tenant().await;
    let rooms = constraint(Form::Interval, "room,from,to");
    occupy(&home, tenant, &[("1", 0, 10, 1), ("1", 10, 20, 2), ("1", 20, 30, 3), ("2", 0, 10, 3)], Rivals::All).await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    claim::free(&mut tx, &rooms, vec![2]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(occupy(&home, tenant, &[("1", 10, 20, 9)], Rivals::All).await, [0_i64; 0]);
    let mut tx = home.store.begin(tenant).await.unwrap();
    assert_eq!(claim::free_first(&mut tx, &rooms, 3).await.unwrap(), 3);
    assert_eq!(claim::free_first(&mut tx, &rooms, 3).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(occupy(&home, tenant, &[("1", 0, 100, 5), ("2", 0, 100, 6)], Rivals::All).await, [0_i64; 0]);
}

async fn one_gathers_at_a_time(home: Home) {
    let tenant = home.tenant().await;
    assert_eq!(claim::last_ticket(&mut home.reader(tenant).await).await.unwrap(), 0);
    let begin = async |now, until| {
        let mut tx = home.store.begin(tenant).await.unwrap();
        let ticket = claim::begin(&mut tx, Timestamp(now), Timestamp(until)).await.unwrap();
        tx.commit().await.unwrap();
        ticket
    };
    assert_eq!(begin(100, 200).await, Some(1));
    assert_eq!(begin(199, 300).await, None);
    let mut tx = home.store.begin(tenant).await.unwrap();
    claim::hold(&mut tx, Timestamp(250)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(begin(200, 300).await, None);
    assert_eq!(begin(250, 300).await, Some(2));
    let mut tx = home.store.begin(tenant).await.unwrap();
    assert_eq!(claim::last_ticket(tx.reader()).await.unwrap(), 2);
    claim::hold(&mut tx, Timestamp(0)).await.unwrap();
    drop(tx);
    assert_eq!(begin(260, 300).await, None);
    let other = home.tenant().await;
    assert_eq!(claim::last_ticket(&mut home.reader(other).await).await.unwrap(), 0);
}

async fn claims_of_another_tenant_or_constraint_are_not_seen(home: Home) {
    let (one, other) = (home.tenant().await, home.tenant().await);
    let (names, codes) = (constraint(Form::Value, "name"), constraint(Form::Value, "name,code"));
    assert_eq!(take(&home, one, &names, &[("a", 1)]).await, [1]);
    assert_eq!(take(&home, one, &codes, &[("a", 2)]).await, [2]);
    assert_eq!(take(&home, other, &names, &[("a", 3)]).await, [3]);
    let mut tx = home.store.begin(other).await.unwrap();
    assert_eq!(claim::free_first(&mut tx, &names, 10).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(take(&home, one, &names, &[("a", 4)]).await, [0_i64; 0]);
    occupy(&home, one, &[("1", 0, 10, 1)], Rivals::All).await;
    assert_eq!(occupy(&home, other, &[("1", 0, 10, 2)], Rivals::All).await, [0_i64; 0]);
}
