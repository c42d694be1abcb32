//! The inputs of a batch: each read for itself, so that one which is wrong stops no other, unless it is all or nothing.

use engine::model::json::ObjectReader;
use engine::model::{Problem, Problems};
use serde_json::value::RawValue;

use crate::error::ApiResult;
use crate::extract::json::{FromJson, Reading};

/// Most problems that are told of one input. A body of megabytes could have a million in all.
const MOST_PROBLEMS: usize = 100;

/// An input, or what is wrong with it, at its place in the input.
pub(super) type Read<T> = Result<T, Problems>;

/// Reads the inputs of a batch.
pub(super) fn read<'a, T: FromJson<'a>>(object: &mut ObjectReader<'a, '_>, most: usize) -> Option<Vec<Read<T>>> {
    if !object.has("inputs") {
        object.problem_at("inputs", "required", "`inputs` is required");
    }
    let elements = object.optional_with("inputs", |raw, reading| reading.elements(raw, most))?;
    Some(elements.into_iter().map(one).collect())
}

fn one<'a, T: FromJson<'a>>(raw: &'a RawValue) -> Read<T> {
    let mut reading = Reading::default();
    let value = reading.value(raw);
    let mut problems = reading.into_problems();
    problems.truncate(MOST_PROBLEMS);
    value.filter(|_| problems.is_empty()).ok_or(problems)
}

/// Refuses the whole batch for what is wrong with it, and where it is all or nothing with any of its inputs.
pub(super) fn check<T>(inputs: &[Read<T>], is_atomic: bool, mut problems: Problems) -> ApiResult<()> {
    if problems.is_empty() && !is_atomic {
        return Ok(());
    }
    for (index, found) in inputs.iter().enumerate().filter_map(|(index, input)| Some((index, input.as_ref().err()?))) {
        problems.extend(found.iter().map(|problem| problem.clone().within(&format!("/inputs/{index}"))));
    }
    if problems.is_empty() { Ok(()) } else { Err(engine::Error::invalid(problems).into()) }
}

/// What inputs have come to, as far as they could be read.
#[derive(Debug)]
pub(super) struct Inputs<T> {
    pub(super) ready: Vec<T>,
    pub(super) places: Places,
}

/// What is wrong with each input that could not be read, in the place of what would have come of it.
#[derive(Debug, Clone)]
pub(super) struct Places(Vec<Option<Problems>>);

impl<T> Inputs<T> {
    pub(super) fn of(inputs: impl IntoIterator<Item = Read<T>>) -> Self {
        let (mut ready, mut places) = (Vec::new(), Vec::new());
        for input in inputs {
            match input {
                Ok(input) => {
                    ready.push(input);
                    places.push(None);
                }
                Err(problems) => places.push(Some(problems)),
            }
        }
        Self { ready, places: Places(places) }
    }
}

impl Places {
    /// The results of those that were read, with what is wrong with the others, in the order of the inputs.
    pub(super) fn fill<T>(
        &self,
        results: impl IntoIterator<Item = Result<T, engine::Error>>,
    ) -> Vec<Result<T, engine::Error>> {
        let mut results = results.into_iter();
        let result = |place: &Option<Problems>| match place {
            Some(problems) => Some(Err(engine::Error::invalid(problems.clone()))),
            None => results.next(),
        };
        self.0.iter().filter_map(result).collect()
    }
}

/// A member that every input needs.
pub(super) fn required<T>(value: Option<T>, name: &str) -> Read<T> {
    value.ok_or_else(|| vec![Problem::new(format!("/{name}"), "required", format!("`{name}` is required"))])
}
