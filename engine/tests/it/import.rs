//! Imports from the first byte to the last count, on the embedded store.

mod fixture;
mod interruption;
mod real_data;
mod refusals;
mod rows;
mod uploads;
