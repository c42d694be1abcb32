//! Queries as callers send them, resolved against a small tenant.

mod aggregates;
mod conditions;
mod cursors;
mod expressions;
mod hostile;
mod limits;
mod linked;
mod listed;
mod numbers;
mod orders;
mod refusals;
mod show;

use std::sync::LazyLock;

use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(super) use show::show;

use super::{AcrossObjects, Filter, Query, QueryText, ResolveContext, resolve};
use crate::TenantId;
use crate::json::read;
use crate::layer::Layer;
use crate::object::ObjectDefinition;
use crate::problem::Problems;
use crate::property::{Locale, Property};
use crate::registry::Registry;
use crate::time::Timestamp;

static LOCALE: LazyLock<Locale> = LazyLock::new(Locale::default);

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut problems = Problems::new();
    let layer = Layer::read("core", definitions().as_object().expect("an object"), &mut problems);
    let (registry, found) = Registry::fold(&[layer]);
    assert_eq!((problems, found), (Vec::new(), Vec::new()));
    registry
});

fn definitions() -> Value {
    json!({
        "objects": {
            "deal": {"properties": {
                "name": {"type": "string", "searchable": true},
                "amount": {"type": "money", "currency": "USD"},
                "rank": {"type": "decimal"},
                "seats": {"type": "integer"},
                "stage": {"type": "enum", "searchable": true, "options": ["new", "proposal", "won", {"key": "lost", "archived": true}]},
                "kinds": {"type": "multi_enum", "options": ["New", "Repair"]},
                "tags": {"type": "tags", "searchable": true},
                "closed_on": {"type": "date"},
                "due_at": {"type": "datetime"},
                "is_hot": {"type": "boolean"},
                "notes": {"type": "text", "searchable": true},
                "email": {"type": "email"},
                "phone": {"type": "phone"},
                "site": {"type": "url"},
                "serial": {"type": "auto_number"},
                "sku": {"type": "string", "substring": true},
                "agent": {"type": "user"},
                "margin": {"type": "decimal", "sensitive": true},
                "secret": {"type": "string", "sensitive": true, "searchable": true},
                "data": {"type": "json"},
                "gross": {"type": "formula", "formula": "amount * 2", "result": "money"},
                "tasks": {"type": "rollup", "association": "deal_task", "function": "count"},
                "gone": {"type": "string", "archived": true},
            }},
            "company": {"properties": {
                "name": {"type": "string"},
                "industry": {"type": "enum", "options": ["construction", "retail"]},
                "amount": {"type": "decimal"},
                "stage": {"type": "enum", "options": ["lead", "client"]},
                "due_at": {"type": "date"},
            }},
            "contact": {"properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
            "task": {"properties": {"title": {"type": "string"}, "due_at": {"type": "datetime"}}},
            "note": {"properties": {"body": {"type": "text", "searchable": true}}},
            "payslip": {"properties": {"name": {"type": "string"}, "net": {"type": "money"}}},
        },
        "associations": {
            "deal_company": {"from": "deal", "to": "company"},
            "deal_task": {"from": "deal", "to": "task"},
            "deal_party": {"from": "deal", "to": ["company", "contact", "payslip"]},
            "contact_friend": {"from": "contact", "to": "contact"},
            "note_about": {"from": "note", "to": "any"},
            "payslip_contact": {"from": "payslip", "to": "contact"},
        },
    })
}

/// What a member of this tenant may see: no pay slips, only tasks of its own, nothing sensitive.
fn readable(object: &str) -> Option<Filter> {
    match object {
        "payslip" => None,
        "task" => Some(Filter::Ids(vec![crate::RecordId(7)])),
        _ => Some(Filter::everything()),
    }
}

fn may_see(_: &ObjectDefinition, property: &Property) -> bool {
    !property.sensitive
}

/// Half past ten in Paris, on a Wednesday.
fn context() -> ResolveContext<'static> {
    ResolveContext {
        tenant: TenantId(1),
        registry: &REGISTRY,
        now: Timestamp::parse("2026-03-18T09:30:00Z").expect("a moment"),
        zone: chrono_tz::Europe::Paris,
        locale: &LOCALE,
        readable: &readable,
        may_see: &may_see,
        lists: None,
        formerly: None,
    }
}

fn object(name: &str) -> &'static ObjectDefinition {
    &REGISTRY.objects[name]
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("JSON")
}

/// The query of deals that `body` is.
fn query(body: &Value) -> Result<Query, Problems> {
    let text: QueryText = read(&raw(body))?;
    resolve(&text, &[object("deal")], &context())
}

/// The query across objects that `body` is.
fn query_across(body: &Value, objects: &[&str]) -> Result<Query, Problems> {
    let text: AcrossObjects = read(&raw(body))?;
    let objects: Vec<_> = objects.iter().map(|name| object(name)).collect();
    resolve(&text.0, &objects, &context())
}

/// What is asked of deals by a filter, in short.
fn asked(filter: &Value) -> String {
    let query = query(&json!({"filter": filter})).unwrap_or_else(|problems| panic!("{filter}: {problems:?}"));
    let Filter::All(parts) = &query.scopes[0].filter else { panic!("what is visible and what is asked") };
    assert_eq!((parts.len(), &parts[0]), (2, &Filter::everything()));
    show(&parts[1])
}

type Told = (String, &'static str, String);

fn told(problems: Problems) -> Vec<Told> {
    problems.into_iter().map(|found| (found.pointer, found.code, found.message)).collect()
}

/// Everything that is wrong with a query of deals.
fn refused(body: &Value) -> Vec<Told> {
    told(query(body).expect_err("refused"))
}

/// Everything that is wrong with a query of deals, its form included, by place.
fn all_places(body: &Value) -> Vec<String> {
    let body = raw(body);
    let mut reading = crate::json::Reading::default();
    let text = reading.value::<QueryText>(&body).expect("understood");
    let mut problems = reading.into_problems();
    problems.extend(resolve(&text, &[object("deal")], &context()).err().unwrap_or_default());
    problems.into_iter().map(|problem| problem.pointer).collect()
}

/// [`all_places`] below the filter.
fn filter_places(filter: &Value) -> Vec<String> {
    let places = all_places(&json!({"filter": filter})).into_iter();
    places.map(|place| place.strip_prefix("/filter").expect("of the filter").to_owned()).collect()
}

/// The one thing that is wrong with it.
fn refusal(body: &Value) -> Told {
    let mut found = refused(body);
    assert_eq!(found.len(), 1, "{body}: {found:?}");
    found.remove(0)
}
