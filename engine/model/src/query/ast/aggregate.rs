//! Tables of groups and measures as sent.

use serde_json::value::RawValue;

use super::super::typed::Every;
use super::sort::DIRECTIONS;
use crate::json::{ObjectReader, Reading};
use crate::name::did_you_mean;

/// Tables of one search.
pub const MAX_AGGREGATES: usize = 20;

/// Keys that one table's rows are grouped by.
pub const MAX_GROUPS: usize = 5;

/// Measures of one table.
pub const MAX_MEASURES: usize = 20;

/// Percentages of one measure.
pub const MAX_PERCENTILES: usize = 20;

/// What a row holds beside its measures.
const ROW_MEMBERS: [&str; 2] = ["key", "other"];

/// `{group?, measures?, limit?, order?}` under a name.
#[derive(Debug, Clone)]
pub struct AggregateText {
    /// Where it stands.
    pub pointer: String,
    /// What the caller calls it.
    pub name: String,
    /// What records are grouped by.
    pub groups: Vec<GroupText>,
    /// What is computed of each group; their number where nothing is given.
    pub measures: Vec<MeasureText>,
    /// Most rows.
    pub limit: Option<usize>,
    /// The order of rows.
    pub order: Vec<OrderText>,
}

/// What records are grouped by, with its place.
#[derive(Debug, Clone)]
pub struct GroupText {
    /// Where it stands.
    pub pointer: String,
    /// What it says.
    pub grouping: GroupingText,
}

/// What records are grouped by.
#[derive(Debug, Clone)]
pub enum GroupingText {
    /// Values of this property.
    Property(String),
    /// `{date, every}`: calendar intervals of this property; none where they could not be read, which has been told.
    Date(String, Option<Every>),
    /// `{number, every}`: steps of this property, their width as written; none where it is missing, which has been told.
    Number(String, Option<Box<RawValue>>),
}

/// What is computed of a group, under a name.
#[derive(Debug, Clone)]
pub struct MeasureText {
    /// Where it stands.
    pub pointer: String,
    /// What the caller calls it.
    pub name: String,
    /// What it says.
    pub form: MeasureForm,
}

/// What is computed of a group.
#[derive(Debug, Clone)]
pub enum MeasureForm {
    /// `{count: true}`
    Count,
    /// `{count_distinct: property}`
    CountDistinct(String),
    /// `{sum: property}`
    Sum(String),
    /// `{avg: property}`
    Avg(String),
    /// `{min: property}`
    Min(String),
    /// `{max: property}`
    Max(String),
    /// `{percentiles: {property, at}}`: percentages with their spelling.
    Percentiles(String, Vec<(String, f64)>),
}

/// One key of the order of rows.
#[derive(Debug, Clone)]
pub struct OrderText {
    /// Where it stands.
    pub pointer: String,
    /// The measure's name; none for the rows' key.
    pub measure: Option<String>,
    /// Highest first.
    pub is_descending: bool,
}

impl AggregateText {
    pub(super) fn map<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Vec<Self>> {
        reading.each_member(raw, MAX_AGGREGATES, |name, raw, reading| Self::read(name, raw, reading))
    }

    fn read<'a>(name: &str, raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let pointer = reading.pointer();
        let mut object = reading.object(raw)?;
        let groups = object.optional_with("group", |raw, reading| reading.each(raw, MAX_GROUPS, GroupText::read));
        let measures = object.optional_with("measures", MeasureText::map).unwrap_or_default();
        let limit = object.optional("limit");
        let order = object.optional_with("order", |raw, reading| reading.each(raw, MAX_MEASURES + 1, OrderText::read));
        object.finish();
        let (groups, order) = (groups.unwrap_or_default(), order.unwrap_or_default());
        Some(Self { pointer, name: name.to_owned(), groups, measures, limit, order })
    }
}

impl GroupText {
    fn read<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let pointer = reading.pointer();
        if raw.get().starts_with('"') {
            let grouping = reading.value(raw).map(GroupingText::Property)?;
            return Some(Self { pointer, grouping });
        }
        let mut object = reading.object(raw)?;
        let grouping = match (object.has("date"), object.has("number")) {
            (true, false) => date_group(&mut object),
            (false, true) => number_group(&mut object),
            _ => {
                let message = "a group is a property's name, `{date, every}` or `{number, every}`";
                object.reading().problem("invalid", message);
                return None;
            }
        };
        object.finish();
        grouping.map(|grouping| Self { pointer, grouping })
    }
}

fn date_group(object: &mut ObjectReader<'_, '_>) -> Option<GroupingText> {
    let property = object.required("date");
    let is_given = object.has("every");
    let every = object.choice("every", Every::NAMES);
    if !is_given {
        object.problem_at("every", "required", "`every` is required: day, week, month, quarter or year");
    }
    Some(GroupingText::Date(property?, every))
}

fn number_group(object: &mut ObjectReader<'_, '_>) -> Option<GroupingText> {
    let property = object.required("number");
    let every = object.required("every");
    Some(GroupingText::Number(property?, every))
}

impl MeasureText {
    fn map<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Vec<Self>> {
        reading.each_member(raw, MAX_MEASURES, |name, raw, reading| Self::read(name, raw, reading))
    }

    fn read<'a>(name: &str, raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let pointer = reading.pointer();
        if ROW_MEMBERS.contains(&name) {
            reading.problem("reserved", format!("each row has a `{name}` already; choose another name"));
        }
        let members = reading.members(raw)?;
        let [(function, argument)] = members.as_slice() else {
            reading.problem("invalid", "a measure is one function and a property, as in `{\"sum\": \"amount\"}`");
            return None;
        };
        let form = reading.at_member(function.clone(), |reading| measure(function.as_ref(), argument, reading))?;
        Some(Self { pointer, name: name.to_owned(), form })
    }
}

/// Makes a measure of the name of a property.
type OfProperty = fn(String) -> MeasureForm;

fn measure<'a>(function: &str, argument: &'a RawValue, reading: &mut Reading<'a>) -> Option<MeasureForm> {
    const OF_PROPERTY: [(&str, OfProperty); 5] = [
        ("count_distinct", MeasureForm::CountDistinct),
        ("sum", MeasureForm::Sum),
        ("avg", MeasureForm::Avg),
        ("min", MeasureForm::Min),
        ("max", MeasureForm::Max),
    ];
    match function {
        "count" => match reading.value(argument)? {
            true => Some(MeasureForm::Count),
            false => {
                reading.problem("invalid", "`true` is expected: records are counted");
                None
            }
        },
        "percentiles" => percentiles(argument, reading),
        function => match OF_PROPERTY.iter().find(|(name, _)| *name == function) {
            Some((_, make)) => reading.value(argument).map(make),
            None => {
                let names = ["count"].into_iter().chain(OF_PROPERTY.map(|(name, _)| name)).chain(["percentiles"]);
                let all = names.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let hint = did_you_mean(function, names);
                reading.problem("unknown", format!("this is no measure: there are {all}{hint}"));
                None
            }
        },
    }
}

fn percentiles<'a>(argument: &'a RawValue, reading: &mut Reading<'a>) -> Option<MeasureForm> {
    let mut object = reading.object(argument)?;
    let property = object.required("property");
    let mut spellings: Vec<&str> = Vec::new();
    let mut is_list = !object.has("at");
    let at = object.optional_with("at", |raw, reading| {
        let at = reading.each(raw, MAX_PERCENTILES, |raw, reading| {
            let spelling = raw.get();
            let percentage = spelling.parse::<f64>().ok().filter(|percentage| (0.0..=100.0).contains(percentage));
            if percentage.is_none() {
                reading.problem("invalid", "a number from 0 to 100 is expected");
            } else if spellings.contains(&spelling) {
                reading.problem("duplicate", format!("`{spelling}` is given more than once"));
            }
            spellings.push(spelling);
            Some((spelling.to_owned(), percentage?))
        });
        is_list = at.is_some();
        at
    });
    if is_list && spellings.is_empty() {
        object.problem_at("at", "required", "`at` is required: percentages, such as `[50, 95]`");
    }
    object.finish();
    // What is wrong with the percentages has been told; the property is to be looked at.
    Some(MeasureForm::Percentiles(property?, at.unwrap_or_default()))
}

impl OrderText {
    fn read<'a>(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
        let pointer = reading.pointer();
        let mut object = reading.object(raw)?;
        let order = match (object.has("measure"), object.has("key")) {
            (true, false) => {
                let measure = object.required("measure");
                let is_descending = object.choice("direction", DIRECTIONS).unwrap_or(false);
                measure.map(|measure| Self { pointer, measure: Some(measure), is_descending })
            }
            (false, true) => {
                object.choice("key", DIRECTIONS).map(|is_descending| Self { pointer, measure: None, is_descending })
            }
            _ => {
                let message = "an order is `{\"measure\": name, \"direction\": …}` or `{\"key\": \"asc\"}`";
                object.reading().problem("invalid", message);
                return None;
            }
        };
        object.finish();
        order
    }
}
