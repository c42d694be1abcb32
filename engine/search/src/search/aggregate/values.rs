//! The values of one property in one segment, numbered.
//!
//! Groups and distinct counts only need to know which documents share a value, so values are numbers here, and are
//! looked up once for each value rather than once for each document.

use std::rc::Rc;

use engine_model::property::Storage;
use engine_model::query::{Field, Group};
use rustc_hash::FxHashMap;

use super::calendar::Calendar;
use crate::error::{Result, SearchError};
use crate::schema::path_of;
use crate::search::bits::Bits;
use crate::search::budget::Budget;
use crate::search::column::{Firsts, ValueColumn};
use crate::search::segment::{Segment, TextColumn, number_of, whole_text};
use crate::texts::is_long;

/// A value across segments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// There is none.
    Null,
    /// A text as stored.
    Text(Box<str>),
    /// A number in units of its field's storage; the lower bound of a bucket, which may lie below all that fields store;
    /// a day since 1970-01-01.
    Number(i128),
}

/// The values of one property in one segment.
pub(crate) enum Values {
    /// Positions in the dictionary of texts as compared, then in that of originals, then null.
    Texts { texts: Option<Texts>, originals: Option<Texts>, pieces: Option<Rc<TextColumn>>, null: u32 },
    /// What steps make of numbers, in the order in which it was met; 0 is null.
    Numbers { numbers: Option<Firsts>, step: Step, known: FxHashMap<i64, u32>, met: Vec<i64> },
    /// The same for every document.
    Same(Value),
}

/// Texts of one segment.
pub(crate) struct Texts {
    column: Rc<TextColumn>,
    firsts: Firsts,
}

/// What becomes of a number before it is a value.
pub(crate) enum Step {
    Itself,
    /// Numbers of one bucket, of this width, become the bucket's own number.
    Bucket(i64),
    Calendar(Calendar),
}

impl Texts {
    /// How many there are.
    fn count(&self) -> usize {
        self.column.dictionary.num_terms()
    }
}

impl Step {
    fn take(&mut self, number: i64) -> Option<i64> {
        match self {
            Self::Itself => Some(number),
            Self::Bucket(width) => Some(number.div_euclid((*width).max(1))),
            Self::Calendar(calendar) => calendar.first_day(number),
        }
    }

    /// The value that stands for what [`Step::take`] gave.
    fn value(&self, taken: i64) -> Value {
        match self {
            Self::Itself | Self::Calendar(_) => Value::Number(taken.into()),
            Self::Bucket(width) => Value::Number(i128::from(taken) * i128::from((*width).max(1))),
        }
    }
}

impl Values {
    /// What records are grouped by.
    pub(crate) fn of_group(
        segment: &Segment<'_>,
        group: &Group,
        object: &str,
        is_archived: bool,
        documents: &Bits,
    ) -> Result<Self> {
        let numbers = |field: &Field, step: Step| -> Result<Self> {
            Ok(Self::of_numbers(segment.numbers(&path_of(field, is_archived))?, step, documents))
        };
        match group {
            Group::Value(field) => Self::of_field(segment, field, is_archived, documents),
            Group::Calendar { field, every, zone } => {
                let zone = (field.storage == Storage::Datetime).then_some(*zone);
                numbers(field, Step::Calendar(Calendar::new(*every, zone)))
            }
            Group::Bucket { field, every } => numbers(field, Step::Bucket(*every)),
            Group::Object => Ok(Self::Same(Value::Text(object.into()))),
        }
    }

    fn of_numbers(column: Option<Rc<ValueColumn>>, step: Step, documents: &Bits) -> Self {
        let numbers = column.map(|column| Firsts::of(column, documents));
        Self::Numbers { numbers, step, known: FxHashMap::default(), met: Vec::new() }
    }

    /// The values of a field as stored, for documents among these.
    pub(crate) fn of_field(segment: &Segment<'_>, field: &Field, is_archived: bool, documents: &Bits) -> Result<Self> {
        let path = path_of(field, is_archived);
        match field.storage {
            Storage::Text | Storage::Option | Storage::TextList | Storage::Boolean => {
                let texts = |column: Rc<TextColumn>| {
                    let firsts = Firsts::of(column.positions.clone(), documents);
                    Texts { column, firsts }
                };
                let (texts, originals) = (segment.texts(&path)?.map(texts), segment.originals(&path)?.map(texts));
                let terms = |texts: &Option<Texts>| texts.as_ref().map_or(0, Texts::count);
                let null = u32::try_from(terms(&texts) + terms(&originals));
                let null = null.map_err(|_| SearchError::TooCostly("there are too many values".to_owned()))?;
                Ok(Self::Texts { texts, originals, pieces: segment.pieces(&path)?, null })
            }
            Storage::Scaled(_) | Storage::Date | Storage::Datetime | Storage::LongText | Storage::Opaque => {
                let column = match field.name.as_str() {
                    "id" => Some(segment.ordered_ids()?),
                    _ => segment.numbers(&path)?,
                };
                Ok(Self::of_numbers(column, Step::Itself, documents))
            }
        }
    }

    /// Whether a document can have several values.
    pub(crate) fn is_multiple(&self) -> bool {
        let is_multiple =
            |texts: &Option<Texts>| texts.as_ref().is_some_and(|texts| texts.column.positions.is_multiple());
        match self {
            Self::Texts { texts, originals, .. } => is_multiple(texts) || is_multiple(originals),
            Self::Numbers { .. } | Self::Same(_) => false,
        }
    }

    /// How many numbers values can have so far: all that [`Values::read`] gives are below.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Texts { null, .. } => *null as usize + 1,
            Self::Numbers { met, .. } => met.len() + 1,
            Self::Same(_) => 1,
        }
    }

    /// The number that stands for no value.
    pub(crate) fn null(&self) -> Option<u32> {
        match self {
            Self::Texts { null, .. } => Some(*null),
            Self::Numbers { .. } => Some(0),
            Self::Same(_) => None,
        }
    }

    /// The first value of each document.
    pub(crate) fn read(&mut self, documents: &[u32], out: &mut Vec<u32>) {
        out.clear();
        match self {
            Self::Same(_) => out.resize(documents.len(), 0),
            Self::Texts { texts, originals, null, .. } => {
                out.resize(documents.len(), *null);
                if let Some(texts) = texts {
                    let set = |place: usize, at: u64| out[place] = u32::try_from(at).unwrap_or(*null);
                    texts.firsts.each(documents, set);
                }
                if let Some(originals) = originals {
                    let offset = texts.as_ref().map_or(0, Texts::count);
                    let set = |place: usize, at: u64| out[place] = original(offset, at, *null);
                    originals.firsts.each(documents, set);
                }
            }
            Self::Numbers { numbers, step, known, met } => {
                out.resize(documents.len(), 0);
                if let Some(numbers) = numbers {
                    numbers.each(documents, |place, value| {
                        out[place] = step.take(number_of(value)).map_or(0, |number| numbered(number, known, met));
                    });
                }
            }
        }
    }

    /// Adds every value of one document, or null.
    pub(crate) fn read_all(&mut self, document: u32, out: &mut Vec<u32>) {
        let Self::Texts { texts, originals, null, .. } = self else {
            let mut first = Vec::with_capacity(1);
            self.read(&[document], &mut first);
            return out.append(&mut first);
        };
        let before = out.len();
        if let Some(originals) = originals {
            let offset = texts.as_ref().map_or(0, Texts::count);
            out.extend(originals.column.positions.all(document).map(|at| original(offset, at, *null)));
        }
        if out.len() == before
            && let Some(texts) = texts
        {
            out.extend(texts.column.positions.all(document).map(|at| u32::try_from(at).unwrap_or(*null)));
        }
        // A value counts once, however often a list holds it.
        out[before..].sort_unstable();
        let mut last = None;
        let mut kept = before;
        for at in before..out.len() {
            let value = out[at];
            if last != Some(value) {
                out[kept] = value;
                kept += 1;
                last = Some(value);
            }
        }
        out.truncate(kept);
        if out.len() == before {
            out.push(*null);
        }
    }

    /// [`Values::look_up`], with long texts as a whole.
    pub(crate) fn look_up_whole(&self, numbers: &[u32], budget: &Budget) -> Result<Vec<Value>> {
        let mut values = self.look_up(numbers)?;
        let Self::Texts { pieces, .. } = self else { return Ok(values) };
        for value in &mut values {
            if let Value::Text(text) = value
                && is_long(text)
            {
                *text = whole_text(text, pieces.as_deref())?.into();
                budget.take_memory(text.len())?;
            }
        }
        Ok(values)
    }

    /// The values behind numbers, which are sorted and each given once; of long texts what stands in the index for them.
    pub(crate) fn look_up(&self, numbers: &[u32]) -> Result<Vec<Value>> {
        match self {
            Self::Same(value) => Ok(vec![value.clone(); numbers.len()]),
            Self::Numbers { met, step, .. } => {
                let value = |number: &u32| match number.checked_sub(1) {
                    Some(at) => met.get(at as usize).map_or(Value::Null, |met| step.value(*met)),
                    None => Value::Null,
                };
                Ok(numbers.iter().map(value).collect())
            }
            Self::Texts { texts, originals, null, .. } => {
                let count = texts.as_ref().map_or(0, Texts::count);
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let (plain, rest) = numbers.split_at(numbers.partition_point(|number| *number < count));
                let (original, nulls) = rest.split_at(rest.partition_point(|number| number < null));
                let mut values = Vec::with_capacity(numbers.len());
                add_texts(texts.as_ref(), plain.iter().map(|at| u64::from(*at)), &mut values)?;
                add_texts(originals.as_ref(), original.iter().map(|at| u64::from(*at - count)), &mut values)?;
                values.extend(nulls.iter().map(|_| Value::Null));
                Ok(values)
            }
        }
    }
}

fn original(offset: usize, at: u64, null: u32) -> u32 {
    u32::try_from(offset as u64 + at).unwrap_or(null)
}

/// The number of a number, from 1.
fn numbered(number: i64, known: &mut FxHashMap<i64, u32>, met: &mut Vec<i64>) -> u32 {
    *known.entry(number).or_insert_with(|| {
        met.push(number);
        u32::try_from(met.len()).unwrap_or(u32::MAX)
    })
}

fn add_texts(texts: Option<&Texts>, positions: impl Iterator<Item = u64>, values: &mut Vec<Value>) -> Result<()> {
    let Some(texts) = texts else { return Ok(()) };
    let positions: Vec<u64> = positions.collect();
    let add = |text: &[u8]| values.push(Value::Text(String::from_utf8_lossy(text).into()));
    if texts.column.dictionary.dictionary().sorted_ords_to_term_cb(&positions, add)? {
        return Ok(());
    }
    Err(SearchError::Damaged("a dictionary lacks an entry".to_owned()))
}
