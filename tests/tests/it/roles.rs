//! Roles of a tenant's own and of packs: what they grant, who may give them, and when they are in force.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{Silence, create, create_id, define_thing, id, results};

async fn role(tenant: &Client, body: Value) {
    tenant.post("/roles", &body).await.ok(201);
}

/// A token of a service or a user, made by this caller.
async fn token(by: &Client, body: Value) -> Client {
    let made = by.post("/tokens", &body).await.ok(201);
    by.with_token(made["secret"].as_str().unwrap())
}

/// Creates a record that stands there.
async fn owned(tenant: &Tenant, name: &str, owner: Value, team: Value) -> String {
    let body = json!({"properties": {"name": name}, "owner_id": owner, "team_id": team});
    id(&tenant.post("/records/deal", &body).await.ok(201))
}

async fn found(caller: &Client) -> Vec<String> {
    let query = json!({"sort": ["name"]});
    let searched = caller.post("/records/deal/search", &query).await.ok(200);
    let names = |page: &Value| -> Vec<String> {
        let names = results(page).iter().map(|record| record["properties"]["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    let (searched, mut listed) = (names(&searched), names(&caller.get("/records/deal").await.ok(200)));
    listed.sort();
    assert_eq!(searched, listed, "searches and lists have the same");
    searched
}

async fn pages_hold_what_the_caller_sees(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let grants = json!({"create": true, "read": "own", "update": "own", "archive": "own"});
    role(&tenant, json!({"name": "sales", "label": "Sales", "objects": {"deal": grants}})).await;
    let (mel, mel_id) = tenant.user("mel", "sales").await;
    let mut own = Vec::new();
    for number in 0..5 {
        // Others' records, more than a page of them.
        let inputs: Vec<Value> =
            (0..30).map(|other| json!({"properties": {"name": format!("{number} {other}")}})).collect();
        tenant.post("/records/deal/batch/create", &json!({"inputs": inputs})).await.ok(207);
        own.push(owned(&tenant, &format!("own {number}"), json!(mel_id), Value::Null).await);
    }
    let page = async |query: String| {
        let page = mel.get(&format!("/records/deal?limit=2&select=name{query}")).await.ok(200);
        let ids: Vec<String> = results(&page).iter().map(id).collect();
        (ids, page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}")))
    };
    let (first, next) = page(String::new()).await;
    let (second, after) = page(next.expect("a second page")).await;
    let (third, end) = page(after.expect("a third page")).await;
    assert_eq!((first.as_slice(), second.as_slice(), third.as_slice(), end), (&own[..2], &own[2..4], &own[4..], None));
    // At once what was given a moment ago, and put away.
    let gone = own.remove(1);
    mel.delete(&format!("/records/deal/{gone}")).await.ok(204);
    tenant.request(Method::POST, &format!("/records/deal/{}/release", own[0])).await.ok(200);
    assert_eq!(page(String::new()).await.0, own[1..3]);
    assert_eq!(page("&archived=true".to_owned()).await, (vec![gone], None));
}

async fn role_grants_what_it_says_at_once(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let grants = |read: &str, update: &str| json!({"create": true, "read": read, "update": update, "archive": "own"});
    role(&tenant, json!({"name": "sales", "label": "Sales", "objects": {"deal": grants("team", "own")}})).await;
    let (mel, mel_id) = tenant.user("mel", "sales").await;
    let (_, max_id) = tenant.user("max", "sales").await;
    let (_, far_id) = tenant.user("far", "member").await;
    let north = id(&tenant.post("/teams", &json!({"name": "North", "members": [mel_id, max_id]})).await.ok(201));
    let south = id(&tenant.post("/teams", &json!({"name": "South", "members": [far_id]})).await.ok(201));
    let own = owned(&tenant, "a own", json!(mel_id), Value::Null).await;
    let mate = owned(&tenant, "b mate", json!(max_id), json!(south)).await;
    let of_team = owned(&tenant, "c team", json!(far_id), json!(north)).await;
    let foreign = owned(&tenant, "d foreign", json!(far_id), json!(south)).await;
    owned(&tenant, "e nobody", Value::Null, Value::Null).await;
    assert_eq!(found(&mel).await, ["a own", "b mate", "c team"]);
    assert_eq!(mel.get(&format!("/records/deal/{of_team}")).await.ok(200)["team_id"], north);
    mel.get(&format!("/records/deal/{foreign}")).await.problem(404, "not_found");
    let rename = json!({"properties": {"name": "a own"}});
    mel.patch(&format!("/records/deal/{own}"), &rename).await.ok(200);
    let refused = mel.patch(&format!("/records/deal/{mate}"), &rename).await.problem(403, "forbidden");
    assert_eq!(refused.words(), "the role `sales` allows to update only own `deal` records");
    mel.get("/records/contact").await.problem(403, "forbidden");
    // The change log tells of the same records.
    let log = mel.get("/changes?after=0&wait=0&object=deal").await.ok(200);
    let told: std::collections::BTreeSet<_> =
        results(&log).iter().map(|change| change["record_id"].as_str().unwrap()).collect();
    assert_eq!(told, [own.as_str(), &mate, &of_team].into());
    // Every change of a role, a team or a record is in force at once.
    tenant.patch("/roles/sales", &json!({"objects": {"deal": {"read": "own_or_unclaimed"}}})).await.ok(200);
    assert_eq!(found(&mel).await, ["a own", "e nobody"]);
    tenant.patch("/roles/sales", &json!({"objects": {"deal": {"read": "team", "update": "team"}}})).await.ok(200);
    mel.patch(&format!("/records/deal/{mate}"), &json!({"properties": {"name": "b mate!"}})).await.ok(200);
    tenant.patch(&format!("/records/deal/{of_team}"), &json!({"team_id": null})).await.ok(200);
    assert_eq!(found(&mel).await, ["a own", "b mate!"]);
    tenant.patch(&format!("/teams/{south}"), &json!({"members": [mel_id]})).await.ok(200);
    assert_eq!(found(&mel).await, ["a own", "b mate!", "d foreign"]);
    let history = tenant.get(&format!("/records/deal/{of_team}/history")).await.ok(200);
    let team = results(&history).iter().find(|entry| entry["property"] == "team_id").unwrap();
    assert_eq!((&team["old"], &team["new"]), (&json!(north), &Value::Null));
    let wrong = tenant.patch(&format!("/records/deal/{own}"), &json!({"team_id": "999999"})).await;
    assert_eq!(wrong.problem(422, "validation_failed").pointers(), ["/team_id"]);
    let by_team = json!({"filter": {"property": "team_id", "op": "eq", "value": south}});
    assert_eq!(results(&tenant.post("/records/deal/search", &by_team).await.ok(200)).len(), 2);
}

async fn roles_are_given_and_kept_with_care(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let everything = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
    role(&tenant, json!({"name": "deals_admin", "objects": {"deal": everything}, "admin": true})).await;
    role(&tenant, json!({"name": "reader", "objects": {"deal": {"read": "all"}}})).await;
    let (dan, _) = tenant.user("dan", "deals_admin").await;
    let quiet = Silence::begins(&tenant).await;
    // Nobody gives rights that they do not have themselves.
    let refused = dan.post("/users", &json!({"name": "X", "role": "member"})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/role".to_owned(), "forbidden".to_owned())]);
    assert!(refused.words().contains("to create records of any object"), "{}", refused.body);
    let wider = json!({"name": "wider", "objects": {"contact": {"read": "all"}}});
    let refused = dan.post("/roles", &wider).await.problem(403, "forbidden");
    assert!(refused.words().contains("to read all records of `contact`"), "{}", refused.body);
    dan.patch("/roles/deals_admin", &json!({"objects": {"*": everything}})).await.problem(403, "forbidden");
    dan.post("/tokens", &json!({"name": "X", "user": "1"})).await.problem(422, "validation_failed");
    dan.get("/tenant/export").await.problem(403, "forbidden");
    quiet.holds().await;
    let narrow = token(&dan, json!({"name": "narrow", "role": "reader"})).await;
    assert_eq!(narrow.get("/tenant").await.ok(200)["role"], "reader");
    narrow.post("/roles", &json!({"name": "x"})).await.problem(403, "forbidden");
    // A role that somebody has stays.
    let in_use = tenant.delete("/roles/reader").await.problem(409, "conflict");
    assert!(in_use.words().contains("in use by user") && in_use.words().contains("token"), "{}", in_use.body);
    let unknown = tenant.post("/users", &json!({"name": "X", "role": "readr"})).await.problem(422, "validation_failed");
    assert!(unknown.words().contains("did you mean `reader`?"), "{}", unknown.body);
    let missing = tenant.get("/roles/readr").await.problem(404, "not_found");
    assert!(missing.words().contains("`reader`"), "{}", missing.body);
    // What a role names may be archived; the rest goes on, and a warning says so.
    let thing = json!({"shelf": {"type": "string"}});
    define_thing(&tenant, thing).await;
    let body =
        json!({"name": "clerk", "objects": {"thing": everything}, "properties": {"thing.shelf": {"write": false}}});
    role(&tenant, body).await;
    assert_eq!(tenant.get("/roles/clerk").await.ok(200)["warning"], Value::Null);
    tenant.delete("/object-definitions/thing/properties/shelf").await.ok(204);
    let clerk = tenant.get("/roles/clerk").await.ok(200);
    assert_eq!(clerk["warning"], "`thing.shelf` is archived");
    tenant.patch("/roles/clerk", &json!({"label": "Clerk of things"})).await.ok(200);
    let caller = token(&tenant, json!({"name": "clerk", "role": "clerk"})).await;
    create(&caller, "thing", json!({"name": "One"})).await;
}

async fn tokens_have_what_all_that_they_are_made_of_allows(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let grants = |read: &str| json!({"create": true, "read": read, "update": read, "archive": read});
    role(&tenant, json!({"name": "own_deals", "objects": {"deal": grants("own"), "contact": grants("all")}})).await;
    let (_, mel) = tenant.user("mel", "member").await;
    owned(&tenant, "own", json!(mel), Value::Null).await;
    owned(&tenant, "nobody", Value::Null, Value::Null).await;
    // A token cannot have more than its user: `own_deals` changes all contacts.
    let body = json!({"name": "x", "user": mel, "role": "own_deals"});
    let refused = tenant.post("/tokens", &body).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/role".to_owned(), "forbidden".to_owned())]);
    tenant.patch("/roles/own_deals", &json!({"objects": {"contact": null}})).await.ok(200);
    let body = json!({"name": "x", "user": mel, "role": "own_deals", "scopes": ["deal:read"]});
    let caller = token(&tenant, body).await;
    assert_eq!(found(&caller).await, ["own"]);
    caller.post("/records/deal", &json!({"properties": {"name": "x"}})).await.problem(403, "forbidden");
    assert_eq!(caller.get("/tenant").await.ok(200)["role"], "own_deals");
    let told = caller.get("/access/explain?object=deal&action=create").await.ok(200);
    assert_eq!(told["reason"], "the token's scopes do not allow to create `deal`");
    let sources: Vec<_> = results_of(&told, "rules").iter().map(|rule| (&rule["source"], &rule["allows"])).collect();
    assert_eq!(
        sources,
        [(&json!("scopes"), &json!(false)), (&json!("token_role"), &json!(true)), (&json!("user_role"), &json!(true)),]
    );
    // Somebody who loses rights takes them from their tokens too, and gets none back by a stronger role's token.
    tenant.patch(&format!("/users/{mel}"), &json!({"role": "viewer"})).await.ok(200);
    assert_eq!(found(&caller).await, ["own"]);
    tenant.patch("/roles/own_deals", &json!({"objects": {"deal": {"read": "none"}}})).await.ok(200);
    caller.get("/records/deal").await.problem(403, "forbidden");
}

fn results_of<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().unwrap()
}

const SHOP: &str = r#"
pack: shop
version: 1.0.0
objects:
  sale: {label: Sale, plural: sales, display: "{{ name }}", properties: {name: {type: string, label: Name}}}
roles:
  seller: {label: Seller, objects: {sale: {create: true, read: all}}}
"#;

async fn apply(tenant: &Client, source: &str) {
    let planned = tenant.post("/packs/plan", &json!({"source": source})).await.ok(200);
    tenant.post("/packs/apply", &json!({"plan": planned["plan"], "allow_destructive": true})).await.ok(200);
}

async fn packs_bring_roles_and_a_tenants_own_win(server: TestServer) {
    let tenant = server.tenant("generic").await;
    tenant.post("/users", &json!({"name": "X", "role": "seller"})).await.problem(422, "validation_failed");
    apply(&tenant, SHOP).await;
    assert_eq!(tenant.get("/roles/seller").await.ok(200)["layer"], "shop");
    let (sam, _) = tenant.user("sam", "seller").await;
    let sale = format!("/records/sale/{}", create_id(&sam, "sale", json!({"name": "One"})).await);
    sam.delete(&sale).await.problem(403, "forbidden");
    tenant.patch("/roles/seller", &json!({"label": "X"})).await.problem(409, "conflict");
    tenant.delete("/roles/seller").await.problem(409, "conflict");
    // A new version of the pack is in force at once, as is a role of the tenant's own.
    apply(&tenant, &SHOP.replace("1.0.0", "1.1.0").replace("read: all", "read: all, archive: all")).await;
    sam.delete(&sale).await.ok(204);
    role(&tenant, json!({"name": "seller", "objects": {"sale": {"read": "all"}}})).await;
    assert_eq!(tenant.get("/roles/seller").await.ok(200)["layer"], "custom");
    sam.post("/records/sale", &json!({"properties": {"name": "Two"}})).await.problem(403, "forbidden");
    assert_eq!(results(&sam.get("/records/sale?archived=true").await.ok(200)).len(), 1);
    // Without the pack there is the tenant's own; without that, nothing is granted by the name.
    tenant.delete("/packs/shop").await.ok(200);
    let sam_id =
        results(&tenant.get("/users").await.ok(200)).iter().find(|user| user["name"] == "sam").map(id).unwrap();
    assert_eq!(
        tenant.get(&format!("/access/explain?user={sam_id}&object=contact&action=read")).await.ok(200)["allowed"],
        false
    );
    apply(&tenant, &SHOP.replace("seller", "buyer").replace("1.0.0", "1.2.0")).await;
    let (bea, _) = tenant.user("bea", "buyer").await;
    assert_eq!(bea.get("/records/sale").await.status, 200);
    tenant.delete("/packs/shop").await.ok(200);
    bea.get("/records/contact").await.problem(403, "forbidden");
}

async fn properties_are_read_and_changed_as_the_role_says(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(
        &tenant,
        json!({
            "code": {"type": "string", "unique": true}, "price": {"type": "integer"}, "note": {"type": "string", "searchable": true},
            "gross": {"type": "formula", "formula": "price * 2", "result": "integer"},
            "ssn": {"type": "string", "sensitive": true},
        }),
    )
    .await;
    let everything = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
    role(&tenant, json!({"name": "clerk", "objects": {"*": everything}, "properties": {
        "thing.price": {"read": false}, "thing.code": {"read": true, "write": false}, "thing.ssn": {"read": true, "write": false}}})).await;
    role(
        &tenant,
        json!({"name": "nameless", "objects": {"*": everything}, "properties": {"thing.name": {"read": false}}}),
    )
    .await;
    let clerk = token(&tenant, json!({"name": "clerk", "role": "clerk"})).await;
    let nameless = token(&tenant, json!({"name": "nameless", "role": "nameless"})).await;
    let one =
        create(&tenant, "thing", json!({"name": "Zirkon", "code": "A", "price": 4711, "note": "x", "ssn": "s-1"}))
            .await;
    let path = format!("/records/thing/{}", id(&one));
    let seen = clerk.get(&path).await.ok(200);
    assert_eq!(seen["properties"], json!({"name": "Zirkon", "code": "A", "note": "x", "ssn": "s-1"}));
    let quiet = Silence::begins(&tenant).await;
    for (refused, pointers) in [
        (clerk.patch(&path, &json!({"properties": {"price": 1, "code": "B", "note": "y"}})).await, &["/properties/price", "/properties/code"][..]),
        (clerk.post("/records/thing", &json!({"properties": {"name": "N", "ssn": "x"}})).await, &["/properties/ssn"]),
        (clerk.put("/records/thing?id_property=code", &json!({"properties": {"code": "A", "price": 3}})).await, &["/properties/code", "/properties/price"]),
        (
            clerk.post("/transactions", &json!({"operations": [{"op": "update", "object": "thing", "id": id(&one), "properties": {"price": 1}}]})).await,
            &["/operations/0/properties/price"],
        ),
        (
            clerk.post("/records/thing/batch/update", &json!({"atomic": true, "inputs": [{"id": id(&one), "properties": {"price": 1}}]})).await,
            &["/inputs/0/properties/price"],
        ),
    ] {
        assert_eq!(refused.problem(403, "forbidden").pointers(), pointers);
    }
    let batch = json!({"inputs": [{"id": id(&one), "properties": {"price": 1}}]});
    assert_eq!(results(&clerk.post("/records/thing/batch/update", &batch).await.ok(207))[0]["status"], 403);
    quiet.holds().await;
    let two = create_id(&tenant, "thing", json!({"name": "Two", "price": 5})).await;
    let three = create_id(&tenant, "thing", json!({"name": "Three"})).await;
    let merge = clerk.post(&format!("/records/thing/{three}/merge"), &json!({"from": [two]})).await;
    assert_eq!(merge.problem(403, "forbidden").pointers(), ["/properties/price"]);
    // What is not seen is unknown to searches, and so is what is computed of it.
    for query in [json!({"sort": ["price"]}), json!({"filter": {"property": "gross", "op": "gt", "value": 1}})] {
        let problem = clerk.post("/records/thing/search", &query).await.problem(422, "validation_failed");
        assert_eq!(problem.errors()[0].1, "unknown_property");
        assert!(!problem.words().contains("did you mean"), "{}", problem.body);
    }
    nameless.get("/records/thing/Zirkon?id_property=name").await.problem(400, "bad_request");
    // What a record is called shows nothing that is not seen.
    assert_eq!(nameless.get(&path).await.ok(200)["display_name"], "");
    assert_eq!(results(&nameless.post("/records/thing/search", &json!({"q": "zirkon"})).await.ok(200)).len(), 0);
    assert_eq!(results(&nameless.get("/records/thing/suggest?q=x").await.ok(200)).len(), 1);
    let problem = nameless.post("/records/thing/search", &json!({"sort": ["display_name"]})).await;
    assert_eq!(problem.problem(422, "validation_failed").pointers(), ["/sort/0/property"]);
    let told = clerk.get(&format!("/access/explain?record={}&action=update&property=price", id(&one))).await.ok(200);
    assert_eq!(
        (&told["allowed"], &told["reason"]),
        (&json!(false), &json!("the role `clerk` does not allow to write `thing.price`"))
    );
    // Whoever is given a sensitive value is written down; whoever is not, is not.
    let log = tenant.get(&format!("/access/log?record={}", id(&one))).await.ok(200);
    let reads: Vec<_> =
        results(&log).iter().map(|read| (read["properties"].clone(), read["request_id"].is_string())).collect();
    assert_eq!(reads, vec![(json!(["ssn"]), true); 3], "{log}: who made it, the clerk, and a look at the log");
}

async fn given_sensitive_values_are_logged(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"ssn": {"type": "string", "sensitive": true}})).await;
    let path = |id: &str| format!("/records/thing/{id}");
    let one = create_id(&tenant, "thing", json!({"name": "One", "ssn": "s-1"})).await;
    let two = create_id(&tenant, "thing", json!({"name": "Two"})).await;
    let log = async |query: &str| tenant.get(&format!("/access/log?{query}")).await.ok(200);
    let count = async || results(&log("").await).len();
    assert_eq!(count().await, 1);
    let request = tenant.get(&path(&one)).header("x-request-id", "look-1").header("user-agent", "spy").await;
    request.ok(200);
    let page = log("limit=1").await;
    let newest = &results(&page)[0];
    assert_eq!(
        [&newest["request_id"], &newest["user_agent"], &newest["object"], &newest["record"], &newest["properties"]],
        [&json!("look-1"), &json!("spy"), &json!("thing"), &json!(one), &json!(["ssn"])]
    );
    let older = log(&format!("limit=1&after={}", page["next_cursor"].as_str().unwrap())).await;
    assert_ne!(results(&older)[0]["id"], newest["id"]);
    assert_eq!(older["next_cursor"], Value::Null);
    // Nothing is logged where no such value is given.
    let (mel, mel_id) = tenant.user("mel", "member").await;
    mel.get(&path(&one)).await.ok(200);
    tenant.get(&path(&two)).await.ok(200);
    tenant.get(&format!("{}?select=name", path(&one))).await.ok(200);
    tenant.post("/records/thing/search", &json!({"select": ["name"]})).await.ok(200);
    tenant.get("/records/thing/suggest").await.ok(200);
    let update = json!({"inputs": [{"id": one, "properties": {"name": "Uno"}}], "select": ["name"]});
    tenant.post("/records/thing/batch/update", &update).await.ok(207);
    assert_eq!(count().await, 2);
    tenant.post("/records/thing/search", &json!({"aggregate": {"t": {"group": ["ssn"]}}, "limit": 0})).await.ok(200);
    let page = log("limit=1").await;
    let table = &results(&page)[0];
    assert_eq!((&table["record"], &table["properties"]), (&Value::Null, &json!(["ssn"])));
    assert_eq!(results(&log(&format!("user={mel_id}")).await).len(), 0);
    assert_eq!(results(&log(&format!("record={one}")).await).len(), 2);
    mel.get("/access/log").await.problem(403, "forbidden");
}

async fn who_does_not_see_the_stage_is_told_nothing_of_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"secret": {"type": "string", "sensitive": true}})).await;
    let stages = json!({"name": "course", "stages": {"begun": {}, "done": {"type": "won"}}});
    tenant.post("/pipelines/thing", &stages).await.ok(201);
    let one = create_id(&tenant, "thing", json!({"name": "One", "secret": "x"})).await;
    let path = format!("/records/thing/{one}");
    tenant.put(&format!("{path}/stage"), &json!({"stage": "done"})).await.ok(200);
    let all = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
    let hidden = json!({"thing.stage": {"read": false}});
    role(&tenant, json!({"name": "blind", "label": "Blind", "objects": {"*": all}, "properties": hidden})).await;
    let (blind, _) = tenant.user("mel", "blind").await;
    let board = "/pipelines/thing/course/board";
    for path in [format!("{path}/stages"), board.to_owned()] {
        let refused = blind.get(&path).await.problem(403, "forbidden");
        assert_eq!(refused.words(), "the role `blind` does not allow to read `stage` of `thing`");
    }
    for report in ["forecast", "win_rate", "conversion", "velocity"] {
        blind.get(&format!("/pipelines/thing/course/report/{report}")).await.problem(403, "forbidden");
    }
    // What is not seen is not changed either.
    for body in [json!({"stage": "done", "after": null}), json!({"stage": "begun"})] {
        blind.put(&format!("{path}/stage"), &body).await.problem(403, "forbidden");
    }
    let kept = json!({"thing.name": {"write": false}});
    role(&tenant, json!({"name": "mover", "label": "Mover", "objects": {"*": all}, "properties": kept})).await;
    let (mover, _) = tenant.user("mo", "mover").await;
    let renamed = json!({"stage": "begun", "properties": {"name": "Uno"}});
    let refused = mover.put(&format!("{path}/stage"), &renamed).await.problem(403, "forbidden");
    assert_eq!(refused.errors(), [("/properties/name".to_owned(), "forbidden".to_owned())]);
    // That it has moved at all is told to nobody who does not see where.
    let moves = async |who: &Client, path: &str, kind: &str| {
        let log = who.get(path).await.ok(200);
        results(&log).iter().filter(|change| change[kind] == "stage.changed").count()
    };
    let timeline = format!("{path}/timeline");
    for (who, seen) in [(&blind, 0), (&mover, 1)] {
        assert_eq!(moves(who, "/changes?after=0&wait=0&object=thing", "kind").await, seen);
        assert_eq!(moves(who, &timeline, "event").await, seen);
    }
    // What is looked at on the way is given to nobody.
    tenant.get(&format!("{path}/stages")).await.ok(200);
    tenant.put(&format!("{path}/stage"), &json!({"stage": "begun", "after": null})).await.ok(200);
    let given = tenant.get(&format!("/access/log?record={one}")).await.ok(200);
    assert_eq!(results(&given).len(), 3, "making and moving it twice: {given}");
}

scenarios![
    who_does_not_see_the_stage_is_told_nothing_of_it,
    role_grants_what_it_says_at_once,
    pages_hold_what_the_caller_sees,
    roles_are_given_and_kept_with_care,
    tokens_have_what_all_that_they_are_made_of_allows,
    packs_bring_roles_and_a_tenants_own_win,
    properties_are_read_and_changed_as_the_role_says,
    given_sensitive_values_are_logged,
];
