//! Use cases through sessions, on the embedded store.

mod definitions;
mod import;
mod support;
