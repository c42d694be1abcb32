//! What steps do to what is stored: records that would no longer be seen or be written anew, and records that stand in
//! the way.

use engine_model::migration::Migration;
use engine_model::property::{Locale, Property, Storage, normalize_value};
use engine_model::query::ast::{AssociationText, FilterForm, FilterText, PropertyText, QuantifierText};
use engine_model::query::{Direction, QueryText};
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Problems};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::difference::{Action, Effect, Step, Subject};
use crate::error::{Error, Result};
use crate::session::Session;

/// Records that a step names.
const SAMPLES: usize = 5;

impl Session {
    /// Tells of each step what it does to records if all stored ones go along, and what users have saved that feels it.
    pub(super) async fn tell_effects(&mut self, steps: &mut [Step], next: &Registry) -> Result<()> {
        // Where there never was a record, none is touched, and no index has to be opened to say so.
        if self.reader().await?.head().await?.last_record_id > 0 {
            self.count_hidden(steps).await?;
            self.count_written(steps, next).await?;
        }
        self.add_saved_uses(steps).await
    }

    /// Tells of each step that takes something away how many records that concerns, and names some.
    async fn count_hidden(&mut self, steps: &mut [Step]) -> Result<()> {
        for step in steps.iter_mut().filter(|step| step.destructive) {
            let Some((object, form)) = question(&step.subject, &self.catalog.effective.registry)? else { continue };
            self.count_those(step, &object, form, Effect::Hidden).await?;
        }
        Ok(())
    }

    /// Tells of each step that brings values into another form, or has them computed, how many records a job writes.
    async fn count_written(&mut self, steps: &mut [Step], next: &Registry) -> Result<()> {
        for step in steps.iter_mut().filter(|step| !step.destructive) {
            let Subject::Property(object, name) = step.subject.clone() else { continue };
            let Some(property) = next.objects.get(&object).and_then(|object| object.properties.get(&name)) else {
                continue;
            };
            // What a migration comes with is the version after this one.
            let migration = property.migrated.as_ref().filter(|found| found.version > self.catalog.version);
            let Some(migration) = migration else {
                if step.says_how_else_it_is_computed() {
                    self.count_those(step, &object, None, Effect::Computed).await?;
                }
                continue;
            };
            let old = migration.renamed_from().unwrap_or(&name);
            let before = self.catalog.effective.registry.objects.get(&object);
            let before = before.and_then(|object| object.properties.get(old)).filter(|before| !before.archived);
            let before = before.filter(|before| before.kind.operators().contains(&"exists"));
            let form = before.map(|before| rewritten(before, property, migration)).transpose()?;
            self.count_those(step, &object, form, Effect::Rewritten).await?;
        }
        Ok(())
    }

    /// Has the step say how many records of the object meet a condition, and names some.
    async fn count_those(
        &mut self,
        step: &mut Step,
        object: &Name,
        form: Option<FilterForm>,
        effect: Effect,
    ) -> Result<()> {
        // What is switched off, or comes with the plan, is not searched.
        if self.catalog.object(object).is_err() {
            return Ok(());
        }
        let filter = form.map(|form| FilterText { pointer: String::new(), form });
        let text = QueryText { filter, limit: SAMPLES, count: true, ..QueryText::default() };
        let found = self.record_search(object, &text, Problems::new()).await?;
        let records = found.total.unwrap_or_default();
        step.records = Some(records);
        step.effect = (records > 0).then_some(effect);
        step.samples = found.results.iter().map(|found| found.record.id.to_string()).collect();
        Ok(())
    }

    /// Tells of each property that goes, or gets another type, what users have saved that names it.
    async fn add_saved_uses(&self, steps: &mut [Step]) -> Result<()> {
        let is_felt = |step: &&mut Step| matches!(step.subject, Subject::Property(..)) && step.is_felt();
        let mut felt = steps.iter_mut().filter(is_felt).peekable();
        if felt.peek().is_none() {
            return Ok(());
        }
        let saved = self.saved_uses().await?;
        for step in felt {
            if let Subject::Property(object, property) = &step.subject {
                step.uses.extend(saved.of(object, property));
            }
        }
        Ok(())
    }
}

/// Which records a subject concerns: the object's name and what they meet.
fn question(subject: &Subject, registry: &Registry) -> Result<Option<(Name, Option<FilterForm>)>> {
    Ok(match subject {
        Subject::Object(object) => Some((object.clone(), None)),
        Subject::Property(object, name) => {
            let is_searched = registry.objects.get(object).and_then(|object| object.properties.get(name));
            let is_searched = is_searched.is_some_and(|property| property.kind.operators().contains(&"exists"));
            is_searched.then(|| (object.clone(), Some(property_form(name, "exists", None))))
        }
        Subject::Association(name) => registry.associations.get(name).map(|association| {
            let form = AssociationText {
                association: name.to_string(),
                direction: Some(Direction::Out),
                quantifier: QuantifierText::Any,
                matches: None,
            };
            (association.from.clone(), Some(FilterForm::Association(form)))
        }),
        Subject::Pipeline(object, name) => {
            let value = to_raw_value(&json!(name)).map_err(Error::internal)?;
            Some((object.clone(), Some(property_form("pipeline", "eq", Some(value)))))
        }
        Subject::Other => None,
    })
}

/// What records meet whose values a migration writes anew.
fn rewritten(before: &Property, after: &Property, migration: &Migration) -> Result<FilterForm> {
    let filled = property_form(&before.name, "exists", None);
    if migration.fills_in() {
        return Ok(FilterForm::Not(Box::new(FilterText { pointer: String::new(), form: filled })));
    }
    let op = match before.kind.storage() {
        Storage::Text | Storage::Option => "in",
        Storage::TextList => "has_any",
        _ => return Ok(filled),
    };
    // A map leaves the values that it does not name as they are, unless they become those of another type.
    let Some(keys) = migration.mapped().filter(|_| before.kind.name() == after.kind.name()) else { return Ok(filled) };
    let is_value = |key: &&str| {
        let value = if op == "in" { json!(key) } else { json!([key]) };
        normalize_value(before.kind.as_ref(), &value, &Locale::default()).is_ok()
    };
    let keys: Vec<&str> = keys.filter(is_value).collect();
    if keys.is_empty() {
        return Ok(filled);
    }
    let value = to_raw_value(&keys).map_err(Error::internal)?;
    Ok(property_form(&before.name, op, Some(value)))
}

fn property_form(name: &str, op: &str, value: Option<Box<RawValue>>) -> FilterForm {
    FilterForm::Property(PropertyText { property: name.to_owned(), op: Some(op.to_owned()), value })
}

/// Tells the steps which records stand in their way.
pub(super) fn attach(found: Problems, steps: &mut Vec<Step>) {
    for problem in found {
        let Some(at) = step_of(&problem, steps) else {
            steps.push(in_the_way(&problem));
            continue;
        };
        let step = &mut steps[at];
        if step.effect != Some(Effect::InTheWay) {
            // What they would become matters once they can.
            (step.effect, step.records) = (Some(Effect::InTheWay), Some(0));
            step.samples.clear();
        }
        step.records = Some(step.records.unwrap_or_default() + records(&problem));
        step.samples.extend(problem.samples.into_iter().take(SAMPLES.saturating_sub(step.samples.len())));
    }
}

/// The step that a problem stands in the way of: that of the property it is about, or of the object.
fn step_of(problem: &Problem, steps: &[Step]) -> Option<usize> {
    // Names need no escapes.
    let segments: Vec<&str> = problem.pointer.split('/').skip(1).collect();
    let find = |is_it: &dyn Fn(&Subject) -> bool| steps.iter().position(|step| is_it(&step.subject));
    let of_object = |name: &str| find(&|subject| matches!(subject, Subject::Object(object) if object.as_str() == name));
    match segments.as_slice() {
        ["objects" | "extend", name, "properties", property, ..] => {
            let is_it = |subject: &Subject| matches!(subject, Subject::Property(object, found) if object.as_str() == *name && found.as_str() == *property);
            find(&is_it).or_else(|| of_object(name))
        }
        ["objects" | "extend", name, ..] => of_object(name),
        ["associations", name, ..] => {
            find(&|subject| matches!(subject, Subject::Association(found) if found.as_str() == *name))
        }
        ["pipelines", name, ..] => {
            find(&|subject| matches!(subject, Subject::Pipeline(_, found) if found.as_str() == *name))
        }
        _ => None,
    }
}

fn records(problem: &Problem) -> u64 {
    problem.count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default()
}

/// A step of its own for what stands in the way of none that there is: a rule that is new.
fn in_the_way(problem: &Problem) -> Step {
    Step {
        action: Action::Change,
        kind: "constraint",
        name: problem.pointer.trim_start_matches('/').replace('/', "."),
        before: Value::Null,
        after: json!(problem.message),
        destructive: false,
        records: Some(records(problem)),
        samples: problem.samples.iter().take(SAMPLES).cloned().collect(),
        effect: Some(Effect::InTheWay),
        uses: Vec::new(),
        subject: Subject::Other,
    }
}
