//! The own layer of definitions, its history, and the packs below it.

use engine_model::Sequence;
use engine_store::definition::{self, Kind};
use engine_store::{change, pack};

use crate::build::NOW;
use crate::fixture::Home;

pub(super) async fn tour(home: &Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    for kind in [Kind::Object, Kind::Association] {
        definition::put(&mut tx, kind, "permit", "{}".to_owned(), NOW).await.unwrap();
        definition::list(tx.reader(), kind).await.unwrap();
    }
    definition::put_pipeline(&mut tx, "permit", "approval", "{}".to_owned(), NOW).await.unwrap();
    definition::pipelines(tx.reader()).await.unwrap();
    definition::add_version(&mut tx, None, NOW, "first", "{}".to_owned()).await.unwrap();
    definition::versions(tx.reader(), i64::MAX, 10).await.unwrap();
    let crm = pack::NewPack { name: "crm", version: "1.0.0", source: "{}", document: "{}", digest: "d", remnant: "" };
    pack::install(&mut tx, &crm, NOW).await.unwrap();
    pack::all(tx.reader()).await.unwrap();
    pack::documents(tx.reader()).await.unwrap();
    pack::sources(tx.reader()).await.unwrap();
    pack::source(tx.reader(), "d").await.unwrap();
    change::start_following(&mut tx, "tour", Sequence(0), NOW).await.unwrap();
    pack::uninstall(&mut tx, "crm", "{}", NOW).await.unwrap();
    pack::forget(&mut tx, "crm").await.unwrap();
    assert!(pack::all(tx.reader()).await.unwrap().is_empty());
    for kind in [Kind::Object, Kind::Association] {
        definition::remove(&mut tx, kind, "permit").await.unwrap();
        assert!(definition::list(tx.reader(), kind).await.unwrap().is_empty());
    }
    definition::remove_pipeline(&mut tx, "permit", "approval").await.unwrap();
    assert!(definition::pipelines(tx.reader()).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    change::behind_positions(&home.store, "tour", 0, 10).await.unwrap();
}
