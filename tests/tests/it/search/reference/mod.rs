//! What a search must answer, found the plain way: every record is looked at, and nothing is kept ready.
//!
//! Written from the public contract alone, and for the letters that these tests use.

mod aggregate;
mod filter;
mod number;
mod text;
mod value;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

pub(super) use text::{fold, words};
pub(super) use value::Kind;

use value::Scalar;

/// The records of a tenant as its owner knows them, and what their values mean.
#[derive(Debug)]
pub(super) struct Model {
    /// Where days begin.
    pub(super) zone: Tz,
    pub(super) objects: BTreeMap<&'static str, Shape>,
    /// From which object to which.
    pub(super) associations: BTreeMap<&'static str, (&'static str, &'static str)>,
    pub(super) records: BTreeMap<u64, Record>,
    pub(super) links: Links,
}

/// Links, as they are seen from either end.
#[derive(Debug, Default)]
pub(super) struct Links {
    forth: BTreeSet<Link>,
    back: BTreeSet<Link>,
}

/// Association, id at the one end, id at the other.
pub(super) type Link = (&'static str, u64, u64);

/// What an object's values mean.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) properties: Vec<(&'static str, Kind)>,
    /// Where full text is looked for.
    pub(super) searchable: Vec<&'static str>,
}

/// A record as the server has shown it last.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) object: &'static str,
    pub(super) body: Value,
}

/// What a search must find.
#[derive(Debug)]
pub(super) struct Answer {
    /// All matches, in order.
    pub(super) ids: Vec<u64>,
    /// As the reply has them.
    pub(super) aggregates: Value,
}

/// What every record has beside its properties.
pub(super) const SYSTEM: [(&str, Kind); 7] = [
    ("id", Kind::Id),
    ("display_name", Kind::Text { is_substring: false }),
    ("owner_id", Kind::User),
    ("version", Kind::Integer),
    ("created_at", Kind::Datetime),
    ("updated_at", Kind::Datetime),
    ("created_by", Kind::User),
];

impl Record {
    pub(super) fn id(&self) -> u64 {
        self.body["id"].as_str().unwrap().parse().unwrap()
    }

    pub(super) fn is_archived(&self) -> bool {
        !self.body["archived_at"].is_null()
    }

    /// The value of a property or of a field that every record has; null where there is none.
    pub(super) fn value(&self, name: &str) -> &Value {
        if SYSTEM.iter().any(|(system, _)| *system == name) { &self.body[name] } else { &self.body["properties"][name] }
    }
}

impl Links {
    pub(super) fn add(&mut self, (association, from, to): Link) {
        self.forth.insert((association, from, to));
        self.back.insert((association, to, from));
    }

    /// Keeps those that pass.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Link) -> bool) {
        self.forth.retain(|link| is_kept(link));
        self.back.retain(|(association, to, from)| is_kept(&(association, *from, *to)));
    }

    /// Each with its beginning first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.forth.iter()
    }

    /// Who is linked with a record, which stands at the beginning or at the end.
    fn others(&self, association: &'static str, id: u64, is_out: bool) -> impl Iterator<Item = u64> {
        let links = if is_out { &self.forth } else { &self.back };
        links.range((association, id, 0)..=(association, id, u64::MAX)).map(|(.., other)| *other)
    }
}

impl Model {
    /// What a search of these objects must find.
    pub(super) fn answer(&self, objects: &[&str], query: &Value) -> Answer {
        let wants_archived = query["archived"] == true;
        let matches = |record: &&Record| {
            objects.contains(&record.object)
                && record.is_archived() == wants_archived
                && query["q"].as_str().is_none_or(|q| self.has_words(record, q))
                && (query["filter"].is_null() || self.holds(record, &query["filter"]))
        };
        let mut found: Vec<&Record> = self.records.values().filter(matches).collect();
        let none = Map::new();
        let aggregates = query["aggregate"].as_object().unwrap_or(&none).iter();
        let aggregates: Map<_, _> =
            aggregates.map(|(name, asked)| (name.clone(), self.table(objects[0], asked, &found))).collect();
        found.sort_by(|one, other| self.compare(&query["sort"], one, other));
        Answer { ids: found.iter().map(|record| record.id()).collect(), aggregates: json!(aggregates) }
    }

    pub(super) fn kind(&self, object: &str, name: &str) -> Kind {
        let own = self.objects[object].properties.iter();
        let (_, kind) = own.chain(&SYSTEM).find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}"));
        *kind
    }

    /// What a record has under a name, each value as it is compared.
    fn scalars(&self, record: &Record, name: &str) -> Vec<Scalar> {
        self.kind(record.object, name).scalars(record.value(name))
    }

    fn compare(&self, sort: &Value, one: &Record, other: &Record) -> Ordering {
        for key in sort.as_array().into_iter().flatten() {
            let name = key["property"].as_str().unwrap();
            let first = |record: &Record| self.scalars(record, name).into_iter().next();
            let order = match (first(one), first(other)) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(other)) if key["direction"] == "desc" => other.cmp(&one),
                (Some(one), Some(other)) => one.cmp(&other),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        one.id().cmp(&other.id())
    }

    /// Whether every word stands in some searchable value, the last one as a beginning, and quoted ones in a row.
    fn has_words(&self, record: &Record, q: &str) -> bool {
        let texts: Vec<Vec<String>> = self.objects[record.object]
            .searchable
            .iter()
            .filter_map(|name| record.value(name).as_str().map(words))
            .collect();
        let has = |test: &dyn Fn(&str) -> bool| texts.iter().flatten().any(|word| test(word));
        let parts: Vec<&str> = q.split('"').collect();
        parts.iter().enumerate().all(|(at, part)| {
            let wanted = words(part);
            if at % 2 == 1 {
                return texts.iter().any(|text| text.windows(wanted.len()).any(|row| row == wanted));
            }
            let is_last_part = at + 1 == parts.len();
            wanted.iter().enumerate().all(|(place, word)| {
                let is_beginning = is_last_part && place + 1 == wanted.len();
                has(&|found| found == word || is_beginning && found.starts_with(word.as_str()))
            })
        })
    }
}
