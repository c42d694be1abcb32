//! What is stored, read for a change of definitions.

use engine_model::{RecordId, Sequence, TenantId};
use engine_store::association::Direction;
use engine_store::commit::Write;
use engine_store::survey::{self, LinkEnds};

use crate::build::Cardinality::ManyToMany;
use crate::build::{archive, create, insert_as, new_link, unit};
use crate::fixture::Home;
use crate::on_both;

on_both!(
    records_touched_after_a_position_are_read_page_by_page,
    links_are_read_with_the_objects_at_their_ends_page_by_page,
    crowded_ends_are_counted_and_found_among_some,
);

async fn records_touched_after_a_position_are_read_page_by_page(home: Home) {
    let tenant = home.tenant().await;
    for name in ["Ada", "Bob", "Cid"] {
        home.insert(unit(tenant).item(create(name, 0))).await;
    }
    let mut reader = home.reader(tenant).await;
    let first = survey::touched_after(&mut reader, Sequence(0), 2).await.unwrap();
    let ids: Vec<_> = first.iter().map(|touched| touched.record_id).collect();
    assert_eq!(ids, [1, 2]);
    let last = Sequence(first[1].sequence);
    let rest = survey::touched_after(&mut reader, last, 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(
        (rest[0].record_id, rest[0].kind.as_str(), rest[0].object.as_deref()),
        (3, "record.created", Some("contact"))
    );
    assert!(survey::touched_after(&mut reader, Sequence(rest[0].sequence), 2).await.unwrap().is_empty());
}

/// Three contacts and two companies; ids in order.
async fn ends(home: &Home, tenant: TenantId) -> Vec<RecordId> {
    let writes = ["contact", "contact", "contact", "company", "company"].map(|object| insert_as(object, "a"));
    let done = home.done(unit(tenant).item(writes)).await;
    done.inserted.into_iter().flatten().collect()
}

async fn connect(home: &Home, tenant: TenantId, from: RecordId, to: RecordId) {
    let mut link = new_link(from, to, ManyToMany);
    link.label = Some("boss".to_owned());
    home.done(unit(tenant).item([Write::Link(link)])).await;
}

fn pairs(links: &[LinkEnds]) -> Vec<(i64, i64)> {
    links.iter().map(|link| (link.from_id, link.to_id)).collect()
}

async fn links_are_read_with_the_objects_at_their_ends_page_by_page(home: Home) {
    let tenant = home.tenant().await;
    let ids = ends(&home, tenant).await;
    for (from, to) in [(0, 3), (0, 4), (1, 3), (2, 1)] {
        connect(&home, tenant, ids[from], ids[to]).await;
    }
    home.done(unit(tenant).item([archive(ids[3], 1)])).await;
    let mut reader = home.reader(tenant).await;
    let first = survey::links(&mut reader, "works_at", (0, 0), 3).await.unwrap();
    assert_eq!(pairs(&first), [(1, 4), (1, 5), (2, 4)]);
    assert_eq!((first[0].from_object.as_str(), first[0].to_object.as_str()), ("contact", "company"));
    assert_eq!((first[0].label.as_deref(), first[0].properties.as_str()), (Some("boss"), "{}"));
    assert_eq!(pairs(&survey::links(&mut reader, "works_at", (1, 4), 3).await.unwrap()), [(1, 5), (2, 4), (3, 2)]);
    assert_eq!(pairs(&survey::links(&mut reader, "works_at", (2, 4), 3).await.unwrap()), [(3, 2)]);
    assert!(survey::links(&mut reader, "other", (0, 0), 3).await.unwrap().is_empty());
    let of = async |reader: &mut _, after| {
        pairs(&survey::links_from(reader, "works_at", vec![3, 1, 77], after, 2).await.unwrap())
    };
    assert_eq!(of(&mut reader, (0, 0)).await, [(1, 4), (1, 5)]);
    assert_eq!(of(&mut reader, (1, 5)).await, [(3, 2)]);
}

async fn crowded_ends_are_counted_and_found_among_some(home: Home) {
    let tenant = home.tenant().await;
    let ids = ends(&home, tenant).await;
    for (from, to) in [(0, 3), (0, 4), (1, 3), (2, 3)] {
        connect(&home, tenant, ids[from], ids[to]).await;
    }
    let mut reader = home.reader(tenant).await;
    assert_eq!(survey::count_crowded(&mut reader, "works_at", Direction::Out).await.unwrap(), 1);
    assert_eq!(survey::count_crowded(&mut reader, "works_at", Direction::In).await.unwrap(), 1);
    assert_eq!(survey::count_crowded(&mut reader, "other", Direction::In).await.unwrap(), 0);
    let among = async |reader: &mut _, direction, records| {
        let found = survey::crowded_among(reader, "works_at", direction, records).await.unwrap();
        found.into_iter().map(|end| (end.id, end.links)).collect::<Vec<_>>()
    };
    assert_eq!(among(&mut reader, Direction::Out, vec![1, 2, 3]).await, [(1, 2)]);
    assert_eq!(among(&mut reader, Direction::In, vec![4, 5]).await, [(4, 3)]);
    assert_eq!(among(&mut reader, Direction::In, vec![5]).await, []);
}
