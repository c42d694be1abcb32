//! The meaning of searches, case by case.

mod dates;
mod full_text;
mod links;
mod lists;
mod tables;
mod values;
