//! Entries of timelines: drawn from links as they are, and read newest first, page by page.

use engine_model::{RecordId, Sequence, TenantId};
use engine_store::change::start_following;
use engine_store::timeline::{self, EntryTime, Place, Placed, SourceRow};

use crate::build::Cardinality::ManyToMany;
use crate::build::{NOW, insert, link, unit, unlink};
use crate::fixture::Home;
use crate::on_both;

on_both!(entries_stand_where_they_are_linked, a_timeline_is_read_newest_first, sources_say_how_far_they_are);

const ABOUT: &str = "works_at";

async fn records(home: &Home, tenant: TenantId, count: usize) -> Vec<i64> {
    let all = (0..count).fold(unit(tenant), |all, number| all.item([insert(&format!("{number}"))]));
    home.done(all).await.inserted.into_iter().map(|id| id.unwrap().0).collect()
}

async fn links(home: &Home, tenant: TenantId, links: &[(i64, i64)]) {
    let all = |all: crate::build::UnitBuilder, (from, to): &(i64, i64)| {
        all.item([link(RecordId(*from), RecordId(*to), ManyToMany)])
    };
    home.done(links.iter().fold(unit(tenant), all)).await;
}

fn at(entry: i64, at: i64) -> EntryTime {
    EntryTime { entry, association: ABOUT.to_owned(), at }
}

fn placed(entry: i64, record: i64) -> Placed {
    Placed { entry, association: ABOUT.to_owned(), record }
}

async fn told(home: &Home, tenant: TenantId, record: i64) -> Vec<(i64, i64)> {
    let mut reader = home.reader(tenant).await;
    let page = timeline::page(&mut reader, RecordId(record), ABOUT, Place::END, i64::MIN, 100).await.unwrap();
    page.into_iter().map(|place| (place.at, place.entry_id)).collect()
}

async fn entries_stand_where_they_are_linked(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let ids = records(&home, tenant, 4).await;
    let (note, memo, ada, eve) = (ids[0], ids[1], ids[2], ids[3]);
    links(&home, tenant, &[(note, ada), (note, eve), (memo, ada)]).await;
    let mut tx = timeline::keep(&home.store, tenant, "timeline").await.unwrap();
    timeline::put(&mut tx, &[at(note, 10)]).await.unwrap();
    timeline::put(&mut tx, &[at(note, 10)]).await.unwrap();
    // What is not linked stands nowhere.
    timeline::put_placed(&mut tx, &[(placed(memo, ada), 20), (placed(memo, eve), 20)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(told(&home, tenant, ada).await, [(20, memo), (10, note)]);
    assert_eq!(told(&home, tenant, eve).await, [(10, note)]);
    assert!(told(&home, other, ada).await.is_empty());
    home.done(unit(tenant).item([unlink(RecordId(note), RecordId(eve))])).await;
    let mut tx = timeline::keep(&home.store, tenant, "timeline").await.unwrap();
    timeline::take_placed(&mut tx, &[placed(note, eve), placed(memo, eve)]).await.unwrap();
    timeline::put_placed(&mut tx, &[(placed(note, eve), 10)]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(told(&home, tenant, eve).await.is_empty());
    assert_eq!(told(&home, tenant, ada).await, [(20, memo), (10, note)]);
    let mut tx = timeline::keep(&home.store, tenant, "timeline").await.unwrap();
    timeline::take(&mut tx, vec![memo, eve]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(told(&home, tenant, ada).await, [(10, note)]);
    let mut tx = timeline::keep(&home.store, tenant, "timeline").await.unwrap();
    timeline::forget(&mut tx, vec![ada]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(told(&home, tenant, ada).await.is_empty());
}

async fn a_timeline_is_read_newest_first(home: Home) {
    let tenant = home.tenant().await;
    let ids = records(&home, tenant, 9).await;
    let (ada, entries) = (ids[0], &ids[1..]);
    links(&home, tenant, &entries.iter().map(|entry| (*entry, ada)).collect::<Vec<_>>()).await;
    let times = [5, 3, 5, -7, 9, 3, 5, 0];
    let kept: Vec<EntryTime> = entries.iter().zip(times).map(|(entry, time)| at(*entry, time)).collect();
    let mut tx = timeline::keep(&home.store, tenant, "timeline").await.unwrap();
    timeline::put(&mut tx, &kept).await.unwrap();
    tx.commit().await.unwrap();
    let mut expected: Vec<(i64, i64)> = entries.iter().zip(times).map(|(entry, time)| (time, *entry)).collect();
    expected.sort_unstable();
    expected.reverse();
    let mut reader = home.reader(tenant).await;
    for limit in 1..=9 {
        let (mut all, mut before) = (Vec::new(), Place::END);
        loop {
            let page = timeline::page(&mut reader, RecordId(ada), ABOUT, before, i64::MIN, limit).await.unwrap();
            all.extend(page.iter().map(|place| (place.at, place.entry_id)));
            match page.last() {
                Some(last) => before = *last,
                None => break,
            }
        }
        assert_eq!(all, expected, "{limit} at a time");
    }
    let later = timeline::page(&mut reader, RecordId(ada), ABOUT, Place::END, 3, 100).await.unwrap();
    assert_eq!(later.len(), 4);
}

async fn sources_say_how_far_they_are(home: Home) {
    let tenant = home.tenant().await;
    let source = |property: Option<&str>, filled_to| SourceRow {
        association: ABOUT.to_owned(),
        object: "note".to_owned(),
        at_property: property.map(str::to_owned),
        filled_to,
    };
    for one in [source(None, Some(0)), source(Some("seen_on"), Some(7)), source(Some("seen_on"), None)] {
        let mut tx = home.store.begin(tenant).await.unwrap();
        start_following(&mut tx, "timeline", Sequence(1), NOW).await.unwrap();
        timeline::lock(&mut tx, "timeline").await.unwrap();
        timeline::save_source(&mut tx, &one).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(timeline::sources(&mut home.reader(tenant).await).await.unwrap(), [one]);
    }
    let other = home.tenant().await;
    assert!(timeline::sources(&mut home.reader(other).await).await.unwrap().is_empty());
}
