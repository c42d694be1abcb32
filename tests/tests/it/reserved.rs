//! Values that administrators and automation keep to themselves.

use reqwest::Method;
use serde_json::json;
use tests::TestServer;

use crate::fixture::{Silence, create_id, define, id, results};

async fn reserved_tags_are_set_by_administrators_only(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (mel, _) = tenant.user("mel", "member").await;
    let deal = id(&mel.post("/records/deal", &json!({"properties": {"name": "Roof"}})).await.ok(201));
    let other = create_id(&tenant, "tag", json!({"name": "hot", "color": "red"})).await;
    let bot = create_id(&tenant, "tag", json!({"name": "bot:auto_reply", "color": "grey"})).await;
    let on = |tag: &str| format!("/records/deal/{deal}/associations/tagged/{tag}");
    mel.put(&on(&other), &json!({})).await.ok(204);
    let quiet = Silence::begins(&tenant).await;
    for name in ["bot:mine", "BOT:mine", " Bot:mine"] {
        let refused = mel.post("/records/tag", &json!({"properties": {"name": name}})).await.problem(403, "forbidden");
        assert_eq!(refused.errors(), [("/properties/name".to_owned(), "forbidden".to_owned())]);
        let message = "what begins with `bot:` is set and taken away by administrators and automation only";
        assert!(refused.words().contains(message), "{}", refused.words());
    }
    let renamed = json!({"properties": {"name": "bot:hot"}});
    mel.patch(&format!("/records/tag/{other}"), &renamed).await.problem(403, "forbidden");
    for refused in [
        mel.put(&on(&bot), &json!({})).await,
        mel.patch(&format!("/records/tag/{bot}"), &json!({"properties": {"color": "red"}})).await,
        mel.delete(&format!("/records/tag/{bot}")).await,
        mel.request(Method::POST, &format!("/records/tag/{bot}/claim")).await,
        mel.post(&format!("/records/tag/{other}/merge"), &json!({"from": [bot]})).await,
        mel.post(&format!("/records/tag/{bot}/merge"), &json!({"from": [other]})).await,
    ] {
        let words = refused.problem(403, "forbidden").words();
        assert!(words.contains("begins with `bot:` are kept by administrators and automation"), "{words}");
    }
    let tagged = json!({"properties": {"name": "Wall"}, "associations": [{"type": "tagged", "to": bot}]});
    let refused = mel.post("/records/deal", &tagged).await;
    assert_eq!(refused.problem(403, "forbidden").pointers(), ["/associations/0/to"]);
    quiet.holds().await;
    tenant.put(&on(&bot), &json!({})).await.ok(204);
    mel.delete(&on(&bot)).await.problem(403, "forbidden");
    // Everybody reads it, and finds by it.
    let query = json!({"filter": {"association": "tagged",
        "match": {"property": "name", "op": "eq", "value": "bot:auto_reply"}}});
    assert_eq!(results(&mel.post("/records/deal/search", &query).await.ok(200)).len(), 1);
    tenant.delete(&on(&bot)).await.ok(204);
    mel.delete(&on(&other)).await.ok(204);
}

async fn links_of_reserved_tags_are_not_replaced_by_others(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (mel, _) = tenant.user("mel", "member").await;
    let link = json!({"name": "main_tag", "from": "tag", "to": "contact", "cardinality": "one_to_many"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let contact = create_id(&tenant, "contact", json!({"first_name": "Ada", "last_name": "Lovelace"})).await;
    let free = create_id(&tenant, "tag", json!({"name": "hot", "color": "red"})).await;
    let bot = create_id(&tenant, "tag", json!({"name": "bot:auto_reply", "color": "grey"})).await;
    let at = |tag: &str| format!("/records/contact/{contact}/associations/main_tag/{tag}");
    tenant.put(&at(&bot), &json!({})).await.ok(204);
    let quiet = Silence::begins(&tenant).await;
    let refused = mel.put(&format!("{}?replace=true", at(&free)), &json!({})).await.problem(403, "forbidden");
    assert!(refused.words().contains("kept by administrators and automation"), "{}", refused.words());
    let operation = json!({"op": "associate", "type": "main_tag", "from": free, "to": contact, "replace": true});
    mel.post("/transactions", &json!({"operations": [operation]})).await.problem(403, "forbidden");
    quiet.holds().await;
    tenant.put(&format!("{}?replace=true", at(&free)), &json!({})).await.ok(204);
    let links = tenant.get(&format!("/records/contact/{contact}/associations/main_tag")).await.ok(200);
    assert_eq!(results(&links).iter().map(|link| id(&link["record"])).collect::<Vec<_>>(), [free]);
}

async fn colours_of_tags_are_colours(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for (number, color) in ["red", "#f0A", "#00ff7f"].into_iter().enumerate() {
        create_id(&tenant, "tag", json!({"name": format!("t{number}"), "color": color})).await;
    }
    for color in ["#12", "#12345g", "Red", "url(x)", "red;", "rgb(1,2,3)"] {
        let tag = json!({"properties": {"name": "t", "color": color}});
        let refused = tenant.post("/records/tag", &tag).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/properties/color"], "{color}");
    }
}

/// Every shipped object whose records have tags.
async fn shipped_tags_are_kept_where_records_have_them(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let (mel, _) = tenant.user("mel", "member").await;
    for (object, properties) in [
        ("contact", json!({"first_name": "Ada", "last_name": "Lovelace"})),
        ("company", json!({"name": "Acme"})),
        ("deal", json!({"name": "Roof"})),
        ("product", json!({"name": "Tile"})),
        ("task", json!({"title": "Call"})),
    ] {
        let with = |tags: serde_json::Value| {
            let mut properties = properties.clone();
            properties["tags"] = tags;
            json!({"properties": properties})
        };
        let all = format!("/records/{object}");
        let refused = mel.post(&all, &with(json!(["hot", "bot:mine"]))).await.problem(403, "forbidden");
        assert_eq!(refused.errors(), [("/properties/tags".to_owned(), "forbidden".to_owned())], "{object}");
        let one = id(&mel.post(&all, &with(json!(["hot"]))).await.ok(201));
        let path = format!("{all}/{one}");
        let patch = |tags: serde_json::Value| json!({"properties": {"tags": tags}});
        mel.patch(&path, &patch(json!(["hot", "BOT:mine"]))).await.problem(403, "forbidden");
        tenant.patch(&path, &patch(json!(["bot:seen"]))).await.ok(200);
        mel.patch(&path, &patch(json!([]))).await.problem(403, "forbidden");
        mel.patch(&path, &patch(json!(["bot:seen", "cold"]))).await.ok(200);
    }
}

async fn reserved_values_of_a_list_are_kept_one_by_one(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let reserved = json!({"reserved": {"property": "labels", "prefixes": ["bot:", "sys-"]}});
    let properties = json!({"name": {"type": "string"}, "labels": {"type": "tags"}, "size": {"type": "integer"}});
    define(&tenant, json!({"name": "note_card", "properties": properties, "constraints": [reserved]})).await;
    let (mel, _) = tenant.user("mel", "member").await;
    let card = create_id(&tenant, "note_card", json!({"labels": ["bot:a", "free"]})).await;
    let patch = async |labels: serde_json::Value| {
        mel.patch(&format!("/records/note_card/{card}"), &json!({"properties": {"labels": labels}})).await
    };
    patch(json!(["own", "bot:a"])).await.ok(200);
    for labels in [json!(["own"]), json!(["bot:a", "bot:b"]), json!(["bot:a", "SYS-x"]), json!(null)] {
        let refused = patch(labels).await.problem(403, "forbidden");
        assert_eq!(refused.pointers(), ["/properties/labels"]);
    }
    // The rest of such a record is everybody's.
    mel.patch(&format!("/records/note_card/{card}"), &json!({"properties": {"size": 3}})).await.ok(200);
    tenant.patch(&format!("/records/note_card/{card}"), &json!({"properties": {"labels": []}})).await.ok(200);
    for (constraint, pointers) in [
        (json!({"reserved": {}}), vec!["/constraints/0/reserved/property", "/constraints/0/reserved/prefixes"]),
        (
            json!({"reserved": {"property": "size", "prefixes": []}}),
            vec!["/constraints/0/reserved/property", "/constraints/0/reserved/prefixes"],
        ),
        (
            json!({"reserved": {"property": "labls", "prefixes": ["x:"], "prefix": 1}}),
            vec!["/constraints/0/reserved/property", "/constraints/0/reserved/prefix"],
        ),
    ] {
        let body = json!({"constraints": [constraint]});
        let refused = tenant.patch("/object-definitions/note_card", &body).await.problem(422, "validation_failed");
        assert_eq!(refused.pointers(), pointers);
    }
}

scenarios![
    links_of_reserved_tags_are_not_replaced_by_others,
    colours_of_tags_are_colours,
    shipped_tags_are_kept_where_records_have_them,
    reserved_tags_are_set_by_administrators_only,
    reserved_values_of_a_list_are_kept_one_by_one
];
