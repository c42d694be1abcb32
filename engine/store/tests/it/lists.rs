//! Lists of records and who is in them.

use std::time::Duration;

use engine_model::time::Timestamp;
use engine_model::{Sequence, TeamId, UserId};
use engine_store::change::{self, Entry};
use engine_store::counter;
use engine_store::list::{self, ListRow, Mark, MemberRow, MembershipRow, Upkeep, Wanted};
use engine_store::saved::Teams;

use crate::build::{NOW, origin};
use crate::fixture::Home;
use crate::on_both;

on_both!(
    lists_read_back_as_written_and_are_seen_by_whom_they_are_for,
    members_are_put_counted_and_taken,
    lists_of_a_team_that_goes_are_their_owners,
    lists_that_are_due_are_taken_once_and_deleted_ones_forgotten,
    a_list_is_taken_while_nobody_counts_its_members,
    entries_are_appended_beside_a_position_or_not_at_all,
);

pub(crate) fn row(id: i64, filter: Option<&str>) -> ListRow {
    ListRow {
        id,
        object: if id % 2 == 0 { "even" } else { "odd" }.to_owned(),
        name: format!("List {id}"),
        description: (id % 2 == 0).then(|| "Words".to_owned()),
        filter: filter.map(str::to_owned),
        sharing: "everyone".to_owned(),
        team_id: None,
        version: 1,
        created_at: 1,
        created_by: 7,
        updated_at: 2,
        updated_by: 7,
        members: 0,
        revision: 0,
        state: "current".to_owned(),
        shape: "x".to_owned(),
        filled_to: None,
        fill_until: None,
        due_at: None,
    }
}

fn mark(list_id: i64, record_id: i64) -> Mark {
    Mark { list_id, record_id, is_away: false }
}

async fn lists_read_back_as_written_and_are_seen_by_whom_they_are_for(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut tx = home.store.begin(tenant).await.unwrap();
    let private = ListRow { sharing: "private".to_owned(), created_by: 8, ..row(2, None) };
    let of_team = ListRow { sharing: "team".to_owned(), team_id: Some(3), created_by: 8, ..row(3, Some("{}")) };
    for row in [&row(1, Some("{}")), &private, &of_team] {
        list::put(&mut tx, row).await.unwrap();
    }
    let changed = ListRow { name: "Other".to_owned(), version: 2, due_at: Some(9), ..row(1, Some("[]")) };
    // How many members it has is kept.
    list::put(&mut tx, &ListRow { members: 5, ..changed.clone() }).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert_eq!(list::get(&mut reader, 1).await.unwrap(), Some(changed.clone()));
    assert_eq!(list::get(&mut home.reader(other).await, 1).await.unwrap(), None);
    let mut many = list::many(&mut reader, vec![2, 1, 9]).await.unwrap();
    many.sort_by_key(|row| row.id);
    assert_eq!(many, [changed.clone(), private]);
    assert_eq!(list::dynamic(&mut reader, 0, 10).await.unwrap(), [changed, of_team]);
    assert_eq!(list::how_many(&mut reader, 10).await.unwrap(), (3, 2));
    assert_eq!(list::how_many(&mut reader, 2).await.unwrap().0, 2);
    let these = Teams::These;
    for (object, user, sight, expected) in [
        (None, 7, these(vec![]), vec![1]),
        (None, 7, these(vec![3]), vec![1, 3]),
        (None, 7, Teams::All, vec![1, 3]),
        (None, 8, these(vec![]), vec![1, 2, 3]),
        (Some("odd"), 8, these(vec![]), vec![1, 3]),
    ] {
        let wanted = Wanted { object, user: UserId(user), sight };
        let found = list::visible(&mut reader, wanted, 0, 10).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), expected);
    }
}

async fn lists_of_a_team_that_goes_are_their_owners(home: Home) {
    let tenant = home.tenant().await;
    let shared = |id, team| ListRow { sharing: "team".to_owned(), team_id: Some(team), ..row(id, None) };
    let mut tx = home.store.begin(tenant).await.unwrap();
    for row in [shared(1, 3), shared(2, 4)] {
        list::put(&mut tx, &row).await.unwrap();
    }
    assert_eq!(list::leave_team(&mut tx, TeamId(3), 90, UserId(5)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let before = shared(1, 3);
    let (sharing, version) = ("private".to_owned(), before.version + 1);
    let left = ListRow { sharing, team_id: None, version, updated_at: 90, updated_by: 5, ..before };
    assert_eq!(list::get(&mut reader, 1).await.unwrap(), Some(left));
    assert_eq!(list::get(&mut reader, 2).await.unwrap(), Some(shared(2, 4)));
}

async fn members_are_put_counted_and_taken(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    for id in [1, 2] {
        list::put(&mut tx, &row(id, None)).await.unwrap();
    }
    list::add(&mut tx, &[mark(1, 5), mark(1, 6), mark(2, 5)], 10).await.unwrap();
    list::count(&mut tx, &[(1, 2), (2, 1)]).await.unwrap();
    // Who goes away keeps since when it is there; who comes back joins again.
    list::add(&mut tx, &[Mark { is_away: true, ..mark(1, 6) }], 20).await.unwrap();
    list::count(&mut tx, &[(1, -1)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert_eq!(list::page(&mut reader, 1, 0, 10).await.unwrap(), [MemberRow { record_id: 5, joined_at: 10 }]);
    assert_eq!(list::ids(&mut reader, 1, 0, 10).await.unwrap(), [5, 6]);
    assert_eq!(list::ids(&mut reader, 1, 5, 10).await.unwrap(), [6]);
    let found = list::get(&mut reader, 1).await.unwrap().unwrap();
    assert_eq!((found.members, found.revision), (1, 2));
    let mut found = list::memberships(&mut reader, vec![5, 6, 7], 10).await.unwrap();
    found.sort_by_key(|row| (row.record_id, row.list_id));
    let membership = |record_id, list_id, is_away| MembershipRow { record_id, list_id, is_away };
    assert_eq!(found, [membership(5, 1, 0), membership(5, 2, 0), membership(6, 1, 1)]);
    let mut found = list::memberships_in(&mut reader, 1, vec![5, 6, 7]).await.unwrap();
    found.sort_by_key(|row| row.record_id);
    assert_eq!(found, [membership(5, 1, 0), membership(6, 1, 1)]);
    drop(reader);
    let mut tx = home.store.begin(tenant).await.unwrap();
    list::add(&mut tx, &[mark(1, 6)], 30).await.unwrap();
    list::remove(&mut tx, &[(1, 5), (2, 9)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert_eq!(list::page(&mut reader, 1, 0, 10).await.unwrap(), [MemberRow { record_id: 6, joined_at: 30 }]);
    assert_eq!(list::page(&mut reader, 2, 0, 10).await.unwrap(), [MemberRow { record_id: 5, joined_at: 10 }]);
}

/// What is counted by the place of a row must find it there.
async fn a_list_is_taken_while_nobody_counts_its_members(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    list::put(&mut tx, &row(1, Some("{}"))).await.unwrap();
    list::make_due(&mut tx, vec![1], Timestamp(5)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = home.store.begin(tenant).await.unwrap();
    let mut claim = Box::pin(list::claim(&home.store, tenant, 1, 5, Timestamp(30)));
    let waits = tokio::time::timeout(Duration::from_millis(200), &mut claim).await;
    assert!(waits.is_err(), "somebody writes");
    list::count(&mut tx, &[(1, 3)]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(claim.await.unwrap());
    let found = list::get(&mut home.reader(tenant).await, 1).await.unwrap().unwrap();
    assert_eq!((found.members, found.due_at), (3, Some(30)));
}

async fn lists_that_are_due_are_taken_once_and_deleted_ones_forgotten(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    for id in [1, 2, 3] {
        list::put(&mut tx, &row(id, Some("{}"))).await.unwrap();
    }
    list::make_due(&mut tx, vec![1], Timestamp(5)).await.unwrap();
    list::delete(&mut tx, 3, Timestamp(4)).await.unwrap();
    tx.commit().await.unwrap();
    let due = async |now: i64| {
        let found = list::due(&home.store, Timestamp(now), 100).await.unwrap();
        let own = found.into_iter().filter(|due| due.tenant_id == tenant.0);
        own.map(|due| (due.id, due.due_at, due.deleted_at)).collect::<Vec<_>>()
    };
    assert_eq!(due(5).await, [(3, 4, Some(4)), (1, 5, None)]);
    assert_eq!(due(4).await, [(3, 4, Some(4))]);
    assert!(list::claim(&home.store, tenant, 1, 5, Timestamp(30)).await.unwrap());
    assert!(!list::claim(&home.store, tenant, 1, 5, Timestamp(31)).await.unwrap());
    let read = async |id: i64| list::get(&mut home.reader(tenant).await, id).await.unwrap();
    let found = read(1).await.unwrap();
    assert_eq!((found.state.as_str(), found.due_at), ("filling", Some(30)));
    let mut tx = home.store.begin(tenant).await.unwrap();
    let upkeep =
        Upkeep { state: "current", shape: "y".to_owned(), filled_to: Some(1), fill_until: Some(2), due_at: None };
    list::save_upkeep(&mut tx, 1, &upkeep).await.unwrap();
    tx.commit().await.unwrap();
    let expected = ListRow { shape: "y".to_owned(), filled_to: Some(1), fill_until: Some(2), ..row(1, Some("{}")) };
    assert_eq!(read(1).await, Some(expected));
    assert_eq!(read(3).await, None);
    list::forget(&home.store, tenant, 2).await.unwrap();
    assert!(read(2).await.is_some(), "what is not deleted stays");
    list::forget(&home.store, tenant, 3).await.unwrap();
    assert_eq!(due(99).await, []);
}

async fn entries_are_appended_beside_a_position_or_not_at_all(home: Home) {
    let tenant = home.tenant().await;
    let entry = |record_id| Entry {
        kind: "segment.joined",
        object: "thing".to_owned(),
        record_id,
        changes: r#"{"list":[null,"1"]}"#.to_owned(),
    };
    for is_kept in [false, true] {
        let mut tx = home.store.begin(tenant).await.unwrap();
        change::append_many(&mut tx, &origin(), NOW, &[]).await.unwrap();
        change::append_many(&mut tx, &origin(), NOW, &[entry(7), entry(8)]).await.unwrap();
        change::move_position(&mut tx, "lists", Sequence(4), NOW).await.unwrap();
        counter::next(&mut tx, "list_epoch").await.unwrap();
        if is_kept {
            tx.commit().await.unwrap();
        }
    }
    let mut reader = home.reader(tenant).await;
    let head = reader.head().await.unwrap();
    let found = change::after(&mut reader, Sequence(0), 10).await.unwrap();
    let told: Vec<_> =
        found.iter().map(|row| (row.sequence, row.kind.as_str(), row.record_id, row.object.as_deref())).collect();
    assert_eq!(told, [(1, "segment.joined", Some(7), Some("thing")), (2, "segment.joined", Some(8), Some("thing"))]);
    assert_eq!((head.last_sequence, &*found[0].changes), (2, r#"{"list":[null,"1"]}"#));
    assert_eq!(change::position(&mut reader, "lists").await.unwrap(), Sequence(4));
    assert_eq!(counter::last(&mut reader, "list_epoch").await.unwrap(), 1);
    assert_eq!(counter::last(&mut reader, "none").await.unwrap(), 0);
}
