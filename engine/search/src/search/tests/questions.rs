//! Random values, conditions, orders and tables.

use std::ops::Bound;
use std::sync::Arc;

use engine_model::property::Storage;
use engine_model::query::{
    Aggregate, Direction, Every, Field, Filter, Form, Group, Linked, LinkedScope, Measure, Order, Quantifier, Query,
    Scope, SortKey, Test, fold, words,
};
use engine_model::{Name, Properties, RecordId, TenantId};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const NAMES: &[&str] = &[
    "Ada",
    "ada",
    "Łukasz Żak",
    "lukasz zak",
    "Straße 5",
    "strasse 5",
    "Ada Lovelace",
    "zeta",
    "Émile",
    "O’Brien",
    "snake_case.name",
    "H₂O",
    "5.3",
    "🎉",
];
const STAGES: &[&str] = &["open", "won", "lost"];
const TAGS: &[&str] = &["Red", "red", "blue", "grün"];
const DAYS: &[&str] = &["2026-01-31", "2026-02-01", "2025-12-31", "1969-07-20"];
const MOMENTS: &[&str] = &["2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00.000000Z", "1969-07-20T20:17:40.000000Z"];
const AMOUNTS: &[&str] = &["0.00", "-0.01", "10.50", "9999999999999999.99", "-9999999999999999.99", "0.07"];
const NUMBERS: &[i64] = &[0, 1, -1, 7, i64::MAX, i64::MIN, i64::MIN + 1, 42];

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn field(object: &str, property: &str) -> Field {
    let money = Form::Decimal { scale: 2, is_padded: true };
    let (storage, form) = match property {
        "name" => (Storage::Text, Form::Text),
        "notes" => (Storage::LongText, Form::Text),
        "amount" => (Storage::Scaled(2), money),
        "days" | "size" => (Storage::Scaled(0), Form::Integer),
        "stage" => (Storage::Option, Form::Text),
        "tags" => (Storage::TextList, Form::Text),
        "hot" => (Storage::Boolean, Form::Boolean),
        "due" => (Storage::Date, Form::Date),
        _ => (Storage::Datetime, Form::Datetime),
    };
    let options: Vec<String> = STAGES.iter().filter(|_| property == "stage").map(|key| (*key).to_owned()).collect();
    Field { object: name(object), name: name(property), since: 0, storage, form, options: Arc::from(options) }
}

pub(super) fn deal(property: &str) -> Field {
    field("deal", property)
}

/// A property that a record has or not.
fn maybe(name: &'static str, value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<(String, Value)>> {
    prop::option::weighted(0.8, value.prop_map(move |value| (name.to_owned(), value))).boxed()
}

fn some_text(texts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    select(texts).prop_map(Value::from)
}

pub(super) fn properties() -> impl Strategy<Value = Properties> {
    let tags = prop::collection::vec(select(TAGS), 1..4).prop_map(|tags| json!(tags));
    let values = vec![
        maybe("name", some_text(NAMES)),
        maybe("notes", some_text(NAMES)),
        maybe("amount", some_text(AMOUNTS)),
        maybe("days", select(NUMBERS).prop_map(Value::from)),
        maybe("stage", some_text(STAGES)),
        maybe("tags", tags),
        maybe("hot", any::<bool>().prop_map(Value::from)),
        maybe("due", some_text(DAYS)),
        maybe("seen", some_text(MOMENTS)),
    ];
    values.prop_map(|values| values.into_iter().flatten().collect())
}

pub(super) fn company() -> impl Strategy<Value = Properties> {
    let values = vec![maybe("name", some_text(NAMES)), maybe("size", select(NUMBERS).prop_map(Value::from))];
    values.prop_map(|values| values.into_iter().flatten().collect())
}

fn folded() -> impl Strategy<Value = String> {
    select(NAMES).prop_map(fold)
}

fn number_of(property: &'static str) -> BoxedStrategy<i64> {
    match property {
        "amount" => {
            select(AMOUNTS).prop_map(|text| Storage::Scaled(2).number_of(&json!(text)).expect("a number")).boxed()
        }
        "due" => select(DAYS).prop_map(|text| Storage::Date.number_of(&json!(text)).expect("a day")).boxed(),
        "seen" => select(MOMENTS).prop_map(|text| Storage::Datetime.number_of(&json!(text)).expect("a moment")).boxed(),
        _ => select(NUMBERS).boxed(),
    }
}

fn number_test(object: &'static str, property: &'static str) -> BoxedStrategy<Filter> {
    let range = prop_oneof![
        number_of(property).prop_map(|number| number..=number),
        number_of(property).prop_map(|number| number..=i64::MAX),
        number_of(property).prop_map(|number| i64::MIN..=number),
        (number_of(property), number_of(property)).prop_map(|(from, to)| from..=to),
    ];
    let ranges = prop::collection::vec(range, 0..3);
    ranges.prop_map(move |ranges| Filter::Is(field(object, property), Test::Numbers(ranges))).boxed()
}

fn text_test(object: &'static str) -> BoxedStrategy<Filter> {
    let bound =
        || prop_oneof![folded().prop_map(Bound::Included), folded().prop_map(Bound::Excluded), Just(Bound::Unbounded)];
    let test = prop_oneof![
        prop::collection::vec(folded(), 0..3).prop_map(Test::Texts),
        (bound(), bound()).prop_map(|(from, to)| Test::Between(from, to)),
        (folded(), 0_usize..5).prop_map(|(text, length)| Test::StartsWith(text.chars().take(length).collect())),
        (folded(), 1_usize..3).prop_map(|(text, from)| Test::Parts(vec![text.chars().skip(from).take(2).collect()])),
        words_test(),
    ];
    test.prop_map(move |test| Filter::Is(field(object, "name"), test)).boxed()
}

fn words_test() -> impl Strategy<Value = Test> {
    select(NAMES).prop_map(|text| Test::Words(words(text).collect()))
}

fn tag_test() -> BoxedStrategy<Filter> {
    let tags = || prop::collection::vec(select(TAGS).prop_map(fold), 0..3);
    let test = prop_oneof![tags().prop_map(Test::Texts), tags().prop_map(Test::HasAll)];
    test.prop_map(|test| Filter::Is(deal("tags"), test)).boxed()
}

fn keys_test(property: &'static str, keys: &'static [&'static str]) -> BoxedStrategy<Filter> {
    let keys = prop::collection::vec(select(keys).prop_map(str::to_owned), 0..3);
    keys.prop_map(move |keys| Filter::Is(deal(property), Test::Texts(keys))).boxed()
}

fn linked() -> BoxedStrategy<Filter> {
    let asked = || prop_oneof![Just(Filter::everything()), number_test("company", "size"), text_test("company")];
    let quantifier = prop_oneof![
        Just(Quantifier::Any),
        Just(Quantifier::None),
        Just(Quantifier::All),
        (0_i64..3, 0_i64..3).prop_map(|(from, more)| Quantifier::Count(vec![from..=from + more])),
        Just(Quantifier::Count(vec![i64::MIN..=0, 2..=i64::MAX])),
    ];
    (asked(), asked(), quantifier)
        .prop_map(|(visible, filter, quantifier)| {
            Filter::Linked(Linked {
                association: name("deal_company"),
                direction: Direction::Out,
                others: vec![LinkedScope { object: name("company"), visible, filter }],
                quantifier,
            })
        })
        .boxed()
}

pub(super) fn filters() -> impl Strategy<Value = Filter> {
    let fields: &[&'static str] = &["name", "notes", "amount", "days", "stage", "tags", "hot", "due", "seen"];
    let leaf = prop_oneof![
        text_test("deal"),
        number_test("deal", "amount"),
        number_test("deal", "days"),
        number_test("deal", "due"),
        number_test("deal", "seen"),
        keys_test("stage", STAGES),
        keys_test("hot", &["true", "false"]),
        tag_test(),
        words_test().prop_map(|test| Filter::Is(deal("notes"), test)),
        select(fields).prop_map(|property| Filter::Exists(deal(property))),
        prop::collection::vec((1_i64..60).prop_map(RecordId), 0..6).prop_map(Filter::Ids),
        prop::collection::btree_set((1_i64..200).prop_map(RecordId), 0..100)
            .prop_map(|ids| Filter::Listed(ids.into_iter().collect())),
        linked(),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn sorts() -> impl Strategy<Value = Vec<SortKey>> {
    let fields: &[&'static str] = &["name", "amount", "days", "stage", "hot", "due", "seen"];
    let value = (select(fields), any::<bool>())
        .prop_map(|(property, is_descending)| SortKey::Value { field: deal(property), is_descending });
    let key = prop_oneof![6 => value, 1 => any::<bool>().prop_map(|is_descending| SortKey::Id { is_descending })];
    prop::collection::vec(key, 0..4)
}

fn aggregates() -> impl Strategy<Value = Aggregate> {
    let groups: &[&'static str] = &["name", "amount", "days", "stage", "tags", "hot", "due"];
    let group = prop_oneof![
        6 => select(groups).prop_map(|property| Group::Value(deal(property))),
        1 => Just(Group::Calendar { field: deal("due"), every: Every::Month, zone: chrono_tz::UTC }),
        1 => (select(&["amount", "days"][..]), prop_oneof![1_i64..100, Just(i64::MAX)])
            .prop_map(|(property, every)| Group::Bucket { field: deal(property), every }),
        1 => Just(Group::Object),
    ];
    let numeric: &[&'static str] = &["amount", "days"];
    let ordered: &[&'static str] = &["amount", "days", "due", "seen"];
    let measure = prop_oneof![
        Just(Measure::Count),
        select(groups).prop_map(|property| Measure::CountDistinct(deal(property))),
        select(numeric).prop_map(|property| Measure::Sum(deal(property))),
        select(numeric).prop_map(|property| Measure::Avg(deal(property))),
        select(ordered).prop_map(|property| Measure::Min(deal(property))),
        select(ordered).prop_map(|property| Measure::Max(deal(property))),
        (select(numeric), 0_u32..=100).prop_map(|(property, at)| {
            Measure::Percentiles(deal(property), vec![(at.to_string(), at.into()), ("50".to_owned(), 50.0)])
        }),
    ];
    let measures = prop::collection::vec(measure, 1..4);
    let order = prop::collection::vec((any::<u8>(), any::<bool>()), 0..3);
    (prop::collection::vec(group, 0..3), measures, order, prop_oneof![1_usize..4, Just(1_000)]).prop_map(
        |(groups, measures, order, limit)| {
            // Extremes of dates do not compare as the reference compares numbers.
            let is_number = |at: &usize| {
                !matches!(&measures[*at], Measure::Min(field) | Measure::Max(field)
                if !matches!(field.storage, Storage::Scaled(_)))
            };
            let numbers: Vec<usize> = (0..measures.len()).filter(is_number).collect();
            let order = order.into_iter().map(|(pick, is_descending)| {
                match numbers.get(usize::from(pick) % (numbers.len() + 1)) {
                    Some(index) => Order::Measure { index: *index, is_descending },
                    None => Order::Key { is_descending },
                }
            });
            Aggregate {
                name: "table".to_owned(),
                groups,
                order: order.collect(),
                measures: measures.into_iter().enumerate().map(|(at, measure)| (format!("m{at}"), measure)).collect(),
                limit,
            }
        },
    )
}

pub(super) fn queries() -> impl Strategy<Value = Query> {
    let aggregates = prop::collection::vec(aggregates(), 0..2);
    (filters(), sorts(), aggregates, 1_usize..20, prop::bool::weighted(0.1)).prop_map(
        |(filter, sort, aggregates, limit, archived)| Query {
            tenant: TenantId(1),
            scopes: vec![Scope { object: name("deal"), filter, searched: Vec::new(), sort, aggregates }],
            archived,
            words: None,
            limit,
            after: None,
            count: true,
        },
    )
}
