//! Use cases through sessions, on the embedded store.

mod definitions;
mod followers;
mod import;
mod support;
