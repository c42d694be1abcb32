//! Views, reports and dashboards that name what the caller may not see.

use serde_json::{Value, json};
use tests::TestServer;

use super::{all, patients, with_role};
use crate::fixture::{define, define_thing, id, results};

/// What is told of something saved: place, code and message of each warning.
fn warnings(item: &Value) -> Vec<(&str, &str, &str)> {
    let text = |warning: &'_ Value, key: &str| warning[key].as_str().unwrap().to_owned();
    let all = item["warnings"].as_array().unwrap().iter();
    all.map(|warning| {
        assert!(!text(warning, "message").contains("did you mean"), "{warning}");
        let [pointer, code, message] = ["pointer", "code", "message"].map(|key| warning[key].as_str().unwrap());
        (pointer, code, message)
    })
    .collect()
}

async fn views_leave_out_what_the_caller_may_not_see(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let save = async |more: Value| {
        let mut view = json!({"label": "Shared", "object": "patient", "sharing": "everyone"});
        view.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("/views/{}", id(&tenant.post("/views", &view).await.ok(201)))
    };
    let sort = json!([{"property": "pin", "direction": "desc"}, {"property": "name", "direction": "desc"}]);
    let path = save(json!({"columns": ["name", "ssn"], "sort": sort, "group": "ssn"})).await;
    let told = |name: &str| format!("the role `clerk` does not allow to read `{name}`, so it is left out");
    let (ssn, pin) = (told("ssn"), told("pin"));
    let left_out = [
        ("/sort/0/property", "forbidden", pin.as_str()),
        ("/columns/1", "forbidden", &ssn),
        ("/group", "forbidden", &ssn),
    ];
    let shown = clerk.get(&format!("{path}/records")).await.ok(200);
    assert_eq!(warnings(&shown), left_out);
    assert_eq!(
        results(&shown).iter().map(|one| one["properties"].clone()).collect::<Vec<_>>(),
        [json!({"name": "Bob"}), json!({"name": "Ada"})]
    );
    assert_eq!(shown.get("aggregates"), None);
    let nothing = save(json!({"columns": ["ssn"]})).await;
    let shown = clerk.get(&format!("{nothing}/records")).await.ok(200);
    assert!(results(&shown).iter().all(|one| one["properties"] == json!({})), "{shown}");
    assert_eq!(warnings(&clerk.get(&path).await.ok(200)), left_out);
    let shown = tenant.get(&format!("{path}/records")).await.ok(200);
    assert_eq!((warnings(&shown), shown["aggregates"]["groups"].as_array().unwrap().len()), (vec![], 2));
    let calendar = save(json!({"kind": "calendar", "date": "born_on"})).await;
    assert_eq!(warnings(&clerk.get(&calendar).await.ok(200)), [("/date", "forbidden", told("born_on").as_str())]);

    // With other records it would be another view, so one that filters by it is refused, and says nothing of the value.
    let filter = json!({"all": [{"property": "city", "op": "eq", "value": "Bath"}, {"property": "ssn", "op": "eq", "value": "111-22"}]});
    let filtered = save(json!({"filter": filter})).await;
    let refused = clerk.get(&format!("{filtered}/records")).await.problem(403, "forbidden");
    assert_eq!(refused.errors(), [("/filter/all/1/property".to_owned(), "forbidden".to_owned())]);
    let why = "the view filters by `ssn`, which the role `clerk` does not allow to read";
    assert_eq!(refused.body["detail"], why);
    assert!(!refused.body.to_string().contains("111-22"));
    let export = json!({"view": filtered.trim_start_matches("/views/"), "format": "csv"});
    clerk.post("/exports", &export).await.problem(403, "forbidden");
    let masked = json!({"all": [{"property": "city", "op": "eq", "value": "Bath"}, {"property": "ssn", "op": "eq", "hidden": true}]});
    let read = clerk.get(&filtered).await.ok(200);
    assert_eq!((&read["filter"], warnings(&read)), (&masked, vec![("/filter/all/1/property", "forbidden", why)]));
    let listed = clerk.get("/views?object=patient").await.ok(200);
    assert!(listed.to_string().contains("Bath") && !listed.to_string().contains("111-22"), "{listed}");
    assert_eq!(tenant.get(&filtered).await.ok(200)["filter"], filter);

    // What is gone is as little seen as it was.
    let gone =
        json!({"any": [{"property": "pin", "op": "eq", "value": 4711}, {"property": "age", "op": "eq", "value": 36}]});
    let gone = save(json!({"filter": gone})).await;
    for property in ["pin", "age"] {
        tenant.delete(&format!("/object-definitions/patient/properties/{property}")).await.ok(204);
    }
    let masked =
        json!({"any": [{"property": "pin", "op": "eq", "hidden": true}, {"property": "age", "op": "eq", "value": 36}]});
    let read = clerk.get(&gone).await.ok(200);
    assert_eq!((&read["filter"], read["warnings"].as_array().unwrap().len()), (&masked, 2));
    tenant.request(reqwest::Method::POST, "/object-definitions/patient/properties/pin/restore").await.ok(200);

    // Reports and dashboards tell no more.
    let report = json!({"label": "Pins", "object": "patient", "sharing": "everyone", "measures": {"n": {"sum": "pin"}},
        "filter": {"property": "ssn", "op": "in", "value": ["111-22"]}, "group": ["born_on"],
        "period": {"date": "born_on", "within": "this_year"}});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    let read = clerk.get(&format!("/reports/{report}")).await.ok(200);
    assert_eq!(read["filter"], json!({"property": "ssn", "op": "in", "hidden": true}));
    let refused = clerk.get(&format!("/reports/{report}/data")).await.problem(403, "forbidden");
    assert_eq!(refused.pointers(), ["/filter/property", "/group/0", "/measures/n/sum", "/period/date"]);
    assert!(refused.words().contains("the report is made of `pin`, which the role `clerk` does not allow to read"));
    let items = json!([{"view": path.trim_start_matches("/views/")}, {"report": report}]);
    let dashboard = json!({"label": "All", "items": items, "sharing": "everyone"});
    let dashboard = id(&tenant.post("/dashboards", &dashboard).await.ok(201));
    let data = clerk.get(&format!("/dashboards/{dashboard}/data")).await.ok(200);
    assert_eq!(data["items"][0]["records"]["total"], 2);
    assert_eq!(data["items"][1]["problem"]["code"], "forbidden");
    assert!(!data.to_string().contains("111-22"), "{data}");

    // Who may read no record of an object is told nothing that it is filtered by, at the other end of a link neither.
    let ward = json!({"name": "ward", "plural": "wards", "properties": {"name": {"type": "string"}}});
    define(&tenant, ward).await;
    let link = json!({"name": "patient_ward", "from": "patient", "to": "ward"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let linked = json!({"association": "patient_ward", "match": {"property": "name", "op": "eq", "value": "Burns"}});
    let body = json!({"object": "patient", "name": "Burned", "filter": linked});
    let burned = id(&tenant.post("/lists", &body).await.ok(201));
    let linked = save(json!({"filter": linked})).await;
    let porter = with_role(&tenant, "porter", json!({"patient": {"read": "all"}}), json!({})).await;
    let masked = json!({"association": "patient_ward", "match": {"property": "name", "op": "eq", "hidden": true}});
    assert_eq!(porter.get(&linked).await.ok(200)["filter"], masked);
    assert_eq!(porter.get(&format!("/lists/{burned}")).await.ok(200)["filter"], masked);
    let guest = with_role(&tenant, "guest", json!({"ward": {"read": "all"}}), json!({})).await;
    assert_eq!(guest.get(&filtered).await.ok(200)["filter"], json!({"hidden": true}));
}

async fn what_is_saved_names_what_its_maker_sees(server: TestServer) {
    let tenant = server.tenant("generic").await;
    let clerk = patients(&tenant).await;
    let post = async |path: &str, more: Value| {
        let mut body = json!({"label": "Mine", "name": "Mine", "object": "patient"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.as_object_mut().unwrap().shift_remove(if path == "/lists" { "label" } else { "name" });
        let refused = clerk.post(path, &body).await.problem(422, "validation_failed");
        for hidden in ["ssn", "pin", "born_on"] {
            assert!(!refused.words().contains(&format!("did you mean `{hidden}`")), "{}", refused.body);
        }
        refused.pointers()
    };
    let filter = json!({"property": "ssn", "op": "eq", "value": "1"});
    let view = json!({"filter": filter, "sort": ["pin"], "columns": ["name", "ssn", "snn"], "group": "ssn"});
    let places = ["/filter/property", "/sort/0/property", "/columns/1", "/columns/2", "/group"];
    assert_eq!(post("/views", view).await, places);
    let calendar = json!({"kind": "calendar", "date": "born_on"});
    assert_eq!(post("/views", calendar).await, ["/date"]);
    let report = json!({"measures": {"n": {"sum": "pin"}}, "group": ["ssn"], "period": {"date": "born_on", "within": "this_year"}});
    assert_eq!(post("/reports", report).await, ["/group/0", "/measures/n/sum", "/period/date"]);
    assert_eq!(post("/lists", json!({"filter": filter})).await, ["/filter/property"]);
    // Whose rights shrink keeps what there is, and writes it no more.
    tenant.patch("/roles/clerk", &json!({"properties": {"patient.ssn": null}})).await.ok(200);
    let view = json!({"label": "Mine", "object": "patient", "filter": filter, "columns": ["name", "ssn"]});
    let path = format!("/views/{}", id(&clerk.post("/views", &view).await.ok(201)));
    tenant.patch("/roles/clerk", &json!({"properties": {"patient.ssn": {"read": false}}})).await.ok(200);
    let masked = clerk.patch(&path, &json!({"label": "Still mine"})).await.ok(200);
    assert_eq!(masked["filter"], json!({"property": "ssn", "op": "eq", "hidden": true}));
    for wrong in [json!({"filter": masked["filter"]}), json!({"filter": filter})] {
        let refused = clerk.patch(&path, &wrong).await.problem(422, "validation_failed");
        assert!(refused.pointers().iter().all(|pointer| pointer.starts_with("/filter")), "{}", refused.body);
    }
    let columns = clerk.patch(&path, &json!({"columns": ["ssn"]})).await.problem(422, "validation_failed");
    assert_eq!(columns.pointers(), ["/columns/0"]);
    tenant.patch("/roles/clerk", &json!({"properties": {"patient.ssn": null}})).await.ok(200);
    let kept = clerk.get(&path).await.ok(200);
    assert_eq!((&kept["filter"], &kept["label"]), (&filter, &json!("Still mine")));
}

async fn what_filters_by_hidden_lists_and_links_is_refused(server: TestServer) {
    let tenant = server.tenant("generic").await;
    patients(&tenant).await;
    define_thing(&tenant, json!({})).await;
    let link = json!({"name": "patient_thing", "from": "patient", "to": "thing"});
    tenant.post("/association-definitions", &link).await.ok(201);
    let list = json!({"object": "patient", "name": "Mine", "sharing": "private", "filter": {"property": "city", "op": "eq", "value": "Bath"}});
    let list = id(&tenant.post("/lists", &list).await.ok(201));
    let about = json!({"property": "name", "op": "eq", "value": "Secret"});
    let linked = json!({"association": "patient_thing", "quantifier": "none", "match": about});
    let rights = json!({"*": all(), "thing": {"read": "none"}});
    let clerk = with_role(&tenant, "aide", rights, json!({})).await;
    let by_list = (json!({"any": [{"not": {"list": list}}]}), "/filter/any/0/not/list", "a list that you may not see");
    let asking = json!({"object": "patient", "name": "Asks", "sharing": "everyone", "filter": {"any": [linked]}});
    let asking = id(&tenant.post("/lists", &asking).await.ok(201));
    let above = json!({"object": "patient", "name": "Above", "sharing": "everyone", "filter": {"list": asking}});
    let above = id(&tenant.post("/lists", &above).await.ok(201));
    let by_asking = "a list that asks about links to records of which you may read none";
    let by_asking = (json!({"not": {"list": above}}), "/filter/not/list", by_asking);
    let by_link = "`patient_thing`, which the role `aide` does not allow to read";
    let by_link = (json!({"all": [linked]}), "/filter/all/0/association", by_link);
    for (filter, at, what) in [by_list, by_link, by_asking] {
        for (kind, path, rest) in [("view", "/views", "records"), ("report", "/reports", "data")] {
            let mut saved = json!({"label": "Shared", "object": "patient", "sharing": "everyone", "filter": filter});
            if kind == "report" {
                saved["measures"] = json!({"n": {"count": true}});
            }
            let saved = id(&tenant.post(path, &saved).await.ok(201));
            assert_eq!(tenant.get(&format!("{path}/{saved}")).await.ok(200)["warnings"], json!([]));
            tenant.get(&format!("{path}/{saved}/{rest}")).await.ok(200);
            let refused = clerk.get(&format!("{path}/{saved}/{rest}")).await.problem(403, "forbidden");
            assert_eq!(refused.errors(), [(at.to_owned(), "forbidden".to_owned())]);
            let read = clerk.get(&format!("{path}/{saved}")).await.ok(200);
            let [(place, "forbidden", why)] = warnings(&read)[..] else { panic!("{read}") };
            assert_eq!((place, refused.body["detail"].as_str()), (at, Some(why)));
            assert!(why.starts_with(&format!("the {kind} ")) && why.ends_with(what), "{why}");
            let listed = clerk.get(&format!("{path}?object=patient")).await.ok(200).to_string();
            for told in [read.to_string(), listed] {
                assert!(!told.contains("Secret") && !told.contains(&format!("{{\"list\":\"{list}\"")), "{told}");
            }
            let export = json!({kind: saved, "format": "csv"});
            clerk.post("/exports", &export).await.problem(403, "forbidden");
        }
    }
    // A list that is gone is gone for all.
    let saved = json!({"label": "Shared", "object": "patient", "sharing": "everyone", "filter": {"list": list}});
    let saved = id(&tenant.post("/views", &saved).await.ok(201));
    tenant.delete(&format!("/lists/{list}")).await;
    tenant.get(&format!("/lists/{list}")).await.problem(404, "not_found");
    for caller in [&*tenant, &clerk] {
        let read = caller.get(&format!("/views/{saved}")).await.ok(200);
        assert_eq!(warnings(&read), [("/filter/list", "unknown", format!("there is no list `{list}`").as_str())]);
        let refused = caller.get(&format!("/views/{saved}/records")).await.problem(422, "validation_failed");
        assert_eq!(refused.errors(), [("/filter/list".to_owned(), "unknown".to_owned())]);
    }
}

scenarios![
    what_filters_by_hidden_lists_and_links_is_refused,
    views_leave_out_what_the_caller_may_not_see,
    what_is_saved_names_what_its_maker_sees,
];
