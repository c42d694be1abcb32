//! Sums of money, each currency for itself: which are asked for, how the index groups them, and what it answers.

use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_model::property::{Currency, Property};
use engine_model::query::ast::{AggregateText, GroupText, GroupingText, MeasureForm, MeasureText};
use engine_model::query::resolve::MAX_ROWS;
use engine_model::query::{Form, Table};
use engine_model::{Name, Problem, Problems};
use indexmap::IndexMap;
use serde_json::Value;

use super::amount::Amount;
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};

/// Measures of one table; one more counts.
const AT_ONCE: usize = 18;

/// Sums by property and currency, in the order of the object's properties.
pub(super) type SumsOf = IndexMap<String, IndexMap<String, Amount>>;

/// Which amounts are added up, and where their currencies stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    tables: Vec<Tabled>,
    /// Every property that is asked for.
    names: Vec<Name>,
}

/// Amounts that one table adds up.
#[derive(Debug, Clone)]
struct Tabled {
    /// The property that has the currency of each.
    by: Option<Name>,
    amounts: Vec<Summed>,
}

#[derive(Debug, Clone)]
struct Summed {
    name: Name,
    scale: u32,
    /// The currency of all records; none where it varies.
    currency: Option<String>,
}

impl Sums {
    /// Every property that is added up.
    pub(super) fn names(&self) -> &[Name] {
        &self.names
    }

    /// The amounts that are named at `/pointer`, or all that the object has. A name that stands for nothing is left for
    /// the query to tell; what may not be seen is not among all.
    pub(super) fn of(
        object: &ObjectDefinition,
        wanted: Option<&[String]>,
        may_see: impl Fn(&Property) -> bool,
        pointer: &str,
        problems: &mut Problems,
    ) -> Self {
        let mut sums = Self::default();
        let is_seen = |name: &Name| object.property(name).is_none_or(&may_see);
        match wanted {
            None => {
                let all = object.properties.values().filter(|property| !property.archived && is_money(property));
                let seen = all.filter(|property| may_see(property)).filter(|property| match property.kind.currency() {
                    Some(Currency::Property(by)) => is_seen(by),
                    Some(Currency::Code(_)) | None => true,
                });
                seen.for_each(|property| sums.add(property));
            }
            Some(names) => {
                for name in names {
                    match object.property_called(name).filter(|property| may_see(property)) {
                        Some(property) if is_money(property) => sums.add(property),
                        Some(property) => {
                            let kind = property.kind.name();
                            let message = format!("`{name}` is of type `{kind}`; only `money` is added up here");
                            problems.push(Problem::new(pointer, "not_applicable", message));
                        }
                        None => {
                            let known = object.properties.values().filter(|one| !one.archived && may_see(one));
                            let hint = did_you_mean(name, known.map(|one| one.name.as_str()));
                            let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
                            problems.push(Problem::new(pointer, "unknown_property", message));
                        }
                    }
                }
            }
        }
        sums
    }

    fn add(&mut self, property: &Property) {
        if self.names.contains(&property.name) {
            return;
        }
        self.names.push(property.name.clone());
        let (by, currency) = match property.kind.currency() {
            Some(Currency::Property(by)) => (Some(by.clone()), None),
            Some(Currency::Code(code)) => (None, Some((*code).to_owned())),
            None => (None, None),
        };
        let scale = match property.kind.form() {
            Form::Decimal { scale, .. } => scale,
            Form::Text | Form::Boolean | Form::Integer | Form::Date | Form::Datetime => 0,
        };
        let summed = Summed { name: property.name.clone(), scale, currency };
        match self.tables.iter_mut().find(|table| table.by == by && table.amounts.len() < AT_ONCE) {
            Some(table) => table.amounts.push(summed),
            None => self.tables.push(Tabled { by, amounts: vec![summed] }),
        }
    }

    /// The tables to ask for, of groups of these; each also counts its records.
    pub(super) fn aggregates(&self, groups: &[GroupingText], pointer: &str) -> Vec<AggregateText> {
        let at = |grouping: GroupingText| GroupText { pointer: pointer.to_owned(), grouping };
        let measure = |name: String, form| MeasureText { pointer: pointer.to_owned(), name, form };
        let tables = self.tables.iter().enumerate().map(|(index, table)| {
            let by = table.by.iter().map(|by| GroupingText::Property(by.to_string()));
            let sums = table.amounts.iter().enumerate();
            let sums =
                sums.map(|(index, amount)| measure(format!("m{index}"), MeasureForm::Sum(amount.name.to_string())));
            AggregateText {
                pointer: pointer.to_owned(),
                name: format!("t{index}"),
                groups: groups.iter().cloned().chain(by).map(at).collect(),
                measures: std::iter::once(measure("n".to_owned(), MeasureForm::Count)).chain(sums).collect(),
                limit: Some(MAX_ROWS),
                order: Vec::new(),
            }
        });
        tables.collect()
    }

    /// Calls `take` with each sum that the tables have: the keys of its group, property, currency, amount where there is
    /// one, and how many records of the group have that currency.
    pub(super) fn read(
        &self,
        tables: &[Table],
        currency_unless_said: &str,
        mut take: impl FnMut(&[Value], &str, &str, Option<Amount>, u64),
    ) -> Result<()> {
        for (tabled, table) in self.tables.iter().zip(tables) {
            for row in &table.rows {
                let Some(key) = &row.key else { return Err(too_many()) };
                let (by, key) = match tabled.by.is_some() {
                    true => key.split_last().map(|(by, key)| (by.as_str(), key)).unwrap_or_default(),
                    false => (None, key.as_slice()),
                };
                let mut measures = row.measures.iter().map(|(_, value)| value);
                let records = measures.next().and_then(Value::as_u64).unwrap_or_default();
                for (summed, value) in tabled.amounts.iter().zip(measures) {
                    let currency = summed.currency.as_deref().or(by).unwrap_or(currency_unless_said);
                    let amount = value.as_str().and_then(|text| Amount::read(text, summed.scale));
                    take(key, &summed.name, currency, amount, records);
                }
            }
        }
        Ok(())
    }

    /// The digits after the point of the first amount.
    pub(super) fn scale(&self) -> u32 {
        self.tables.first().and_then(|table| table.amounts.first()).map_or(0, |amount| amount.scale)
    }

    /// A sum of nothing for each property.
    pub(super) fn nothing(&self) -> SumsOf {
        self.names.iter().map(|name| (name.to_string(), IndexMap::new())).collect()
    }
}

/// Adds an amount to those of a property in its currency.
pub(super) fn add(sums: &mut SumsOf, property: &str, currency: &str, amount: Amount) {
    let of_property = sums.entry(property.to_owned()).or_default();
    let sum = of_property.entry(currency.to_owned()).or_insert_with(|| Amount::zero(amount.scale()));
    *sum = sum.plus(amount);
    of_property.sort_keys();
}

pub(super) fn is_money(property: &Property) -> bool {
    property.kind.name() == "money"
}

pub(super) fn too_many() -> Error {
    let message = format!("this would be more than {MAX_ROWS} groups; narrow it by a filter or a shorter time");
    Error::invalid_at("/filter", "too_costly", message)
}
