//! Views, reports, workflows and roles as packs write them.

use serde_json::{Value, json};

use super::*;
use crate::layer::Layer;
use crate::layer::tests::layer;
use crate::registry::Registry;

fn crm() -> Layer {
    layer(
        "crm",
        &json!({
            "objects": {
                "deal": {"properties": {
                    "name": {"type": "string"}, "amount": {"type": "money", "currency": "EUR"},
                    "kind": {"type": "enum", "options": ["new", "old"]}, "due_on": {"type": "date"},
                    "site": {"type": "geo"}, "value": {"type": "decimal", "was": "worth"},
                    "double": {"type": "formula", "formula": "amount * 2", "result": "decimal"}}},
                "company": {"properties": {"name": {"type": "string"}, "industry": {"type": "string"}}},
                "task": {"properties": {"title": {"type": "string"}, "due_on": {"type": "date"}}},
            },
            "associations": {
                "deal_company": {"from": "deal", "to": "company"},
                "task_about": {"from": "task", "to": "any"},
                "company_company": {"from": "company", "to": "company"},
            },
            "pipelines": {"sales": {"object": "deal", "stages": {"open": {}, "won": {"type": "won"}}}},
        }),
    )
}

fn own(document: Value) -> (Registry, Vec<(String, &'static str)>) {
    let own = layer("own", &document);
    let (registry, mut problems) = Registry::fold(&[crm(), own.clone()]);
    problems.extend(registry.check_behaviors(Some(&own)));
    let shown = problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect();
    (registry, shown)
}

fn problems(document: Value) -> Vec<(String, &'static str)> {
    own(document).1
}

fn told(all: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    all.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect()
}

#[test]
fn types_of_activities_are_names_joined_by_dots_with_details() {
    let document = json!({
        "objects": {"guest": {"properties": {"name": {"type": "string"}}}},
        "activities": {
            "guest.came": {"icon": "door", "objects": ["guest", "gest"], "details": {
                "paid": {"type": "money", "currency_property": "curency", "required": true},
                "code": {"type": "string", "unique": true, "searchable": true, "sensitive": true},
                "number": {"type": "auto_number", "pattern": "A-{0}"},
                "twice": {"type": "formula", "formula": "1 + 1", "result": "integer"},
                "more": {"type": "json", "schema": "baskt"}}},
            "Guest": {}, "guest..came": {}, "call": {"details": [], "detail": {}}},
    });
    let mut problems = Problems::new();
    let layer = Layer::read("own", document.as_object().expect("a map"), &mut problems);
    let (registry, folded) = Registry::fold(&[layer]);
    problems.extend(folded);
    problems.extend(registry.check_behaviors(None));
    let told: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
    let at = "/activities/guest.came/details";
    let expected = [
        ("/activities/Guest".to_owned(), "invalid_name"),
        ("/activities/guest..came".to_owned(), "invalid_name"),
        (format!("{at}/paid/currency_property"), "unknown"),
        (format!("{at}/code/unique"), "not_applicable"),
        (format!("{at}/code/searchable"), "not_applicable"),
        (format!("{at}/code/sensitive"), "not_applicable"),
        (format!("{at}/number/type"), "not_applicable"),
        (format!("{at}/twice/type"), "not_applicable"),
        ("/activities/call/details".to_owned(), "wrong_type"),
        ("/activities/call/detail".to_owned(), "unknown_key"),
    ];
    assert_eq!(told, expected.iter().map(|(at, code)| (at.as_str(), *code)).collect::<Vec<_>>());
}

#[test]
fn what_is_right_is_read_whole() {
    let (registry, problems) = own(json!({
        "views": {
            "open_deals": {"object": "deal", "label": "Open", "kind": "board", "group": "stage",
                "filter": {"all": [{"property": "amount", "op": "gt", "value": 5},
                    {"association": "deal_company", "match": {"property": "industry", "op": "eq", "value": "retail"}}]},
                "sort": [{"property": "due_on", "direction": "desc"}, {"property": "created_at"}],
                "columns": ["name", "worth", "owner_id"], "sharing": "team"},
            "when": {"object": "deal", "kind": "calendar", "date": "created_at"},
            "where": {"object": "deal", "kind": "map", "place": "site"},
        },
        "reports": {"by_month": {"object": "deal", "filter": {"property": "kind", "op": "eq", "value": "new"},
            "group": [{"date": "due_on", "every": "month"}], "measures": {"total": {"sum": "amount"}, "n": {"count": true}},
            "order": [{"measure": "total", "direction": "desc"}], "limit": 12, "chart": "column"}},
        "workflows": {
            "greet": {"when": {"event": "stage.changed", "object": "deal", "pipeline": "sales", "from": "open", "to": "won"},
                "if": "amount > 100.0", "do": [
                    {"create": "task", "properties": {"title": "Call {{ name }}", "due_on": "today+7d"}, "link": "task_about"},
                    {"update": "record", "properties": {"kind": "old"}}, {"archive": "record"}]},
            "clean": {"when": {"every": "1d", "object": "deal", "filter": {"property": "due_on", "op": "lt", "value": "today-1y"}},
                "do": [{"archive": "record"}]},
            "paid": {"when": {"event": "invoice.paid"}, "do": [{"create": "task", "properties": {"title": "Thank"}}]},
        },
        "roles": {"seller": {"objects": {"deal": {"create": true, "read": "all", "update": "own"}, "*": {"read": "team"}},
            "properties": {"deal.amount": {"write": false}}}},
    }));
    assert_eq!(problems, []);
    let content = |section: Section, name: &str| &registry.behaviors[&(section, Name::new(name).unwrap())].content;
    let Content::View(view) = content(Section::Views, "open_deals") else { panic!("a view") };
    assert_eq!((view.kind, view.sharing, view.columns.len()), ("board", "team", 3));
    let Content::Role(role) = content(Section::Roles, "seller") else { panic!("a role") };
    assert_eq!(role.default.read, crate::access::Reach::TEAM);
    assert_eq!(role.objects["deal"].archive, crate::access::Reach::NONE);
    assert_eq!(role.properties["deal.amount"], PropertyGrants { read: true, write: false });
    let Content::Workflow(workflow) = content(Section::Workflows, "clean") else { panic!("a workflow") };
    assert!(matches!(workflow.trigger, Trigger::Every { seconds: 86_400, .. }));
}

#[test]
fn every_use_of_a_property_is_told_with_its_place() {
    let (registry, _) = own(json!({
        "views": {"open_deals": {"object": "deal", "columns": ["name", "amount"], "group": "kind",
            "filter": {"any": [{"property": "name", "op": "eq", "value": "x"}, {"association": "deal_company",
                "match": {"property": "name", "op": "eq", "value": "x"}}]}, "sort": [{"property": "worth"}]}},
        "reports": {"sums": {"object": "deal", "measures": {"total": {"sum": "amount"}}}},
        "workflows": {"greet": {"when": {"event": "record.updated", "object": "deal", "changed": ["amount"]},
            "if": "amount > 3.0", "do": [{"update": "record", "properties": {"name": "{{ kind }}"}}]}},
        "roles": {"seller": {"properties": {"deal.amount": {"read": false}}}},
    }));
    let uses = |object: &str, property: &str| -> Vec<(&'static str, String, String)> {
        let uses = registry.uses(object, property).into_iter().filter(|found| found.layer == "own");
        uses.map(|found| (found.kind, found.name, found.pointer)).collect()
    };
    let told = |kind: &'static str, name: &str, pointer: &str| (kind, name.to_owned(), pointer.to_owned());
    assert_eq!(
        uses("deal", "amount"),
        [
            told("view", "open_deals", "/views/open_deals/columns/1"),
            told("report", "sums", "/reports/sums/measures/total/sum"),
            told("workflow", "greet", "/workflows/greet/when/changed/0"),
            told("workflow", "greet", "/workflows/greet/if"),
            told("role", "seller", "/roles/seller/properties/deal.amount"),
        ]
    );
    assert_eq!(
        uses("deal", "name"),
        [
            told("view", "open_deals", "/views/open_deals/filter/any/0/property"),
            told("view", "open_deals", "/views/open_deals/columns/0"),
            told("workflow", "greet", "/workflows/greet/do/0/properties/name"),
        ]
    );
    assert_eq!(uses("company", "name"), [told("view", "open_deals", "/views/open_deals/filter/any/1/match/property")]);
    // It is named by what it was called before.
    assert_eq!(uses("deal", "value"), [told("view", "open_deals", "/views/open_deals/sort/0/property")]);
    assert_eq!(
        uses("deal", "kind"),
        [
            told("view", "open_deals", "/views/open_deals/group"),
            told("workflow", "greet", "/workflows/greet/do/0/properties/name"),
        ]
    );
}

#[test]
fn views_that_cannot_be_are_told() {
    assert_eq!(
        problems(json!({"views": {
            "a": {"object": "dael"},
            "b": {"object": "deal", "columns": ["nmae"], "group": "due_on", "sort": [{"property": "site"}],
                "filter": {"property": "amount", "op": "gt", "value": "much"}},
            "c": {"object": "deal", "kind": "calendar", "date": "name"},
            "d": {"object": "deal", "kind": "map", "place": "name"},
        }})),
        told(&[
            ("/views/a/object", "unknown"),
            ("/views/b/sort/0/property", "not_applicable"),
            ("/views/b/columns/0", "unknown"),
            ("/views/b/group", "not_applicable"),
            ("/views/c/date", "not_applicable"),
            ("/views/d/place", "not_applicable"),
        ])
        .into_iter()
        .chain([("/views/b/filter/value".to_owned(), "invalid")])
        .fold(Vec::new(), |mut all, problem| {
            // The filter is told before the order.
            let at = if problem.0 == "/views/b/filter/value" { 1 } else { all.len() };
            all.insert(at, problem);
            all
        })
    );
    assert_eq!(
        problems(json!({"views": {
            "a": {"kind": "bord", "colums": []}, "b": {"object": "deal", "kind": "board", "date": "due_on"},
            "c": {"object": "deal", "sharing": "all", "filter": {"property": 1}},
        }})),
        told(&[
            ("/views/a/object", "required"),
            ("/views/a/kind", "unknown"),
            ("/views/a/colums", "unknown_key"),
            ("/views/b/group", "required"),
            ("/views/b/date", "not_applicable"),
            ("/views/c/sharing", "unknown"),
        ])
    );
}

#[test]
fn reports_that_cannot_be_are_told() {
    assert_eq!(
        problems(json!({"reports": {
            "a": {"object": "deal", "group": ["knid"], "measures": {"x": {"sum": "name"}}, "limit": 20_000},
            "b": {"object": "deal", "chart": "cake", "measure": {}},
            "c": {"object": "deal", "measures": {"x": {"add": "amount"}}},
        }})),
        told(&[
            ("/reports/b/chart", "unknown"),
            ("/reports/b/measure", "unknown_key"),
            ("/reports/a/group/0", "unknown_property"),
            ("/reports/a/measures/x/sum", "not_applicable"),
            ("/reports/a/limit", "too_large"),
            ("/reports/c/measures/x/add", "unknown"),
        ])
    );
}

#[test]
fn dashboards_that_cannot_be_are_told() {
    let document = json!({
        "reports": {"sums": {"object": "deal", "measures": {"total": {"sum": "amount"}}}},
        "dashboards": {
            "right": {"items": [{"report": "sums", "width": 6, "label": "Sums"}]},
            "a": {}, "b": {"items": []}, "c": {"items": [{"report": "smus"}, {"view": "sums"}]},
            "d": {"items": [{"width": 13}, {"report": "sums", "view": "sums"}, 7]},
        },
    });
    assert_eq!(
        problems(document),
        told(&[
            ("/dashboards/a/items", "required"),
            ("/dashboards/b/items", "invalid"),
            ("/dashboards/d/items/0/width", "out_of_range"),
            ("/dashboards/d/items/0/report", "required"),
            ("/dashboards/d/items/1/report", "required"),
            ("/dashboards/d/items/2", "wrong_type"),
            ("/dashboards/c/items/0/report", "unknown"),
            ("/dashboards/c/items/1/view", "unknown"),
        ])
    );
}

#[test]
fn reports_of_periods_that_cannot_be_are_told() {
    assert_eq!(
        problems(json!({"reports": {
            "right": {"object": "deal", "period": {"date": "due_on", "within": "last_30d"}, "compare": "previous"},
            "a": {"object": "deal", "period": {"date": "name", "within": "this_month"}},
            "b": {"object": "deal", "period": {"within": "this_mnth"}, "compare": "next"},
            "c": {"object": "deal", "compare": "previous"},
        }})),
        told(&[
            ("/reports/b/period/date", "required"),
            ("/reports/b/period/within", "invalid"),
            ("/reports/b/compare", "unknown"),
            ("/reports/c/compare", "not_applicable"),
            ("/reports/a/period/date", "not_applicable"),
        ])
    );
}

#[test]
fn workflows_that_cannot_be_are_told() {
    assert_eq!(
        problems(json!({"workflows": {
            "a": {"when": {"event": "record.create"}, "do": [{"archive": "record"}]},
            "b": {"when": {"every": "5s"}, "do": []},
            "c": {"do": [{"make": "task"}, {"create": "task", "update": "record"}, {"update": "task"}]},
            "d": {"when": {"event": "record.created", "from": "open"}, "do": [{"archive": "record", "link": "task_about"}]},
        }})),
        told(&[
            ("/workflows/a/when/event", "unknown"),
            ("/workflows/b/when/every", "invalid"),
            ("/workflows/c/when", "required"),
            ("/workflows/c/do/0", "required"),
            ("/workflows/c/do/0/make", "unknown_key"),
            ("/workflows/c/do/1", "not_applicable"),
            ("/workflows/c/do/2/update", "unknown"),
            ("/workflows/c/do/2/properties", "required"),
            ("/workflows/d/when/from", "not_applicable"),
            ("/workflows/d/do/0/link", "not_applicable"),
        ])
    );
    assert_eq!(
        problems(json!({"workflows": {
            "a": {"when": {"event": "stage.changed", "object": "deal", "to": "wno"}, "if": "amount + 1",
                "do": [{"create": "tsk"}, {"create": "company", "link": "company_company"},
                    {"create": "task", "properties": {"titel": "x", "title": "{{ nmae }}", "due_on": "soon"}},
                    {"update": "record", "properties": {"double": 1, "kind": "odd"}}]},
            "b": {"when": {"event": "invoice.paid"}, "if": "true", "do": [{"archive": "record"}]},
            "c": {"when": {"every": "1d", "object": "deal", "filter": {"property": "x", "op": "eq", "value": 1}},
                "if": "nmae == 'x'", "do": [{"archive": "record"}]},
        }})),
        told(&[
            ("/workflows/a/when/to", "unknown"),
            ("/workflows/a/if", "invalid_expression"),
            ("/workflows/a/do/0/create", "unknown"),
            ("/workflows/a/do/1/link", "not_applicable"),
            ("/workflows/a/do/2/properties/titel", "unknown"),
            ("/workflows/a/do/2/properties/title", "unknown"),
            ("/workflows/a/do/2/properties/due_on", "invalid"),
            ("/workflows/a/do/3/properties/double", "read_only"),
            ("/workflows/a/do/3/properties/kind", "unknown_option"),
            ("/workflows/b/if", "not_applicable"),
            ("/workflows/b/do/0", "not_applicable"),
            ("/workflows/c/when/filter/property", "unknown_property"),
            ("/workflows/c/if", "unknown"),
        ])
    );
}

#[test]
fn roles_that_cannot_be_are_told() {
    assert_eq!(
        problems(json!({"roles": {
            "owner": {"admin": true},
            "a": {"objects": {"deal": {"read": "mine", "create": "own", "delete": true, "update": 1}},
                "properties": {"deal.amount": {"read": false, "write": true}}},
            "b": {"objects": {"dael": {"read": "all"}}, "properties": {"amount": {}, "deal.amuont": {"read": true}}},
        }})),
        told(&[
            ("/roles/owner", "reserved"),
            ("/roles/a/objects/deal/create", "not_applicable"),
            ("/roles/a/objects/deal/read", "unknown"),
            ("/roles/a/objects/deal/update", "wrong_type"),
            ("/roles/a/objects/deal/delete", "unknown_key"),
            ("/roles/a/properties/deal.amount/write", "not_applicable"),
            ("/roles/b/objects/dael", "unknown"),
            ("/roles/b/properties/amount", "invalid"),
            ("/roles/b/properties/deal.amuont", "unknown"),
        ])
    );
}

#[test]
fn a_pack_changes_another_ones_views_where_it_says_so() {
    let base =
        layer("base", &json!({"views": {"all": {"object": "deal", "filter": {"property": "name", "op": "exists"}}}}));
    let more =
        json!({"views": {"all": {"extend": true, "label": "All", "filter": {"all": []}}, "alll": {"extend": true}}});
    let (registry, problems) = Registry::fold(&[crm(), base.clone(), layer("more", &more)]);
    assert_eq!(
        problems.iter().map(|found| (found.pointer.as_str(), found.code)).collect::<Vec<_>>(),
        [("/views/alll", "unknown")]
    );
    let view = &registry.behaviors[&(Section::Views, Name::new("all").unwrap())];
    assert_eq!((view.label.as_str(), view.layer.as_str()), ("All", "base"));
    assert_eq!(Value::Object(view.spec.clone()), json!({"object": "deal", "label": "All", "filter": {"all": []}}));
    let taken = layer("more", &json!({"views": {"all": {"object": "task"}}}));
    let (_, problems) = Registry::fold(&[crm(), base, taken]);
    assert_eq!((problems.len(), problems[0].code), (1, "taken"));
}

#[test]
fn what_is_archived_beneath_a_view_is_told_and_the_view_stays() {
    let document = json!({"views": {"all": {"object": "deal", "columns": ["name"]}}});
    let tenant = layer("custom", &json!({"extend": {"deal": {"properties": {"name": {"archived": true}}}}}));
    let (registry, problems) = Registry::fold(&[crm(), layer("own", &document), tenant]);
    assert_eq!(problems, []);
    let problems = registry.check_behaviors(None);
    assert_eq!((problems.len(), problems[0].message.as_str()), (1, "`deal.name` is archived"));
}

/// The objects of a score.
fn scored() -> Layer {
    let answers = json!({
        "score": {"type": "integer"}, "why": {"type": "text"}, "at": {"type": "datetime"}, "who": {"type": "user"},
        "by": {"type": "enum", "options": ["person", "rule"]}, "now": {"type": "boolean"},
        "review": {"type": "enum", "options": ["pending", "accepted", "rejected"]},
        "key": {"type": "string", "unique": true}, "plain": {"type": "string"},
        "needed": {"type": "integer", "required": true}, "stars": {"type": "enum", "options": ["one"]}});
    layer(
        "scored",
        &json!({
            "objects": {
                "guest": {"properties": {"name": {"type": "string"}, "nights": {"type": "integer"}}},
                "room": {"properties": {"price": {"type": "decimal"}}},
                "question": {"properties": {"rule": {"type": "text"}, "weight": {"type": "decimal"}, "on": {"type": "boolean"}}},
                "answer": {"properties": answers},
            },
            "associations": {
                "question_room": {"from": "question", "to": "room"},
                "question_guest": {"from": "question", "to": "guest"},
                "answer_question": {"from": "answer", "to": "question"},
                "answer_guest": {"from": "answer", "to": "guest"},
                "answer_room": {"from": "answer", "to": "room"},
            },
        }),
    )
}

fn score(change: impl Fn(&mut Value)) -> (Registry, Vec<(String, &'static str)>) {
    let mut score = json!({
        "description": "How welcome a guest is.",
        "criteria": {"object": "question", "expression": "rule", "weight": "weight", "active": "on", "for": "question_room"},
        "assessments": {"object": "answer", "score": "score", "rationale": "why", "at": "at", "by": "by", "user": "who",
            "review": "review", "current": "now", "key": "key", "criterion": "answer_question",
            "subject": "answer_guest", "for": "answer_room"},
        "totals": {"guest": "nights"}});
    change(&mut score);
    let own = layer("own", &json!({"scores": {"welcome": score}}));
    let (registry, mut problems) = Registry::fold(&[scored(), own.clone()]);
    problems.extend(registry.check_behaviors(Some(&own)));
    (registry, problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect())
}

fn welcome(registry: &Registry) -> &Score {
    let behavior = &registry.behaviors[&(Section::Scores, Name::new("welcome").unwrap())];
    let Content::Score(score) = &behavior.content else { panic!("a score") };
    score
}

#[test]
fn a_score_says_which_records_play_which_part() {
    let (registry, problems) = score(|_| ());
    assert_eq!(problems, []);
    let score = welcome(&registry);
    assert_eq!((score.criteria.object.as_str(), score.assessments.key.as_str()), ("question", "key"));
    assert_eq!(score.totals["guest"].as_str(), "nights");
    let uses = registry.uses("question", "rule");
    let told: Vec<_> = uses.iter().map(|found| (found.kind, found.name.as_str(), found.pointer.as_str())).collect();
    assert_eq!(told, [("score", "welcome", "/scores/welcome/criteria/expression")]);
    assert_eq!(registry.uses("guest", "nights").len(), 1);
}

#[test]
fn scores_that_cannot_be_are_told() {
    let at = |part: &str| format!("/scores/welcome/{part}");
    let one = |part: &str, key: &str, value: Value| score(|score| score[part][key] = value.clone()).1;
    for (part, key, value, code) in [
        ("criteria", "object", json!("qestion"), "unknown"),
        ("criteria", "expression", json!("rul"), "unknown"),
        ("criteria", "expression", json!("weight"), "not_applicable"),
        ("criteria", "weight", json!("rule"), "not_applicable"),
        ("criteria", "active", json!("rule"), "not_applicable"),
        ("criteria", "for", json!("answer_room"), "not_applicable"),
        ("criteria", "for", json!("question_guest"), "not_applicable"),
        ("criteria", "extra", json!("rule"), "unknown_key"),
        ("criteria", "weight", json!(null), "required"),
        ("assessments", "score", json!("needed"), "not_applicable"),
        ("assessments", "score", json!("why"), "not_applicable"),
        ("assessments", "rationale", json!("plain"), "not_applicable"),
        ("assessments", "by", json!("stars"), "not_applicable"),
        ("assessments", "review", json!("by"), "not_applicable"),
        ("assessments", "key", json!("plain"), "not_applicable"),
        ("assessments", "criterion", json!("answer_guest"), "not_applicable"),
        ("assessments", "subject", json!("question_guest"), "not_applicable"),
        ("assessments", "subject", json!("answer_gest"), "unknown"),
        ("totals", "guest", json!("name"), "not_applicable"),
        ("totals", "room", json!("price"), "not_applicable"),
        ("totals", "guest", json!(7), "wrong_type"),
    ] {
        let problems = one(part, key, value.clone());
        let told = problems.iter().any(|(pointer, found)| *pointer == at(&format!("{part}/{key}")) && *found == code);
        assert!(told, "{part}.{key} as {value}: {problems:?}");
    }
    let lacking = score(|score| drop(score["assessments"].as_object_mut().and_then(|map| map.remove("for")))).1;
    assert_eq!(lacking, told(&[("/scores/welcome/assessments/for", "required")]));
    let lacking = score(|score| drop(score["criteria"].as_object_mut().and_then(|map| map.remove("for")))).1;
    assert_eq!(lacking, told(&[("/scores/welcome/criteria/for", "required")]));
    let none = score(|score| *score = json!({})).1;
    assert_eq!(none, told(&[("/scores/welcome/criteria", "required"), ("/scores/welcome/assessments", "required")]));
}

#[test]
fn assessments_are_of_one_score() {
    let (registry, _) = score(|_| ());
    let spec = registry.behaviors[&(Section::Scores, Name::new("welcome").unwrap())].spec.clone();
    let both = layer("own", &json!({"scores": {"welcome": spec.clone(), "other": spec}}));
    let (registry, problems) = Registry::fold(&[scored(), both]);
    assert_eq!(problems, []);
    let told: Vec<_> =
        registry.check_behaviors(None).into_iter().map(|problem| (problem.pointer, problem.code)).collect();
    let taken = |name: &str| (format!("/scores/{name}/assessments/object"), "taken");
    assert_eq!(told, [taken("welcome"), taken("other")]);
}

#[test]
fn an_expression_of_a_criterion_is_checked_before_there_are_records() {
    let (registry, _) = score(|_| ());
    let check = |source: &str| -> Vec<&'static str> {
        let problems = welcome(&registry).check_expression(source, &registry, "/properties/rule");
        assert!(problems.iter().all(|problem| problem.pointer == "/properties/rule"));
        problems.into_iter().map(|problem| problem.code).collect()
    };
    for right in [
        "subject.nights > 2",
        "subject.name == null ? 0 : 100",
        "has(subject.name) && now > subject.created_at",
        "for_record != null && for_record.price < 100",
        "subject.nights * 1.5",
        "subject.owner_id == '7'",
    ] {
        assert_eq!(check(right), Vec::<&str>::new(), "{right}");
    }
    for (wrong, code) in [
        ("subject.nights >", "invalid_expression"),
        ("subject.nigths > 2", "unknown"),
        ("has(subject.nigths)", "unknown"),
        ("nights > 2", "unknown"),
        ("for_record.nights > 2", "unknown"),
        ("subject.nights > 'two'", "invalid_expression"),
        ("'much'", "invalid_expression"),
        ("[1, 2]", "invalid_expression"),
    ] {
        assert_eq!(check(wrong), [code], "{wrong}");
    }
}
