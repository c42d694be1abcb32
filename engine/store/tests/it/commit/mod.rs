//! Units: what they write, what they are refused for, and what remains of a refused one.

mod groups;
mod idempotency;
mod items;
mod links;
mod merges;
mod nodes;
mod purge;
mod records;
mod spans;
mod values;
