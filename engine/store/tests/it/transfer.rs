//! A tenant's rows as they travel, and tenants that are not whole yet.

use engine_model::Sequence;
use engine_model::time::Timestamp;
use engine_store::tenant::Unfinished;
use engine_store::transfer::{
    AssignmentRule, AssociationDefinition, Carried, Change, Counter, Follower, Installed, Interval, Link, List,
    ListMember, Member, Merge, MetadataVersion, ObjectDefinition, OpenJob, Pack, Pipeline, Record, Role, SavedItem,
    SensitiveRead, Team, UniqueValue, User, add_pack, discard,
};
use engine_store::{Head, change, pack, tenant};
use serde_json::{Value, json};

use crate::build::{create, unit};
use crate::fixture::{Home, settings};
use crate::on_both;

on_both!(
    rows_come_back_as_they_were_written,
    row_whose_key_is_taken_is_not_written,
    unfinished_tenant_is_nobodys_until_it_is_finished,
    taken_slug_finishes_no_tenant,
    discarded_tenant_leaves_nothing_behind,
    snapshot_sees_one_moment,
);

async fn begin(home: &Home, mark: &str, at: i64) -> Unfinished {
    tenant::begin_unfinished(&home.store, &settings(), mark, Timestamp(at)).await.unwrap()
}

/// Writes rows, three times as many as are read at a time.
async fn write<T: Carried>(home: &Home, tenant: &Unfinished, rows: &[Value]) {
    let typed: Vec<T> = rows.iter().map(|row| serde_json::from_value(row.clone()).unwrap()).collect();
    let mut tx = tenant::write_unfinished(&home.store, tenant, Timestamp(5)).await.unwrap().unwrap();
    assert_eq!(T::insert(&mut tx, &typed).await.unwrap(), rows.len() as u64);
    tx.commit().await.unwrap();
}

async fn read<T: Carried>(home: &Home, tenant: &Unfinished) -> Vec<Value> {
    let mut reader = home.store.snapshot(tenant.tenant).await.unwrap();
    let (mut all, mut last) = (Vec::new(), None::<T>);
    loop {
        let mut page = T::page(&mut reader, last.as_ref(), 1).await.unwrap();
        all.extend(page.iter().map(|row| serde_json::to_value(row).unwrap()));
        match page.pop() {
            Some(row) => last = Some(row),
            None => break,
        }
    }
    reader.end().await.unwrap();
    all
}

async fn round_trip<T: Carried>(home: &Home, tenant: &Unfinished, rows: Value) {
    let rows = rows.as_array().unwrap();
    write::<T>(home, tenant, rows).await;
    assert_eq!(read::<T>(home, tenant).await, *rows, "{}", T::KIND);
}

async fn rows_come_back_as_they_were_written(home: Home) {
    let (id, other) = (begin(&home, "one", 1).await, begin(&home, "two", 1).await);
    assert_ne!(id, other);
    write::<Counter>(&home, &other, &[json!({"name": "user", "value": 99})]).await;
    let spec = json!({"label": "Ä \"quoted\"", "weight": 1.50});
    let uids = ["0190b5a0-0000-7000-8000-000000000001", "0190b5a0-0000-7000-8000-000000000002"];
    round_trip::<Installed>(&home, &id, json!([
        {"name": "core", "version": "1.0.0", "digest": "d1", "position": 1, "installed_at": 5, "remnant": "", "uninstalled_at": null},
        {"name": "crm", "version": "2.0.0", "digest": "d2", "position": 2, "installed_at": 6, "remnant": spec, "uninstalled_at": 7},
    ])).await;
    {
        let names = ["a", "b"];
        let rows = names.map(|name| json!({"name": name, "spec": spec, "updated_at": 3}));
        round_trip::<ObjectDefinition>(&home, &id, json!(rows)).await;
        round_trip::<AssociationDefinition>(&home, &id, json!(rows)).await;
        let rows = names.map(|name| json!({"object": "a", "name": name, "spec": spec, "updated_at": 3}));
        round_trip::<Pipeline>(&home, &id, json!(rows)).await;
    }
    round_trip::<MetadataVersion>(
        &home,
        &id,
        json!([
            {"version": 1, "at": 3, "actor": null, "summary": "first", "changes": {}},
            {"version": 2, "at": 4, "actor": 1, "summary": "second", "changes": spec},
        ]),
    )
    .await;
    round_trip::<User>(
        &home,
        &id,
        json!([
            {"id": 1, "name": "Ada", "email": "ada@example.com", "role": "owner", "is_service": 0, "time_zone": "UTC",
                "locale": "de", "created_at": 1, "updated_at": 2, "archived_at": null},
            {"id": 2, "name": "Gone", "email": "ada@example.com", "role": "member", "is_service": 1, "time_zone": null,
                "locale": null, "created_at": 1, "updated_at": 2, "archived_at": 3},
        ]),
    )
    .await;
    round_trip::<Team>(
        &home,
        &id,
        json!([{"id": 1, "name": "North", "created_at": 1}, {"id": 2, "name": "South", "created_at": 2}]),
    )
    .await;
    round_trip::<Member>(&home, &id, json!([{"team_id": 1, "user_id": 2}, {"team_id": 2, "user_id": 1}])).await;
    round_trip::<Role>(
        &home,
        &id,
        json!([
            {"name": "audit", "spec": {}, "created_at": 1, "updated_at": 2},
            {"name": "sales", "spec": spec, "created_at": 1, "updated_at": 2},
        ]),
    )
    .await;
    round_trip::<SensitiveRead>(
        &home,
        &id,
        json!([
            {"id": uids[0], "at": 1, "user_id": 1, "token_id": 2, "object": "a", "record_id": 1, "properties": "x,y",
                "request_id": "r1", "ip": "::1", "user_agent": "curl"},
            {"id": uids[1], "at": 2, "user_id": 1, "token_id": 2, "object": "a", "record_id": null, "properties": "x",
                "request_id": null, "ip": null, "user_agent": null},
        ]),
    )
    .await;
    round_trip::<SavedItem>(&home, &id, json!([
        {"id": 1, "kind": "view", "object": "a", "label": "Mine", "sharing": "private", "owner_id": 1, "team_id": null,
            "spec": spec, "created_at": 1, "updated_at": 2},
        {"id": 2, "kind": "dashboard", "object": null, "label": "Ours", "sharing": "team", "owner_id": 1, "team_id": 1,
            "spec": {}, "created_at": 1, "updated_at": 2},
    ])).await;
    round_trip::<AssignmentRule>(
        &home,
        &id,
        json!([
            {"id": 1, "object": "a", "label": "First", "position": 1, "condition": "x > 1", "users": [7, 8], "team_id": null,
                "is_active": 1, "created_at": 1, "updated_at": 2},
            {"id": 2, "object": "a", "label": "Second", "position": 2, "condition": null, "users": [], "team_id": 3,
                "is_active": 0, "created_at": 1, "updated_at": 2},
        ]),
    )
    .await;
    round_trip::<Record>(&home, &id, json!([
        {"id": 1, "uid": uids[0], "object": "a", "properties": spec, "display_name": "One", "owner_id": 1, "team_id": 2, "version": 4,
            "created_at": 1, "created_by": 1, "updated_at": 2, "updated_by": 1, "archived_at": null, "purged_at": null, "merged_into": null},
        {"id": 2, "uid": uids[1], "object": "a", "properties": {}, "display_name": "", "owner_id": null, "team_id": null, "version": 5,
            "created_at": 1, "created_by": null, "updated_at": 2, "updated_by": null, "archived_at": 8, "purged_at": 9, "merged_into": 1},
    ])).await;
    round_trip::<Link>(&home, &id, json!([
        {"from_id": 1, "type": "knows", "to_id": 2, "label": "friend", "properties": spec, "created_at": 1, "created_by": 1},
        {"from_id": 2, "type": "knows", "to_id": 1, "label": null, "properties": {}, "created_at": 2, "created_by": null},
    ])).await;
    round_trip::<Merge>(&home, &id, json!([{"loser_id": 2, "winner_id": 1, "merged_at": 8, "detail": spec}])).await;
    round_trip::<UniqueValue>(
        &home,
        &id,
        json!([
            {"object": "a", "properties": "code", "value": "", "record_id": 1},
            {"object": "a", "properties": "code", "value": "\"x\\y\n", "record_id": 2},
        ]),
    )
    .await;
    round_trip::<Interval>(
        &home,
        &id,
        json!([
            {"object": "a", "properties": "s,e", "within_value": "", "starts_at": -5, "ends_at": 9, "record_id": 1},
            {"object": "a", "properties": "s,e", "within_value": "r", "starts_at": 9, "ends_at": 10, "record_id": 2},
        ]),
    )
    .await;
    round_trip::<Change>(&home, &id, json!([
        {"sequence": 1, "at": 1, "kind": "record.created", "object": "a", "record_id": 1, "changes": spec, "actor": 1,
            "source": "api", "request_id": "r1", "ip": "::1", "user_agent": "curl"},
        {"sequence": 2, "at": 2, "kind": "metadata.changed", "object": null, "record_id": null, "changes": {}, "actor": null,
            "source": "job", "request_id": null, "ip": null, "user_agent": null},
    ])).await;
    round_trip::<List>(&home, &id, json!([
        {"id": 1, "object": "a", "name": "One", "description": null, "filter": null, "sharing": "everyone", "team_id": null,
            "version": 1, "created_at": 1, "created_by": 1, "updated_at": 2, "updated_by": 1, "members": 2, "revision": 3,
            "state": "current", "shape": "", "filled_to": null, "fill_until": null, "due_at": null, "deleted_at": null},
        {"id": 2, "object": "a", "name": "Two", "description": "Of two", "filter": "{}", "sharing": "team", "team_id": 1,
            "version": 2, "created_at": 1, "created_by": 1, "updated_at": 2, "updated_by": 1, "members": 0, "revision": 0,
            "state": "filling", "shape": "x", "filled_to": 5, "fill_until": 9, "due_at": 7, "deleted_at": 8},
    ])).await;
    round_trip::<ListMember>(
        &home,
        &id,
        json!([
            {"list_id": 1, "record_id": 1, "joined_at": 4, "is_away": 0},
            {"list_id": 1, "record_id": 2, "joined_at": 5, "is_away": 1},
        ]),
    )
    .await;
    round_trip::<Counter>(&home, &id, json!([{"name": "job", "value": 3}, {"name": "user", "value": 2}])).await;
    round_trip::<Follower>(&home, &id, json!([{"name": "rollups", "sequence": 2, "updated_at": 5}])).await;
    round_trip::<OpenJob>(
        &home,
        &id,
        json!([{"id": 3, "kind": "compute", "spec": spec, "created_at": 4, "created_by": null}]),
    )
    .await;
    assert_eq!(read::<Counter>(&home, &other).await, [json!({"name": "user", "value": 99})]);
}

async fn row_whose_key_is_taken_is_not_written(home: Home) {
    let id = begin(&home, "one", 1).await;
    write::<Counter>(&home, &id, &[json!({"name": "user", "value": 1})]).await;
    let mut tx = tenant::write_unfinished(&home.store, &id, Timestamp(5)).await.unwrap().unwrap();
    let rows = [("user", 5), ("job", 1)].map(|(name, value)| json!({"name": name, "value": value}));
    let rows: Vec<Counter> = rows.into_iter().map(|row| serde_json::from_value(row).unwrap()).collect();
    assert_eq!(Counter::insert(&mut tx, &rows).await.unwrap(), 1);
    let files = Pack { digest: "d".to_owned(), source: "{}".to_owned() };
    add_pack(&mut tx, &files, Timestamp(1)).await.unwrap();
    add_pack(&mut tx, &Pack { source: "other".to_owned(), ..files }, Timestamp(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(pack::source(&mut home.reader(id.tenant).await, "d").await.unwrap(), Some("{}".to_owned()));
}

async fn unfinished_tenant_is_nobodys_until_it_is_finished(home: Home) {
    let whole = home.tenant().await;
    let id = begin(&home, "one", 1).await;
    let listed = async || -> Vec<i64> {
        tenant::list(&home.store, 0, 10).await.unwrap().into_iter().map(|row| row.tenant_id).collect()
    };
    assert_eq!(listed().await, [whole.0]);
    assert_eq!(change::heads(&home.store, 0, 10).await.unwrap(), [(whole, Sequence(0))]);
    assert!(home.store.begin(id.tenant).await.is_err());

    let head = Head { last_sequence: 7, last_record_id: 3, metadata_version: 5, access_version: 2 };
    let mut tx = tenant::write_unfinished(&home.store, &id, Timestamp(5)).await.unwrap().unwrap();
    assert!(tenant::finish(&mut tx, "moved", head, Timestamp(77)).await.unwrap());
    assert_eq!(listed().await, [whole.0]);
    assert_eq!(tx.commit().await.unwrap(), head);
    assert_eq!(listed().await, [whole.0, id.tenant.0]);
    assert_eq!(home.reader(id.tenant).await.head().await.unwrap(), head);
    let row = tenant::by_slug(&home.store, "moved").await.unwrap().unwrap();
    assert_eq!((row.id(), row.created_at), (id.tenant, 77));
    discard(&home.store, &id, Timestamp(5)).await.unwrap();
    assert!(tenant::write_unfinished(&home.store, &id, Timestamp(5)).await.unwrap().is_none());
    assert!(home.store.begin(id.tenant).await.is_ok());
}

async fn taken_slug_finishes_no_tenant(home: Home) {
    let row = tenant::get(&mut home.reader(home.tenant().await).await).await.unwrap().unwrap();
    let id = begin(&home, "one", 1).await;
    let mut tx = tenant::write_unfinished(&home.store, &id, Timestamp(5)).await.unwrap().unwrap();
    assert!(!tenant::finish(&mut tx, &row.slug, Head::default(), Timestamp(1)).await.unwrap());
    drop(tx);
    assert_eq!(tenant::list(&home.store, 0, 10).await.unwrap().len(), 1);
    discard(&home.store, &id, Timestamp(6)).await.unwrap();
    assert_eq!(home.raw().await.number("select count(*) from tenant").await, 1);
}

async fn discarded_tenant_leaves_nothing_behind(home: Home) {
    let whole = home.tenant().await;
    home.done(unit(whole).item(create("stays", 0))).await;
    let (id, fresh) = (begin(&home, "one", 1).await, begin(&home, "two", 900).await);
    let counters: Vec<Value> = (0..50).map(|name| json!({"name": format!("c{name:02}"), "value": name})).collect();
    write::<Counter>(&home, &id, &counters).await;
    let changes = (1..=12_000).map(|sequence| {
        json!({"sequence": sequence, "at": 1, "kind": "record.created", "object": "a", "record_id": 1, "changes": {},
            "actor": null, "source": "api", "request_id": null, "ip": null, "user_agent": null})
    });
    write::<Change>(&home, &id, &changes.collect::<Vec<_>>()).await;
    // Writing is a sign of life.
    let given_up = async |before| tenant::given_up(&home.store, 0, Timestamp(before), 10).await.unwrap();
    assert_eq!(given_up(5).await, []);
    assert_eq!(given_up(6).await, std::slice::from_ref(&id));
    assert_eq!(given_up(901).await, [id.clone(), fresh.clone()]);
    discard(&home.store, &id, Timestamp(6)).await.unwrap();
    discard(&home.store, &id, Timestamp(6)).await.unwrap();
    assert!(tenant::write_unfinished(&home.store, &id, Timestamp(7)).await.unwrap().is_none());
    assert_eq!(given_up(901).await, [fresh]);
    let mut raw = home.raw().await;
    for (table, left) in [("change", 1), ("counter", 0), ("record", 1), ("tenant", 2), ("tenant_head", 1)] {
        assert_eq!(raw.number(&format!("select count(*) from {table}")).await, left, "{table}");
    }
}

async fn snapshot_sees_one_moment(home: Home) {
    let tenant = home.tenant().await;
    home.done(unit(tenant).item(create("before", 0))).await;
    let mut reader = home.store.snapshot(tenant).await.unwrap();
    let head = reader.head().await.unwrap();
    home.done(unit(tenant).item(create("after", 0))).await;
    assert_eq!(reader.head().await.unwrap(), head);
    assert_eq!(Record::page(&mut reader, None, 10).await.unwrap().len(), 1);
    assert_eq!(Change::page(&mut reader, None, 10).await.unwrap().len(), 1);
    reader.end().await.unwrap();
    assert_eq!(home.reader(tenant).await.head().await.unwrap().last_record_id, 2);
}
