//! Tables as they are answered: every measure in its property's own JSON type.

use engine_model::query::{Aggregate, Field, Form, Measure, Query, Row, Table};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The rows of an aggregate.
#[derive(Debug)]
pub struct AnsweredTable {
    /// The aggregate's name.
    pub name: String,
    /// In order; the rest, if any, is the last.
    pub rows: Vec<AnsweredRow>,
    /// What its keys and measures are values of.
    pub(super) fields: Vec<Field>,
}

/// One group.
#[derive(Debug)]
pub struct AnsweredRow {
    /// One for each group key, null for records without the value; `None` for the rest of the groups.
    pub key: Option<Vec<Answered>>,
    /// One for each measure, in their order.
    pub measures: Vec<(String, Answered)>,
}

/// A value of a key, or of what was computed.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answered {
    /// Null where there is no value.
    Value(Value),
    /// A number that 64 bits do not hold, with all its digits.
    Integer(Box<RawValue>),
}

/// The tables of an answer to `query`.
pub(crate) fn answered(tables: Vec<Table>, query: &Query) -> Vec<AnsweredTable> {
    let aggregates = query.scopes.first().map_or(&[][..], |scope| scope.aggregates.as_slice());
    let tables = tables.into_iter().zip(aggregates).enumerate().map(|(at, (table, aggregate))| AnsweredTable {
        name: table.name,
        rows: table.rows.into_iter().map(|row| of_row(row, aggregate)).collect(),
        fields: query.scopes.iter().filter_map(|scope| scope.aggregates.get(at)).flat_map(fields_of).collect(),
    });
    tables.collect()
}

/// What an aggregate gives values of; a count gives none.
fn fields_of(aggregate: &Aggregate) -> Vec<Field> {
    let groups = aggregate.groups.iter().filter_map(|group| group.field());
    let measures = aggregate.measures.iter().filter_map(|(_, measure)| match measure {
        Measure::Count | Measure::CountDistinct(_) => None,
        Measure::Sum(field)
        | Measure::Avg(field)
        | Measure::Min(field)
        | Measure::Max(field)
        | Measure::Percentiles(field, _) => Some(field),
    });
    groups.chain(measures).cloned().collect()
}

fn of_row(row: Row, aggregate: &Aggregate) -> AnsweredRow {
    let key = row.key.map(|key| key.into_iter().zip(&aggregate.groups));
    let measures = row.measures.into_iter().zip(&aggregate.measures);
    AnsweredRow {
        key: key.map(|key| key.map(|(value, group)| of_value(value, group.field())).collect()),
        measures: measures.map(|((name, value), (_, measure))| (name, of_value(value, summed(measure)))).collect(),
    }
}

/// What is added up, since nothing else goes beyond the numbers that there are.
fn summed(measure: &Measure) -> Option<&Field> {
    match measure {
        Measure::Sum(field) => Some(field),
        Measure::Count
        | Measure::CountDistinct(_)
        | Measure::Avg(_)
        | Measure::Min(_)
        | Measure::Max(_)
        | Measure::Percentiles(..) => None,
    }
}

/// An integer that 64 bits do not hold comes as its digits.
fn of_value(value: Value, field: Option<&Field>) -> Answered {
    match &value {
        Value::String(digits) if field.is_some_and(|field| field.form == Form::Integer) => {
            serde_json::from_str(digits).map_or(Answered::Value(value), Answered::Integer)
        }
        _ => Answered::Value(value),
    }
}

#[cfg(test)]
mod tests {
    use engine_model::Name;
    use engine_model::property::Storage;

    use super::*;

    fn field(form: Form) -> Field {
        let name = Name::new("a").expect("a name");
        Field { object: name.clone(), name, since: 0, storage: Storage::Scaled(0), form, options: [].into() }
    }

    #[test]
    fn an_integer_beyond_64_bits_is_a_number_with_all_its_digits() {
        let written = |form: Form, units: i128| {
            let answered = of_value(form.number(units), Some(&field(form)));
            serde_json::to_string(&answered).expect("JSON")
        };
        let most = i128::from(i64::MAX);
        assert_eq!(written(Form::Integer, most), "9223372036854775807");
        assert_eq!(written(Form::Integer, most * 2), "18446744073709551614");
        assert_eq!(written(Form::Integer, most * 30_000), "276701161105643274210000");
        assert_eq!(written(Form::Integer, -most * 3), "-27670116110564327421");
        let money = Form::Decimal { scale: 2, is_padded: true };
        assert_eq!(written(money, most * 2), "\"184467440737095516.14\"");
    }
}
