//! What an index is made from: records and links page by page, what moved since, and who has grown.

use std::collections::HashMap;

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TenantId};
use engine_store::association::{self, LinkKey};
use engine_store::commit::Write;
use engine_store::{Grown, Reader, Store, change, record};
use futures::FutureExt;

use crate::build::Cardinality::ManyToMany;
use crate::build::{NOW, archive, create, insert, insert_as, link, log, new_link, unit, unlink};
use crate::fixture::{Home, committed};
use crate::on_both;

on_both!(
    records_of_all_objects_are_read_page_by_page_but_purged_ones,
    links_of_all_kinds_are_read_page_by_page,
    movements_name_records_and_links_without_values,
    time_of_a_change_is_known_by_its_position,
    heads_of_all_tenants_are_read_page_by_page,
    growth_of_every_tenant_is_heard,
);

async fn records_of_all_objects_are_read_page_by_page_but_purged_ones(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let writes = ["contact", "company", "contact", "company", "contact"].map(|object| insert_as(object, "a"));
    home.done(unit(tenant).item(writes)).await;
    home.done(unit(other).item([insert("b")])).await;
    home.done(unit(tenant).item([archive(RecordId(2), 1)]).item([archive(RecordId(4), 1)])).await;
    home.done(unit(tenant).item([Write::Purge(RecordId(4))])).await;
    let mut reader = home.reader(tenant).await;
    let mut page = async |after, limit| -> Vec<(i64, String, bool)> {
        let rows = record::page(&mut reader, RecordId(after), limit).await.unwrap();
        rows.into_iter().map(|row| (row.id, row.object, row.archived_at.is_some())).collect()
    };
    let row = |id, object: &str, is_archived| (id, object.to_owned(), is_archived);
    assert_eq!(page(0, 2).await, [row(1, "contact", false), row(2, "company", true)]);
    assert_eq!(page(2, 9).await, [row(3, "contact", false), row(5, "contact", false)]);
    assert_eq!(page(5, 9).await, []);
}

async fn links_of_all_kinds_are_read_page_by_page(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    for tenant in [tenant, other] {
        home.done(unit(tenant).item(["a", "b", "c", "d"].map(insert))).await;
    }
    let kinds = [("works_at", 1, 2), ("knows", 1, 3), ("works_at", 1, 3), ("knows", 3, 1), ("knows", 2, 4)];
    let links = kinds.map(|(kind, from, to)| {
        let link = new_link(RecordId(from), RecordId(to), ManyToMany);
        Write::Link(engine_store::commit::NewLink { kind: kind.to_owned(), ..link })
    });
    home.done(unit(tenant).item(links)).await;
    home.done(unit(other).item([link(RecordId(1), RecordId(2), ManyToMany)])).await;
    home.done(unit(tenant).item([archive(RecordId(4), 1)])).await;
    let mut reader = home.reader(tenant).await;
    let mut found = Vec::new();
    let mut after = LinkKey::default();
    loop {
        let page = association::page(&mut reader, &after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = last.clone();
        found.extend(page.into_iter().map(|link| (link.from_id, link.kind, link.to_id)));
    }
    let link = |from, kind: &str, to| (from, kind.to_owned(), to);
    let links = [link(1, "knows", 3), link(1, "works_at", 2), link(1, "works_at", 3), link(2, "knows", 4)];
    assert_eq!(found, [links.as_slice(), &[link(3, "knows", 1)]].concat());
}

async fn movements_name_records_and_links_without_values(home: Home) {
    let tenant = home.tenant().await;
    for name in ["Ada", "Bob"] {
        home.done(unit(tenant).item(create(name, 0))).await;
    }
    let (ada, bob) = (RecordId(1), RecordId(2));
    home.done(unit(tenant).item([link(ada, bob, ManyToMany)])).await;
    home.done(unit(tenant).item([unlink(ada, bob)])).await;
    home.done(unit(tenant).item([link(bob, ada, ManyToMany)])).await;
    home.done(unit(tenant).item([archive(bob, 1), log(ChangeKind::RecordArchived, bob)])).await;
    home.done(unit(tenant).item([Write::Purge(bob), log(ChangeKind::RecordPurged, bob)])).await;
    let mut reader = home.reader(tenant).await;
    let movements = change::movements_after(&mut reader, Sequence(1), 9).await.unwrap();
    let told: Vec<_> = movements
        .iter()
        .map(|row| (row.sequence, row.at, row.kind.as_str(), row.record_id, row.link.as_deref()))
        .collect();
    let ends = r#"{"type":[null,"works_at"],"to":[null,"2"],"label":[null,null]}"#;
    let gone = r#"{"type":["works_at",null],"to":["2",null],"label":[null,null]}"#;
    assert_eq!(
        told,
        [
            (2, NOW.0, "record.created", Some(2), None),
            (3, NOW.0, "association.created", Some(1), Some(ends)),
            (4, NOW.0, "association.removed", Some(1), Some(gone)),
            // The link began at the purged record, of which nothing is left.
            (5, NOW.0, "association.created", Some(2), Some("{}")),
            (6, NOW.0, "record.archived", Some(2), None),
            (7, NOW.0, "record.purged", Some(2), None),
        ]
    );
    let page = change::movements_after(&mut reader, Sequence(0), 2).await.unwrap();
    assert_eq!(page.iter().map(|row| row.sequence).collect::<Vec<_>>(), [1, 2]);
}

async fn time_of_a_change_is_known_by_its_position(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    home.done(unit(tenant).item(create("a", 0))).await;
    home.done(unit(tenant).at(Timestamp(NOW.0 + 5)).item(create("b", 0))).await;
    home.done(unit(other).item(create("c", 0))).await;
    let mut reader = home.reader(tenant).await;
    for (position, at) in [(0, None), (1, Some(NOW)), (2, Some(Timestamp(NOW.0 + 5))), (3, None)] {
        assert_eq!(change::time_of(&mut reader, Sequence(position)).await.unwrap(), at, "{position}");
    }
}

async fn heads_of_all_tenants_are_read_page_by_page(home: Home) {
    let mut expected = Vec::new();
    for number in 0..3 {
        let tenant = home.tenant().await;
        for _ in 0..number {
            home.done(unit(tenant).item(create("x", 0))).await;
        }
        expected.push((tenant, Sequence(number)));
    }
    assert_eq!(change::heads(&home.store, 0, 2).await.unwrap(), expected[..2]);
    assert_eq!(change::heads(&home.store, expected[1].0.0, 2).await.unwrap(), expected[2..]);
    assert_eq!(change::heads(&home.store, expected[2].0.0, 2).await.unwrap(), []);
}

async fn growth_of_every_tenant_is_heard(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let node = Store::open(&home.config).await.unwrap();
    let mut listener = node.listen_to_growth();
    assert_eq!(listener.next().await, Grown::Any);
    committed(node.commit(unit(other).item(create("here", 0)).build()).await.unwrap());
    home.done(unit(tenant).item(create("elsewhere", 0)).item(create("too", 0))).await;
    let mut heard: HashMap<TenantId, Sequence> = HashMap::new();
    // The embedded store has no other nodes that could be told.
    let expected = [(other, Sequence(1)), (tenant, Sequence(2))];
    let expected = HashMap::from_iter(expected.into_iter().take(if node.is_postgres() { 2 } else { 1 }));
    while heard != expected {
        match listener.next().await {
            Grown::These(tenants) => heard.extend(tenants),
            // Beginning to listen to other nodes is a sign that something may have been missed.
            Grown::Any => heard.extend(now(&node, &[tenant, other]).await),
        }
    }
    // A node may hear its own words again from the database, and nothing that it does not know.
    if let Some(Grown::These(tenants)) = listener.next().now_or_never() {
        assert_eq!(tenants.iter().filter(|(tenant, sequence)| expected.get(tenant) != Some(sequence)).count(), 0);
    }
    node.close().await;
}

/// Where the logs stand that have anything in them.
async fn now(store: &Store, tenants: &[TenantId]) -> Vec<(TenantId, Sequence)> {
    let mut heads = Vec::new();
    for tenant in tenants {
        let mut reader: Reader = store.read(*tenant).await.unwrap();
        heads.push((*tenant, reader.head().await.unwrap().sequence()));
    }
    heads.retain(|(_, sequence)| sequence.0 > 0);
    heads
}
