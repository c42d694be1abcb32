//! What users have saved.

use engine_model::{TeamId, UserId};
use engine_store::saved::{self, SavedRow, Teams, Wanted};

use crate::fixture::Home;
use crate::on_both;

on_both!(
    saved_items_read_back_as_written,
    what_was_shared_with_a_team_is_its_owners,
    users_see_their_own_and_what_is_shared_with_them
);

fn item(id: i64, kind: &str, owner_id: i64, sharing: &str, team_id: Option<i64>) -> SavedRow {
    let object = (kind != "dashboard").then(|| if id % 2 == 0 { "even" } else { "odd" }.to_owned());
    let (kind, label, sharing) = (kind.to_owned(), format!("Item {id}"), sharing.to_owned());
    let spec = format!(r#"{{"label": "Item {id}"}}"#);
    SavedRow { id, kind, object, label, sharing, owner_id, team_id, spec, created_at: 1, updated_at: 2 }
}

async fn saved_items_read_back_as_written(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut tx = home.store.begin(tenant).await.unwrap();
    saved::put(&mut tx, &item(1, "view", 7, "private", None)).await.unwrap();
    let changed = SavedRow { label: "Other".to_owned(), updated_at: 9, ..item(1, "view", 8, "team", Some(3)) };
    saved::put(&mut tx, &changed).await.unwrap();
    saved::put(&mut tx, &item(2, "dashboard", 7, "everyone", None)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert_eq!(saved::get(&mut reader, "view", 1).await.unwrap(), Some(changed));
    assert_eq!(saved::get(&mut reader, "dashboard", 2).await.unwrap().unwrap().object, None);
    assert_eq!(saved::get(&mut reader, "report", 1).await.unwrap(), None);
    assert_eq!(saved::get(&mut home.reader(other).await, "view", 1).await.unwrap(), None);
    drop(reader);
    let mut tx = home.store.begin(tenant).await.unwrap();
    saved::delete(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(saved::get(&mut home.reader(tenant).await, "view", 1).await.unwrap(), None);
}

async fn what_was_shared_with_a_team_is_its_owners(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    for row in [item(1, "view", 7, "team", Some(3)), item(2, "view", 7, "team", Some(4))] {
        saved::put(&mut tx, &row).await.unwrap();
    }
    assert_eq!(saved::leave_team(&mut tx, TeamId(3), 9).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let left = SavedRow { updated_at: 9, ..item(1, "view", 7, "private", None) };
    assert_eq!(saved::get(&mut reader, "view", 1).await.unwrap(), Some(left));
    assert_eq!(saved::get(&mut reader, "view", 2).await.unwrap(), Some(item(2, "view", 7, "team", Some(4))));
}

async fn users_see_their_own_and_what_is_shared_with_them(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    for of in [tenant, other] {
        let mut tx = home.store.begin(of).await.unwrap();
        for row in [
            item(1, "view", 7, "private", None),
            item(2, "view", 8, "private", None),
            item(3, "view", 8, "everyone", None),
            item(4, "view", 8, "team", Some(3)),
            item(5, "view", 8, "team", Some(4)),
            item(6, "report", 7, "private", None),
            item(7, "view", 7, "team", Some(4)),
        ] {
            saved::put(&mut tx, &row).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let mut reader = home.reader(tenant).await;
    let these = Teams::These;
    for (object, sight, after, limit, expected) in [
        (None, these(vec![3]), 0, 10, vec![1, 3, 4, 7]),
        (None, these(vec![]), 0, 10, vec![1, 3, 7]),
        (None, Teams::All, 0, 10, vec![1, 3, 4, 5, 7]),
        (None, these(vec![3, 4]), 1, 2, vec![3, 4]),
        (Some("even"), these(vec![3]), 0, 10, vec![4]),
        (Some("none"), these(vec![3]), 0, 10, vec![]),
    ] {
        let wanted = Wanted { kind: "view", object, user: UserId(7), sight };
        let found = saved::visible(&mut reader, wanted, after, limit).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), expected);
    }
}
