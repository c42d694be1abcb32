//! What users have saved.

use engine_model::{TeamId, UserId};
use engine_store::saved::{self, SavedRow, Teams, Wanted};

use crate::build::NOW;
use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let mut tx = home.store.begin(home.tenant().await).await.unwrap();
    let row = SavedRow {
        id: 1,
        kind: "view".to_owned(),
        object: Some("thing".to_owned()),
        label: "Mine".to_owned(),
        sharing: "team".to_owned(),
        owner_id: 1,
        team_id: Some(1),
        spec: "{}".to_owned(),
        created_at: NOW.0,
        updated_at: NOW.0,
    };
    saved::put(&mut tx, &row).await.unwrap();
    saved::get(tx.reader(), "view", 1).await.unwrap();
    let wanted = Wanted { kind: "view", object: Some("thing"), user: UserId(1), sight: Teams::These(vec![1]) };
    saved::visible(tx.reader(), wanted, 0, 10).await.unwrap();
    saved::leave_team(&mut tx, TeamId(1), NOW.0).await.unwrap();
    saved::delete(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
}
