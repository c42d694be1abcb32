//! What roll-ups ask: values of the records that are linked with each of many.

use super::typed::{Direction, Field, Filter};
use crate::name::Name;
use crate::{RecordId, TenantId};

/// Asks for the values of the records that are linked with each of many records.
#[derive(Debug, Clone)]
pub struct Gathering {
    /// Whose records they are.
    pub tenant: TenantId,
    /// The association that links them.
    pub association: Name,
    /// The end at which the records stand.
    pub direction: Direction,
    /// The records.
    pub records: Vec<RecordId>,
    /// What is asked of the linked records, by their object; records of other objects and archived ones do not count.
    pub others: Vec<GatheredScope>,
}

/// What is asked of linked records of one object.
#[derive(Debug, Clone)]
pub struct GatheredScope {
    /// Their object.
    pub object: Name,
    /// What they must meet.
    pub filter: Filter,
    /// The value that is gathered; those without it do not count. The records themselves where there is none.
    pub field: Option<Field>,
}

/// What was gathered for one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gathered {
    /// How many linked records have the value.
    pub count: u64,
    /// The sum of numbers, in units of the field's storage.
    pub sum: i128,
    /// The lowest number, date or moment.
    pub min: Option<i64>,
    /// The highest number, date or moment.
    pub max: Option<i64>,
    /// The one of them that was made first.
    pub first: Option<RecordId>,
    /// The one of them that was made last.
    pub last: Option<RecordId>,
}

impl Gathered {
    /// Adds one more linked record, with its number where it has one.
    pub fn add(&mut self, record: RecordId, value: Option<i64>) {
        self.count += 1;
        if let Some(value) = value {
            self.sum += i128::from(value);
            self.min = Some(self.min.map_or(value, |min| min.min(value)));
            self.max = Some(self.max.map_or(value, |max| max.max(value)));
        }
        self.first = Some(self.first.map_or(record, |first| first.min(record)));
        self.last = Some(self.last.map_or(record, |last| last.max(record)));
    }
}
