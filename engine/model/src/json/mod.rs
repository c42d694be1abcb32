//! Reads JSON into types: what was written, in order, and every problem at once with its place.
//!
//! Numbers keep all their digits, since nothing is read through a float; members that nobody asks for, members given
//! twice and lists beyond their bound are problems, and what is read may borrow from the text.
//!
//! ```
//! use engine_model::json::{FromJson, Reading, read};
//! use serde_json::value::RawValue;
//!
//! struct NewTeam {
//!     name: String,
//!     members: Vec<String>,
//! }
//!
//! impl<'a> FromJson<'a> for NewTeam {
//!     fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
//!         let mut object = reading.object(raw)?;
//!         let name = object.required("name");
//!         let members = object.list("members", 1_000);
//!         object.finish();
//!         Some(Self { name: name?, members: members? })
//!     }
//! }
//!
//! let body: &RawValue = serde_json::from_str(r#"{"nam": "Sales", "members": [7]}"#)?;
//! let problems = read::<NewTeam>(body).err().unwrap_or_default();
//! let places: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
//! assert_eq!(places, ["/name", "/members/0", "/nam"]);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod elements;
mod entries;
mod object;
mod reading;
mod values;

pub use object::ObjectReader;
pub use reading::{FromJson, Reading};

use serde_json::value::RawValue;

use crate::problem::Problems;

/// Reads `raw`, or says everything that is wrong with it.
pub fn read<'a, T: FromJson<'a>>(raw: &'a RawValue) -> Result<T, Problems> {
    match read_as_far(raw) {
        (Some(value), problems) if problems.is_empty() => Ok(value),
        (_, problems) => Err(problems),
    }
}

/// The same, with what can be understood in spite of what is wrong, so that whoever looks further tells the rest as well.
pub fn read_as_far<'a, T: FromJson<'a>>(raw: &'a RawValue) -> (Option<T>, Problems) {
    let mut reading = Reading::default();
    let value = reading.value(raw);
    (value, reading.into_problems())
}

#[cfg(test)]
mod tests;
