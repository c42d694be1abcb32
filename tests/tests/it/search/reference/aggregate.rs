//! Tables of groups and measures.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::number;
use super::value::{Kind, Scalar, day_of};
use super::{Model, Record};

/// One key of a row: how it is ordered, and the JSON of it. Null comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Value(Scalar, String),
    Null,
}

/// A measure: a fraction by which rows are ordered, none where there was no value, and how it is shown.
#[derive(Debug)]
struct Measured {
    order: Option<(i128, i128)>,
    shown: Value,
}

struct Row<'a> {
    key: Vec<Key>,
    members: Vec<&'a Record>,
    measures: Vec<(String, Measured)>,
}

impl Model {
    /// The rows of one aggregate over the records that were found; values have the same kind in all their objects.
    pub(super) fn table(&self, object: &str, asked: &Value, found: &[&Record]) -> Value {
        let groups = asked["group"].as_array().cloned().unwrap_or_default();
        let mut members: BTreeMap<Vec<Key>, Vec<&Record>> = BTreeMap::new();
        if groups.is_empty() {
            members.insert(Vec::new(), Vec::new());
        }
        for record in found {
            let mut keys = vec![Vec::new()];
            for group in &groups {
                let found = self.keys(record, group);
                let longer = keys
                    .iter()
                    .flat_map(|key| found.iter().map(|last| [key.as_slice(), std::slice::from_ref(last)].concat()));
                keys = longer.collect();
            }
            keys.into_iter().for_each(|key| members.entry(key).or_default().push(record));
        }
        let rows = members.into_iter().map(|(key, members)| Row {
            key,
            measures: self.measures(object, asked, &members),
            members,
        });
        let mut rows: Vec<Row<'_>> = rows.collect();
        rows.sort_by(|one, other| compare(&asked["order"], one, other));
        let limit = asked["limit"].as_u64().unwrap_or(1_000) as usize;
        let rest = rows.split_off(limit.min(rows.len()));
        let mut shown: Vec<Value> = rows.iter().map(|row| written("key", json!(key_of(row)), &row.measures)).collect();
        if !rest.is_empty() {
            let members: Vec<&Record> = rest.iter().flat_map(|row| row.members.iter().copied()).collect();
            shown.push(written("other", json!(true), &self.measures(object, asked, &members)));
        }
        json!(shown)
    }

    /// The groups in which a record counts.
    fn keys(&self, record: &Record, group: &Value) -> Vec<Key> {
        let step = |step: &dyn Fn(Scalar) -> (Scalar, Value), name: &Value| {
            let values = self.scalars(record, name.as_str().unwrap()).into_iter();
            values.map(step).map(|(order, key)| Key::Value(order, key.to_string())).collect()
        };
        let keys: BTreeSet<Key> = if group == "object" {
            let object = Scalar::Text(record.object.to_owned());
            BTreeSet::from([Key::Value(object, json!(record.object).to_string())])
        } else if let Some(name) = group.as_str() {
            let value = record.value(name);
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter();
            let values = values.filter(|value| !value.is_null());
            let kind = self.kind(record.object, name);
            values.map(|value| Key::Value(order_of(kind, value), value.to_string())).collect()
        } else if group["date"].is_string() {
            let every = group["every"].as_str().unwrap();
            let first = |value: Scalar| {
                let day = match value {
                    Scalar::Day(day) => day,
                    Scalar::Moment(moment) => day_of(moment, self.zone),
                    other => panic!("{other:?} has no day"),
                };
                let first = first_day(day, every);
                (Scalar::Day(first), json!(first.to_string()))
            };
            step(&first, &group["date"])
        } else {
            let kind = self.kind(record.object, group["number"].as_str().unwrap());
            let width = number::parse(&group["every"]);
            let bound = |value: Scalar| {
                let Scalar::Number(value) = value else { panic!("{value:?} is no number") };
                let lower = value - value.rem_euclid(width);
                (Scalar::Number(lower), kind.write_number(lower))
            };
            step(&bound, &group["number"])
        };
        if keys.is_empty() { vec![Key::Null] } else { keys.into_iter().collect() }
    }

    fn measures(&self, object: &str, asked: &Value, members: &[&Record]) -> Vec<(String, Measured)> {
        let default = Map::from_iter([("count".to_owned(), json!({"count": true}))]);
        let measures = asked["measures"].as_object().unwrap_or(&default);
        measures.iter().map(|(name, measure)| (name.clone(), self.measure(object, measure, members))).collect()
    }

    fn measure(&self, object: &str, measure: &Value, members: &[&Record]) -> Measured {
        let (function, argument) = measure.as_object().unwrap().iter().next().unwrap();
        let whole = |number: usize| Measured { order: Some((number as i128, 1)), shown: json!(number) };
        if function == "count" {
            return whole(members.len());
        }
        let name = argument.as_str().or(argument["property"].as_str()).unwrap();
        let kind = self.kind(object, name);
        if function == "count_distinct" {
            let stored = members.iter().flat_map(|record| match record.value(name) {
                Value::Null => Vec::new(),
                Value::Array(list) => list.iter().map(Value::to_string).collect(),
                one => vec![one.to_string()],
            });
            return whole(stored.collect::<BTreeSet<_>>().len());
        }
        let mut values: Vec<(i128, &Value)> = members
            .iter()
            .flat_map(|record| {
                self.scalars(record, name).into_iter().map(|value| (ordinal(&value), record.value(name)))
            })
            .collect();
        values.sort_by_key(|(order, _)| *order);
        let (sum, count): (i128, i128) = (values.iter().map(|(order, _)| order).sum(), values.len() as i128);
        let one = |found: Option<&(i128, &Value)>| Measured {
            order: found.map(|(order, _)| (*order, 1)),
            shown: found.map_or(Value::Null, |(_, value)| (*value).clone()),
        };
        match function.as_str() {
            "min" => one(values.first()),
            "max" => one(values.last()),
            "sum" => Measured { order: Some((sum, 1)), shown: kind.write_number(sum) },
            "avg" if count == 0 => one(None),
            "avg" => Measured { order: Some((sum, count)), shown: json!(number::mean(sum, count)) },
            "percentiles" => {
                let at = argument["at"].as_array().unwrap().iter();
                let shown = at.map(|at| (at.to_string(), one(nearest(&values, at.as_f64().unwrap())).shown));
                Measured { order: None, shown: json!(shown.collect::<Map<_, _>>()) }
            }
            other => panic!("no measure {other}"),
        }
    }
}

/// The lowest of the sorted values that so many percent do not exceed.
fn nearest<T>(sorted: &[T], at: f64) -> Option<&T> {
    let rank = (at / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1)
}

/// A value on a line of numbers.
fn ordinal(value: &Scalar) -> i128 {
    match value {
        Scalar::Number(number) => *number,
        Scalar::Day(day) => day.num_days_from_ce().into(),
        Scalar::Moment(moment) => (*moment).into(),
        other => panic!("{other:?} cannot be measured"),
    }
}

/// Texts that differ in case alone are groups of their own, next to each other.
fn order_of(kind: Kind, value: &Value) -> Scalar {
    match (kind, value.as_str()) {
        (Kind::Choices(options), Some(key)) => {
            Scalar::Position(options.iter().position(|option| *option == key).unwrap())
        }
        _ => kind.scalar(value),
    }
}

fn first_day(day: NaiveDate, every: &str) -> NaiveDate {
    let first_of = |month0: u32| NaiveDate::from_ymd_opt(day.year(), month0 + 1, 1).unwrap();
    match every {
        "day" => day,
        "week" => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())).unwrap(),
        "month" => first_of(day.month0()),
        "quarter" => first_of(day.month0() / 3 * 3),
        "year" => first_of(0),
        other => panic!("no interval {other}"),
    }
}

fn compare(order: &Value, one: &Row<'_>, other: &Row<'_>) -> Ordering {
    let by_measure =
        |(_, one): &(_, Measured), (_, other): &(_, Measured), is_descending| match (one.order, other.order) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some((one, count)), Some((other, other_count))) => {
                let order = (one * other_count).cmp(&(other * count));
                if is_descending { order.reverse() } else { order }
            }
        };
    let Some(order) = order.as_array() else {
        return by_measure(&one.measures[0], &other.measures[0], true).then_with(|| by_keys(one, other, false));
    };
    let orders = order.iter().map(|by| {
        let Some(name) = by["measure"].as_str() else { return by_keys(one, other, by["key"] == "desc") };
        let at = one.measures.iter().position(|(measure, _)| measure == name).unwrap();
        by_measure(&one.measures[at], &other.measures[at], by["direction"] == "desc")
    });
    orders.fold(Ordering::Equal, Ordering::then).then_with(|| by_keys(one, other, false))
}

fn by_keys(one: &Row<'_>, other: &Row<'_>, is_descending: bool) -> Ordering {
    let orders = one.key.iter().zip(&other.key).map(|(one, other)| match one.cmp(other) {
        order if is_descending && *one != Key::Null && *other != Key::Null => order.reverse(),
        order => order,
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn key_of(row: &Row<'_>) -> Vec<Value> {
    let shown = |key: &Key| match key {
        Key::Value(_, json) => serde_json::from_str(json).unwrap(),
        Key::Null => Value::Null,
    };
    row.key.iter().map(shown).collect()
}

fn written(name: &str, key: Value, measures: &[(String, Measured)]) -> Value {
    let measures = measures.iter().map(|(name, measure)| (name.clone(), measure.shown.clone()));
    Value::Object([(name.to_owned(), key)].into_iter().chain(measures).collect())
}
