//! Intervals: half-open, never overlapping within their group, whoever was first.

use engine_model::{RecordId, TenantId};
use engine_store::commit::{Interval, Refusal};
use futures::future::join_all;

use crate::build::{New, archive, insert, occupy, span, unit, update, vacate};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(
    touching_intervals_do_not_overlap,
    overlap_is_refused_and_names_the_holder,
    intervals_of_other_values_constraints_and_tenants_are_free,
    open_ended_interval_takes_everything_after_it,
    overlap_within_a_group_is_refused,
    record_moves_its_own_interval,
    vacated_interval_is_free_within_its_group,
    interval_occupied_and_vacated_within_a_group_is_gone,
    interval_vacated_and_occupied_again_is_there,
    same_interval_again_changes_nothing,
    archived_record_frees_its_interval,
    many_earlier_intervals_are_not_in_the_way,
);

mod concurrent {
    use super::one_of_many_concurrent_bookings_wins;
    use crate::on_both;

    on_both!(threads; one_of_many_concurrent_bookings_wins);
}

async fn booked(home: &Home, tenant: TenantId, interval: &Interval) -> RecordId {
    home.insert(unit(tenant).item([insert("booking"), occupy(New(0), interval)])).await
}

async fn try_book(home: &Home, tenant: TenantId, interval: &Interval) -> Result<(), Vec<Refusal>> {
    let done = home.committed(unit(tenant).item([insert("booking"), occupy(New(0), interval)])).await;
    results(&done).remove(0)
}

fn overlaps(interval: &Interval, holder: RecordId) -> Result<(), Vec<Refusal>> {
    Err(vec![Refusal::Overlap { interval: interval.clone(), holder }])
}

/// Every interval of the database, in order.
async fn spans(home: &Home) -> Vec<(i64, i64)> {
    let mut raw = home.raw().await;
    let starts = raw.numbers("select starts_at from interval_claim order by starts_at, ends_at").await;
    let ends = raw.numbers("select ends_at from interval_claim order by starts_at, ends_at").await;
    starts.into_iter().zip(ends).collect()
}

async fn touching_intervals_do_not_overlap(home: Home) {
    let tenant = home.tenant().await;
    for (starts_at, ends_at) in [(10, 20), (20, 30), (0, 10), (-5, 0), (30, 31)] {
        booked(&home, tenant, &span("red", starts_at, ends_at)).await;
    }
    assert_eq!(spans(&home).await, [(-5, 0), (0, 10), (10, 20), (20, 30), (30, 31)]);
}

async fn overlap_is_refused_and_names_the_holder(home: Home) {
    let tenant = home.tenant().await;
    booked(&home, tenant, &span("red", 0, 10)).await;
    let holder = booked(&home, tenant, &span("red", 10, 20)).await;
    booked(&home, tenant, &span("red", 20, 30)).await;
    for (starts_at, ends_at) in [(10, 20), (11, 19), (12, 13), (19, 20), (10, 11)] {
        let wanted = span("red", starts_at, ends_at);
        assert_eq!(try_book(&home, tenant, &wanted).await, overlaps(&wanted, holder));
    }
    for (starts_at, ends_at) in [(5, 35), (-5, 11), (19, 40), (9, 10), (20, 21)] {
        assert!(try_book(&home, tenant, &span("red", starts_at, ends_at)).await.is_err(), "{starts_at}..{ends_at}");
    }
    assert_eq!(spans(&home).await, [(0, 10), (10, 20), (20, 30)]);
    assert_eq!(home.raw().await.number("select count(*) from record").await, 3);
}

async fn intervals_of_other_values_constraints_and_tenants_are_free(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let red = span("red", 0, 10);
    booked(&home, tenant, &red).await;
    booked(&home, other, &red).await;
    booked(&home, tenant, &span("blue", 0, 10)).await;
    booked(&home, tenant, &Interval { object: "loan".to_owned(), ..red.clone() }).await;
    booked(&home, tenant, &Interval { properties: "guide,from,to".to_owned(), ..red }).await;
    assert_eq!(spans(&home).await.len(), 5);
}

async fn open_ended_interval_takes_everything_after_it(home: Home) {
    let tenant = home.tenant().await;
    let open = span("red", 100, i64::MAX);
    let holder = booked(&home, tenant, &open).await;
    for wanted in [span("red", i64::MAX - 1, i64::MAX), span("red", 1_000, 1_001), span("red", i64::MIN, i64::MAX)] {
        assert_eq!(try_book(&home, tenant, &wanted).await, overlaps(&wanted, holder));
    }
    booked(&home, tenant, &span("red", i64::MIN, 100)).await;
}

async fn overlap_within_a_group_is_refused(home: Home) {
    let tenant = home.tenant().await;
    let wanted = [(0, 10), (5, 15), (10, 20)].map(|(starts_at, ends_at)| span("red", starts_at, ends_at));
    let units = wanted.iter().map(|span| unit(tenant).item([insert("booking"), occupy(New(0), span)]).build());
    let outcomes: Vec<_> = home.group(tenant, units.collect()).await.into_iter().map(committed).collect();
    assert_eq!(results(&outcomes[0]), [Ok(())]);
    assert_eq!(results(&outcomes[1]), [overlaps(&wanted[1], outcomes[0].inserted[0].unwrap())]);
    assert_eq!(results(&outcomes[2]), [Ok(())]);

    let atomic = unit(tenant)
        .item([insert("booking"), occupy(New(0), &span("blue", 0, 10))])
        .item([insert("booking"), occupy(New(1), &span("blue", 9, 11))]);
    let done = home.committed(atomic).await;
    assert_eq!(results(&done)[1], overlaps(&span("blue", 9, 11), done.inserted[0].unwrap()));
}

async fn record_moves_its_own_interval(home: Home) {
    let tenant = home.tenant().await;
    let (old, new) = (span("red", 0, 10), span("red", 5, 15));
    let record = booked(&home, tenant, &old).await;
    home.done(unit(tenant).item([update(record, 1, "moved"), vacate(record, &old), occupy(record, &new)])).await;
    assert_eq!(spans(&home).await, [(5, 15)]);
    booked(&home, tenant, &span("red", 0, 5)).await;

    // The order of the two writes does not matter for one's own interval.
    let newer = span("red", 10, 20);
    home.done(unit(tenant).item([update(record, 2, "moved"), occupy(record, &newer), vacate(record, &new)])).await;
    assert_eq!(spans(&home).await, [(0, 5), (10, 20)]);
}

async fn vacated_interval_is_free_within_its_group(home: Home) {
    let tenant = home.tenant().await;
    let red = span("red", 0, 10);
    let first = booked(&home, tenant, &red).await;
    let units = vec![
        unit(tenant).item([update(first, 1, "gone"), vacate(first, &red)]).build(),
        unit(tenant).item([insert("next"), occupy(New(0), &red)]).build(),
        unit(tenant).item([insert("late"), occupy(New(0), &span("red", 9, 12))]).build(),
    ];
    let outcomes: Vec<_> = home.group(tenant, units).await.into_iter().map(committed).collect();
    assert_eq!((&results(&outcomes[0])[0], &results(&outcomes[1])[0]), (&Ok(()), &Ok(())));
    assert_eq!(results(&outcomes[2]), [overlaps(&span("red", 9, 12), outcomes[1].inserted[0].unwrap())]);
    assert_eq!(spans(&home).await, [(0, 10)]);
}

async fn interval_occupied_and_vacated_within_a_group_is_gone(home: Home) {
    let tenant = home.tenant().await;
    let (old, new) = (span("red", 0, 10), span("red", 20, 30));
    let record = RecordId(1);
    let units = vec![
        unit(tenant).item([insert("booking"), occupy(New(0), &old)]).build(),
        unit(tenant).item([update(record, 1, "moved"), vacate(record, &old), occupy(record, &new)]).build(),
    ];
    for outcome in home.group(tenant, units).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!(spans(&home).await, [(20, 30)]);
}

async fn interval_vacated_and_occupied_again_is_there(home: Home) {
    let tenant = home.tenant().await;
    let (red, blue) = (span("red", 0, 10), span("red", 20, 30));
    let record = booked(&home, tenant, &red).await;
    let units = vec![
        unit(tenant).item([update(record, 1, "away"), vacate(record, &red), occupy(record, &blue)]).build(),
        unit(tenant).item([update(record, 2, "back"), vacate(record, &blue), occupy(record, &red)]).build(),
    ];
    for outcome in home.group(tenant, units).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!(spans(&home).await, [(0, 10)]);
    let longer = span("red", 0, 12);
    home.done(unit(tenant).item([update(record, 3, "longer"), vacate(record, &red), occupy(record, &longer)])).await;
    assert_eq!(spans(&home).await, [(0, 12)]);
}

async fn same_interval_again_changes_nothing(home: Home) {
    let tenant = home.tenant().await;
    let red = span("red", 0, 10);
    let record = booked(&home, tenant, &red).await;
    home.done(unit(tenant).item([update(record, 1, "again"), occupy(record, &red), occupy(record, &red)])).await;
    assert_eq!(spans(&home).await, [(0, 10)]);
}

async fn archived_record_frees_its_interval(home: Home) {
    let tenant = home.tenant().await;
    let red = span("red", 0, 10);
    let record = booked(&home, tenant, &red).await;
    home.done(unit(tenant).item([archive(record, 1), vacate(record, &red)])).await;
    booked(&home, tenant, &red).await;
    assert_eq!(spans(&home).await, [(0, 10)]);
}

async fn many_earlier_intervals_are_not_in_the_way(home: Home) {
    let tenant = home.tenant().await;
    let all = (0..500).fold(unit(tenant), |all, number| {
        let place = usize::try_from(number).unwrap();
        all.item([insert("booking"), occupy(New(place), &span("red", number * 10, number * 10 + 10))])
    });
    home.done(all).await;
    let holder = RecordId(500);
    let wanted = span("red", 4_999, 5_001);
    assert_eq!(try_book(&home, tenant, &wanted).await, overlaps(&wanted, holder));
    booked(&home, tenant, &span("red", 5_000, 5_001)).await;
}

async fn one_of_many_concurrent_bookings_wins(home: Home) {
    let tenant = home.tenant().await;
    let tasks = (0..64).map(|number| {
        let wanted = span("red", number, number + 64);
        let (store, unit) = (home.store.clone(), unit(tenant).item([insert("b"), occupy(New(0), &wanted)]).build());
        tokio::spawn(async move { store.commit(unit).await })
    });
    let outcomes: Vec<_> =
        join_all(tasks).await.into_iter().map(|joined| committed(joined.unwrap().unwrap())).collect();
    let winners: Vec<RecordId> = outcomes.iter().filter_map(|outcome| outcome.inserted[0]).collect();
    let [winner] = winners.as_slice() else { panic!("one winner: {winners:?}") };
    let losers = outcomes.iter().filter(|outcome| {
        matches!(results(outcome).as_slice(), [Err(refusals)]
            if matches!(refusals.as_slice(), [Refusal::Overlap { holder, .. }] if holder == winner))
    });
    assert_eq!(losers.count(), 63);
    assert_eq!(spans(&home).await.len(), 1);
}
