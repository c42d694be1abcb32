//! Assignment rules.

use engine_store::assignment::{self, RuleRow};

use crate::fixture::Home;
use crate::on_both;

on_both!(assignment_rules_read_back_as_written);

fn rule(id: i64, object: &str) -> RuleRow {
    RuleRow {
        id,
        object: object.to_owned(),
        label: format!("Rule {id}"),
        position: 10 - id,
        condition: (id == 1).then(|| "size > 3".to_owned()),
        users: "[7,8]".to_owned(),
        team_id: None,
        is_active: 1,
        created_at: 1,
        updated_at: 2,
    }
}

async fn assignment_rules_read_back_as_written(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut tx = home.store.begin(tenant).await.unwrap();
    for row in [rule(1, "thing"), rule(2, "other"), rule(3, "thing")] {
        assignment::put(&mut tx, &row).await.unwrap();
    }
    let changed =
        RuleRow { users: "[]".to_owned(), team_id: Some(4), is_active: 0, condition: None, ..rule(1, "thing") };
    assignment::put(&mut tx, &changed).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert_eq!(assignment::get(&mut reader, 1).await.unwrap(), Some(changed.clone()));
    assert_eq!(assignment::get(&mut reader, 4).await.unwrap(), None);
    for (object, after, limit, expected) in [
        (None, 0, 10, vec![changed.clone(), rule(2, "other"), rule(3, "thing")]),
        (None, 1, 1, vec![rule(2, "other")]),
        (Some("thing"), 0, 10, vec![changed, rule(3, "thing")]),
        (Some("none"), 0, 10, vec![]),
    ] {
        assert_eq!(assignment::page(&mut reader, object, after, limit).await.unwrap(), expected);
    }
    assert_eq!(assignment::page(&mut home.reader(other).await, None, 0, 10).await.unwrap(), []);
    drop(reader);
    let mut tx = home.store.begin(tenant).await.unwrap();
    assignment::delete(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(assignment::get(&mut home.reader(tenant).await, 1).await.unwrap(), None);
}
