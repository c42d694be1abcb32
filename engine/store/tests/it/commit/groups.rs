//! Units that are committed together, each for itself.

use engine_model::change::ChangeKind;
use engine_model::{RecordId, Sequence, TenantId};
use engine_store::commit::{NewRecord, Origin, Outcome, Unit, Write};
use engine_store::{StoreError, change};
use futures::future::join_all;
use uuid::Uuid;

use crate::build::{NOW, New, claim, create, insert, log, origin, unit};
use crate::fixture::{Home, committed};
use crate::on_both;

on_both!(
    units_are_numbered_in_the_order_in_which_they_wait,
    group_holds_units_of_several_tenants,
    unit_that_the_database_refuses_fails_alone,
    tenant_that_fails_leaves_the_others_of_its_group,
    unit_of_an_unknown_tenant_fails_alone,
    reply_that_panics_fails_alone,
    transaction_and_units_share_one_log,
    unit_of_a_thousand_items_is_one_step,
    closed_store_takes_nothing_more,
);

mod concurrent {
    use super::{closing_answers_whatever_was_accepted, many_tenants_write_at_once};
    use crate::on_both;

    on_both!(threads; many_tenants_write_at_once, closing_answers_whatever_was_accepted);
}

/// A unit that no check refuses and no database takes: its uid exists already.
fn poisoned(tenant: TenantId, uid: Uuid) -> Unit {
    let record = NewRecord {
        uid,
        object: "contact".to_owned(),
        properties: "{}".to_owned(),
        display_name: String::new(),
        owner: None,
        team: None,
    };
    unit(tenant).item([Write::Insert(record), log(ChangeKind::RecordCreated, New(0))]).build()
}

async fn uid_in_use(home: &Home, tenant: TenantId) -> Uuid {
    let id = home.insert(unit(tenant).item(create("first", 0))).await;
    home.record(tenant, id).await.unwrap().uid
}

/// Tenants that share a lane.
async fn neighbours(home: &Home, count: usize) -> Vec<TenantId> {
    let mut all = vec![home.tenant().await];
    while all.len() < count {
        let next = home.tenant().await;
        if (next.0 - all[0].0) % 8 == 0 {
            all.push(next);
        }
    }
    all
}

async fn units_are_numbered_in_the_order_in_which_they_wait(home: Home) {
    let tenant = home.tenant().await;
    let units = (0..20).map(|number| unit(tenant).item(create(&format!("{number}"), 0)).build()).collect();
    let outcomes = home.group(tenant, units).await;
    let given: Vec<_> = outcomes.into_iter().map(committed).map(|done| (done.sequence, done.inserted[0])).collect();
    let expected: Vec<_> = (1..=20).map(|number| (Sequence(number), Some(RecordId(number)))).collect();
    assert_eq!(given, expected);
    if home.store.is_postgres() {
        let transactions = home.raw().await.number("select count(distinct xmin::text) from record").await;
        assert_eq!(transactions, 1);
    }
}

async fn group_holds_units_of_several_tenants(home: Home) {
    let tenants = neighbours(&home, 3).await;
    let units = (0..12).map(|number| unit(tenants[number % 3]).item(create(&format!("{number}"), 0)).build()).collect();
    let outcomes = home.group(tenants[0], units).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let place = i64::try_from(number / 3 + 1).unwrap();
        let done = committed(outcome);
        assert_eq!((done.sequence, done.inserted[0]), (Sequence(place), Some(RecordId(place))));
    }
    for (offset, tenant) in tenants.iter().enumerate() {
        let names: Vec<_> = home.log(*tenant).await.into_iter().map(|entry| entry.changes).collect();
        let expected: Vec<_> = (0..4).map(|round| crate::build::named(&format!("{}", offset + round * 3))).collect();
        assert_eq!(names, expected);
    }
}

async fn unit_that_the_database_refuses_fails_alone(home: Home) {
    let tenant = home.tenant().await;
    let uid = uid_in_use(&home, tenant).await;
    let good = |name| unit(tenant).item(create(name, 0)).key(name, "f").build();
    let units = vec![good("a"), poisoned(tenant, uid), good("b"), poisoned(tenant, uid), good("c")];
    let outcomes = home.send(tenant, units).await;
    let given: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(outcome) => Some(committed(outcome).sequence.0),
            Err(error) => {
                assert!(!error.is_unavailable(), "{error}");
                None
            }
        })
        .collect();
    assert_eq!(given, [Some(2), None, Some(3), None, Some(4)]);
    assert_eq!(home.raw().await.number("select count(*) from record").await, 4);
    assert_eq!(home.raw().await.texts("select body from idempotency order by key").await.len(), 3);
    assert_eq!(home.log(tenant).await.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

async fn tenant_that_fails_leaves_the_others_of_its_group(home: Home) {
    let tenants = neighbours(&home, 3).await;
    let uid = uid_in_use(&home, tenants[1]).await;
    let mut signals: Vec<_> = tenants.iter().map(|tenant| home.store.subscribe(*tenant)).collect();
    let units = tenants.iter().map(|tenant| match tenant {
        tenant if *tenant == tenants[1] => poisoned(*tenant, uid),
        tenant => unit(*tenant).item(create("fine", 0)).build(),
    });
    let outcomes = home.send(tenants[0], units.collect()).await;
    let is_done: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(is_done, [true, false, true]);
    for (tenant, expected) in tenants.iter().zip([1, 1, 1]) {
        assert_eq!(home.log(*tenant).await.len(), expected);
    }
    let told: Vec<i64> = signals.iter_mut().map(|signal| *signal.borrow_and_update()).collect();
    assert_eq!((told[0], told[2]), (1, 1));
}

async fn unit_of_an_unknown_tenant_fails_alone(home: Home) {
    let tenant = home.tenant().await;
    let unknown = TenantId(tenant.0 + 8_000);
    let units = vec![
        unit(tenant).item(create("a", 0)).build(),
        unit(unknown).item(create("lost", 0)).build(),
        unit(tenant).item(create("b", 0)).build(),
    ];
    let outcomes = home.send(tenant, units).await;
    assert!(matches!(outcomes[1], Err(StoreError::Damaged(_))), "{:?}", outcomes[1]);
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert_eq!(home.raw().await.number("select count(*) from record").await, 2);
}

async fn reply_that_panics_fails_alone(home: Home) {
    let tenant = home.tenant().await;
    let broken = unit(tenant).item(create("broken", 0)).reply("k", "f", |_| panic!("a reply that cannot be made"));
    let fine = |name| unit(tenant).item(create(name, 0)).build();
    let outcomes = home.send(tenant, vec![fine("a"), broken.build(), fine("b")]).await;
    assert!(outcomes[1].is_err());
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    home.insert(fine("c")).await;
    assert_eq!(home.raw().await.texts("select display_name from record order by id").await, ["a", "b", "c"]);
}

async fn transaction_and_units_share_one_log(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("a", 0))).await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    assert_eq!(tx.head.last_sequence, 1);
    let nobody = Origin { actor: None, source: "cli".to_owned(), request_id: None, ip: None, user_agent: None };
    change::append(&mut tx, &nobody, NOW, "metadata.changed", Some("deal".to_owned()), "{}".to_owned()).await.unwrap();
    change::append(&mut tx, &origin(), NOW, "metadata.changed", None, "{}".to_owned()).await.unwrap();
    assert_eq!(tx.commit().await.unwrap().sequence(), Sequence(3));
    assert_eq!(home.done(unit(tenant).item(create("b", 0))).await.sequence, Sequence(4));
    let told: Vec<_> = home
        .log(tenant)
        .await
        .into_iter()
        .map(|entry| (entry.sequence, entry.kind, entry.object, entry.record_id, entry.actor))
        .collect();
    let entry = |sequence, kind: &str, object: Option<&str>, record, actor| {
        (sequence, kind.to_owned(), object.map(str::to_owned), record, actor)
    };
    assert_eq!(
        told,
        [
            entry(1, "record.created", Some("contact"), Some(1), Some(7)),
            entry(2, "metadata.changed", Some("deal"), None, None),
            entry(3, "metadata.changed", None, None, Some(7)),
            entry(4, "record.created", Some("contact"), Some(2), Some(7)),
        ]
    );
    let head = home.reader(tenant).await.head().await.unwrap();
    assert_eq!((head.last_sequence, head.last_record_id), (4, 2));
}

async fn unit_of_a_thousand_items_is_one_step(home: Home) {
    let tenant = home.tenant().await;
    let thousand = |prefix: &str| {
        (0..1_000).fold(unit(tenant).atomic(), |all, number| {
            let name = format!("{prefix}{number}");
            all.item([insert(&name), claim(New(number), &name), log(ChangeKind::RecordCreated, New(number))])
        })
    };
    let outcomes = home.group(tenant, ["a", "b", "c"].map(|prefix| thousand(prefix).build()).into()).await;
    let sequences: Vec<_> = outcomes.into_iter().map(|outcome| committed(outcome).sequence.0).collect();
    assert_eq!(sequences, [1_000, 2_000, 3_000]);
    assert!(matches!(home.commit(thousand("a")).await, Outcome::Refused(refusals) if refusals.len() == 1_000));
    assert_eq!(home.raw().await.number("select count(*) from record").await, 3_000);
}

async fn closed_store_takes_nothing_more(home: Home) {
    let tenant = home.tenant().await;
    home.insert(unit(tenant).item(create("a", 0))).await;
    home.store.close().await;
    let refused = home.store.commit(unit(tenant).item(create("late", 0)).build()).await;
    assert!(matches!(refused, Err(StoreError::Closing)), "{refused:?}");
    assert!(matches!(home.store.read(tenant).await.map(drop), Err(StoreError::Closing)));
    assert!(matches!(home.store.begin(tenant).await.map(drop), Err(StoreError::Closing)));
    assert_eq!(home.raw().await.number("select count(*) from record").await, 1);
    let again = engine_store::Store::open(&home.config).await.unwrap();
    again.commit(unit(tenant).item(create("b", 0)).build()).await.unwrap();
}

async fn many_tenants_write_at_once(home: Home) {
    let mut tenants = Vec::new();
    for _ in 0..24 {
        tenants.push(home.tenant().await);
    }
    let tasks =
        (0..20).flat_map(|number| tenants.iter().map(move |tenant| (number, *tenant))).map(|(number, tenant)| {
            let (store, unit) =
                (home.store.clone(), unit(tenant).item(create(&format!("{tenant}.{number}"), 0)).build());
            tokio::spawn(async move { store.commit(unit).await })
        });
    for outcome in join_all(tasks).await {
        committed(outcome.unwrap().unwrap());
    }
    for tenant in tenants {
        let log = home.log(tenant).await;
        assert_eq!(log.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
        assert!(log.iter().all(|entry| entry.changes.contains(&format!("{tenant}."))));
    }
}

async fn closing_answers_whatever_was_accepted(home: Home) {
    let tenant = home.tenant().await;
    let mut tasks = Vec::new();
    for number in 0..200 {
        let (store, unit) = (home.store.clone(), unit(tenant).item(create(&format!("{number}"), 0)).build());
        tasks.push(tokio::spawn(async move { store.commit(unit).await }));
    }
    // The first answer says that the lane is at work; the rest wait or are not yet sent.
    committed(tasks.remove(0).await.unwrap().unwrap());
    home.store.close().await;
    let mut written = 1;
    for outcome in join_all(tasks).await {
        match outcome.unwrap() {
            Ok(outcome) => written += i64::from(committed(outcome).inserted[0].is_some()),
            Err(error) => assert!(matches!(error, StoreError::Closing), "{error}"),
        }
    }
    assert_eq!(home.raw().await.number("select count(*) from record").await, written);
}
