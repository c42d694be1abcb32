//! The tenant's own layer, its history, and the packs below it.

use engine_model::UserId;
use engine_model::time::Timestamp;
use engine_store::definition::{self, Kind};
use engine_store::pack::{self, NewPack};

use crate::build::NOW;
use crate::fixture::Home;
use crate::on_both;

on_both!(
    definitions_read_back_by_kind,
    pipelines_read_back_by_object,
    metadata_versions_tell_what_changed,
    packs_lie_in_the_order_of_installing,
    a_pack_that_goes_keeps_its_place_and_what_it_left,
);

async fn definitions_read_back_by_kind(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut tx = home.store.begin(tenant).await.unwrap();
    for (kind, name, spec) in [
        (Kind::Object, "permit", r#"{"v":1}"#),
        (Kind::Object, "asset", "{}"),
        (Kind::Association, "permit", r#"{"from":"permit"}"#),
        (Kind::Object, "permit", r#"{"v":2}"#),
    ] {
        definition::put(&mut tx, kind, name, spec.to_owned(), NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let mut list = async |kind| -> Vec<(String, String)> {
        let rows = definition::list(&mut reader, kind).await.unwrap();
        rows.into_iter().map(|row| (row.name, row.spec)).collect()
    };
    let pair = |name: &str, spec: &str| (name.to_owned(), spec.to_owned());
    assert_eq!(list(Kind::Object).await, [pair("asset", "{}"), pair("permit", r#"{"v":2}"#)]);
    assert_eq!(list(Kind::Association).await, [pair("permit", r#"{"from":"permit"}"#)]);
    assert!(definition::list(&mut home.reader(other).await, Kind::Object).await.unwrap().is_empty());
}

async fn pipelines_read_back_by_object(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    for (object, name, spec) in [("permit", "b", "1"), ("deal", "z", "2"), ("permit", "a", "3"), ("permit", "b", "4")] {
        definition::put_pipeline(&mut tx, object, name, spec.to_owned(), NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
    let rows = definition::pipelines(&mut home.reader(tenant).await).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.object.as_str(), row.name.as_str(), row.spec.as_str())).collect();
    assert_eq!(rows, [("deal", "z", "2"), ("permit", "a", "3"), ("permit", "b", "4")]);
}

async fn metadata_versions_tell_what_changed(home: Home) {
    let tenant = home.tenant().await;
    for (number, actor) in [(1, None), (2, Some(UserId(7))), (3, None)] {
        let mut tx = home.store.begin(tenant).await.unwrap();
        let (at, summary) = (Timestamp(NOW.0 + number), format!("change {number}"));
        definition::add_version(&mut tx, actor, at, &summary, format!("{{\"n\":{number}}}")).await.unwrap();
        assert_eq!(tx.commit().await.unwrap().metadata_version, number + 1);
    }
    let mut reader = home.reader(tenant).await;
    let rows = definition::versions(&mut reader, i64::MAX, 2).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [4, 3]);
    let second = &rows[1];
    assert_eq!((second.at, second.actor, second.summary.as_str()), (NOW.0 + 2, Some(7), "change 2"));
    assert_eq!(second.changes, r#"{"n":2}"#);
    let rest = definition::versions(&mut reader, 3, 10).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.version).collect::<Vec<_>>(), [2]);
}

async fn packs_lie_in_the_order_of_installing(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let install = async |tenant, packs: &[[&str; 3]]| {
        let mut tx = home.store.begin(tenant).await.unwrap();
        for [name, version, source] in packs {
            let document = &format!("document of {source}");
            let new = NewPack { name, version, source, document, digest: &format!("digest of {source}"), remnant: "" };
            pack::install(&mut tx, &new, NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
    };
    let installed = async |tenant| {
        let mut reader = home.reader(tenant).await;
        let rows = pack::all(&mut reader).await.unwrap();
        let sources = pack::sources(&mut reader).await.unwrap();
        let digests: Vec<_> = rows.iter().map(|row| &row.digest).collect();
        assert_eq!(sources.iter().map(|source| &source.digest).collect::<Vec<_>>(), digests);
        let documents = pack::documents(&mut reader).await.unwrap();
        assert_eq!(documents.iter().map(|row| &row.digest).collect::<Vec<_>>(), digests);
        for (row, source) in documents.iter().zip(&sources) {
            assert_eq!(row.document, Some(format!("document of {}", source.source)));
            assert_eq!(row.source, None);
        }
        let rows = rows.into_iter().zip(sources);
        rows.map(|(row, source)| [row.name, row.version, source.source]).collect::<Vec<_>>()
    };
    install(tenant, &[["core", "1.0.0", "c"], ["crm", "1.0.0", "a"]]).await;
    install(tenant, &[["core", "1.0.0", "c"], ["crm", "1.1.0", "b"]]).await;
    assert_eq!(installed(tenant).await, [["core", "1.0.0", "c"], ["crm", "1.1.0", "b"]]);
    assert!(installed(other).await.is_empty());
    // The same name and version, and other files: nobody else's business.
    install(other, &[["crm", "1.1.0", "theirs"], ["core", "1.0.0", "c"]]).await;
    assert_eq!(installed(other).await, [["crm", "1.1.0", "theirs"], ["core", "1.0.0", "c"]]);
    assert_eq!(installed(tenant).await, [["core", "1.0.0", "c"], ["crm", "1.1.0", "b"]]);
}

async fn a_pack_that_goes_keeps_its_place_and_what_it_left(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let install = async |tenant, name, version, remnant| {
        let mut tx = home.store.begin(tenant).await.unwrap();
        let new = NewPack { name, version, source: "s", document: "{}", digest: "d", remnant };
        pack::install(&mut tx, &new, NOW).await.unwrap();
        tx.commit().await.unwrap();
    };
    let all = async |tenant| {
        let rows = pack::all(&mut home.reader(tenant).await).await.unwrap();
        rows.into_iter().map(|row| (row.name, row.version, row.remnant, row.uninstalled_at)).collect::<Vec<_>>()
    };
    let row = |name: &str, version: &str, remnant: &str, gone| {
        (name.to_owned(), version.to_owned(), remnant.to_owned(), gone)
    };
    for tenant in [tenant, other] {
        install(tenant, "core", "1.0.0", "").await;
        install(tenant, "crm", "1.0.0", "").await;
    }
    let mut tx = home.store.begin(tenant).await.unwrap();
    pack::uninstall(&mut tx, "core", "left", NOW).await.unwrap();
    tx.commit().await.unwrap();
    let crm = row("crm", "1.0.0", "", None);
    assert_eq!(all(tenant).await, [row("core", "1.0.0", "left", Some(NOW.0)), crm.clone()]);
    assert_eq!(all(other).await, [row("core", "1.0.0", "", None), crm.clone()]);
    install(tenant, "core", "1.1.0", "less").await;
    assert_eq!(all(tenant).await, [row("core", "1.1.0", "less", None), crm]);
}
