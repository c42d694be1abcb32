//! The columns of a file: what each is called, and of which type its values are.

use engine_model::object::ObjectDefinition;
use engine_model::property::{Property, PropertyKind, Storage};
use engine_model::query::{Aggregate, Every, Form, Group, Measure};

/// Digits of a decimal property's values.
const DIGITS: u32 = 18;

/// Digits of what is added up.
const SUM_DIGITS: u32 = 38;

/// Digits after the point of a mean, which has at least so many.
const MEAN_SCALE: u32 = 10;

/// Fields that every record has and a file may, with the types of their values.
const SYSTEM: [(&str, Type); 11] = [
    (ID, Type::Id),
    ("uid", Type::Text),
    ("display_name", Type::Text),
    ("owner_id", Type::Id),
    ("team_id", Type::Id),
    ("version", Type::Integer),
    ("created_at", Type::Datetime),
    ("created_by", Type::Id),
    ("updated_at", Type::Datetime),
    ("updated_by", Type::Id),
    ("archived_at", Type::Datetime),
];

/// The first column of every file of records.
pub(super) const ID: &str = "id";

/// Marks the row that has the rest of a report's groups.
pub(super) const OTHER: &str = "other";

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// The property or the field; of a report the group or the measure.
    pub(super) name: String,
    /// What it is headed by.
    pub(super) heading: String,
    /// Of which type its values are.
    pub(super) kind: Type,
    /// It is a field that every record has.
    pub(super) is_system: bool,
}

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    /// A number that names something, a string in JSON.
    Id,
    Integer,
    Decimal {
        digits: u32,
        scale: u32,
        /// All digits after the point are always written.
        is_padded: bool,
    },
    Boolean,
    Date,
    Datetime,
    List,
    Geo,
    Json,
}

impl Type {
    fn of_kind(kind: &dyn PropertyKind) -> Self {
        match kind.storage() {
            Storage::TextList => Self::List,
            Storage::Opaque if kind.name() == "geo" => Self::Geo,
            Storage::Opaque if kind.name() == "json" => Self::Json,
            Storage::Text
            | Storage::LongText
            | Storage::Option
            | Storage::Scaled(_)
            | Storage::Boolean
            | Storage::Date
            | Storage::Datetime
            | Storage::Opaque => Self::of_form(kind.form(), DIGITS),
        }
    }

    fn of_form(form: Form, digits: u32) -> Self {
        match form {
            Form::Text => Self::Text,
            Form::Boolean => Self::Boolean,
            Form::Integer => Self::Integer,
            Form::Decimal { scale, is_padded } => Self::Decimal { digits, scale, is_padded },
            Form::Date => Self::Date,
            Form::Datetime => Self::Datetime,
        }
    }

    fn of_group(group: &Group) -> Self {
        match group {
            Group::Value(field) | Group::Bucket { field, .. } => Self::of_form(field.form, DIGITS),
            Group::Calendar { .. } => Self::Date,
            Group::Object => Self::Text,
        }
    }

    fn of_measure(measure: &Measure) -> Self {
        match measure {
            Measure::Count | Measure::CountDistinct(_) => Self::Integer,
            Measure::Sum(field) => match Self::of_form(field.form, SUM_DIGITS) {
                // More than one integer may be more than one integer holds.
                Self::Integer => Self::Decimal { digits: SUM_DIGITS, scale: 0, is_padded: false },
                kind => kind,
            },
            Measure::Avg(field) => {
                let scale = match field.form {
                    Form::Decimal { scale, .. } => scale.max(MEAN_SCALE),
                    Form::Text | Form::Boolean | Form::Integer | Form::Date | Form::Datetime => MEAN_SCALE,
                };
                Self::Decimal { digits: SUM_DIGITS, scale, is_padded: false }
            }
            Measure::Min(field) | Measure::Max(field) => Self::of_form(field.form, DIGITS),
            Measure::Percentiles(..) => Self::Json,
        }
    }
}

impl Column {
    /// A field that every record has; none of another name.
    pub(super) fn system(name: &str) -> Option<Self> {
        let (name, kind) = SYSTEM.into_iter().find(|(known, _)| *known == name)?;
        Some(Self { name: name.to_owned(), heading: name.to_owned(), kind, is_system: true })
    }

    /// Names of those fields.
    pub(super) fn system_names<'a>() -> impl Iterator<Item = &'a str> {
        SYSTEM.into_iter().map(|(name, _)| name)
    }

    pub(super) fn of_property(property: &Property) -> Self {
        let name = property.name.to_string();
        Self { heading: name.clone(), name, kind: Type::of_kind(property.kind.as_ref()), is_system: false }
    }

    fn of_report(name: String, kind: Type) -> Self {
        Self { heading: name.clone(), name, kind, is_system: false }
    }

    /// What people read instead of the name.
    pub(super) fn labelled(mut self, object: &ObjectDefinition) -> Self {
        if let Some(property) = object.property(&self.name) {
            self.heading = property.label.clone();
        }
        self
    }
}

/// The columns of a table: its groups, then its measures. Two groups of one property are told apart.
pub(super) fn of_table(aggregate: &Aggregate) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::with_capacity(aggregate.groups.len() + aggregate.measures.len());
    let measures: Vec<&str> = aggregate.measures.iter().map(|(name, _)| name.as_str()).collect();
    for group in &aggregate.groups {
        let name = group.field().map_or("object", |field| field.name.as_str());
        let is_taken = |name: &str, columns: &[Column]| {
            measures.contains(&name) || columns.iter().any(|column: &Column| column.name == name)
        };
        let mut chosen = name.to_owned();
        if is_taken(&chosen, &columns) {
            chosen = format!("{name}_{}", steps(group));
        }
        let mut number = 2;
        while is_taken(&chosen, &columns) {
            chosen = format!("{name}_{number}");
            number += 1;
        }
        columns.push(Column::of_report(chosen, Type::of_group(group)));
    }
    let of_measure = |(name, measure): &(String, Measure)| Column::of_report(name.clone(), Type::of_measure(measure));
    columns.extend(aggregate.measures.iter().map(of_measure));
    columns
}

/// The column that marks the rest of the groups, where some were cut.
pub(super) fn of_rest(columns: &[Column]) -> Column {
    let mut name = OTHER.to_owned();
    while columns.iter().any(|column| column.name == name) {
        name.push('_');
    }
    Column::of_report(name, Type::Boolean)
}

fn steps(group: &Group) -> &'static str {
    match group {
        Group::Calendar { every: Every::Day, .. } => "day",
        Group::Calendar { every: Every::Week, .. } => "week",
        Group::Calendar { every: Every::Month, .. } => "month",
        Group::Calendar { every: Every::Quarter, .. } => "quarter",
        Group::Calendar { every: Every::Year, .. } => "year",
        Group::Bucket { .. } => "from",
        Group::Value(_) | Group::Object => "group",
    }
}
