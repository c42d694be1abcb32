//! YAML text as JSON with the place of every value, and JSON as YAML text ([`write()`]).
//!
//! What a document means is what the core schema of YAML 1.2 says. A key is the text that stands there, whatever it
//! would be as a value. Anchors and aliases work; merge keys (`<<`) are YAML 1.1 and refused, as are tags of one's own.

use std::sync::Arc;

use saphyr_parser::Parser;
use serde_json::Value;

use self::builder::Builder;
use super::place::{LocatedProblem, Place, Places};

mod builder;
mod write;

pub use write::write;

/// How many maps and lists may stand inside each other.
pub const MAX_DEPTH: usize = 64;

/// How many mistakes are worth listing.
pub(super) const MAX_PROBLEMS: usize = 1000;

/// What documents read together may still become, so that small texts with many aliases stay small in memory.
#[derive(Debug, Clone)]
pub struct Budget {
    values: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { values: 300_000, bytes: 16 * 1024 * 1024 }
    }
}

impl Budget {
    fn spend(&mut self, values: usize, bytes: usize) -> Result<(), Stop> {
        let left = self.values.checked_sub(values).zip(self.bytes.checked_sub(bytes));
        (self.values, self.bytes) = left.ok_or(Stop::OverBudget)?;
        Ok(())
    }
}

/// One YAML document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its value; null for an empty text.
    pub value: Value,
    /// Where everything in it stands.
    pub places: Places,
}

/// Reads `text`; every mistake goes to `problems`.
///
/// `None` where nothing could be read: a syntax error ends reading, since what follows it is guesswork.
pub fn parse(file: &str, text: &str, budget: &mut Budget, problems: &mut Vec<LocatedProblem>) -> Option<Document> {
    let file: Arc<str> = file.into();
    let mut builder = Builder::new(&file, budget, problems);
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => {
                let marker = error.marker();
                let place = Place { file: Arc::clone(&file), line: marker.line().max(1), column: marker.col() + 1 };
                problems.push(LocatedProblem::at(place, "invalid_yaml", format!("not YAML: {}", error.info())));
                return None;
            }
        }
    }
    Some(builder.finish())
}

/// Why a text is not read any further.
enum Stop {
    OverBudget,
    TooDeep,
    TooManyProblems,
    SecondDocument,
}

impl Stop {
    fn problem(self, place: Place) -> LocatedProblem {
        let (code, message) = match self {
            Self::OverBudget => ("too_large", "too many values, aliases included; split the pack".to_owned()),
            Self::TooDeep => ("too_deep", format!("more than {MAX_DEPTH} maps and lists inside each other")),
            Self::TooManyProblems => ("too_many", "so many mistakes that reading ends here".to_owned()),
            Self::SecondDocument => {
                ("invalid_yaml", "a file has one document; move what follows to a file of its own".to_owned())
            }
        };
        LocatedProblem::at(place, code, message)
    }
}

#[cfg(test)]
mod tests;
