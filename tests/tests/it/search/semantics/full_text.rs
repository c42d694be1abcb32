//! Full text: words, beginnings, phrases, forgiven letters, marks, and suggestions.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use crate::fixture::{create, define, define_thing, id, results};
use crate::search::{create_all, names, search};

/// What is found for a text, in no particular order.
async fn found(tenant: &Client, query: Value) -> Vec<String> {
    let mut found = names(tenant, "thing", query).await;
    found.sort();
    found
}

async fn every_word_is_found_and_the_last_may_be_a_beginning(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"about": {"type": "text", "searchable": true}, "hidden": {"type": "string"}});
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "Ada Lovelace", "about": "Wrote the first programme. The engine weaves."}),
        json!({"name": "Adam Smith", "hidden": "Lovelace"}),
        json!({"name": "Lovell, Ada", "about": "Élan and Größe"}),
        json!({"name": "a.*"}),
        json!({"name": "Shaun O’Neil", "about": "H₂O in snake_case.txt, to john.doe@example.org"}),
    ];
    create_all(&tenant, "thing", &things).await;
    for (q, expected) in [
        ("ada lov", &["Ada Lovelace", "Lovell, Ada"][..]),
        ("lov ada", &[]),
        ("LOVELACE ada", &["Ada Lovelace"]),
        ("ad", &["Ada Lovelace", "Adam Smith", "Lovell, Ada"]),
        ("ada programme", &["Ada Lovelace"]),
        ("elan grosse", &["Lovell, Ada"]),
        ("ÉLAN", &["Lovell, Ada"]),
        ("\"ada lovelace\"", &["Ada Lovelace"]),
        ("\"lovelace ada\"", &[]),
        ("\"engine weaves\" ada", &["Ada Lovelace"]),
        ("\"first engine\"", &[]),
        ("\"love\"", &[]),
        ("lovelace", &["Ada Lovelace"]),
        ("programme first wrote the", &["Ada Lovelace"]),
        ("lovelace smith", &[]),
        ("neil", &["Shaun O’Neil"]),
        ("o'neil", &["Shaun O’Neil"]),
        ("h2o case", &["Shaun O’Neil"]),
        ("doe@example.org", &["Shaun O’Neil"]),
        ("🎉", &[]),
        ("!!!", &[]),
    ] {
        assert_eq!(found(&tenant, json!({"q": q})).await, expected, "{q}");
        let count = search(&tenant, "thing", json!({"q": q, "limit": 0, "count": true})).await;
        assert_eq!(count["total"], expected.len(), "{q}");
    }
    assert_eq!(
        names(&tenant, "thing", json!({"q": "ada"})).await.last().unwrap(),
        "Adam Smith",
        "whole words come first"
    );
    let both = json!({"q": "ad", "filter": {"property": "hidden", "op": "exists"}});
    assert_eq!(found(&tenant, both).await, ["Adam Smith"]);
}

async fn some_letters_are_forgiven_where_asked_for(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    create_all(&tenant, "thing", &["Ada Lovelace", "Rosa Parks"].map(|name| json!({"name": name}))).await;
    for (q, exact, fuzzy) in [
        ("lovelace", &["Ada Lovelace"][..], &["Ada Lovelace"][..]),
        ("lovalase", &[], &["Ada Lovelace"]),
        ("luvalase", &[], &[]),
        ("rosi", &[], &["Rosa Parks"]),
        ("risi", &[], &[]),
        ("parcs rosa", &[], &["Rosa Parks"]),
        ("ata lovelace", &[], &[]),
    ] {
        assert_eq!(found(&tenant, json!({"q": q})).await, exact, "{q}");
        assert_eq!(found(&tenant, json!({"q": q, "fuzzy": true})).await, fuzzy, "{q}");
    }
}

async fn addresses_and_numbers_are_found_as_people_type_them(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties =
        json!({"email": {"type": "email", "searchable": true}, "phone": {"type": "phone", "searchable": true}});
    define_thing(&tenant, properties).await;
    let things = [
        json!({"name": "One", "email": "ada.l@mail.example.com", "phone": "+16135550100"}),
        json!({"name": "Two", "email": "bob@example.org", "phone": "+16135550199"}),
        json!({"name": "192.168.1.10"}),
        json!({"name": "Printer 192 168 1 100"}),
        json!({"name": "00012345"}),
    ];
    create_all(&tenant, "thing", &things).await;
    for (q, expected) in [
        ("ada.l@mail.example.com", &["One"][..]),
        ("ADA.L@MAIL.EXAMPLE.COM", &["One"]),
        ("ada.l@ma", &["One"]),
        ("example", &["One", "Two"]),
        ("mail.example.com", &["One"]),
        ("bob@example.com", &[]),
        ("+1 613 555 0100", &["One"]),
        ("(613) 555-0100", &["One"]),
        ("613555", &["One", "Two"]),
        ("5550199", &["Two"]),
        ("192.168.1.10", &["192.168.1.10", "Printer 192 168 1 100"]),
        ("\"192.168.1.10\"", &["192.168.1.10"]),
        ("00012345", &["00012345"]),
    ] {
        assert_eq!(found(&tenant, json!({"q": q})).await, expected, "{q}");
    }
}

async fn several_objects_are_searched_at_once_and_words_are_marked(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let text = |name: &str, plural: &str| {
        json!({"name": name, "plural": plural, "display": "{{ title }}", "properties": {
            "title": {"type": "string", "searchable": true}, "body": {"type": "text", "searchable": true},
            "rank": {"type": "integer"}}})
    };
    define(&tenant, text("novel", "novels")).await;
    define(&tenant, text("poem", "poems")).await;
    let novel =
        create(&tenant, "novel", json!({"title": "Harbour & <Lights>", "body": "By the sea.", "rank": 2})).await;
    let body = format!("{} a harbour at last {}", "word ".repeat(60), "word ".repeat(60));
    let poem = create(&tenant, "poem", json!({"title": "Évening", "body": body, "rank": 1})).await;
    create(&tenant, "poem", json!({"title": "Elsewhere"})).await;
    let across = async |query: Value| tenant.post("/search", &query).await.ok(200);
    let found = across(json!({"q": "harb", "sort": [{"property": "id"}], "count": true})).await;
    assert_eq!(found["total"], 2);
    let ids: Vec<(&Value, &Value)> = results(&found).iter().map(|record| (&record["id"], &record["object"])).collect();
    assert_eq!(ids, [(&novel["id"], &json!("novel")), (&poem["id"], &json!("poem"))]);
    let marks = &found["results"][0]["highlights"];
    assert_eq!(marks["title"], "<em>Harbour</em> &amp; &lt;Lights&gt;");
    assert_eq!(marks["body"], Value::Null, "what does not hold the word is not shown");
    let mark = found["results"][1]["highlights"]["body"].as_str().unwrap();
    assert!(mark.contains("<em>harbour</em> at last") && mark.len() < 300, "{mark}");
    assert_eq!(found["results"][0]["properties"], novel["properties"]);
    let named = across(json!({"q": "harbour", "objects": ["poem"]})).await;
    assert_eq!(results(&named).iter().map(id).collect::<Vec<_>>(), [id(&poem)]);
    let folded = across(json!({"q": "evening", "objects": ["poem", "novel"]})).await;
    assert_eq!(folded["results"][0]["highlights"]["title"], "<em>Évening</em>");
    let query = json!({"objects": ["poem", "novel"], "filter": {"property": "rank", "op": "exists"},
        "sort": [{"property": "rank", "direction": "desc"}], "limit": 1, "select": ["rank"], "count": true,
        "aggregate": {"t": {"group": ["object"], "measures": {"s": {"sum": "rank"}}}}});
    let first = across(query.clone()).await;
    assert_eq!((&first["total"], &first["results"][0]["id"]), (&json!(2), &novel["id"]));
    assert_eq!(first["results"][0]["properties"], json!({"rank": 2}));
    assert_eq!(first["aggregates"]["t"], json!([{"key": ["novel"], "s": 2}, {"key": ["poem"], "s": 1}]));
    let mut query = query;
    query["cursor"] = first["next_cursor"].clone();
    let second = across(query).await;
    assert_eq!((&second["results"][0]["id"], &second["next_cursor"]), (&poem["id"], &Value::Null));
}

async fn what_was_found_is_marked_however_it_was_found(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let properties = json!({"about": {"type": "text", "searchable": true},
        "email": {"type": "email", "searchable": true}, "phone": {"type": "phone", "searchable": true}});
    define_thing(&tenant, properties).await;
    let thing = json!({"name": "One", "about": "A needle there.", "email": "jane.doe@mail.example.org", "phone": "+15035550177"});
    create(&tenant, "thing", thing).await;
    for objects in [json!(["thing"]), json!(["thing", "contact"]), Value::Null] {
        for (q, property, expected) in [
            ("needle", "about", "A <em>needle</em> there."),
            ("nedle", "about", "A <em>needle</em> there."),
            ("5035550177", "phone", "<em>+15035550177</em>"),
            ("example", "email", "jane.doe@mail.<em>example</em>.org"),
        ] {
            let query = json!({"q": q, "fuzzy": q == "nedle", "objects": objects});
            let found = tenant.post("/search", &query).await.ok(200);
            assert_eq!(found["results"][0]["highlights"][property], expected, "{query}");
        }
    }
}

async fn a_few_letters_suggest_records_to_pick(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({})).await;
    let all = ["Adam Smith", "Ada Lovelace", "Smith & Adams", "Bob"].map(|name| json!({"name": name}));
    let ids = create_all(&tenant, "thing", &all).await;
    let suggest = async |query: &str| {
        let reply = tenant.get(&format!("/records/thing/suggest{query}")).await.ok(200);
        for found in results(&reply) {
            assert_eq!(found.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "uid", "object", "display_name"]);
        }
        results(&reply).iter().map(|found| found["display_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(suggest("?q=ada").await[0], "Ada Lovelace", "the whole word is the best");
    let mut found = suggest("?q=ADA").await;
    found.sort();
    assert_eq!(found, ["Ada Lovelace", "Adam Smith", "Smith & Adams"]);
    assert_eq!(suggest("?q=smith%20a").await.len(), 2);
    assert_eq!(suggest("?q=nobody").await, [""; 0]);
    assert_eq!(suggest("?q=%F0%9F%8E%89").await, [""; 0], "what holds no word is nowhere");
    tenant.patch(&format!("/records/thing/{}", ids[0]), &json!({"properties": {"name": "Adam S."}})).await.ok(200);
    assert_eq!(suggest("?limit=1").await, ["Adam S."], "nothing typed yet suggests what was changed last");
    tenant.delete(&format!("/records/thing/{}", ids[0])).await.ok(204);
    assert_eq!(suggest("?q=adam").await, ["Smith & Adams"]);
}

scenarios![
    every_word_is_found_and_the_last_may_be_a_beginning,
    some_letters_are_forgiven_where_asked_for,
    addresses_and_numbers_are_found_as_people_type_them,
    several_objects_are_searched_at_once_and_words_are_marked,
    what_was_found_is_marked_however_it_was_found,
    a_few_letters_suggest_records_to_pick,
];
