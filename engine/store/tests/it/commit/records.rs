//! Records come, change and go, each with its version.

use engine_model::change::ChangeKind;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TeamId, UserId};
use engine_store::commit::{NewRecord, RecordRef, RecordUpdate, Refusal, Write};
use engine_store::record::{self, Key};

use crate::build::{NOW, New, archive, claim, create, email, insert, log, log_of, named, new_uid, unit, update};
use crate::fixture::{Home, committed, results};
use crate::on_both;

on_both!(
    created_record_reads_back_with_its_change,
    update_makes_the_next_version,
    update_from_another_version_is_stale,
    update_of_an_unknown_record_is_refused,
    record_of_another_tenant_is_unknown,
    record_is_inserted_and_updated_in_one_unit,
    second_update_in_a_group_sees_the_first,
    update_without_a_log_entry_is_kept,
    text_is_kept_letter_by_letter,
    numbers_are_kept_to_their_limits,
    archived_record_moves_from_one_list_to_the_other,
);

async fn created_record_reads_back_with_its_change(home: Home) {
    let tenant = home.tenant().await;
    let uid = new_uid();
    let record = NewRecord {
        uid,
        object: "contact".to_owned(),
        properties: named("Ada"),
        display_name: "Ada".to_owned(),
        owner: Some(UserId(3)),
        team: Some(TeamId(4)),
    };
    let entry = log_of(ChangeKind::RecordCreated, New(0), r#"{"name":[null,"Ada"]}"#);
    let done = home.done(unit(tenant).item([Write::Insert(record), claim(New(0), "ada@example.com"), entry])).await;
    assert_eq!((done.sequence, done.inserted.as_slice()), (Sequence(1), [Some(RecordId(1))].as_slice()));

    let mut reader = home.reader(tenant).await;
    for key in [Key::Id(RecordId(1)), Key::Uid(uid), Key::Value(email("ada@example.com"))] {
        let (head, row) = record::get(&mut reader, &key).await.unwrap();
        assert_eq!((head.last_sequence, head.last_record_id, head.metadata_version), (1, 1, 1));
        let row = row.unwrap();
        assert_eq!((row.id, row.uid, row.object.as_str(), row.display_name.as_str()), (1, uid, "contact", "Ada"));
        assert_eq!((row.properties, row.owner_id, row.team_id, row.version), (named("Ada"), Some(3), Some(4), 1));
        assert_eq!((row.created_at, row.created_by, row.updated_at, row.updated_by), (NOW.0, Some(7), NOW.0, Some(7)));
        assert_eq!(row.archived_at, None);
    }
    let log = home.log(tenant).await;
    let [entry] = log.as_slice() else { panic!("one entry: {log:?}") };
    assert_eq!((entry.sequence, entry.at, entry.kind.as_str()), (1, NOW.0, "record.created"));
    assert_eq!((entry.object.as_deref(), entry.record_id), (Some("contact"), Some(1)));
    assert_eq!((entry.changes.as_str(), entry.actor), (r#"{"name":[null,"Ada"]}"#, Some(7)));
    assert_eq!((entry.source.as_str(), entry.request_id.as_deref()), ("api", Some("request-1")));
    assert_eq!((entry.ip.as_deref(), entry.user_agent.as_deref()), (Some("192.0.2.1"), Some("test/1")));
}

async fn update_makes_the_next_version(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    let later = Timestamp(NOW.0 + 5);
    let renamed = [update(id, 1, "Ada L."), log(ChangeKind::RecordUpdated, id)];
    assert_eq!(home.done(unit(tenant).at(later).item(renamed)).await.sequence, Sequence(2));
    let row = home.record(tenant, id).await.unwrap();
    assert_eq!((row.version, row.display_name.as_str(), row.owner_id), (2, "Ada L.", None));
    assert_eq!((row.created_at, row.updated_at), (NOW.0, later.0));
    assert_eq!(row.properties, named("Ada L."));
}

async fn update_from_another_version_is_stale(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    for version in [0, 2] {
        let outcome =
            home.committed(unit(tenant).item([update(id, version, "Eve"), log(ChangeKind::RecordUpdated, id)]));
        let done = outcome.await;
        assert_eq!(results(&done), [Err(vec![Refusal::Stale(RecordRef::Id(id))])]);
        assert_eq!(done.sequence, Sequence(1));
    }
    assert_eq!(home.record(tenant, id).await.unwrap().display_name, "Ada");
    assert_eq!(home.log(tenant).await.len(), 1);
}

async fn update_of_an_unknown_record_is_refused(home: Home) {
    let tenant = home.tenant().await;
    let unknown = RecordId(99);
    let done = home.committed(unit(tenant).item([update(unknown, 1, "Eve")])).await;
    assert_eq!(results(&done), [Err(vec![Refusal::Missing(RecordRef::Id(unknown))])]);
}

async fn record_of_another_tenant_is_unknown(home: Home) {
    let (mine, theirs) = (home.tenant().await, home.tenant().await);
    home.insert(unit(mine).item(create("Ada", 0))).await;
    let first = home.insert(unit(theirs).item(create("Grace", 0))).await;
    let second = home.insert(unit(theirs).item(create("Joan", 0))).await;
    assert_eq!((first, second), (RecordId(1), RecordId(2)));
    let done = home.committed(unit(mine).item([update(second, 1, "Eve")])).await;
    assert_eq!(results(&done), [Err(vec![Refusal::Missing(RecordRef::Id(second))])]);
    assert!(home.record(mine, second).await.is_none());
    assert_eq!(home.record(theirs, second).await.unwrap().display_name, "Joan");
}

async fn record_is_inserted_and_updated_in_one_unit(home: Home) {
    let tenant = home.tenant().await;
    let writes =
        [insert("Ada"), claim(New(0), "a"), update(New(0), 1, "Ada L."), log(ChangeKind::RecordCreated, New(0))];
    let id = home.insert(unit(tenant).item(writes)).await;
    let row = home.record(tenant, id).await.unwrap();
    assert_eq!((row.version, row.display_name.as_str(), row.created_at), (2, "Ada L.", NOW.0));
}

async fn second_update_in_a_group_sees_the_first(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    let units = [(1, "first"), (1, "late"), (2, "second")].map(|(version, name)| {
        unit(tenant).item([update(id, version, name), log(ChangeKind::RecordUpdated, id)]).build()
    });
    let given: Vec<_> =
        home.group(tenant, units.into()).await.into_iter().map(|outcome| results(&committed(outcome))).collect();
    assert_eq!(given, [vec![Ok(())], vec![Err(vec![Refusal::Stale(RecordRef::Id(id))])], vec![Ok(())]]);
    let row = home.record(tenant, id).await.unwrap();
    assert_eq!((row.version, row.display_name.as_str()), (3, "second"));
    assert_eq!(home.log(tenant).await.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 3]);
}

async fn update_without_a_log_entry_is_kept(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    home.done(unit(tenant).item([update(id, 1, "Ada L.")])).await;
    assert_eq!(home.record(tenant, id).await.unwrap().version, 2);
    assert_eq!(home.log(tenant).await.len(), 1);
}

async fn text_is_kept_letter_by_letter(home: Home) {
    let tenant = home.tenant().await;
    let texts = [
        "",
        " ",
        "null",
        "1e5",
        "00",
        "{}",
        "[1]",
        "'",
        "\"",
        "\\",
        "\\\"",
        "\n\r\t",
        "\u{1}\u{1f}\u{7f}",
        "é",
        "e\u{301}",
        "\u{2028}",
        "日本語",
        "🦀",
        "%",
        "_",
        "$1",
        "?",
        ";--",
    ];
    for text in texts {
        let record = NewRecord {
            uid: new_uid(),
            object: "contact".to_owned(),
            properties: serde_json::json!({ "name": text }).to_string(),
            display_name: text.to_owned(),
            owner: None,
            team: None,
        };
        let written = record.properties.clone();
        let entry = log_of(ChangeKind::RecordCreated, New(0), &written);
        let id = home.insert(unit(tenant).item([Write::Insert(record), claim(New(0), text), entry])).await;
        let (_, row) = record::get(&mut home.reader(tenant).await, &Key::Value(email(text))).await.unwrap();
        let row = row.unwrap_or_else(|| panic!("{text:?} is not found"));
        assert_eq!((row.id, row.properties.as_str(), row.display_name.as_str()), (id.0, written.as_str(), text));
        assert_eq!(home.log(tenant).await.last().unwrap().changes, written);
    }
}

async fn numbers_are_kept_to_their_limits(home: Home) {
    let tenant = home.tenant().await;
    let id = home.insert(unit(tenant).item(create("Ada", 0))).await;
    for (version, number) in [(1, i64::MAX), (2, i64::MIN), (3, 9_007_199_254_740_993)] {
        let write = Write::Update(RecordUpdate {
            record: RecordRef::Id(id),
            expected_version: version,
            properties: "{}".to_owned(),
            display_name: String::new(),
            owner: Some(UserId(number)),
            team: Some(TeamId(number)),
            archived_at: Some(Timestamp(number)),
        });
        home.done(unit(tenant).item([write])).await;
        let row = home.record(tenant, id).await.unwrap();
        assert_eq!((row.owner_id, row.team_id, row.archived_at), (Some(number), Some(number), Some(number)));
    }
}

async fn archived_record_moves_from_one_list_to_the_other(home: Home) {
    let tenant = home.tenant().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(home.insert(unit(tenant).item(create(name, 0))).await.0);
    }
    home.done(unit(tenant).item([archive(RecordId(ids[1]), 1)]).item([archive(RecordId(ids[3]), 1)])).await;
    let mut reader = home.reader(tenant).await;
    let mut page = async |archived, after, limit| -> Vec<i64> {
        let rows = record::list(&mut reader, "contact", archived, after, limit).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(page(false, 0, 2).await, [ids[0], ids[2]]);
    assert_eq!(page(false, ids[2], 2).await, [ids[4]]);
    assert_eq!(page(true, 0, 10).await, [ids[1], ids[3]]);
    let known = record::many(&mut reader, vec![ids[3], ids[0], 77]).await.unwrap();
    let mut known: Vec<i64> = known.into_iter().map(|row| row.id).collect();
    known.sort_unstable();
    assert_eq!(known, [ids[0], ids[3]]);
    assert!(record::list(&mut reader, "company", false, 0, 10).await.unwrap().is_empty());
}
