//! Moving records through pipelines, boards and reports.

use reqwest::Method;
use serde_json::{Value, json};

use super::case::{Case, LISTERS, READERS, WRITERS, case, to};

pub(super) fn cases() -> Vec<Case> {
    vec![stage(), stages(), board(), report()]
}

fn stage() -> Case {
    let put = |body: Value| to("/records/deal/$deal/stage").json(body);
    let refused = |call, pointers: &[&'static str]| (call, 422, "validation_failed", pointers.to_vec());
    let mut all = case(Method::PUT, "/records/{object}/{id}/stage")
        .record("deal", "deal", json!({"name": "Roof"}))
        .record("other", "deal", json!({"name": "Wall"}))
        .record("ada", "contact", json!({"first_name": "Ada", "last_name": "Lovelace"}))
        .allows(
            WRITERS,
            put(json!({"pipeline": "sales", "stage": "proposal", "properties": {"amount": "10"}, "after": null}))
                .header("if-match", "\"1\""),
            200,
            json!({"id": "$deal", "version": 2, "properties": {"stage": "proposal", "amount": "10.00", "rank": "*"}}),
        )
        .refuses(put(json!({"stage": "proposal"})).header("if-match", "\"7\""), 412, "version_mismatch", &[])
        .refuses(to("/records/contact/$ada/stage").json(json!({"stage": "proposal"})), 404, "not_found", &[]);
    for (call, status, code, pointers) in [
        refused(put(json!({"properties": {"amont": 1}})), &["/stage", "/properties/amont"]),
        refused(
            put(json!({"stage": "propsal", "properties": {"amont": 1, "stage": "proposal"}})),
            &["/properties/stage", "/properties/amont", "/stage"],
        ),
        refused(put(json!({"pipeline": "sails", "stage": "proposal"})), &["/pipeline"]),
        refused(put(json!({"stage": "proposal", "after": "999999999"})), &["/after"]),
        refused(put(json!({"stage": "negotiation", "after": "$other"})), &["/after"]),
        refused(put(json!({"stage": "proposal", "after": "$deal"})), &["/after"]),
    ] {
        all = all.refuses(call, status, code, &pointers);
    }
    all
}

fn stages() -> Case {
    case(Method::GET, "/records/{object}/{id}/stages")
        .record("deal", "deal", json!({"name": "Roof"}))
        .allows(
            READERS,
            to("/records/deal/$deal/stages?limit=1"),
            200,
            json!({"results": [{"pipeline": "sales", "stage": "prospecting", "entered_at": "*", "left_at": null,
                "seconds": 0, "by": "*"}], "next_cursor": null}),
        )
        .refuses(to("/records/deal/$deal/stages?limit=0"), 400, "bad_request", &["/limit"])
        .refuses(to("/records/deal/$deal/stages?cursor=nonsense"), 400, "bad_request", &["/cursor"])
}

fn board() -> Case {
    let deal = json!({"name": "Pier", "stage": "proposal", "amount": "7", "currency": "EUR"});
    case(Method::GET, "/pipelines/{object}/{pipeline}/board")
        .record("deal", "deal", deal)
        .allows(
            LISTERS,
            to("/pipelines/deal/sales/board?q=pier&filter=amount>1&sort=-amount&select=name&sum=amount&stage=proposal&limit=1"),
            200,
            json!({"pipeline": "sales", "label": "Sales", "sequence": "*", "columns": [{"stage": "proposal", "label": "Proposal",
                "type": "open", "probability": 50, "color": null, "archived": false, "count": 1,
                "sums": {"amount": {"EUR": "7.00"}}, "results": [{"id": "$deal", "properties": {"name": "Pier"}}],
                "next_cursor": null}]}),
        )
        .refuses(
            to("/pipelines/deal/sales/board?sum=amont,name&stage=propsal&filter={\"property\":\"emial\",\"op\":\"eq\"}"),
            400,
            "bad_request",
            &["/sum", "/sum", "/stage", "/filter"],
        )
        .refuses(to("/pipelines/deal/sales/board?sort=amont&select=nme"), 400, "bad_request", &["/select", "/sort"])
        .refuses(to("/pipelines/deal/sales/board?cursor=x"), 400, "bad_request", &["/stage"])
        .refuses(to("/pipelines/deal/sales/board?cursor=x&stage=proposal"), 400, "bad_request", &["/cursor"])
        .refuses(to("/pipelines/deal/sales/board?limit=201"), 400, "bad_request", &["/limit"])
        .refuses(to("/pipelines/contact/sales/board"), 404, "not_found", &[])
}

fn report() -> Case {
    let report = |rest: &str| to(&format!("/pipelines/deal/sales/report/{rest}"));
    let deal = json!({"name": "Bridge", "stage": "proposal", "amount": "8", "currency": "EUR",
        "expected_close_date": "2031-05-05"});
    case(Method::GET, "/pipelines/{object}/{pipeline}/report/{report}")
        .record("deal", "deal", deal)
        .allows(
            LISTERS,
            report("forecast?from=2031-01-01&to=2031-12-31&every=year&filter=currency=='EUR'&amount=amount&date=expected_close_date"),
            200,
            json!({"report": "forecast", "pipeline": "sales", "from": "2031-01-01", "to": "2031-12-31", "every": "year",
                "results": [{"period": "2031-01-01", "currency": "EUR", "amount": "8.00", "weighted": "4.00", "count": 1}],
                "sequence": "*"}),
        )
        .allows(
            LISTERS,
            report("win_rate?from=2031-01-01&to=2031-01-31"),
            200,
            json!({"results": [{"period": "2031-01-01", "won": 0, "lost": 0, "win_rate": null}], "sequence": "*"}),
        )
        .allows(LISTERS, report("conversion?from=2031-01-01&to=2031-01-31"), 200, json!({"results": []}))
        .allows(LISTERS, report("velocity?from=2031-01-01&to=2031-01-31"), 200, json!({"results": []}))
        .refuses(
            report("win_rate?from=x&to=y&every=moth&amount=amount&filter=emial=='x'"),
            400,
            "bad_request",
            &["/every", "/from", "/to", "/amount", "/filter"],
        )
        .refuses(report("forecast?amount=name&date=amont"), 400, "bad_request", &["/amount", "/date"])
}
