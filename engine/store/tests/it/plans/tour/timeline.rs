//! Entries of timelines, kept and read.

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence};
use engine_store::change;
use engine_store::timeline::{self, EntryTime, Place, Placed, SourceRow};

use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    change::start_following(&mut tx, "timeline", Sequence(1), Timestamp(1)).await.unwrap();
    timeline::lock(&mut tx, "timeline").await.unwrap();
    let source =
        SourceRow { association: "about".to_owned(), object: "note".to_owned(), at_property: None, filled_to: Some(0) };
    timeline::save_source(&mut tx, &source).await.unwrap();
    tx.commit().await.unwrap();
    let placed = Placed { entry: 1, association: "about".to_owned(), record: 2 };
    let mut tx = timeline::keep(&home.store, tenant, "timeline").await.unwrap();
    timeline::take(&mut tx, vec![1, 2]).await.unwrap();
    timeline::take_placed(&mut tx, std::slice::from_ref(&placed)).await.unwrap();
    timeline::forget(&mut tx, vec![1, 2]).await.unwrap();
    let entry = EntryTime { entry: 1, association: "about".to_owned(), at: 5 };
    timeline::put(&mut tx, &[entry]).await.unwrap();
    timeline::put_placed(&mut tx, &[(placed, 5)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    timeline::sources(&mut reader).await.unwrap();
    timeline::page(&mut reader, RecordId(2), "about", Place::END, 0, 10).await.unwrap();
    change::before(&mut reader, Sequence(10), 10).await.unwrap();
}
