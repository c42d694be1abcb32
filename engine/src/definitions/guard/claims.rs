//! Claims that stored records make under a constraint which is about to be added.

use engine_model::object::{Constraint as Rule, ObjectDefinition};
use engine_model::{Name, Problem, Properties};
use engine_store::Tx;
use engine_store::claim::{self, Constraint, Form, Occupied, Rivals};
use engine_store::record;

use super::check::{Finding, records};
use super::{Stored, stored};
use crate::error::Result;
use crate::records::{intervals, unique_text};

/// Records whose claims are tried again before they count as in the way: until then the record that was faster may have
/// changed.
const MOST_PENDING: usize = 1_000;

/// The claims of one constraint.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) constraint: Constraint,
    /// Where in the definitions the constraint stands.
    pub(crate) pointer: String,
    finding: Finding,
    pending: Vec<i64>,
}

impl Claim {
    pub(crate) fn new(form: Form, object: &ObjectDefinition, properties: String, pointer: String) -> Self {
        let constraint = Constraint { form, object: object.name.to_string(), properties };
        Self { constraint, pointer, finding: Finding::default(), pending: Vec::new() }
    }

    /// Claims for active records of `object`, which is defined as it shall be; those in conflict wait.
    pub(crate) async fn take(
        &mut self,
        tx: &mut Tx,
        object: &ObjectDefinition,
        records: &[Stored],
        rivals: Rivals,
    ) -> Result<()> {
        for record in self.conflicts(tx, object, records, rivals).await? {
            self.finding.add(record);
            if self.pending.len() < MOST_PENDING {
                self.pending.push(record);
            }
        }
        Ok(())
    }

    async fn conflicts(
        &self,
        tx: &mut Tx,
        object: &ObjectDefinition,
        records: &[Stored],
        rivals: Rivals,
    ) -> Result<Vec<i64>> {
        let active = records.iter().filter(|record| !record.is_archived);
        match self.constraint.form {
            Form::Value => {
                let value = |record: &Stored| Some((self.value(object, &record.properties)?, record.id));
                let values: Vec<(String, i64)> = active.filter_map(value).collect();
                let taken = claim::take_values(tx, &self.constraint, &values).await?;
                Ok(values.into_iter().map(|(_, id)| id).filter(|id| !taken.contains(id)).collect())
            }
            Form::Interval => {
                let occupied: Vec<Occupied> = active.filter_map(|record| self.interval(object, record)).collect();
                Ok(claim::take_intervals(tx, &self.constraint, &occupied, rivals).await?)
            }
        }
    }

    fn value(&self, object: &ObjectDefinition, properties: &Properties) -> Option<String> {
        let names: Vec<&str> = self.constraint.properties.split(',').collect();
        let set: Option<Vec<_>> = names.iter().map(|name| object.property(name)).collect();
        unique_text(&set?, properties)
    }

    fn interval(&self, object: &ObjectDefinition, record: &Stored) -> Option<Occupied> {
        let found = intervals(object, &record.properties).into_iter();
        let mut own = found.filter(|interval| interval.properties == self.constraint.properties);
        // An interval that ends before it begins is in the way by itself.
        let interval = own.next().filter(|interval| interval.starts_at < interval.ends_at)?;
        let (within, starts_at, ends_at) = (interval.within, interval.starts_at, interval.ends_at);
        Some(Occupied { within, starts_at, ends_at, record: record.id })
    }

    /// Forgets what these records have claimed.
    pub(crate) async fn free(&self, tx: &mut Tx, records: Vec<i64>) -> Result<()> {
        Ok(claim::free(tx, &self.constraint, records).await?)
    }

    /// Tries those that were in conflict once more; from here on they are in the way.
    pub(crate) async fn resolve(&mut self, tx: &mut Tx, object: &ObjectDefinition) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.finding = Finding::default();
        if pending.is_empty() {
            return Ok(());
        }
        self.free(tx, pending.clone()).await?;
        let records = stored(object, record::many(tx.reader(), pending).await?)?;
        for record in self.conflicts(tx, object, &records, Rivals::All).await? {
            self.finding.add(record);
        }
        Ok(())
    }

    /// More records wait than are tried again.
    pub(crate) fn is_hopeless(&self) -> bool {
        usize::try_from(self.finding.count).is_ok_and(|count| count > self.pending.len())
    }

    pub(crate) fn problem(&self) -> Option<Problem> {
        let subject = records(self.finding.count);
        let names = self.constraint.properties.replace(',', "`, `");
        let message = match self.constraint.form {
            Form::Value => {
                format!("{subject} with a value of `{names}` that another record has too; change those values first")
            }
            Form::Interval => format!("{subject} with an interval that overlaps another's; change them first"),
        };
        self.finding.problem(&self.pointer, message)
    }
}

/// What becomes of an object's constraints whose claims are stored: those to gather, and those to give back.
pub(crate) fn of_objects(
    before: &ObjectDefinition,
    after: &ObjectDefinition,
    at: &str,
) -> (Vec<Claim>, Vec<Constraint>) {
    let (old, new) = (claimed(before), claimed(after));
    // A property that did not exist has no values, so nothing can be in the way.
    let is_migrated = |name: &str| after.properties.get(name).is_some_and(|property| property.migrated.is_some());
    let has_values =
        |names: &str| names.split(',').all(|name| before.properties.contains_key(name) || is_migrated(name));
    let mut added: Vec<Claim> = Vec::new();
    for (form, names) in new.iter().filter(|constraint| !old.contains(constraint)) {
        let decisive = match form {
            Form::Value => names.as_str(),
            // Without an end an interval is open.
            Form::Interval => names.rsplit_once(',').map_or(names.as_str(), |(within_and_from, _)| within_and_from),
        };
        let is_known =
            added.iter().any(|claim| claim.constraint.form == *form && claim.constraint.properties == *names);
        if has_values(decisive) && !is_known {
            added.push(Claim::new(*form, after, names.clone(), pointer(after, *form, names, at)));
        }
    }
    let gone = old.into_iter().filter(|constraint| !new.contains(constraint)).map(|(form, properties)| Constraint {
        form,
        object: after.name.to_string(),
        properties,
    });
    (added, gone.collect())
}

fn claimed(object: &ObjectDefinition) -> Vec<(Form, String)> {
    let names = |set: Vec<&engine_model::property::Property>| -> Vec<Name> {
        set.into_iter().map(|property| property.name.clone()).collect()
    };
    let values = object.unique_sets().map(|set| (Form::Value, Rule::claim_name(&names(set))));
    values.chain(object.constraints.iter().filter_map(|rule| Some((Form::Interval, interval_name(rule)?)))).collect()
}

/// The name under which a constraint's intervals are claimed.
pub(crate) fn interval_name(rule: &Rule) -> Option<String> {
    match rule {
        Rule::NoOverlap { within, from, to } => Some(Rule::claim_name(&[within.clone(), from.clone(), to.clone()])),
        Rule::Unique { .. } | Rule::Rule { .. } | Rule::Reserved(_) => None,
    }
}

fn pointer(object: &ObjectDefinition, form: Form, names: &str, at: &str) -> String {
    if form == Form::Value && object.property(names).is_some_and(|property| property.unique) {
        return format!("{at}/properties/{names}/unique");
    }
    let index = object.constraints.iter().position(|rule| match rule {
        Rule::Unique { properties } => form == Form::Value && Rule::claim_name(properties) == names,
        Rule::NoOverlap { .. } => form == Form::Interval && interval_name(rule).as_deref() == Some(names),
        Rule::Rule { .. } | Rule::Reserved(_) => false,
    });
    index.map_or_else(|| at.to_owned(), |index| format!("{at}/constraints/{index}"))
}
