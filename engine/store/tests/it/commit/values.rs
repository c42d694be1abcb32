//! Unique values: taken, given back, exchanged.

use engine_model::RecordId;
use engine_model::change::ChangeKind;
use engine_store::commit::{Outcome, RecordRef, Refusal, UniqueValue, Write};
use engine_store::record;
use futures::future::join_all;

use crate::build::{New, archive, claim, email, insert, log, release, unit, update};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(
    value_belongs_to_one_record,
    values_are_compared_as_stored,
    values_of_other_constraints_objects_and_tenants_are_free,
    record_may_claim_its_own_value_again,
    released_value_is_free_for_the_next_unit,
    released_value_is_free_within_its_group,
    value_claimed_and_released_within_a_group_is_free,
    records_exchange_values_in_one_unit,
    records_exchange_values_within_a_group,
    release_alone_frees_the_value,
    release_by_another_record_changes_nothing,
    archived_record_frees_its_unique_value,
    holders_are_found_by_many_values,
);

mod concurrent {
    use super::one_of_many_concurrent_claims_wins;
    use crate::on_both;

    on_both!(threads; one_of_many_concurrent_claims_wins);
}

async fn with_value(home: &Home, tenant: engine_model::TenantId, value: &str) -> RecordId {
    home.insert(unit(tenant).item([insert(value), claim(New(0), value), log(ChangeKind::RecordCreated, New(0))])).await
}

async fn holder(home: &Home, tenant: engine_model::TenantId, value: &str) -> Option<RecordId> {
    let found = record::holders(&mut home.reader(tenant).await, &[email(value)]).await.unwrap();
    assert!(found.len() <= 1);
    found.first().map(|(_, holder)| *holder)
}

async fn value_belongs_to_one_record(home: Home) {
    let tenant = home.tenant().await;
    let ada = with_value(&home, tenant, "a").await;
    let done = home.committed(unit(tenant).item([insert("Eve"), claim(New(0), "a")])).await;
    assert_eq!(results(&done), [Err(vec![Refusal::Taken { value: email("a"), holder: ada }])]);
    assert_eq!(done.inserted, [None]);
    assert_eq!(holder(&home, tenant, "a").await, Some(ada));
}

async fn values_are_compared_as_stored(home: Home) {
    let tenant = home.tenant().await;
    for value in ["a", "A", "a ", " a", "á", "a\u{301}", "ａ", "ß", "ss", "1", "01", "1.0"] {
        with_value(&home, tenant, value).await;
    }
    assert_eq!(home.raw().await.number("select count(*) from unique_value").await, 12);
}

async fn values_of_other_constraints_objects_and_tenants_are_free(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    with_value(&home, tenant, "a").await;
    with_value(&home, other, "a").await;
    let value = |object: &str, properties: &str| {
        let (object, properties) = (object.to_owned(), properties.to_owned());
        Write::Claim(RecordRef::New(0), UniqueValue { object, properties, value: "a".to_owned() })
    };
    home.insert(unit(tenant).item([insert("x"), value("company", "email"), value("contact", "phone")])).await;
    assert_eq!(home.raw().await.number("select count(*) from unique_value").await, 4);
}

async fn record_may_claim_its_own_value_again(home: Home) {
    let tenant = home.tenant().await;
    let ada = with_value(&home, tenant, "a").await;
    home.done(unit(tenant).item([update(ada, 1, "again"), claim(ada, "a")])).await;
    assert_eq!(holder(&home, tenant, "a").await, Some(ada));
}

async fn released_value_is_free_for_the_next_unit(home: Home) {
    let tenant = home.tenant().await;
    let ada = with_value(&home, tenant, "a").await;
    home.done(unit(tenant).item([update(ada, 1, "b"), release(ada, "a"), claim(ada, "b")])).await;
    assert_eq!((holder(&home, tenant, "a").await, holder(&home, tenant, "b").await), (None, Some(ada)));
    let eve = with_value(&home, tenant, "a").await;
    assert_eq!(holder(&home, tenant, "a").await, Some(eve));
}

async fn released_value_is_free_within_its_group(home: Home) {
    let tenant = home.tenant().await;
    let ada = with_value(&home, tenant, "a").await;
    let units = vec![
        unit(tenant).item([insert("early"), claim(New(0), "a")]).build(),
        unit(tenant).item([update(ada, 1, "gives it back"), release(ada, "a")]).build(),
        unit(tenant).item([insert("takes it"), claim(New(0), "a")]).build(),
        unit(tenant).item([insert("late"), claim(New(0), "a")]).build(),
    ];
    let outcomes: Vec<_> = home.group(tenant, units).await.into_iter().map(committed).collect();
    let next = outcomes[2].inserted[0].unwrap();
    assert_eq!(results(&outcomes[0]), [Err(vec![Refusal::Taken { value: email("a"), holder: ada }])]);
    assert_eq!((&results(&outcomes[1])[0], &results(&outcomes[2])[0]), (&Ok(()), &Ok(())));
    assert_eq!(results(&outcomes[3]), [Err(vec![Refusal::Taken { value: email("a"), holder: next }])]);
    assert_eq!(holder(&home, tenant, "a").await, Some(next));
}

async fn value_claimed_and_released_within_a_group_is_free(home: Home) {
    let tenant = home.tenant().await;
    let first = RecordId(1);
    let units = vec![
        unit(tenant).item([insert("first"), claim(New(0), "a"), log(ChangeKind::RecordCreated, New(0))]).build(),
        unit(tenant).item([update(first, 1, "b"), release(first, "a"), claim(first, "b")]).build(),
        unit(tenant).item([insert("second"), claim(New(0), "a")]).build(),
        unit(tenant).item([update(RecordId(2), 1, "none"), release(RecordId(2), "a")]).build(),
    ];
    for outcome in home.group(tenant, units).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!((holder(&home, tenant, "a").await, holder(&home, tenant, "b").await), (None, Some(first)));
}

async fn records_exchange_values_in_one_unit(home: Home) {
    let tenant = home.tenant().await;
    let (ada, eve) = (with_value(&home, tenant, "a").await, with_value(&home, tenant, "e").await);
    let exchange = unit(tenant)
        .atomic()
        .item([update(ada, 1, "e"), release(ada, "a")])
        .item([update(eve, 1, "a"), release(eve, "e"), claim(eve, "a")])
        .item([claim(ada, "e")]);
    home.done(exchange).await;
    assert_eq!((holder(&home, tenant, "a").await, holder(&home, tenant, "e").await), (Some(eve), Some(ada)));
}

async fn records_exchange_values_within_a_group(home: Home) {
    let tenant = home.tenant().await;
    let (ada, eve) = (with_value(&home, tenant, "a").await, with_value(&home, tenant, "e").await);
    let units = vec![
        unit(tenant).item([update(ada, 1, "none"), release(ada, "a")]).build(),
        unit(tenant).item([update(eve, 1, "a"), release(eve, "e"), claim(eve, "a")]).build(),
        unit(tenant).item([update(ada, 2, "e"), claim(ada, "e")]).build(),
    ];
    for outcome in home.group(tenant, units).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!((holder(&home, tenant, "a").await, holder(&home, tenant, "e").await), (Some(eve), Some(ada)));
}

async fn release_alone_frees_the_value(home: Home) {
    let tenant = home.tenant().await;
    let ada = with_value(&home, tenant, "a").await;
    let eve = with_value(&home, tenant, "e").await;
    home.done(unit(tenant).item([release(ada, "a"), claim(eve, "a")])).await;
    assert_eq!(holder(&home, tenant, "a").await, Some(eve));
    home.done(unit(tenant).item([release(eve, "e")])).await;
    assert_eq!(holder(&home, tenant, "e").await, None);
}

async fn release_by_another_record_changes_nothing(home: Home) {
    let tenant = home.tenant().await;
    let (ada, eve) = (with_value(&home, tenant, "a").await, with_value(&home, tenant, "e").await);
    home.done(unit(tenant).item([update(eve, 1, "x"), release(eve, "a")])).await;
    assert_eq!(holder(&home, tenant, "a").await, Some(ada));
}

async fn archived_record_frees_its_unique_value(home: Home) {
    let tenant = home.tenant().await;
    let ada = with_value(&home, tenant, "a").await;
    home.done(unit(tenant).item([archive(ada, 1), release(ada, "a"), log(ChangeKind::RecordArchived, ada)])).await;
    let eve = with_value(&home, tenant, "a").await;
    let restored = unit(tenant).item([update(ada, 2, "restored"), claim(ada, "a")]);
    let refused = home.committed(restored).await;
    assert_eq!(results(&refused), [Err(vec![Refusal::Taken { value: email("a"), holder: eve }])]);
    assert!(home.record(tenant, ada).await.unwrap().archived_at.is_some());
}

async fn holders_are_found_by_many_values(home: Home) {
    let tenant = home.tenant().await;
    let (ada, eve) = (with_value(&home, tenant, "a").await, with_value(&home, tenant, "e").await);
    let mut reader = home.reader(tenant).await;
    let mut found = record::holders(&mut reader, &[email("e"), email("none"), email("a")]).await.unwrap();
    found.sort_by_key(|(_, holder)| *holder);
    assert_eq!(found, [(email("a"), ada), (email("e"), eve)]);
    let uids = [home.record(tenant, eve).await.unwrap().uid, crate::build::new_uid()];
    assert_eq!(record::ids_of_uids(&mut reader, &uids).await.unwrap(), [(uids[0], eve)]);
}

async fn one_of_many_concurrent_claims_wins(home: Home) {
    let tenant = home.tenant().await;
    let claims = (0..64).map(|number| {
        let item = [insert(&format!("{number}")), claim(New(0), "a"), log(ChangeKind::RecordCreated, New(0))];
        let (store, unit) = (home.store.clone(), unit(tenant).item(item).build());
        tokio::spawn(async move { store.commit(unit).await })
    });
    let outcomes: Vec<Outcome> = join_all(claims).await.into_iter().map(|joined| joined.unwrap().unwrap()).collect();
    let outcomes: Vec<_> = outcomes.into_iter().map(committed).collect();
    let winners: Vec<RecordId> = outcomes.iter().filter_map(|outcome| outcome.inserted[0]).collect();
    let [winner] = winners.as_slice() else { panic!("one winner: {winners:?}") };
    let refused = Err(vec![Refusal::Taken { value: email("a"), holder: *winner }]);
    assert_eq!(outcomes.iter().filter(|outcome| results(outcome) == [refused.clone()]).count(), 63);
    assert_eq!(home.raw().await.number("select count(*) from record").await, 1);
    assert_eq!(home.log(tenant).await.len(), 1);
}
