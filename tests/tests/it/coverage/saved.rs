//! Views, reports and dashboards.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{ADMINS, Call, Case, EVERYBODY, LISTERS, SAVERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in [views(), reports(), dashboards()] {
        cases.extend(kept(&kind));
        cases.push(kind.shows);
    }
    cases
}

/// What the three have in common.
struct Kind {
    path: &'static str,
    one: &'static str,
    /// What can be saved.
    right: Value,
    /// What cannot, and where that is told.
    wrong: (Value, &'static [&'static str]),
    /// What has to be there before, called `$part`.
    part: Option<Call>,
    /// What it shows.
    shows: Case,
}

fn kept(kind: &Kind) -> Vec<Case> {
    let Kind { path, one, right, wrong: (wrong, at), part, .. } = kind;
    let case = |method: Method, path: &str| {
        let case = case(method, path);
        part.iter().fold(case, |case, part| case.given("part", "/id", part.clone()))
    };
    let shared = |label: &str| {
        let mut shared = right.clone();
        shared["label"] = json!(label);
        shared["sharing"] = json!("everyone");
        shared
    };
    let made = |case: Case, label: &str| case.given("saved", "/id", to(path).json(shared(label)));
    let saved = |label: &str| json!({"id": "$saved", "label": label, "sharing": "everyone", "layer": "custom"});
    let below = format!("{path}/{{id}}");
    let mut listed = made(case(Method::GET, path), "Listed").allows(
        EVERYBODY,
        to(&format!("{path}?limit=200")),
        200,
        json!({"results": "*", "next_cursor": null}),
    );
    for (query, pointer) in [("limit=0", &["/limit"]), ("cursor=nonsense", &["/cursor"])] {
        listed = listed.refuses(to(&format!("{path}?{query}")), 400, "bad_request", pointer);
    }
    let mut without_label = right.clone();
    without_label.as_object_mut().unwrap().remove("label");
    let mut of_nobody = right.clone();
    of_nobody["team"] = json!("99");
    vec![
        listed,
        case(Method::POST, path)
            .allows(SAVERS, to(path).json(right.clone()), 201, json!({"id": "*", "sharing": "private", "warnings": []}))
            .refuses(to(path).json(without_label), 422, "validation_failed", &["/label"])
            .refuses(to(path).json(of_nobody), 422, "validation_failed", &["/team"])
            .refuses(to(path).json(wrong.clone()), 422, "validation_failed", at),
        made(case(Method::GET, &below), &format!("A {one}"))
            .allows(EVERYBODY, to(&format!("{path}/$saved")), 200, saved(&format!("A {one}")))
            .refuses(to(&format!("{path}/nothing")), 404, "not_found", &[]),
        made(case(Method::PATCH, &below), "Before")
            .allows(ADMINS, to(&format!("{path}/$saved")).json(json!({"label": "After"})), 200, saved("After"))
            .refuses(
                to(&format!("{path}/$saved")).json(json!({"label": 7, "sharing": "all"})),
                422,
                "validation_failed",
                &["/label", "/sharing"],
            ),
        made(case(Method::DELETE, &below), "Gone")
            .allows(ADMINS, to(&format!("{path}/$saved")), 204, Value::Null)
            .refuses(to(&format!("{path}/987654321")), 404, "not_found", &[]),
    ]
}

fn views() -> Kind {
    let right = json!({"label": "Named", "object": "contact", "columns": ["last_name"], "group": "lead_status",
        "filter": {"property": "last_name", "op": "exists"}, "sort": [{"property": "last_name"}]});
    let wrong = json!({"label": "Wrong", "object": "contact", "kind": "bord", "columns": ["last_nmae"]});
    let mut shared = right.clone();
    shared["sharing"] = json!("everyone");
    let shows = case(Method::GET, "/views/{id}/records")
        .given("saved", "/id", to("/views").json(shared))
        .given(
            "ada",
            "/id",
            to("/records/contact").json(json!({"properties": {"first_name": "Ada", "last_name": "Lovelace"}})),
        )
        .allows(
            LISTERS,
            to("/views/$saved/records?limit=1&q=lovelace"),
            200,
            json!({"results": [{"properties": {"last_name": "Lovelace"}}], "total": "*", "aggregates": {"groups": "*"},
                "warnings": [], "next_cursor": "*", "sequence": "*"}),
        )
        .refuses(to("/views/nothing/records"), 404, "not_found", &[])
        .refuses(to("/views/$saved/records?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(to("/views/$saved/records?cursor=nonsense"), 400, "bad_request", &["/cursor"]);
    Kind { path: "/views", one: "view", right, wrong: (wrong, &["/kind", "/columns/0"]), part: None, shows }
}

fn reports() -> Kind {
    let right = json!({"label": "Per status", "object": "contact", "group": ["lead_status"],
        "measures": {"n": {"count": true}}, "period": {"date": "created_at", "within": "this_year"}, "compare": "previous"});
    let wrong = json!({"label": "Wrong", "object": "contact", "group": ["lead_sttus"]});
    let mut shared = right.clone();
    shared["sharing"] = json!("everyone");
    let period = json!({"from": "*", "to": "*"});
    let shows = case(Method::GET, "/reports/{id}/data")
        .given("saved", "/id", to("/reports").json(shared))
        .allows(
            LISTERS,
            to("/reports/$saved/data?within=last_30d"),
            200,
            json!({"rows": "*", "period": period, "previous": {"period": period, "rows": []}, "sequence": "*"}),
        )
        .refuses(to("/reports/nothing/data"), 404, "not_found", &[])
        .refuses(to("/reports/$saved/data?within=now"), 400, "bad_request", &["/within"]);
    Kind { path: "/reports", one: "report", right, wrong: (wrong, &["/group/0"]), part: None, shows }
}

fn dashboards() -> Kind {
    let right = json!({"label": "Today", "items": [{"report": "$part", "width": 6}]});
    let wrong = json!({"label": "Wrong", "items": [{"width": 13}]});
    let report =
        json!({"label": "All", "object": "contact", "measures": {"n": {"count": true}}, "sharing": "everyone"});
    let part = to("/reports").json(report);
    let shows = case(Method::GET, "/dashboards/{id}/data")
        .given("report", "/id", part.clone())
        .given(
            "saved",
            "/id",
            to("/dashboards").json(json!({"label": "Here", "items": [{"report": "$report"}], "sharing": "everyone"})),
        )
        .allows(
            EVERYBODY,
            to("/dashboards/$saved/data"),
            200,
            json!({"dashboard": {"id": "$saved"}, "items": [{"report": "$report"}]}),
        )
        .refuses(to("/dashboards/nothing/data"), 404, "not_found", &[]);
    let wrong = (wrong, &["/items/0/width", "/items/0/report"][..]);
    Kind { path: "/dashboards", one: "dashboard", right, wrong, part: Some(part), shows }
}
