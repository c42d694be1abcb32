use super::super::{Aggregate, Every, Group, Measure, Order};
use super::*;

fn table(body: &Value) -> Aggregate {
    let query = query(&json!({"aggregate": {"t": body}})).unwrap_or_else(|problems| panic!("{body}: {problems:?}"));
    query.scopes[0].aggregates[0].clone()
}

fn group_in_short(group: &Group) -> String {
    match group {
        Group::Value(field) => field.name.to_string(),
        Group::Calendar { field, every, zone } => format!("{} by {every:?} in {zone}", field.name),
        Group::Bucket { field, every } => format!("{} by {every}", field.name),
        Group::Object => "object".to_owned(),
    }
}

fn measure_in_short(measure: &Measure) -> String {
    match measure {
        Measure::Count => "count".to_owned(),
        Measure::CountDistinct(field) => format!("distinct {}", field.name),
        Measure::Sum(field) => format!("sum {}", field.name),
        Measure::Avg(field) => format!("avg {}", field.name),
        Measure::Min(field) => format!("min {}", field.name),
        Measure::Max(field) => format!("max {}", field.name),
        Measure::Percentiles(field, at) => format!("percentiles {} {at:?}", field.name),
    }
}

#[test]
fn records_are_grouped_by_values_intervals_and_steps() {
    for (group, expected) in [
        (json!("stage"), "stage"),
        (json!("tags"), "tags"),
        (json!("owner_id"), "owner_id"),
        (json!("is_hot"), "is_hot"),
        (json!("amount"), "amount"),
        (json!("object"), "object"),
        (json!({"date": "closed_on", "every": "month"}), "closed_on by Month in Europe/Paris"),
        (json!({"date": "created_at", "every": "quarter"}), "created_at by Quarter in Europe/Paris"),
        (json!({"number": "amount", "every": "0.5"}), "amount by 50"),
        (json!({"number": "amount", "every": 1e3}), "amount by 100000"),
        (json!({"number": "seats", "every": 10}), "seats by 10"),
    ] {
        assert_eq!(group_in_short(&table(&json!({"group": [group]})).groups[0]), expected, "{group}");
    }
    let intervals = ["day", "week", "month", "quarter", "year"];
    let groups: Vec<_> = intervals.iter().map(|every| json!({"date": "due_at", "every": every})).collect();
    let found: Vec<_> = table(&json!({"group": groups})).groups;
    let expected = [Every::Day, Every::Week, Every::Month, Every::Quarter, Every::Year];
    assert!(
        found
            .iter()
            .zip(expected)
            .all(|(group, every)| matches!(group, Group::Calendar { every: found, .. } if *found == every))
    );
}

#[test]
fn measures_are_computed_of_what_they_make_sense_of() {
    let measures = json!({
        "n": {"count": true}, "total": {"sum": "amount"}, "mean": {"avg": "seats"}, "first": {"min": "closed_on"},
        "last": {"max": "created_at"}, "owners": {"count_distinct": "owner_id"},
        "spread": {"percentiles": {"property": "amount", "at": [50, 99.9, 0]}},
    });
    let found = table(&json!({"measures": measures})).measures;
    let short: Vec<_> = found.iter().map(|(name, measure)| format!("{name}: {}", measure_in_short(measure))).collect();
    assert_eq!(
        short,
        [
            "n: count",
            "total: sum amount",
            "mean: avg seats",
            "first: min closed_on",
            "last: max created_at",
            "owners: distinct owner_id",
            "spread: percentiles amount [(\"50\", 50.0), (\"99.9\", 99.9), (\"0\", 0.0)]",
        ]
    );
}

#[test]
fn a_table_counts_and_shows_the_largest_groups_first_unless_told_otherwise() {
    let least = table(&json!({}));
    assert_eq!((least.name.as_str(), least.groups.len(), least.limit), ("t", 0, 1_000));
    assert_eq!(least.measures, [("count".to_owned(), Measure::Count)]);
    assert_eq!(least.order, [Order::Measure { index: 0, is_descending: true }]);
    let measures = json!({"a": {"count": true}, "b": {"sum": "amount"}});
    let told = table(&json!({"measures": measures, "limit": 3,
        "order": [{"measure": "b", "direction": "desc"}, {"measure": "a"}, {"key": "desc"}]}));
    assert_eq!(told.limit, 3);
    assert_eq!(
        told.order,
        [
            Order::Measure { index: 1, is_descending: true },
            Order::Measure { index: 0, is_descending: false },
            Order::Key { is_descending: true },
        ]
    );
    assert_eq!(
        table(&json!({"order": [{"measure": "count"}]})).order,
        [Order::Measure { index: 0, is_descending: false }]
    );
}

#[test]
fn what_cannot_be_computed_is_told_in_place() {
    let every = "`every` is required: day, week, month, quarter or year";
    let group = |group: Value| json!({"group": [group]});
    let measure = |measure: Value| json!({"measures": {"m": measure}});
    for (body, pointer, code, message) in [
        (
            group(json!("stge")),
            "/group/0",
            "unknown_property",
            "`stge` is no property of `deal`; did you mean `stage`?",
        ),
        (group(json!("notes")), "/group/0", "not_applicable", "there are no groups by `notes` of type `text`"),
        (group(json!("data")), "/group/0", "not_applicable", "there are no groups by `data` of type `json`"),
        (
            group(json!("id")),
            "/group/0",
            "not_applicable",
            "every record has a `id` of its own; `count` says how many there are",
        ),
        (group(json!(5)), "/group/0", "wrong_type", "an object is expected, not a number"),
        (group(json!({"date": "due_at"})), "/group/0/every", "required", every),
        (
            group(json!({"date": "due_at", "every": "months"})),
            "/group/0/every",
            "unknown",
            "`months` is none of `day`, `week`, `month`, `quarter`, `year`; did you mean `month`?",
        ),
        (
            group(json!({"date": "name", "every": "day"})),
            "/group/0/date",
            "not_applicable",
            "only dates and moments have intervals, not `name` of type `string`",
        ),
        (
            group(json!({"number": "stage", "every": 5})),
            "/group/0/number",
            "not_applicable",
            "only numbers have steps, not `stage` of type `enum`",
        ),
        (group(json!({"number": "amount", "every": 0})), "/group/0/every", "too_small", "must be above 0"),
        (group(json!({"number": "amount", "every": "-1"})), "/group/0/every", "too_small", "must be above 0"),
        (
            group(json!({"number": "seats", "every": 0.5})),
            "/group/0/every",
            "too_precise",
            "has more than 0 digits after the point",
        ),
        (
            group(json!({"number": "seats", "every": 1e30})),
            "/group/0/every",
            "too_large",
            "is wider than any two numbers lie apart",
        ),
        (
            group(json!({"number": "seats", "every": []})),
            "/group/0/every",
            "wrong_type",
            "a number or a decimal string is expected",
        ),
        (
            group(json!({"each": "seats"})),
            "/group/0",
            "invalid",
            "a group is a property's name, `{date, every}` or `{number, every}`",
        ),
        (
            measure(json!({"summ": "amount"})),
            "/measures/m/summ",
            "unknown",
            "this is no measure: there are `count`, `count_distinct`, `sum`, `avg`, `min`, `max`, `percentiles`; did you mean `sum`?",
        ),
        (
            measure(json!({"sum": "name"})),
            "/measures/m/sum",
            "not_applicable",
            "a number is expected, not `name` of type `string`",
        ),
        (
            measure(json!({"min": "stage"})),
            "/measures/m/min",
            "not_applicable",
            "a number, a date or a moment is expected, not `stage` of type `enum`",
        ),
        (
            measure(json!({"count_distinct": "notes"})),
            "/measures/m/count_distinct",
            "not_applicable",
            "a value that can be told from others is expected, not `notes` of type `text`",
        ),
        (
            measure(json!({"count_distinct": "uid"})),
            "/measures/m/count_distinct",
            "not_applicable",
            "every record has a `uid` of its own; `count` says how many there are",
        ),
        (measure(json!({"count": false})), "/measures/m/count", "invalid", "`true` is expected: records are counted"),
        (measure(json!({"count": "name"})), "/measures/m/count", "wrong_type", "a boolean is expected, not a string"),
        (
            measure(json!({"sum": "amount", "avg": "amount"})),
            "/measures/m",
            "invalid",
            "a measure is one function and a property, as in `{\"sum\": \"amount\"}`",
        ),
        (
            measure(json!({"percentiles": {"property": "name", "at": [5]}})),
            "/measures/m/percentiles/property",
            "not_applicable",
            "a number is expected, not `name` of type `string`",
        ),
        (
            measure(json!({"percentiles": {"property": "amount"}})),
            "/measures/m/percentiles/at",
            "required",
            "`at` is required: percentages, such as `[50, 95]`",
        ),
        (
            measure(json!({"percentiles": {"property": "amount", "at": [101]}})),
            "/measures/m/percentiles/at/0",
            "invalid",
            "a number from 0 to 100 is expected",
        ),
        (
            measure(json!({"percentiles": {"property": "amount", "at": [5, 5]}})),
            "/measures/m/percentiles/at/1",
            "duplicate",
            "`5` is given more than once",
        ),
        (
            json!({"measures": {"key": {"count": true}}}),
            "/measures/key",
            "reserved",
            "each row has a `key` already; choose another name",
        ),
        (
            json!({"measures": {"total": {"count": true}}, "order": [{"measure": "totl"}]}),
            "/order/0/measure",
            "unknown",
            "`totl` is no measure of this table; did you mean `total`?",
        ),
        (json!({"order": [{"key": "up"}]}), "/order/0/key", "unknown", "`up` is none of `asc`, `desc`"),
        (json!({"order": ["count"]}), "/order/0", "wrong_type", "an object is expected, not a string"),
        (
            json!({"order": [{}]}),
            "/order/0",
            "invalid",
            "an order is `{\"measure\": name, \"direction\": …}` or `{\"key\": \"asc\"}`",
        ),
        (json!({"groups": []}), "/groups", "unknown", "`groups` is not known here; did you mean `group`?"),
    ] {
        let expected = (format!("/aggregate/t{pointer}"), code, message.to_owned());
        assert_eq!(refusal(&json!({"aggregate": {"t": body}})), expected, "{body}");
    }
}

#[test]
fn tables_across_objects_are_of_one_type() {
    let both = ["deal", "company"];
    let body = |table: Value| json!({"aggregate": {"t": table}});
    assert!(
        query_across(&body(json!({"group": ["object", "stage"], "measures": {"n": {"count": true}}})), &both).is_ok()
    );
    for (table, pointer, name) in [
        (json!({"group": ["name", "due_at"]}), "/aggregate/t/group/1", "due_at"),
        (json!({"measures": {"n": {"count": true}, "s": {"sum": "amount"}}}), "/aggregate/t/measures/s", "amount"),
    ] {
        let found = told(query_across(&body(table), &both).expect_err("mixed"));
        let message = format!("`{name}` is of another type in `company` than in `deal`");
        assert_eq!(found, [(pointer.to_owned(), "not_applicable", message)]);
    }
}
