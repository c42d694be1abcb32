//! Steps of numbers, to the ends of what fits into an index.

use engine_model::property::Storage;
use engine_model::query::{Aggregate, Field, Filter, Form, Group, Measure, Order, Query, Scope};
use engine_model::{Name, Properties, TenantId};
use serde_json::{Value, json};

use super::Fixture;
use super::reference::{Record, World};

/// The keys of a table of `property` by steps of `every` units, lowest first.
fn keys(property: &str, values: &[Value], storage: Storage, form: Form, every: i64) -> Vec<Value> {
    let record = |(id, value): (i64, &Value)| {
        let properties = Properties::from_iter([(property.to_owned(), value.clone())]);
        (id, Record { id, object: "deal", is_archived: false, properties })
    };
    let records = (1..).zip(values).map(record).collect();
    let fixture = Fixture::new(World { records, links: Vec::new() }, 2, false);
    let name = |text: &str| Name::new(text).expect("a name");
    let field = Field { object: name("deal"), name: name(property), since: 0, storage, form, options: [].into() };
    let aggregate = Aggregate {
        name: "steps".to_owned(),
        groups: vec![Group::Bucket { field, every }],
        measures: vec![("n".to_owned(), Measure::Count)],
        limit: 100,
        order: vec![Order::Key { is_descending: false }],
    };
    let (filter, searched, sort) = (Filter::everything(), Vec::new(), Vec::new());
    let scope = Scope { object: name("deal"), filter, searched, sort, aggregates: vec![aggregate] };
    let (words, after) = (None, None);
    let answer = fixture.ask(&Query {
        tenant: TenantId(1),
        scopes: vec![scope],
        archived: false,
        words,
        limit: 0,
        after,
        count: false,
    });
    answer.tables[0].rows.iter().map(|row| row.key.clone().expect("a group")[0].clone()).collect()
}

#[test]
fn a_step_at_either_end_of_64_bits_begins_at_its_exact_lower_bound() {
    let ends = [json!(i64::MIN), json!(i64::MIN + 3), json!(i64::MAX)];
    let integers = |every| keys("days", &ends, Storage::Scaled(0), Form::Integer, every);
    assert_eq!(
        integers(5),
        [json!("-9223372036854775810"), json!(-9_223_372_036_854_775_805_i64), json!(i64::MAX - 2)]
    );
    assert_eq!(integers(i64::MAX), [json!("-18446744073709551614"), json!(-i64::MAX), json!(i64::MAX)]);
    let money = Form::Decimal { scale: 2, is_padded: true };
    let ends = [json!("-92233720368547758.08"), json!("92233720368547758.07")];
    let found = keys("amount", &ends, Storage::Scaled(2), money, 500);
    assert_eq!(found, [json!("-92233720368547760.00"), json!("92233720368547755.00")]);
}
