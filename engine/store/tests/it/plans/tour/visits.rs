//! Stays of records in stages, kept and counted.

use engine_store::visit::{self, Period, Seen, StepOf, VisitRow};

use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    let stay = VisitRow {
        record_id: 1,
        sequence: 1,
        object: "deal".to_owned(),
        pipeline: "sales".to_owned(),
        stage: "open".to_owned(),
        entered_at: 1,
        left_at: Some(2),
    };
    visit::save(&home.store, tenant, &[stay]).await.unwrap();
    let mut reader = home.reader(tenant).await;
    visit::latest(&mut reader, vec![1, 2]).await.unwrap();
    let seen = Seen { object: "deal".to_owned(), pipeline: "sales".to_owned(), ..Seen::default() };
    let periods = [Period { at: 0, starts: 0, ends: 10 }];
    let stages = ["open".to_owned()];
    let steps = [StepOf { stage: "open".to_owned(), position: 0, is_forward: true, is_won: false }];
    visit::endings(&mut reader, &seen, &periods, &stages).await.unwrap();
    visit::conversions(&mut reader, &seen, &periods, &steps).await.unwrap();
    visit::stays(&mut reader, &seen, &periods).await.unwrap();
    visit::ways_to(&mut reader, &seen, &periods, &stages).await.unwrap();
    visit::forget(&home.store, tenant, vec![1, 2]).await.unwrap();
}
