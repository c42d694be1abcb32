//! Failures of an atomic list: one error for everything that is wrong, each problem with its operation's place.

use engine_model::Problem;
use engine_store::commit::Refusal;

use super::execute::Mode;
use super::ready::Ready;
use super::refusal::{Onlooker, explain};
use crate::error::{Error, ErrorCode};

fn place(mode: Mode, index: usize) -> String {
    match mode {
        Mode::Atomic(path) => format!("/{path}/{index}"),
        Mode::Single | Mode::Each => String::new(),
    }
}

/// One error for everything that is wrong with the operations of an atomic list.
pub(super) fn join(mut failed: Vec<(usize, Error)>, mode: Mode) -> Error {
    if failed.len() == 1
        && let Some((index, error)) = failed.pop()
    {
        return located(error, &place(mode, index));
    }
    // The most telling code wins; all problems are listed.
    let strongest = |code: ErrorCode| match code {
        ErrorCode::Forbidden => 0,
        ErrorCode::NotFound => 1,
        ErrorCode::ValidationFailed => 2,
        _ => 3,
    };
    let code = failed.iter().map(|(_, error)| error.code).min_by_key(|code| strongest(*code));
    let problems: Vec<Problem> =
        failed.into_iter().flat_map(|(index, error)| located(error, &place(mode, index)).problems).collect();
    let mut joined = Error::invalid(problems);
    joined.code = code.unwrap_or(ErrorCode::ValidationFailed);
    joined
}

fn located(error: Error, place: &str) -> Error {
    if place.is_empty() {
        return error;
    }
    let mut error = error.within(place);
    if error.problems.is_empty() {
        let member = if error.code == ErrorCode::VersionMismatch { "/version" } else { "" };
        let pointer = format!("{place}{member}");
        error.problems.push(Problem::new(pointer, error.code.as_str(), error.detail.clone()));
    }
    error
}

pub(super) fn refused(ready: &[Ready], refusals: Vec<(usize, Refusal)>, mode: Mode, onlooker: &Onlooker<'_>) -> Error {
    let mut by_item: Vec<(usize, Vec<Refusal>)> = Vec::new();
    for (item, refusal) in refusals {
        match by_item.last_mut() {
            Some((last, list)) if *last == item => list.push(refusal),
            _ => by_item.push((item, vec![refusal])),
        }
    }
    let explained = |(item, refusals): (usize, Vec<Refusal>)| {
        let Ready { index, plan, .. } = &ready[item];
        (*index, explain(&refusals, plan.links_at(), onlooker))
    };
    join(by_item.into_iter().map(explained).collect(), mode)
}
