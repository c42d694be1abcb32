//! Lists of records and their members.

use engine_model::time::Timestamp;
use engine_model::{Sequence, TeamId, UserId};
use engine_store::change::{self, Entry};
use engine_store::counter;
use engine_store::list::{self, Mark, Upkeep, Wanted};
use engine_store::saved::Teams;

use crate::build::{NOW, origin};
use crate::fixture::Home;
use crate::lists::row;

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    list::put(&mut tx, &row(1, Some("{}"))).await.unwrap();
    let mark = Mark { list_id: 1, record_id: 7, is_away: false };
    list::add(&mut tx, &[mark], NOW.0).await.unwrap();
    list::count(&mut tx, &[(1, 1)]).await.unwrap();
    let reader = tx.reader();
    list::get(reader, 1).await.unwrap().unwrap();
    list::many(reader, vec![1, 2]).await.unwrap();
    list::dynamic(reader, 0, 10).await.unwrap();
    let wanted = Wanted { object: Some("thing"), user: UserId(1), sight: Teams::These(vec![1]) };
    list::visible(reader, wanted, 0, 10).await.unwrap();
    list::how_many(reader, 10).await.unwrap();
    list::memberships(reader, vec![7, 8], 10).await.unwrap();
    list::memberships_in(reader, 1, vec![7, 8]).await.unwrap();
    list::page(reader, 1, 0, 10).await.unwrap();
    list::ids(reader, 1, 0, 10).await.unwrap();
    counter::last(reader, "list").await.unwrap();
    list::leave_team(&mut tx, TeamId(1), NOW.0, UserId(1)).await.unwrap();
    list::remove(&mut tx, &[(1, 7)]).await.unwrap();
    let upkeep =
        Upkeep { state: "filling", shape: "x".to_owned(), filled_to: Some(1), fill_until: Some(2), due_at: Some(5) };
    list::save_upkeep(&mut tx, 1, &upkeep).await.unwrap();
    list::make_due(&mut tx, vec![1, 2], Timestamp(5)).await.unwrap();
    let entry = Entry { kind: "segment.joined", object: "thing".to_owned(), record_id: 7, changes: "{}".to_owned() };
    change::append_many(&mut tx, &origin(), NOW, &[entry]).await.unwrap();
    change::move_position(&mut tx, "lists", Sequence(1), NOW).await.unwrap();
    tx.commit().await.unwrap();
    list::due(&home.store, Timestamp(9), 10).await.unwrap();
    list::claim(&home.store, tenant, 1, 5, Timestamp(30)).await.unwrap();
    let mut tx = home.store.begin(tenant).await.unwrap();
    list::delete(&mut tx, 1, NOW).await.unwrap();
    tx.commit().await.unwrap();
    list::forget(&home.store, tenant, 1).await.unwrap();
}
