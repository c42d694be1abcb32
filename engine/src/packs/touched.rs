//! What steps do to what is stored: records that would no longer be seen, and records that stand in the way.

use engine_model::query::QueryText;
use engine_model::query::ast::{AssociationText, FilterForm, FilterText, PropertyText, QuantifierText};
use engine_model::registry::Registry;
use engine_model::{Name, Problem, Problems};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::difference::{Action, Step, Subject};
use crate::error::{Error, Result};
use crate::session::Session;

/// Records that a step names.
const SAMPLES: usize = 5;

impl Session {
    /// Tells of each step that takes something away how many records that concerns, and names some.
    pub(super) async fn count_touched(&mut self, steps: &mut [Step]) -> Result<()> {
        // Where there never was a record, none is touched, and no index has to be opened to say so.
        if self.reader().await?.head().await?.last_record_id == 0 {
            return Ok(());
        }
        for step in steps.iter_mut().filter(|step| step.destructive) {
            let Some((object, form)) = question(&step.subject, &self.catalog.effective.registry)? else { continue };
            // What is switched off is not searched.
            if self.catalog.object(&object).is_err() {
                continue;
            }
            let filter = form.map(|form| FilterText { pointer: String::new(), form });
            let text = QueryText { filter, limit: SAMPLES, count: true, ..QueryText::default() };
            let found = self.record_search(&object, &text, Problems::new()).await?;
            step.records = found.total.unwrap_or_default();
            step.samples = found.results.iter().map(|found| found.record.id.to_string()).collect();
        }
        Ok(())
    }

    /// Tells of each property that goes, or gets another type, what users have saved that names it.
    pub(super) async fn add_saved_uses(&self, steps: &mut [Step]) -> Result<()> {
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
    let property = |name: &str, op: &str, value| {
        FilterForm::Property(PropertyText { property: name.to_owned(), op: Some(op.to_owned()), value })
    };
    Ok(match subject {
        Subject::Object(object) => Some((object.clone(), None)),
        Subject::Property(object, name) => {
            let is_searched = registry.objects.get(object).and_then(|object| object.properties.get(name));
            let is_searched = is_searched.is_some_and(|property| property.kind.operators().contains(&"exists"));
            is_searched.then(|| (object.clone(), Some(property(name, "exists", None))))
        }
        Subject::Association(name) => registry.associations.get(name).map(|association| {
            let form = AssociationText {
                association: name.to_string(),
                direction: None,
                quantifier: QuantifierText::Any,
                matches: None,
            };
            (association.from.clone(), Some(FilterForm::Association(form)))
        }),
        Subject::Pipeline(object, name) => {
            let value = to_raw_value(&json!(name)).map_err(Error::internal)?;
            Some((object.clone(), Some(property("pipeline", "eq", Some(value)))))
        }
        Subject::Other => None,
    })
}

/// Tells the steps which records stand in their way.
pub(super) fn attach(found: Problems, steps: &mut Vec<Step>) {
    for problem in found {
        let Some(at) = step_of(&problem, steps) else {
            steps.push(in_the_way(&problem));
            continue;
        };
        let step = &mut steps[at];
        step.takes_job = true;
        step.records += records(&problem);
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
        records: records(problem),
        samples: problem.samples.iter().take(SAMPLES).cloned().collect(),
        takes_job: true,
        uses: Vec::new(),
        subject: Subject::Other,
    }
}
