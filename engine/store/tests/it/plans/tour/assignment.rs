//! Assignment rules.

use engine_store::assignment::{self, RuleRow};

use crate::build::NOW;
use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let mut tx = home.store.begin(home.tenant().await).await.unwrap();
    let row = RuleRow {
        id: 1,
        object: "thing".to_owned(),
        label: "All".to_owned(),
        position: 1,
        condition: None,
        users: "[1]".to_owned(),
        team_id: None,
        is_active: 1,
        created_at: NOW.0,
        updated_at: NOW.0,
    };
    assignment::put(&mut tx, &row).await.unwrap();
    assignment::get(tx.reader(), 1).await.unwrap();
    assignment::page(tx.reader(), Some("thing"), 0, 10).await.unwrap();
    assignment::delete(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
}
