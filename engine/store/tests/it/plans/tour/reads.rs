//! Records, links, the log and kept replies as they are read.

use engine_model::{RecordId, Sequence};
use engine_store::association::{self, Direction, LinkKey};
use engine_store::record::{self, Key};
use engine_store::{Reader, change, idempotency, merge, survey};

use crate::build::{NOW, email, new_uid, origin};
use crate::fixture::Home;

const ID: RecordId = RecordId(1);
const EITHER: [Direction; 2] = [Direction::Out, Direction::In];

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    let mut reader = home.reader(tenant).await;
    records(&mut reader).await;
    links(&mut reader).await;
    change::after(&mut reader, Sequence(0), 10).await.unwrap();
    change::movements_after(&mut reader, Sequence(0), 10).await.unwrap();
    change::time_of(&mut reader, Sequence(1)).await.unwrap();
    change::of_record(&mut reader, ID, Sequence(9), 10).await.unwrap();
    change::moves_of(&mut reader, ID, Sequence(9), 10).await.unwrap();
    change::creations(&mut reader, vec![1, 2]).await.unwrap();
    change::last_moves(&mut reader, vec![1, 2]).await.unwrap();
    change::of_request(&mut reader, "request-1", Sequence(9), 10).await.unwrap();
    change::count_of_request(&mut reader, "request-1", 10).await.unwrap();
    merge::of_losers(&mut reader, vec![1, 2]).await.unwrap();
    merge::led_to(&mut reader, vec![1, 2], 10).await.unwrap();
    change::position(&mut reader, "index").await.unwrap();
    change::save_position(&home.store, tenant, "index", Sequence(1), NOW).await.unwrap();
    change::behind(&home.store, "index", 0, 10).await.unwrap();
    change::heads(&home.store, 0, 10).await.unwrap();
    idempotency::get(&mut reader, "key", NOW).await.unwrap();
    written_alone(home).await;
}

async fn records(reader: &mut Reader) {
    for key in [Key::Id(ID), Key::Uid(new_uid()), Key::Value(email("a@example.com"))] {
        record::get(reader, &key).await.unwrap();
    }
    record::many(reader, vec![1, 2]).await.unwrap();
    record::holders(reader, &[email("a@example.com")]).await.unwrap();
    record::ids_of_uids(reader, &[new_uid()]).await.unwrap();
    for is_archived in [false, true] {
        record::list(reader, "contact", is_archived, 0, 10).await.unwrap();
    }
    record::page(reader, ID, 10).await.unwrap();
}

async fn links(reader: &mut Reader) {
    for direction in EITHER {
        association::list(reader, ID, "works_at", direction, 0, 10).await.unwrap();
        association::of_many(reader, vec![1, 2], "works_at", direction, 10).await.unwrap();
        association::crowded(reader, "works_at", direction, 10).await.unwrap();
        survey::count_crowded(reader, "works_at", direction).await.unwrap();
        survey::crowded_among(reader, "works_at", direction, vec![1, 2]).await.unwrap();
    }
    association::page(reader, &LinkKey::default(), 10).await.unwrap();
    association::touching(reader, vec![1, 2], 10).await.unwrap();
    association::leading(reader, vec![1, 2], "works_at", 10).await.unwrap();
    association::counts(reader, vec![1, 2]).await.unwrap();
    association::leading_to(reader, vec![1, 2], "works_at", 10).await.unwrap();
    association::among(reader, &[LinkKey { from_id: 1, kind: "works_at".to_owned(), to_id: 2 }]).await.unwrap();
    survey::touched_after(reader, Sequence(0), 10).await.unwrap();
    survey::links(reader, "works_at", (0, 0), 10).await.unwrap();
    survey::links_from(reader, "works_at", vec![1, 2], (0, 0), 10).await.unwrap();
}

/// What a transaction of its own writes to the log and keeps as a reply.
async fn written_alone(home: &Home) {
    let mut tx = home.store.begin(home.tenant().await).await.unwrap();
    change::append(&mut tx, &origin(), NOW, "metadata.changed", None, "{}".to_owned()).await.unwrap();
    let reply = idempotency::StoredReply { status: 200, headers: "{}".to_owned(), body: "{}".to_owned() };
    idempotency::put(&mut tx, "key", "f", &reply, NOW).await.unwrap();
    let tenant = tx.tenant();
    tx.commit().await.unwrap();
    idempotency::expire(&home.store, tenant, NOW, 10).await.unwrap();
}
