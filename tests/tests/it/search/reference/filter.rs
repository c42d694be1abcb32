//! Whether a record meets a filter.

use serde_json::Value;

use super::text::{fold, words};
use super::value::{Kind, Scalar};
use super::{Model, Record};

impl Model {
    pub(super) fn holds(&self, record: &Record, filter: &Value) -> bool {
        let list = |name: &str| filter[name].as_array();
        if let Some(all) = list("all") {
            return all.iter().all(|inner| self.holds(record, inner));
        }
        if let Some(any) = list("any") {
            return any.iter().any(|inner| self.holds(record, inner));
        }
        if !filter["not"].is_null() {
            return !self.holds(record, &filter["not"]);
        }
        if filter["association"].is_string() { self.is_linked(record, filter) } else { self.meets(record, filter) }
    }

    fn meets(&self, record: &Record, condition: &Value) -> bool {
        let name = condition["property"].as_str().unwrap();
        let (kind, values) = (self.kind(record.object, name), self.scalars(record, name));
        let operand = &condition["value"];
        let each = || operand.as_array().unwrap().iter();
        let (first, last) = match operand {
            Value::Null | Value::Array(_) => (None, None),
            one => Some(kind.span(one, self.zone)).unzip(),
        };
        let any = |test: &dyn Fn(&Scalar) -> bool| values.iter().any(test);
        let within = |operand: &Value, value: &Scalar| {
            let (first, last) = kind.span(operand, self.zone);
            first <= *value && *value <= last
        };
        match condition["op"].as_str().unwrap() {
            "exists" => !values.is_empty(),
            "not_exists" => values.is_empty(),
            "eq" => any(&|value| within(operand, value)),
            "neq" => !any(&|value| within(operand, value)),
            "lt" => any(&|value| Some(value) < first.as_ref()),
            "lte" => any(&|value| Some(value) <= last.as_ref()),
            "gt" => any(&|value| Some(value) > last.as_ref()),
            "gte" => any(&|value| Some(value) >= first.as_ref()),
            "between" => {
                let (lowest, highest) = (kind.span(&operand[0], self.zone).0, kind.span(&operand[1], self.zone).1);
                any(&|value| lowest <= *value && *value <= highest)
            }
            "in" | "has_any" => any(&|value| each().any(|one| within(one, value))),
            "not_in" => !any(&|value| each().any(|one| within(one, value))),
            "has_all" => each().all(|one| any(&|value| within(one, value))),
            "contains" => any(&|value| contains(kind, value, operand.as_str().unwrap())),
            "starts_with" => any(&|value| text(value).starts_with(&fold(operand.as_str().unwrap()))),
            other => panic!("no operator {other}"),
        }
    }

    fn is_linked(&self, record: &Record, condition: &Value) -> bool {
        let name = condition["association"].as_str().unwrap();
        let (name, (from, _)) = self.associations.get_key_value(name).unwrap();
        let is_out = condition["direction"].as_str().map_or(*from == record.object, |direction| direction == "out");
        let others = self.links.others(name, record.id(), is_out).map(|other| &self.records[&other]);
        let others: Vec<&Record> = others.filter(|other| !other.is_archived()).collect();
        let wanted = &condition["match"];
        let matching = others.iter().filter(|other| wanted.is_null() || self.holds(other, wanted)).count();
        if let Some(count) = condition["count"].as_object() {
            return compares(matching as u64, count["op"].as_str().unwrap(), &count["value"]);
        }
        match condition["quantifier"].as_str().unwrap_or("any") {
            "any" => matching > 0,
            "none" => matching == 0,
            "all" => matching == others.len(),
            other => panic!("no quantifier {other}"),
        }
    }
}

fn compares(count: u64, op: &str, value: &Value) -> bool {
    let number = |value: &Value| value.as_u64().unwrap();
    match op {
        "eq" => count == number(value),
        "neq" => count != number(value),
        "lt" => count < number(value),
        "lte" => count <= number(value),
        "gt" => count > number(value),
        "gte" => count >= number(value),
        "between" => (number(&value[0])..=number(&value[1])).contains(&count),
        "in" => value.as_array().unwrap().iter().any(|value| number(value) == count),
        other => panic!("no operator {other} of counts"),
    }
}

fn contains(kind: Kind, value: &Scalar, wanted: &str) -> bool {
    if kind == (Kind::Text { is_substring: true }) {
        return fold(wanted).split(' ').all(|part| text(value).contains(part));
    }
    let found = words(text(value));
    words(wanted).iter().all(|word| found.contains(word))
}

fn text(value: &Scalar) -> &str {
    match value {
        Scalar::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}
