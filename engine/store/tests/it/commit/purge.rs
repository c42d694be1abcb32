//! Purging erases values wherever the store keeps them.

use std::collections::BTreeMap;

use engine_model::change::ChangeKind;
use engine_model::{RecordId, Sequence, TenantId};
use engine_store::association;
use engine_store::commit::{Outcome, RecordRef, RecordUpdate, Refusal, Write};
use engine_store::idempotency::{self, StoredReply};
use engine_store::record::{self, Key};

use crate::build::Cardinality::ManyToMany;
use crate::build::{
    NOW, New, UnitBuilder, claim, create, email, insert, link, log, log_of, named, new_link, occupy, release, span,
    unit, update, vacate,
};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(
    purged_record_is_gone_with_its_values,
    purged_record_frees_what_it_held,
    purge_leaves_other_records_alone,
    purge_erases_what_its_own_group_has_written,
    purge_erases_a_record_made_in_its_own_group,
    purged_record_takes_no_more_writes,
    purge_that_is_sent_again_is_answered_the_same,
    purge_is_refused_where_a_link_has_come_that_nobody_has_looked_at,
);

const SECRET: &str = "geheim";

/// Where the word stands, over every column that holds what callers wrote.
async fn found(home: &Home) -> Vec<String> {
    let places = [
        ("record", "properties || display_name"),
        ("change", "changes"),
        ("idempotency", "body || headers"),
        ("association", "properties || coalesce(label, '')"),
        ("unique_value", "value"),
        ("interval_claim", "within_value"),
    ];
    let mut raw = home.raw().await;
    let mut found = Vec::new();
    for (table, text) in places {
        let count = raw.number(&format!("select count(*) from {table} where {text} like '%{SECRET}%'")).await;
        if count > 0 {
            found.push(format!("{table}: {count}"));
        }
    }
    found
}

/// What the engine writes to purge an unarchived record that holds the secret.
fn purge(tenant: TenantId, id: RecordId, version: i64) -> UnitBuilder {
    let emptied = Write::Update(RecordUpdate {
        record: RecordRef::Id(id),
        expected_version: version,
        properties: "{}".to_owned(),
        display_name: String::new(),
        owner: None,
        team: None,
        archived_at: Some(NOW),
    });
    unit(tenant).item([
        emptied,
        release(id, SECRET),
        vacate(id, &span(SECRET, 0, 10)),
        Write::Purge(id),
        log(ChangeKind::RecordPurged, id),
    ])
}

fn with_secret(tenant: TenantId, key: &str) -> UnitBuilder {
    let entry = log_of(ChangeKind::RecordCreated, New(0), &named(SECRET));
    let claims = [claim(New(0), SECRET), occupy(New(0), &span(SECRET, 0, 10))];
    let unit = unit(tenant).item([insert(SECRET)].into_iter().chain(claims).chain([entry]));
    unit.reply(key, "f", |committed| {
        let id = committed.inserted[0].unwrap();
        let body = format!(r#"{{"id":"{id}","properties":{{"name":"{SECRET}"}}}}"#);
        StoredReply { status: 201, headers: "{}".to_owned(), body }
    })
}

fn secret_link(from: RecordId, to: RecordId) -> Write {
    let mut link = new_link(from, to, ManyToMany);
    link.properties = named(SECRET);
    Write::Link(link)
}

async fn purged_record_is_gone_with_its_values(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(with_secret(tenant, "k1")).await;
    let other = home.insert(unit(tenant).item(create("other", 0))).await;
    home.done(unit(tenant).item([secret_link(id, other), secret_link(other, id)])).await;
    let uid = home.record(tenant, id).await.unwrap().uid;
    assert_eq!(found(&home).await.len(), 6);

    home.done(purge(tenant, id, 1)).await;
    assert_eq!(found(&home).await, Vec::<String>::new());
    let mut reader = home.reader(tenant).await;
    for key in [Key::Id(id), Key::Uid(uid), Key::Value(email(SECRET))] {
        assert!(record::get(&mut reader, &key).await.unwrap().1.is_none());
    }
    assert!(record::many(&mut reader, vec![id.0]).await.unwrap().is_empty());
    for (archived, expected) in [(true, vec![]), (false, vec![other.0])] {
        let rows = record::list(&mut reader, "contact", archived, 0, 10).await.unwrap();
        assert_eq!(rows.into_iter().map(|row| row.id).collect::<Vec<_>>(), expected);
    }
    // The tombstone keeps its place, and the log says that there was something.
    let mut raw = home.raw().await;
    assert_eq!(raw.number("select count(*) from record where purged_at is not null").await, 1);
    let log: Vec<_> = home.log(tenant).await.into_iter().map(|entry| (entry.kind, entry.record_id)).collect();
    assert_eq!(log.first(), Some(&("record.created".to_owned(), Some(id.0))));
    assert_eq!(log.last(), Some(&("record.purged".to_owned(), Some(id.0))));
}

async fn purged_record_frees_what_it_held(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(with_secret(tenant, "k1")).await;
    home.done(purge(tenant, id, 1)).await;
    home.insert(with_secret(tenant, "k2")).await;
}

async fn purge_leaves_other_records_alone(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let theirs = home.insert(with_secret(other, "k1")).await;
    let id = home.insert(unit(tenant).item(create("mine", 0))).await;
    let eleven = home.done((0..10).fold(unit(tenant), |all, number| all.item(create("x", number)))).await;
    assert_eq!((theirs, id, eleven.inserted[9]), (RecordId(1), RecordId(1), Some(RecordId(11))));
    home.insert(unit(tenant).item(create("kept", 0)).key("kept", "f")).await;
    home.done(unit(tenant).item([link(RecordId(2), RecordId(11), ManyToMany)])).await;
    home.done(unit(tenant).item([Write::Purge(id), log(ChangeKind::RecordPurged, id)])).await;

    assert_eq!(found(&home).await.len(), 5);
    let kept = idempotency::get(&mut home.reader(tenant).await, "kept", NOW).await.unwrap().unwrap();
    assert_eq!(kept.body, r#"{"id":"12"}"#);
    let mut raw = home.raw().await;
    assert_eq!(raw.number(&format!("select count(*) from association where tenant_id = {tenant}")).await, 1);
    let untouched = format!("select count(*) from change where tenant_id = {tenant} and changes <> '{{}}'");
    assert_eq!(raw.number(&untouched).await, 12);
    assert!(record::list(&mut home.reader(tenant).await, "contact", false, 0, 1).await.unwrap()[0].id > id.0);
}

async fn purge_erases_what_its_own_group_has_written(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("plain", 0))).await;
    let other = home.insert(unit(tenant).item(create("other", 0))).await;
    let quoting = unit(tenant)
        .item([
            update(id, 1, SECRET),
            claim(id, SECRET),
            occupy(id, &span(SECRET, 0, 10)),
            log_of(ChangeKind::RecordUpdated, id, &named(SECRET)),
            secret_link(id, other),
            secret_link(other, id),
        ])
        .reply("quoting", "f", move |_| {
            let body = format!(r#"{{"id":"{id}","name":"{SECRET}"}}"#);
            StoredReply { status: 200, headers: "{}".to_owned(), body }
        });
    for outcome in home.group(tenant, vec![quoting.build(), purge(tenant, id, 2).build()]).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!(found(&home).await, Vec::<String>::new());
    assert!(home.record(tenant, id).await.is_none());
    let kinds: Vec<_> = home.log(tenant).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds[2..], ["record.updated", "association.created", "association.created", "record.purged"]);
}

async fn purge_erases_a_record_made_in_its_own_group(home: Home) {
    let tenant = home.tenant().await;
    let id = RecordId(1);
    let units = vec![with_secret(tenant, "k1").build(), purge(tenant, id, 1).build()];
    for outcome in home.group(tenant, units).await {
        assert_eq!(results(&committed(outcome)), [Ok(())]);
    }
    assert_eq!(found(&home).await, Vec::<String>::new());
    assert!(home.record(tenant, id).await.is_none());
}

async fn purged_record_takes_no_more_writes(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    let other = home.insert(unit(tenant).item(create("Eve", 0))).await;
    let missing = Err(vec![Refusal::Missing(RecordRef::Id(id))]);
    let late = || unit(tenant).item([update(id, 1, "late")]).item([link(other, id, ManyToMany)]).build();
    let bare = unit(tenant).item([Write::Purge(id), log(ChangeKind::RecordPurged, id)]).build();
    let outcomes = home.group(tenant, vec![bare, late()]).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(committed).collect();
    assert_eq!(results(&outcomes[1]), [missing.clone(), missing.clone()]);
    assert_eq!(results(&home.committed(late()).await), [missing.clone(), missing.clone()]);
    let again = home.committed(unit(tenant).item([Write::Purge(id)])).await;
    assert_eq!(results(&again), [missing]);
    let unknown = home.committed(unit(tenant).item([Write::Purge(RecordId(99))])).await;
    assert_eq!(results(&unknown), [Err(vec![Refusal::Missing(RecordRef::Id(RecordId(99)))])]);
}

async fn purge_is_refused_where_a_link_has_come_that_nobody_has_looked_at(home: Home) {
    let tenant = home.tenant().await;
    let mut ids = Vec::new();
    for name in ["Ada", "Eve", "Max"] {
        ids.push(home.insert(unit(tenant).item(create(name, 0))).await);
    }
    home.done(unit(tenant).item([link(ids[0], ids[1], ManyToMany)])).await;
    let counted = association::counts(&mut home.reader(tenant).await, vec![ids[1].0, ids[2].0]).await.unwrap();
    assert_eq!(counted.into_iter().collect::<BTreeMap<_, _>>(), BTreeMap::from([(ids[1].0, 1), (ids[2].0, 0)]));
    let purge = |links: i64| unit(tenant).item([Write::HasLinks(ids[1], links), Write::Purge(ids[1])]);
    let stale = Err(vec![Refusal::Stale(RecordRef::Id(ids[1]))]);
    for links in [0, 2] {
        assert_eq!(results(&home.committed(purge(links)).await), std::slice::from_ref(&stale));
    }
    // One that comes in the same group counts.
    let linking = unit(tenant).item([link(ids[2], ids[1], ManyToMany)]).build();
    let outcomes = home.group(tenant, vec![linking, purge(1).build()]).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(committed).collect();
    assert_eq!([results(&outcomes[0]), results(&outcomes[1])], [vec![Ok(())], vec![stale]]);
    home.done(purge(2)).await;
}

async fn purge_that_is_sent_again_is_answered_the_same(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    let purge = || {
        purge(tenant, id, 1).reply("purge", "f", move |_| {
            let body = format!(r#"{{"id":"{id}"}}"#);
            StoredReply { status: 200, headers: "{}".to_owned(), body }
        })
    };
    assert_eq!(home.done(purge()).await.sequence, Sequence(2));
    let Outcome::Replayed(reply) = home.commit(purge()).await else { panic!("the kept reply") };
    assert_eq!(reply.body, format!(r#"{{"id":"{id}"}}"#));
}
