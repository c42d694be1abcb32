//! What is exported: objects, views and reports, narrowed and in order.

use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{column, csv_columns, export, lines, many_things};
use crate::fixture::{create, define, id, results};

/// `job`s of three kinds with amounts and days.
async fn jobs(tenant: &Client) {
    define(
        tenant,
        json!({"name": "job", "plural": "job_list", "display": "{{ title }}", "properties": {
            "title": {"type": "string", "label": "Job title", "required": true}, "kind": {"type": "enum", "options": ["a", "b", "c"]},
            "amount": {"type": "money", "currency": "EUR"}, "size": {"type": "integer"}, "day": {"type": "date"},
        }}),
    )
    .await;
    for (title, kind, amount, size, day) in [
        ("one", "a", "10.50", 1, "2026-01-05"),
        ("two", "b", "20.00", i64::MAX, "2026-01-20"),
        ("three", "a", "30.25", i64::MAX, "2026-02-10"),
        ("four", "b", "0.01", 4, "2026-02-11"),
    ] {
        let properties = json!({"title": title, "kind": kind, "amount": amount, "size": size, "day": day});
        create(tenant, "job", properties).await;
    }
    create(tenant, "job", json!({"title": "five"})).await;
}

async fn records_are_filtered_sorted_and_selected_as_in_a_search(server: TestServer) {
    let tenant = server.tenant("generic").await;
    jobs(&tenant).await;
    let filter = json!({"any": [{"property": "kind", "op": "eq", "value": "a"}, {"property": "title", "op": "eq", "value": "FIVE"}]});
    let request = json!({"object": "job", "format": "csv", "filter": filter, "sort": ["-amount", {"property": "title"}],
        "select": ["title", "amount", "created_at", "owner_id", "display_name"]});
    let (job, file) = export(&tenant, &request).await;
    assert_eq!(csv_columns(&file), ["id", "title", "amount", "created_at", "owner_id", "display_name"]);
    assert_eq!(column(&file, "title"), ["three", "one", "five"]);
    assert_eq!(column(&file, "amount"), ["30.25", "10.50", ""]);
    assert_eq!(column(&file, "display_name"), ["three", "one", "five"]);
    assert_eq!((&job["progress"]["records"], &job["progress"]["total"]), (&json!(3), &json!(3)));
    let search = tenant.post("/records/job/search", &json!({"filter": filter, "sort": ["-amount"]})).await.ok(200);
    let moments: Vec<&str> = results(&search).iter().map(|record| record["created_at"].as_str().unwrap()).collect();
    assert_eq!(column(&file, "created_at"), moments);
    // Labels instead of names.
    let request = json!({"object": "job", "format": "csv", "select": ["id", "title"], "headings": "labels"});
    assert_eq!(csv_columns(&export(&tenant, &request).await.1), ["id", "Job title"]);
    let name = job["file"]["name"].as_str().unwrap();
    assert!(name.starts_with("job-20") && name.ends_with(".csv") && name.len() == "job-2026-01-01.csv".len(), "{name}");
}

async fn archived_and_merged_records_are_left_out(server: TestServer) {
    let tenant = server.tenant("generic").await;
    jobs(&tenant).await;
    let made = async |title: &str| id(&create(&tenant, "job", json!({"title": title})).await);
    let (archived, winner, loser) = (made("archived").await, made("winner").await, made("loser").await);
    tenant.delete(&format!("/records/job/{archived}")).await.ok(204);
    tenant.post(&format!("/records/job/{winner}/merge"), &json!({"from": [loser]})).await.ok(200);
    let expected = ["one", "two", "three", "four", "five", "winner"];
    for request in [
        json!({"object": "job", "format": "csv"}),
        json!({"object": "job", "format": "csv", "filter": {"property": "title", "op": "exists"}}),
    ] {
        assert_eq!(column(&export(&tenant, &request).await.1, "title"), expected, "{request}");
    }
}

async fn a_view_gives_its_columns_records_and_order(server: TestServer) {
    let tenant = server.tenant("generic").await;
    jobs(&tenant).await;
    let view = json!({"label": "Kinds", "object": "job", "columns": ["title", "updated_at", "size"],
        "filter": {"property": "kind", "op": "in", "value": ["a", "b"]}, "sort": ["-title"]});
    let view = id(&tenant.post("/views", &view).await.ok(201));
    let (job, file) = export(&tenant, &json!({"view": view, "format": "csv"})).await;
    assert_eq!(csv_columns(&file), ["id", "title", "updated_at", "size"]);
    assert_eq!(column(&file, "title"), ["two", "three", "one", "four"]);
    assert!(job["file"]["name"].as_str().unwrap().starts_with(&format!("view-{view}-")));
    let narrowed = json!({"view": view, "format": "csv", "select": ["title"], "sort": ["title"],
        "filter": {"property": "kind", "op": "in", "value": ["b", "c"]}});
    let (_, file) = export(&tenant, &narrowed).await;
    assert_eq!(
        (csv_columns(&file), column(&file, "title")),
        (vec!["id".into(), "title".into()], vec!["four".into(), "two".into()])
    );
    // One without columns shows all.
    let all = id(&tenant.post("/views", &json!({"label": "All", "object": "job"})).await.ok(201));
    let (_, file) = export(&tenant, &json!({"view": all, "format": "csv"})).await;
    assert_eq!(csv_columns(&file), ["id", "title", "kind", "amount", "size", "day"]);
    // What is not there any more is left out, as where the view is shown.
    tenant.delete("/object-definitions/job/properties/size").await.ok(204);
    let (_, file) = export(&tenant, &json!({"view": view, "format": "csv"})).await;
    assert_eq!(csv_columns(&file), ["id", "title", "updated_at"]);
}

async fn a_report_gives_its_table(server: TestServer) {
    let tenant = server.tenant("generic").await;
    jobs(&tenant).await;
    let report = json!({"label": "By kind", "object": "job", "group": ["kind", {"date": "day", "every": "month"}],
        "measures": {"n": {"count": true}, "total": {"sum": "amount"}, "mean": {"avg": "amount"}, "sizes": {"sum": "size"},
            "last": {"max": "day"}},
        "order": [{"key": "asc"}]});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    let data = tenant.get(&format!("/reports/{report}/data")).await.ok(200);
    let (_, file) = export(&tenant, &json!({"report": report, "format": "csv"})).await;
    assert_eq!(csv_columns(&file), ["kind", "day", "n", "total", "mean", "sizes", "last"]);
    let text = String::from_utf8(file).unwrap();
    let expected = "kind,day,n,total,mean,sizes,last\r\n\
                    a,2026-01-01,1,10.50,10.5,1,2026-01-05\r\n\
                    a,2026-02-01,1,30.25,30.25,9223372036854775807,2026-02-10\r\n\
                    b,2026-01-01,1,20.00,20,9223372036854775807,2026-01-20\r\n\
                    b,2026-02-01,1,0.01,0.01,4,2026-02-11\r\n\
                    ,,1,0.00,,0,\r\n";
    assert_eq!(text, expected);
    let (_, file) = export(&tenant, &json!({"report": report, "format": "ndjson"})).await;
    assert_eq!(&lines(&file), data["rows"].as_array().unwrap());
    // Integers that 64 bits do not hold keep their digits.
    let sums = json!({"label": "Sums", "object": "job", "measures": {"sizes": {"sum": "size"}}});
    let sums = id(&tenant.post("/reports", &sums).await.ok(201));
    let (_, file) = export(&tenant, &json!({"report": sums, "format": "csv"})).await;
    assert_eq!(String::from_utf8(file).unwrap(), "sizes\r\n18446744073709551619\r\n");
    for format in ["xlsx", "parquet"] {
        export(&tenant, &json!({"report": report, "format": format})).await;
    }
    let narrowed = json!({"report": report, "format": "csv", "select": ["total", "kind"],
        "filter": {"property": "amount", "op": "gt", "value": "15"}});
    let (_, file) = export(&tenant, &narrowed).await;
    assert_eq!(String::from_utf8(file).unwrap(), "total,kind\r\n30.25,a\r\n20.00,b\r\n");
}

async fn groups_that_a_report_cuts_are_marked(server: TestServer) {
    let tenant = server.tenant("generic").await;
    jobs(&tenant).await;
    let report = json!({"label": "Few", "object": "job", "group": ["title"], "limit": 2,
        "measures": {"n": {"count": true}, "total": {"sum": "amount"}}, "order": [{"measure": "total", "direction": "desc"}]});
    let report = id(&tenant.post("/reports", &report).await.ok(201));
    let (_, file) = export(&tenant, &json!({"report": report, "format": "csv"})).await;
    let expected = "title,n,total,other\r\nthree,1,30.25,false\r\ntwo,1,20.00,false\r\n,3,10.51,true\r\n";
    assert_eq!(String::from_utf8(file).unwrap(), expected);
    let (_, file) = export(&tenant, &json!({"report": report, "format": "ndjson"})).await;
    assert_eq!(lines(&file)[2], json!({"other": true, "n": 3, "total": "10.51"}));
}

async fn many_records_come_once_in_order(server: TestServer) {
    const MANY: usize = 5_000;
    let tenant = server.tenant("generic").await;
    many_things(&tenant, MANY).await;
    let ids = column(&export(&tenant, &json!({"object": "thing", "format": "csv"})).await.1, "id");
    assert!(ids.is_sorted_by_key(|id| id.parse::<u64>().unwrap()));
    assert_eq!(ids.len(), MANY);
    let request = json!({"object": "thing", "format": "csv", "sort": ["-number"], "select": ["number"],
        "filter": {"property": "number", "op": "gte", "value": 7}});
    let numbers: Vec<usize> =
        column(&export(&tenant, &request).await.1, "number").iter().map(|number| number.parse().unwrap()).collect();
    assert!(numbers.into_iter().eq((7..MANY).rev()));
}

async fn pack_views_and_reports_are_exported_by_name(server: TestServer) {
    let tenant = server.tenant("generic").await;
    for (kind, path) in [("view", "/views"), ("report", "/reports")] {
        let listed = tenant.get(&format!("{path}?limit=200")).await.ok(200);
        let of_packs: Vec<&Value> = results(&listed).iter().filter(|item| item["layer"] != "custom").collect();
        for item in &of_packs {
            let (job, _) = export(&tenant, &json!({kind: item["id"], "format": "csv"})).await;
            let name = job["file"]["name"].as_str().unwrap();
            assert!(name.starts_with(item["id"].as_str().unwrap()), "{name}");
        }
    }
}

scenarios![
    records_are_filtered_sorted_and_selected_as_in_a_search,
    archived_and_merged_records_are_left_out,
    a_view_gives_its_columns_records_and_order,
    a_report_gives_its_table,
    groups_that_a_report_cuts_are_marked,
    many_records_come_once_in_order,
    pack_views_and_reports_are_exported_by_name,
];
