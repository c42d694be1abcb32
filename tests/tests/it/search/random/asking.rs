//! Random queries, as a caller would send them.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Value, json};

use super::sample::{self, disguised, pick};
use crate::search::reference::{Kind, Model, SYSTEM, fold};

/// Levels of filters inside filters.
const DEPTH: usize = 3;

/// Associations that a filter leads along.
const HOPS: usize = 2;

/// Asks about records of a model.
pub(super) struct Asker<'a> {
    pub(super) model: &'a Model,
    pub(super) users: &'a [String],
    pub(super) random: &'a mut StdRng,
}

impl Asker<'_> {
    /// Any query of some objects.
    pub(super) fn query(&mut self, objects: &[&str]) -> Value {
        let mut query = Map::new();
        let is_archived = self.chance(0.1);
        if is_archived {
            query.insert("archived".to_owned(), json!(true));
        }
        if self.chance(0.2) {
            query.insert("q".to_owned(), json!(self.words()));
        }
        if self.chance(0.85) {
            // Of archived records it is not said which links they have, and few associations are known to several objects.
            let hops = if is_archived || objects.len() > 1 { HOPS } else { 0 };
            query.insert("filter".to_owned(), self.filter(objects, 1, hops));
        }
        // Without an order, words have one of their own.
        if query.contains_key("q") || self.chance(0.7) {
            query.insert("sort".to_owned(), self.sort(objects));
        }
        if self.chance(0.5) {
            let tables = (0..self.random.random_range(1..3)).map(|at| (format!("t{at}"), self.table(objects)));
            query.insert("aggregate".to_owned(), json!(tables.collect::<Map<_, _>>()));
        }
        query.insert("count".to_owned(), json!(true));
        query.insert("limit".to_owned(), json!([0, 1, 2, 3, 7, 20, 50, 200].choose(self.random)));
        Value::Object(query)
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    fn words(&mut self) -> String {
        let (first, last) = (sample::word(self.random), sample::word(self.random));
        let (first, mut last) = (disguised(first, self.random), fold(last));
        last.truncate(self.random.random_range(1..=last.len()));
        match self.random.random_range(0..4) {
            0 => first,
            1 => format!("{first} {last}"),
            2 => format!("\"{first} {}\"", sample::word(self.random)),
            _ => last,
        }
    }

    fn filter(&mut self, objects: &[&str], depth: usize, hops: usize) -> Value {
        let choice = self.random.random_range(0..20);
        if depth < DEPTH && choice < 7 {
            let count = self.random.random_range(0..4);
            let mut inner = || (0..count).map(|_| self.filter(objects, depth + 1, hops)).collect::<Vec<_>>();
            return match choice {
                0..3 => json!({"all": inner()}),
                3..6 => json!({"any": inner()}),
                _ => json!({"not": self.filter(objects, depth + 1, hops)}),
            };
        }
        if hops < HOPS && choice >= 16 { self.linked(objects[0], depth, hops) } else { self.condition(objects) }
    }

    fn linked(&mut self, object: &str, depth: usize, hops: usize) -> Value {
        let leads = |(_, (from, to)): &(&&str, &(&str, &str))| *from == object || *to == object;
        let known: Vec<_> = self.model.associations.iter().filter(leads).collect();
        let (name, (from, to)) = *known.choose(self.random).unwrap();
        let mut condition = Map::from_iter([("association".to_owned(), json!(name))]);
        let mut is_out = *from == object;
        if from == to {
            is_out = self.chance(0.5);
            condition.insert("direction".to_owned(), json!(if is_out { "out" } else { "in" }));
        }
        let other = if is_out { to } else { from };
        if self.chance(0.8) {
            condition.insert("match".to_owned(), self.filter(&[other], depth.min(DEPTH - 1) + 1, hops + 1));
        }
        match self.random.random_range(0..6) {
            0 => {}
            1 => drop(condition.insert("quantifier".to_owned(), json!("any"))),
            2 => drop(condition.insert("quantifier".to_owned(), json!("none"))),
            3 => drop(condition.insert("quantifier".to_owned(), json!("all"))),
            _ => drop(condition.insert("count".to_owned(), self.count())),
        }
        Value::Object(condition)
    }

    fn count(&mut self) -> Value {
        let op = pick(&["eq", "neq", "lt", "lte", "gt", "gte", "between", "in"], self.random);
        let mut number = || self.random.random_range(0..4);
        match op {
            "between" | "in" => json!({"op": op, "value": [number(), number()]}),
            _ => json!({"op": op, "value": number()}),
        }
    }

    fn condition(&mut self, objects: &[&str]) -> Value {
        let (name, kind) = self.property(objects, |_| true);
        let op = pick(operators(name, kind), self.random);
        let mut condition = json!({"property": name, "op": op});
        let value = |asker: &mut Self| asker.operand(name, kind, op);
        let operand = match op {
            "exists" | "not_exists" => return condition,
            "between" => json!([value(self), value(self)]),
            "in" | "not_in" | "has_any" | "has_all" => {
                (0..self.random.random_range(0..4)).map(|_| value(self)).collect::<Value>()
            }
            _ => value(self),
        };
        condition["value"] = operand;
        condition
    }

    /// A value to compare with: often one that records have, often written another way.
    fn operand(&mut self, name: &str, kind: Kind, op: &str) -> Value {
        let value = sample::value(name, kind, self.users, self.random);
        let value = if let Value::Array(list) = value { list[0].clone() } else { value };
        match kind {
            Kind::Text { .. } | Kind::LongText if op == "contains" => json!(self.part_of(&value, kind)),
            Kind::Text { .. } if op == "starts_with" => {
                let text = value.as_str().unwrap();
                let beginning: String = text.chars().take(self.random.random_range(0..4)).collect();
                json!(disguised(&beginning, self.random))
            }
            Kind::Text { .. } if is_written_freely(name) => json!(disguised(value.as_str().unwrap(), self.random)),
            Kind::Tags => json!(disguised(value.as_str().unwrap(), self.random)),
            Kind::Integer if self.chance(0.1) => json!(1.5),
            Kind::Decimal { .. } if self.chance(0.2) => {
                json!(self.random.random_range(-4_000..12_000) as f64 / 1_000.0)
            }
            Kind::Datetime if self.chance(0.4) => json!(sample::date(self.random)),
            _ => value,
        }
    }

    fn part_of(&mut self, value: &Value, kind: Kind) -> String {
        let text = value.as_str().unwrap();
        if kind == (Kind::Text { is_substring: true }) {
            let skipped = self.random.random_range(0..2);
            return disguised(&text.chars().skip(skipped).take(2).collect::<String>(), self.random);
        }
        let words: Vec<&str> = text.split([' ', ',', '-', '/']).filter(|word| !word.is_empty()).collect();
        let few: Vec<&str> = words.choose_multiple(self.random, 2).copied().collect();
        disguised(&few.join(" "), self.random)
    }

    fn sort(&mut self, objects: &[&str]) -> Value {
        let key = |asker: &mut Self| {
            let is_ordered = |kind| !matches!(kind, Kind::LongText | Kind::User | Kind::Choices(_) | Kind::Tags);
            let (name, _) = asker.property(objects, is_ordered);
            match asker.random.random_range(0..3) {
                0 => json!({"property": name}),
                1 => json!({"property": name, "direction": "asc"}),
                _ => json!({"property": name, "direction": "desc"}),
            }
        };
        (0..self.random.random_range(1..4)).map(|_| key(self)).collect()
    }

    fn table(&mut self, objects: &[&str]) -> Value {
        let mut table = Map::new();
        let groups: Vec<Value> = (0..self.random.random_range(0..4)).map(|_| self.group(objects)).collect();
        if !groups.is_empty() || self.chance(0.5) {
            table.insert("group".to_owned(), json!(groups));
        }
        let count = self.random.random_range(0..4);
        let measures: Map<String, Value> = (0..count).map(|at| (format!("m{at}"), self.measure(objects))).collect();
        if self.chance(0.4) {
            table.insert("limit".to_owned(), json!(self.random.random_range(1..6)));
        }
        // Of several percentages it is not said by which rows are ordered.
        let names: Vec<&String> =
            measures.iter().filter(|(_, measure)| measure["percentiles"].is_null()).map(|(name, _)| name).collect();
        if count > 0 && (self.chance(0.5) || !measures["m0"]["percentiles"].is_null()) {
            let mut order = Vec::new();
            if let Some(name) = names.choose(self.random) {
                order.push(json!({"measure": name, "direction": pick(&["asc", "desc"], self.random)}));
            }
            if order.is_empty() || self.chance(0.5) {
                order.push(json!({"key": pick(&["asc", "desc"], self.random)}));
            }
            table.insert("order".to_owned(), json!(order));
        }
        if count > 0 {
            table.insert("measures".to_owned(), Value::Object(measures));
        }
        Value::Object(table)
    }

    fn group(&mut self, objects: &[&str]) -> Value {
        if objects.len() > 1 && self.chance(0.3) {
            return json!("object");
        }
        let (name, kind) = self.property(objects, |kind| !matches!(kind, Kind::LongText | Kind::Id));
        match kind {
            Kind::Date | Kind::Datetime if self.chance(0.9) => {
                let every = pick(&["day", "week", "month", "quarter", "year"], self.random);
                json!({"date": name, "every": every})
            }
            Kind::Integer if self.chance(0.5) => json!({"number": name, "every": self.random.random_range(1..12)}),
            Kind::Decimal { scale: 0, .. } => json!({"number": name, "every": "5"}),
            Kind::Decimal { .. } if self.chance(0.5) => {
                json!({"number": name, "every": pick(&["0.5", "0.25", "10"], self.random)})
            }
            _ => json!(name),
        }
    }

    fn measure(&mut self, objects: &[&str]) -> Value {
        let is_number = |kind| matches!(kind, Kind::Integer | Kind::Decimal { .. });
        let is_ordered = |kind| is_number(kind) || matches!(kind, Kind::Date | Kind::Datetime);
        let function = pick(&["count", "count_distinct", "sum", "avg", "min", "max", "percentiles"], self.random);
        match function {
            "count" => json!({"count": true}),
            "count_distinct" => {
                let is_compared = |kind| !matches!(kind, Kind::LongText | Kind::Id);
                json!({function: self.property(objects, is_compared).0})
            }
            "min" | "max" => json!({function: self.property(objects, is_ordered).0}),
            "percentiles" => {
                let at = [json!([50, 95]), json!([0, 12.5, 100])];
                json!({function: {"property": self.property(objects, is_number).0, "at": at.choose(self.random)}})
            }
            _ => json!({function: self.property(objects, is_number).0}),
        }
    }

    /// A property that is of the same kind in all of the objects.
    fn property(&mut self, objects: &[&str], fits: impl Fn(Kind) -> bool) -> (&'static str, Kind) {
        let of = |object: &str| self.model.objects[object].properties.iter().chain(&SYSTEM);
        let is_shared = |property: &_| objects.iter().all(|object| of(object).any(|other| other == property));
        let known: Vec<_> =
            of(objects[0]).filter(|(_, kind)| fits(*kind)).filter(|one| is_shared(one)).copied().collect();
        *known.choose(self.random).unwrap()
    }
}

/// Whether case and accents of a value may be changed without making it another.
fn is_written_freely(name: &str) -> bool {
    !matches!(name, "phone" | "site" | "host")
}

fn operators(name: &str, kind: Kind) -> &'static [&'static str] {
    const ORDERED: &[&str] =
        &["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"];
    const TEXT: &[&str] = &[
        "eq",
        "neq",
        "lt",
        "lte",
        "gt",
        "gte",
        "between",
        "in",
        "not_in",
        "exists",
        "not_exists",
        "contains",
        "starts_with",
    ];
    match kind {
        Kind::Id => &["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in"],
        // What of an address is a word is told elsewhere.
        Kind::Text { .. } if matches!(name, "email" | "phone" | "site" | "host") => ORDERED,
        Kind::Text { .. } => TEXT,
        Kind::LongText => &["contains", "exists", "not_exists"],
        Kind::User => &["eq", "neq", "in", "not_in", "exists", "not_exists"],
        Kind::Boolean => &["eq", "neq", "exists", "not_exists"],
        Kind::Choices(_) | Kind::Tags => &["has_any", "has_all", "exists", "not_exists"],
        Kind::Integer | Kind::Decimal { .. } | Kind::Date | Kind::Datetime | Kind::Choice(_) => ORDERED,
    }
}
