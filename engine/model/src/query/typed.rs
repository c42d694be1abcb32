//! A query with every name resolved, and its answer.

use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use serde_json::Value;

use crate::name::Name;
use crate::property::Storage;
use crate::{RecordId, TenantId};

/// What a search asks.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose records are searched.
    pub tenant: TenantId,
    /// The objects searched, each at most once; all have as many sort keys and aggregates as the others.
    pub scopes: Vec<Scope>,
    /// Only archived records rather than only active ones.
    pub archived: bool,
    /// Full text that a record must match.
    pub words: Option<Words>,
    /// Hits wanted; 0 for counts and aggregates only.
    pub limit: usize,
    /// Where the page begins: after this place.
    pub after: Option<Place>,
    /// The exact number of matches is wanted.
    pub count: bool,
}

/// What is asked of one object's records.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The object.
    pub object: Name,
    /// What a record must meet; what the caller may not see is already left out.
    pub filter: Filter,
    /// Properties that full text is looked for in; the first is what the record is called, and counts for more.
    pub searched: Vec<Field>,
    /// The order; ties are broken by id, lowest first.
    pub sort: Vec<SortKey>,
    /// Tables wanted, by name.
    pub aggregates: Vec<Aggregate>,
}

/// A property or a system field of an object, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The object.
    pub object: Name,
    /// The property, or a system field such as `created_at`.
    pub name: Name,
    /// The metadata version of the migration that the values came with; 0 where there was none.
    pub since: i64,
    /// How values are stored and compared.
    pub storage: Storage,
    /// How values are written in answers.
    pub form: Form,
    /// Keys of an enumeration in their order; empty for other types.
    pub options: Arc<[String]>,
}

/// How a value is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A string, as stored.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A JSON number.
    Integer,
    /// A string with so many digits after the point; without needless zeros unless padded.
    Decimal {
        /// Digits kept after the point.
        scale: u32,
        /// All of them are always written.
        is_padded: bool,
    },
    /// `YYYY-MM-DD`; stored as days since 1970-01-01.
    Date,
    /// RFC 3339 in UTC; stored as microseconds since 1970.
    Datetime,
}

/// A condition on a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one holds; true without any.
    All(Vec<Filter>),
    /// One holds at least; false without any.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// There is a value.
    Exists(Field),
    /// A value passes; false where there is none.
    Is(Field, Test),
    /// The record has one of these ids.
    Ids(Vec<RecordId>),
    /// The record has one of these ids, which may be very many; lowest first, each once.
    Listed(Arc<[RecordId]>),
    /// About the records that are linked with it.
    Linked(Linked),
}

impl Filter {
    /// The condition that every record meets.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// The condition that no record meets.
    pub fn nothing() -> Self {
        Self::Any(Vec::new())
    }
}

/// What a value must be like. Texts are folded, but for keys of options and ids.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A number, in units of the field's storage, within one of these ranges.
    Numbers(Vec<RangeInclusive<i64>>),
    /// Equal to one of these.
    Texts(Vec<String>),
    /// Between two texts in folded order.
    Between(Bound<String>, Bound<String>),
    /// Begins with this.
    StartsWith(String),
    /// A list that holds all of these.
    HasAll(Vec<String>),
    /// Holds every one of these words, in any order.
    Words(Vec<String>),
    /// Holds every one of these texts, inside words too.
    Parts(Vec<String>),
}

/// A condition on linked records. Archived ones do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    /// The association.
    pub association: Name,
    /// The end at which the record in question stands.
    pub direction: Direction,
    /// What is asked of the records at the other end, by their object; records of other objects do not count.
    pub others: Vec<LinkedScope>,
    /// How many of them must meet it.
    pub quantifier: Quantifier,
}

/// What is asked of linked records of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedScope {
    /// Their object.
    pub object: Name,
    /// Which of them the caller may see; the others do not count.
    pub visible: Filter,
    /// What they must meet.
    pub filter: Filter,
}

/// The end of a link at which a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The link starts at the record.
    Out,
    /// The link leads to the record.
    In,
}

/// How many linked records must meet a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantifier {
    /// One at least.
    Any,
    /// None.
    None,
    /// Every one; true where there are none.
    All,
    /// A number within one of these ranges.
    Count(Vec<RangeInclusive<i64>>),
}

/// Full text: a record matches where every word, number and phrase is found in one of its searched properties. Where
/// there is nothing of these, none does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// Folded words.
    pub words: Vec<String>,
    /// The last word is taken as the beginning of one too.
    pub is_last_prefix: bool,
    /// What may be phone numbers.
    pub numbers: Vec<AskedNumber>,
    /// Folded words that must follow each other.
    pub phrases: Vec<Vec<String>>,
    /// Forgives one letter in words of four, two in words of eight.
    pub is_fuzzy: bool,
}

impl Words {
    /// Nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.numbers.is_empty() && self.phrases.is_empty()
    }
}

/// A text that may be a phone number, and may be something else: an address of a network, an invoice, a time. It is
/// found either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedNumber {
    /// The digits of the phone number in a row, as numbers are found; the last may be left out.
    pub digits: String,
    /// The words of the same text, all of which are found where it is something else.
    pub words: Vec<String>,
}

/// One key of an order. Records without the value come last in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// How well the record matches the words, best first.
    Relevance,
    /// A value; the first of several.
    Value {
        /// Where it stands.
        field: Field,
        /// Highest first.
        is_descending: bool,
    },
    /// The record's id.
    Id {
        /// Highest first.
        is_descending: bool,
    },
}

/// A record's place in an order: its keys, then its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// One for each key of the order.
    pub keys: Vec<Key>,
    /// The record.
    pub id: RecordId,
}

/// The value of a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// No value.
    Null,
    /// A number in units of the field's storage, an option's position, an id, or how well words match.
    Number(i64),
    /// A folded text.
    Text(String),
}

/// A table of groups and measures.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// What the caller calls it.
    pub name: String,
    /// What records are grouped by, outermost first; one group of all where empty.
    pub groups: Vec<Group>,
    /// What is computed of each group, by the caller's names.
    pub measures: Vec<(String, Measure)>,
    /// Most rows; the rest is one more row.
    pub limit: usize,
    /// The order of rows; ties are broken by the keys, lowest first.
    pub order: Vec<Order>,
}

/// What records are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// A value as stored; each of several counts.
    Value(Field),
    /// A calendar interval of a date, or of a moment in the tenant's time zone.
    Calendar {
        /// A date or a datetime.
        field: Field,
        /// How long an interval is.
        every: Every,
        /// Where days begin.
        zone: chrono_tz::Tz,
    },
    /// Steps of equal width.
    Bucket {
        /// A number.
        field: Field,
        /// Width, in units of the field's storage, above 0.
        every: i64,
    },
    /// The object, for searches over several.
    Object,
}

/// A calendar interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// A day.
    Day,
    /// A week from Monday.
    Week,
    /// A month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// A year.
    Year,
}

/// What is computed of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// How many records.
    Count,
    /// How many different values, as stored.
    CountDistinct(Field),
    /// Exact sum of a number.
    Sum(Field),
    /// Mean of a number, a decimal string.
    Avg(Field),
    /// Lowest number, date or moment.
    Min(Field),
    /// Highest number, date or moment.
    Max(Field),
    /// Values below which so many percent lie, by the caller's spelling of the percentage.
    Percentiles(Field, Vec<(String, f64)>),
}

/// One key of the order of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By a measure's value; rows without one come last.
    Measure {
        /// Position among the measures.
        index: usize,
        /// Highest first.
        is_descending: bool,
    },
    /// By the row's key.
    Key {
        /// Highest first.
        is_descending: bool,
    },
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The page, in order.
    pub hits: Vec<Hit>,
    /// Number of matches, where it was asked for.
    pub total: Option<u64>,
    /// One table for each aggregate.
    pub tables: Vec<Table>,
    /// There is more after the last hit.
    pub has_more: bool,
}

/// One record found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it stands in the order.
    pub place: Place,
    /// Position of its object among the scopes.
    pub scope: usize,
}

/// The rows of an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The aggregate's name.
    pub name: String,
    /// In order; the rest, if any, is the last.
    pub rows: Vec<Row>,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One for each group key, null for records without the value; `None` for the rest of the groups.
    pub key: Option<Vec<Value>>,
    /// One for each measure, in their order; null where there was no value.
    pub measures: Vec<(String, Value)>,
}
