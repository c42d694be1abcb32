//! Filters as sent.

use std::collections::BTreeSet;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::super::typed::Direction;
use crate::json::{FromJson, ObjectReader, Reading};
use crate::name::did_you_mean;

/// Levels of filters inside filters.
pub const MAX_DEPTH: usize = 16;

/// Conditions of one filter, however deep.
pub const MAX_CONDITIONS: usize = 500;

/// Values in all lists of one filter.
pub const MAX_VALUES: usize = 10_000;

/// A condition with its place.
#[derive(Debug, Clone)]
pub struct FilterText {
    /// Where it stands.
    pub pointer: String,
    /// What it says.
    pub form: FilterForm,
}

/// What a condition says.
#[derive(Debug, Clone)]
pub enum FilterForm {
    /// All of these hold.
    All(Vec<FilterText>),
    /// One of these holds at least.
    Any(Vec<FilterText>),
    /// This does not hold.
    Not(Box<FilterText>),
    /// About a property.
    Property(PropertyText),
    /// About linked records.
    Association(AssociationText),
    /// About being a member of a list.
    List(String),
}

/// `{property, op, value}`
#[derive(Debug, Clone)]
pub struct PropertyText {
    /// The property's name.
    pub property: String,
    /// The operator's name; none where it could not be read, which has been told.
    pub op: Option<String>,
    /// What it is compared with, as written; JSON null is kept.
    pub value: Option<Box<RawValue>>,
}

/// `{association, direction?, quantifier? or count?, match?}`
#[derive(Debug, Clone)]
pub struct AssociationText {
    /// The association's name.
    pub association: String,
    /// The end at which the record stands, where the association does not tell.
    pub direction: Option<Direction>,
    /// How many linked records must match.
    pub quantifier: QuantifierText,
    /// What they must meet; anything where absent.
    pub matches: Option<Box<FilterText>>,
}

/// How many linked records must match.
#[derive(Debug, Clone)]
pub enum QuantifierText {
    /// One at least.
    Any,
    /// None.
    None,
    /// Every one.
    All,
    /// A number.
    Count(CountText),
}

/// `{op, value}` of a number of records.
#[derive(Debug, Clone)]
pub struct CountText {
    /// The operator's name.
    pub op: String,
    /// What the number is compared with, as written.
    pub value: Option<Box<RawValue>>,
}

const FORMS: [&str; 6] = ["all", "any", "not", "property", "association", "list"];
/// Those that nothing short is near to by chance.
const LONG_FORMS: [&str; 2] = ["property", "association"];
const LIST: &str = "an object is expected, not a list; write `{\"all\": […]}` where every condition must hold, \
                    `{\"any\": […]}` where one is enough";
const DIRECTIONS: [(&str, Direction); 2] = [("out", Direction::Out), ("in", Direction::In)];

impl FilterText {
    /// The ids of the lists that it names, however deep; each once.
    pub fn lists(&self) -> BTreeSet<&str> {
        self.list_places().into_iter().map(|(_, id)| id).collect()
    }

    /// Each place at which it names a list, with the list's id.
    pub fn list_places(&self) -> Vec<(&str, &str)> {
        match &self.form {
            FilterForm::All(list) | FilterForm::Any(list) => list.iter().flat_map(Self::list_places).collect(),
            FilterForm::Not(inner) => inner.list_places(),
            FilterForm::Association(asked) => asked.matches.iter().flat_map(|inner| inner.list_places()).collect(),
            FilterForm::List(id) => vec![(self.pointer.as_str(), id.as_str())],
            FilterForm::Property(_) => Vec::new(),
        }
    }
}

impl<'a> FromJson<'a> for FilterText {
    fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        FilterReader::default().filter(raw, reading, 1)
    }
}

/// Reads a filter with all that is in it, and counts.
#[derive(Default)]
struct FilterReader {
    conditions: usize,
    values: usize,
}

impl FilterReader {
    fn filter<'a>(&mut self, raw: &'a RawValue, reading: &mut Reading<'a>, depth: usize) -> Option<FilterText> {
        if depth > MAX_DEPTH {
            reading.problem("too_deep", format!("a filter nests at most {MAX_DEPTH} levels deep"));
            return None;
        }
        let pointer = reading.pointer();
        if raw.get().starts_with('[') {
            reading.problem("wrong_type", LIST);
            // What it holds is looked at all the same, so that everything is told at once.
            return self.list(raw, reading, depth).map(|list| FilterText { pointer, form: FilterForm::All(list) });
        }
        let mut object = reading.object(raw)?;
        let forms: Vec<_> = FORMS.into_iter().filter(|form| object.has(form)).collect();
        let form = match forms.as_slice() {
            ["all"] => object.optional_with("all", |raw, reading| self.list(raw, reading, depth)).map(FilterForm::All),
            ["any"] => object.optional_with("any", |raw, reading| self.list(raw, reading, depth)).map(FilterForm::Any),
            ["not"] => object.optional_with("not", |raw, reading| self.filter(raw, reading, depth + 1)).map(negated),
            ["property"] => self.property(&mut object).map(FilterForm::Property),
            ["association"] => self.association(&mut object, depth).map(FilterForm::Association),
            ["list"] => self.membership(&mut object).map(FilterForm::List),
            _ => {
                let message = not_one_form(&object, &forms);
                object.reading().problem("invalid", message);
                return None;
            }
        };
        object.finish();
        form.map(|form| FilterText { pointer, form })
    }

    fn list<'a>(&mut self, raw: &'a RawValue, reading: &mut Reading<'a>, depth: usize) -> Option<Vec<FilterText>> {
        let list = reading.each(raw, MAX_CONDITIONS, |raw, reading| self.filter(raw, reading, depth + 1))?;
        // An empty list holds no condition that would be counted, but says something itself.
        if list.is_empty() { self.count_condition(reading).then_some(list) } else { Some(list) }
    }

    fn property<'a>(&mut self, object: &mut ObjectReader<'a, '_>) -> Option<PropertyText> {
        let property = object.required("property");
        let op = object.required("op");
        let value = self.value(object);
        let is_counted = self.count_condition(object.reading());
        let (property, value) = (property?, value?);
        is_counted.then_some(PropertyText { property, op, value })
    }

    fn association<'a>(&mut self, object: &mut ObjectReader<'a, '_>, depth: usize) -> Option<AssociationText> {
        let association = object.required("association");
        let direction = object.choice("direction", &DIRECTIONS);
        let quantifier = self.quantifier(object);
        let matches = object.optional_with("match", |raw, reading| self.filter(raw, reading, depth + 1)).map(Box::new);
        let is_counted = self.count_condition(object.reading());
        let association = association?;
        // What is wrong with the quantifier has been told; the rest is to be looked at.
        let quantifier = quantifier.unwrap_or(QuantifierText::Any);
        is_counted.then_some(AssociationText { association, direction, quantifier, matches })
    }

    /// The id of a list, as a string or as the number that it is.
    fn membership<'a>(&mut self, object: &mut ObjectReader<'a, '_>) -> Option<String> {
        let id = object.optional_with("list", |raw, reading| match raw.get().starts_with('"') {
            true => reading.value::<String>(raw),
            false => reading.value::<i64>(raw).map(|id| id.to_string()),
        });
        let is_counted = self.count_condition(object.reading());
        id.filter(|_| is_counted)
    }

    fn quantifier<'a>(&mut self, object: &mut ObjectReader<'a, '_>) -> Option<QuantifierText> {
        #[derive(Clone, Copy)]
        enum Word {
            Any,
            None,
            All,
        }
        let is_counted = object.has("count");
        let is_quantified = object.has("quantifier");
        let count = object.optional_with("count", |raw, reading| {
            let mut object = reading.object(raw)?;
            let op = object.required("op");
            let value = self.value(&mut object);
            object.finish();
            Some(CountText { op: op?, value: value? })
        });
        let word = object.choice("quantifier", &[("any", Word::Any), ("none", Word::None), ("all", Word::All)]);
        match (is_counted, is_quantified) {
            (true, true) => {
                object.problem_at("count", "not_applicable", "either `quantifier` or `count`: both say how many");
                None
            }
            (true, false) => count.map(QuantifierText::Count),
            (false, true) => word.map(|word| match word {
                Word::Any => QuantifierText::Any,
                Word::None => QuantifierText::None,
                Word::All => QuantifierText::All,
            }),
            (false, false) => Some(QuantifierText::Any),
        }
    }

    /// The value as written, if there is one; those of lists are counted. `None` where there are too many.
    fn value<'a>(&mut self, object: &mut ObjectReader<'a, '_>) -> Option<Option<Box<RawValue>>> {
        let mut is_bounded = true;
        let value = object.written("value", |raw, reading| {
            if raw.get().starts_with('[') {
                is_bounded = self.count_values(raw, reading);
            }
            Some(raw.to_owned())
        });
        is_bounded.then_some(value)
    }

    fn count_values<'a>(&mut self, list: &'a RawValue, reading: &mut Reading<'a>) -> bool {
        let Some(elements) = reading.elements(list, MAX_VALUES) else { return false };
        self.values += elements.len();
        if self.values > MAX_VALUES {
            reading.problem("too_many", format!("all lists of a filter have at most {MAX_VALUES} values together"));
        }
        self.values <= MAX_VALUES
    }

    /// Counts one more condition; `false` where it is one too many.
    fn count_condition(&mut self, reading: &mut Reading<'_>) -> bool {
        self.conditions += 1;
        if self.conditions == MAX_CONDITIONS + 1 {
            reading.problem("too_many", format!("a filter has at most {MAX_CONDITIONS} conditions"));
        }
        self.conditions <= MAX_CONDITIONS
    }
}

fn negated(filter: FilterText) -> FilterForm {
    FilterForm::Not(Box::new(filter))
}

fn not_one_form(object: &ObjectReader<'_, '_>, found: &[&str]) -> String {
    let forms = "a filter has one of `all`, `any`, `not`, `property`, `association` and `list`";
    match found {
        [] => format!("{forms}{}", missing_form(object)),
        found => {
            let found = found.iter().map(|form| format!("`{form}`")).collect::<Vec<_>>().join(" and ");
            format!("{forms}, not {found} together")
        }
    }
}

/// What probably was meant by a filter without any of the forms.
fn missing_form(object: &ObjectReader<'_, '_>) -> String {
    let has = |names: &[&str]| object.names().any(|name| names.contains(&name));
    if let Some(form) = FORMS.into_iter().find(|form| has(&[form])) {
        return format!("; here `{form}` is null");
    }
    let hint = object.names().map(|name| did_you_mean(name, LONG_FORMS)).find(|hint| !hint.is_empty());
    match hint {
        Some(hint) => hint,
        None if has(&["op", "value"]) => "; beside `op` and `value` it needs `property`".to_owned(),
        None if has(&["quantifier", "count", "match"]) => "; beside these it needs `association`".to_owned(),
        None => {
            let hint = object.names().map(|name| did_you_mean(name, FORMS)).find(|hint| !hint.is_empty());
            hint.unwrap_or_default()
        }
    }
}

/// The filter as it would be sent, without its places.
impl Serialize for FilterText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.form {
            FilterForm::All(list) => map.serialize_entry("all", list)?,
            FilterForm::Any(list) => map.serialize_entry("any", list)?,
            FilterForm::Not(inner) => map.serialize_entry("not", inner)?,
            FilterForm::Property(condition) => {
                map.serialize_entry("property", &condition.property)?;
                map.serialize_entry("op", &condition.op)?;
                if let Some(value) = &condition.value {
                    map.serialize_entry("value", value)?;
                }
            }
            FilterForm::Association(condition) => {
                map.serialize_entry("association", &condition.association)?;
                if let Some((name, _)) = DIRECTIONS.iter().find(|(_, found)| Some(*found) == condition.direction) {
                    map.serialize_entry("direction", name)?;
                }
                match &condition.quantifier {
                    QuantifierText::Any => {}
                    QuantifierText::None => map.serialize_entry("quantifier", "none")?,
                    QuantifierText::All => map.serialize_entry("quantifier", "all")?,
                    QuantifierText::Count(count) => map.serialize_entry("count", count)?,
                }
                if let Some(matches) = &condition.matches {
                    map.serialize_entry("match", matches)?;
                }
            }
            FilterForm::List(id) => map.serialize_entry("list", id)?,
        }
        map.end()
    }
}

impl Serialize for CountText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("op", &self.op)?;
        if let Some(value) = &self.value {
            map.serialize_entry("value", value)?;
        }
        map.end()
    }
}
