//! A plain reading of what queries mean, record by record, to compare the index with.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

use engine_model::property::Storage;
use engine_model::query::{
    Aggregate, Direction, Field, Filter, Group, Linked, Measure, Order, Quantifier, Query, SortKey, Test, fold,
};
use engine_model::{Properties, RecordId};
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Map, Value};

/// A record in memory.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: i64,
    pub(super) object: &'static str,
    pub(super) is_archived: bool,
    pub(super) properties: Properties,
}

/// Everything there is.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) records: BTreeMap<i64, Record>,
    pub(super) links: Vec<(String, i64, i64)>,
}

impl World {
    /// Ids of the matches of the first scope, in order, and the rows of its aggregates.
    pub(super) fn answer(&self, query: &Query) -> (Vec<i64>, Vec<Vec<Value>>) {
        let scope = &query.scopes[0];
        let mut found: Vec<&Record> = self
            .records
            .values()
            .filter(|record| record.object == scope.object.as_str() && record.is_archived == query.archived)
            .filter(|record| self.meets(record, &scope.filter))
            .collect();
        found.sort_by(|one, other| {
            let keys = scope.sort.iter().map(|key| match key {
                SortKey::Relevance => Ordering::Equal,
                SortKey::Id { is_descending } => turned(one.id.cmp(&other.id), *is_descending),
                SortKey::Value { field, is_descending } => {
                    compare(sort_value(one, field), sort_value(other, field), *is_descending)
                }
            });
            keys.fold(Ordering::Equal, Ordering::then).then(one.id.cmp(&other.id))
        });
        let tables = scope.aggregates.iter().map(|aggregate| table(&found, aggregate)).collect();
        (found.iter().map(|record| record.id).collect(), tables)
    }

    fn meets(&self, record: &Record, filter: &Filter) -> bool {
        match filter {
            Filter::All(filters) => filters.iter().all(|filter| self.meets(record, filter)),
            Filter::Any(filters) => filters.iter().any(|filter| self.meets(record, filter)),
            Filter::Not(filter) => !self.meets(record, filter),
            Filter::Exists(field) => record.properties.contains_key(field.name.as_str()),
            Filter::Is(field, test) => passes(record, field, test),
            Filter::Ids(ids) => ids.contains(&RecordId(record.id)),
            Filter::Listed(ids) => ids.contains(&RecordId(record.id)),
            Filter::Linked(linked) => self.is_linked(record, linked),
        }
    }

    fn is_linked(&self, record: &Record, linked: &Linked) -> bool {
        let far = self.links.iter().filter(|(association, ..)| *association == *linked.association);
        let far = far.filter_map(|(_, from, to)| match linked.direction {
            Direction::Out => (*from == record.id).then_some(to),
            Direction::In => (*to == record.id).then_some(from),
        });
        let far: Vec<bool> = far
            .filter_map(|id| self.records.get(id).filter(|record| !record.is_archived))
            .filter_map(|record| {
                let scope = linked.others.iter().find(|scope| scope.object.as_str() == record.object)?;
                self.meets(record, &scope.visible).then(|| self.meets(record, &scope.filter))
            })
            .collect();
        let count = far.iter().filter(|meets| **meets).count() as i64;
        match &linked.quantifier {
            Quantifier::Any => count > 0,
            Quantifier::None => count == 0,
            Quantifier::All => far.iter().all(|meets| *meets),
            Quantifier::Count(ranges) => ranges.iter().any(|range| range.contains(&count)),
        }
    }
}

fn turned(order: Ordering, is_descending: bool) -> Ordering {
    if is_descending { order.reverse() } else { order }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Comparable {
    Number(i64),
    Text(String),
}

fn compare(one: Option<Comparable>, other: Option<Comparable>, is_descending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => turned(one.cmp(&other), is_descending),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

fn sort_value(record: &Record, field: &Field) -> Option<Comparable> {
    let value = record.properties.get(field.name.as_str())?;
    Some(match field.storage {
        Storage::Option => {
            let key = value.as_str().expect("a key");
            Comparable::Number(field.options.iter().position(|option| option == key).expect("an option") as i64)
        }
        Storage::Boolean => Comparable::Number(value.as_bool().expect("a boolean").into()),
        Storage::Text => Comparable::Text(fold(value.as_str().expect("a text"))),
        storage => Comparable::Number(storage.number_of(value).expect("a number")),
    })
}

/// The texts of a value as they are compared.
fn texts(field: &Field, value: &Value) -> Vec<String> {
    match (field.storage, value) {
        (Storage::Text, Value::String(text)) => vec![fold(text)],
        (Storage::TextList, Value::Array(list)) => list.iter().map(|text| fold(text.as_str().expect("text"))).collect(),
        (Storage::Boolean, value) => vec![value.to_string()],
        (_, Value::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// The words of a text, without scripts that are written without spaces: what is left between signs once it is folded.
fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    folded.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn passes(record: &Record, field: &Field, test: &Test) -> bool {
    let Some(value) = record.properties.get(field.name.as_str()) else { return false };
    let has = |wanted: &String| texts(field, value).contains(wanted);
    match test {
        Test::Numbers(ranges) => {
            let number = field.storage.number_of(value).expect("a number");
            ranges.iter().any(|range| range.contains(&number))
        }
        Test::Texts(wanted) => wanted.iter().any(has),
        Test::HasAll(wanted) => wanted.iter().all(has),
        Test::Between(from, to) => texts(field, value).iter().any(|text| {
            let is_from = match from {
                Bound::Included(from) => text >= from,
                Bound::Excluded(from) => text > from,
                Bound::Unbounded => true,
            };
            let is_to = match to {
                Bound::Included(to) => text <= to,
                Bound::Excluded(to) => text < to,
                Bound::Unbounded => true,
            };
            is_from && is_to
        }),
        Test::StartsWith(prefix) => texts(field, value).iter().any(|text| text.starts_with(prefix.as_str())),
        Test::Words(wanted) => {
            let has = value.as_str().map(words).unwrap_or_default();
            wanted.iter().all(|word| has.contains(word))
        }
        Test::Parts(parts) => {
            texts(field, value).iter().any(|text| parts.iter().all(|part| text.contains(part.as_str())))
        }
    }
}

/// Rows as JSON: `{key, measures}`, or `{other, measures}`.
fn table(records: &[&Record], aggregate: &Aggregate) -> Vec<Value> {
    let mut groups: Vec<(Vec<Value>, Vec<&Record>)> = Vec::new();
    if aggregate.groups.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    for record in records {
        for key in keys(record, &aggregate.groups) {
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push(record),
                None => groups.push((key, vec![record])),
            }
        }
    }
    let measured = |members: &[&Record]| -> Vec<(String, Value)> {
        aggregate.measures.iter().map(|(name, measure)| (name.clone(), measure_of(members, measure))).collect()
    };
    let mut rows: Vec<_> = groups.into_iter().map(|(key, members)| (key, measured(&members), members)).collect();
    rows.sort_by(|one, other| {
        for order in &aggregate.order {
            let order = match order {
                Order::Key { is_descending } => compare_keys(&aggregate.groups, &one.0, &other.0, *is_descending),
                Order::Measure { index, is_descending } => {
                    compare_measures(&one.1[*index].1, &other.1[*index].1, *is_descending)
                }
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        compare_keys(&aggregate.groups, &one.0, &other.0, false)
    });
    let rest = rows.split_off(aggregate.limit.min(rows.len()));
    let row = |key: Option<Vec<Value>>, measures: Vec<(String, Value)>| {
        let mut row = Map::new();
        row.insert("key".to_owned(), key.map_or(Value::Null, Value::Array));
        row.extend(measures);
        Value::Object(row)
    };
    let mut table: Vec<Value> = rows.into_iter().map(|(key, measures, _)| row(Some(key), measures)).collect();
    if !rest.is_empty() {
        let members: Vec<&Record> = rest.iter().flat_map(|(_, _, members)| members).copied().collect();
        table.push(row(None, measured(&members)));
    }
    table
}

fn keys(record: &Record, groups: &[Group]) -> Vec<Vec<Value>> {
    let mut keys = vec![Vec::new()];
    for group in groups {
        let values = match group {
            Group::Value(field) => match record.properties.get(field.name.as_str()) {
                Some(Value::Array(list)) => {
                    let mut list = list.clone();
                    list.sort_by_key(ToString::to_string);
                    list.dedup();
                    list
                }
                Some(value) => vec![value.clone()],
                None => vec![Value::Null],
            },
            Group::Bucket { field, every } => {
                let number =
                    record.properties.get(field.name.as_str()).and_then(|value| field.storage.number_of(value));
                let (number, every) = (number.map(i128::from), i128::from(*every));
                vec![number.map_or(Value::Null, |number| field.form.number(number.div_euclid(every) * every))]
            }
            Group::Calendar { field, .. } => {
                // Months of days only: time zones have tests of their own.
                let month =
                    record.properties.get(field.name.as_str()).and_then(Value::as_str).and_then(|day| day.get(..7));
                vec![month.map_or(Value::Null, |month| Value::from(format!("{month}-01")))]
            }
            Group::Object => vec![Value::from(record.object)],
        };
        keys = keys
            .iter()
            .flat_map(|key| {
                values.iter().map(move |value| {
                    let mut key: Vec<Value> = key.clone();
                    key.push(value.clone());
                    key
                })
            })
            .collect();
    }
    keys
}

fn numbers(members: &[&Record], field: &Field) -> Vec<i64> {
    let value = |record: &&Record| field.storage.number_of(record.properties.get(field.name.as_str())?);
    members.iter().filter_map(value).collect()
}

fn measure_of(members: &[&Record], measure: &Measure) -> Value {
    let number = |field: &Field, value: Option<i64>| value.map_or(Value::Null, |value| field.form.number(value.into()));
    match measure {
        Measure::Count => Value::from(members.len()),
        Measure::CountDistinct(field) => {
            let mut values: Vec<String> = Vec::new();
            for record in members {
                match record.properties.get(field.name.as_str()) {
                    Some(Value::Array(list)) => values.extend(list.iter().map(ToString::to_string)),
                    Some(value) => values.push(value.to_string()),
                    None => {}
                }
            }
            values.sort();
            values.dedup();
            Value::from(values.len())
        }
        Measure::Sum(field) => field.form.number(numbers(members, field).into_iter().map(i128::from).sum()),
        Measure::Avg(field) => {
            let numbers = numbers(members, field);
            match numbers.len() {
                0 => Value::Null,
                count => field.form.mean(numbers.iter().map(|number| i128::from(*number)).sum(), count as u64),
            }
        }
        Measure::Min(field) => number(field, numbers(members, field).into_iter().min()),
        Measure::Max(field) => number(field, numbers(members, field).into_iter().max()),
        Measure::Percentiles(field, asked) => {
            let mut numbers = numbers(members, field);
            numbers.sort_unstable();
            let at = |at: f64| {
                let wanted = |rank: &usize| (*rank + 1) as f64 >= at / 100.0 * numbers.len() as f64;
                (0..numbers.len()).find(wanted).map(|rank| numbers[rank])
            };
            Value::Object(asked.iter().map(|(name, percent)| (name.clone(), number(field, at(*percent)))).collect())
        }
    }
}

fn compare_keys(groups: &[Group], one: &[Value], other: &[Value], is_descending: bool) -> Ordering {
    let orders = one.iter().zip(other).zip(groups).map(|((one, other), group)| {
        let comparable = |value: &Value| match (group, value) {
            (_, Value::Null) => None,
            (Group::Value(field), Value::String(text)) if !field.options.is_empty() => {
                let place = field.options.iter().position(|option| option == text).expect("an option");
                Some((place as i128, String::new(), String::new()))
            }
            // The lower bound of a step may lie below what a property can hold.
            (Group::Bucket { .. }, value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let number: rust_decimal::Decimal = text.parse().expect("a number");
                Some((
                    (number * rust_decimal::Decimal::from(100)).to_i128().expect("a number"),
                    String::new(),
                    String::new(),
                ))
            }
            (Group::Value(field), value) if field.storage.number_of(value).is_some() => {
                let number = field.storage.number_of(value).expect("a number");
                Some((number.into(), String::new(), String::new()))
            }
            (_, Value::String(text)) => Some((0, fold(text), text.clone())),
            (_, value) => Some((0, value.to_string(), String::new())),
        };
        match (comparable(one), comparable(other)) {
            (Some(one), Some(other)) => turned(one.cmp(&other), is_descending),
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn compare_measures(one: &Value, other: &Value, is_descending: bool) -> Ordering {
    let number = |value: &Value| -> Option<rust_decimal::Decimal> {
        match value {
            Value::Null => None,
            Value::Object(asked) => match asked.values().next()? {
                Value::Null => None,
                Value::String(text) => Some(text.parse().expect("a decimal")),
                number => Some(number.to_string().parse().expect("a number")),
            },
            Value::String(text) => Some(text.parse().expect("a decimal")),
            number => Some(number.to_string().parse().expect("a number")),
        }
    };
    match (number(one), number(other)) {
        (Some(one), Some(other)) => turned(one.cmp(&other), is_descending),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}
