use indexmap::IndexMap;
use serde_json::json;

use crate::Properties;
use crate::name::Name;
use crate::property::Property;

use super::*;

fn definitions() -> IndexMap<Name, Property> {
    let types = [
        ("amount", json!({"type": "money", "currency": "CAD"})),
        ("count", json!({"type": "integer"})),
        ("share", json!({"type": "percent"})),
        ("kind", json!({"type": "enum", "options": ["new", "repair"]})),
        ("applied_on", json!({"type": "date"})),
        ("issued_on", json!({"type": "date"})),
        ("seen_at", json!({"type": "datetime"})),
        ("open", json!({"type": "boolean"})),
        ("tags", json!({"type": "tags"})),
        ("extra", json!({"type": "json"})),
    ];
    let read = |(name, spec)| {
        let name = Name::new(name).expect("a name");
        let property = Property::read(name.clone(), &spec, "core", "", &mut Vec::new()).expect("a property");
        (name, property)
    };
    types.into_iter().map(read).collect()
}

fn record() -> Properties {
    let record = json!({
        "amount": "120000.00", "count": 3, "share": "12.5", "kind": "new", "applied_on": "2026-01-30",
        "seen_at": "2026-01-30T09:00:00.000000Z", "open": true, "tags": ["a", "b"],
        "extra": {"n": 1, "f": 0.1, "big": 1e300, "deep": [{"x": null}]},
    });
    record.as_object().cloned().expect("an object")
}

#[test]
fn properties_are_typed_as_defined_and_absent_ones_null() {
    let (definitions, record) = (definitions(), record());
    let scope = Scope::for_record(&definitions, &record);
    for (source, expected) in [
        ("amount * share / 100", json!("15000")),
        ("amount * count", json!("360000.00")),
        ("kind == 'new' && open", json!(true)),
        ("(date('2026-02-02') - applied_on).getDays()", json!(3)),
        ("seen_at.getHours()", json!(9)),
        ("issued_on == null || issued_on >= applied_on", json!(true)),
        ("tags.exists(t, t == 'b')", json!(true)),
        ("'a' in tags && size(tags) == 2", json!(true)),
        ("tags", json!(["a", "b"])),
        ("issued_on", json!(null)),
    ] {
        assert_eq!(evaluate(source, &scope), Ok(expected), "{source}");
    }
}

#[test]
fn a_number_that_no_decimal_holds_fails_only_where_it_is_read() {
    let (definitions, record) = (definitions(), record());
    let scope = Scope::for_record(&definitions, &record);
    assert_eq!(evaluate("amount > 0 || extra.n == 1", &scope), Ok(json!(true)));
    let message = "`1e+300` is no number of up to 28 digits (at column 1)";
    assert_eq!(evaluate("extra.n", &scope), Err(message.to_owned()));
}

#[test]
fn json_is_read_by_its_own_types() {
    let (definitions, mut record) = (definitions(), record());
    record["extra"]["big"] = json!(1e-7);
    let scope = Scope::for_record(&definitions, &record);
    for (source, expected) in [
        ("extra.n + 1", json!(2)),
        ("extra.f * 3", json!("0.3")),
        ("extra.big", json!("0.0000001")),
        ("extra.deep[0].x == null", json!(true)),
        ("has(extra.n) && !has(extra.nothing)", json!(true)),
        ("has(extra) && has(amount)", json!(true)),
        ("has(issued_on)", json!(false)),
    ] {
        assert_eq!(evaluate(source, &scope), Ok(expected), "{source}");
    }
}

#[test]
fn bindings_stand_before_properties() {
    let (definitions, record) = (definitions(), record());
    let old = json!({"amount": "1.00"}).as_object().cloned().expect("an object");
    let scope = Scope::for_record(&definitions, &record)
        .bind("today", date("2026-02-01"))
        .bind("count", 7_i64)
        .bind_property("value", definitions["share"].kind.as_ref(), &record["share"])
        .bind_record("old", &definitions, &old);
    for (source, expected) in [
        ("applied_on < today && count == 7", json!(true)),
        ("value + 1", json!("13.5")),
        ("amount - old.amount", json!("119999.00")),
        ("old.issued_on == null && !has(old.issued_on)", json!(true)),
    ] {
        assert_eq!(evaluate(source, &scope), Ok(expected), "{source}");
    }
    assert_eq!(
        evaluate("old.amuont", &scope),
        Err("there is no `amuont` in the map; test it with has(…) (at column 4)".to_owned())
    );
}
