//! The `trellis` binary as a library: HTTP API and command line over the engine.
//!
//! This crate knows HTTP, the terminal and the process; it knows nothing of SQL or of the search index.
//!
//! # Adding a call to the API
//! 1. Write the handler in its resource's folder below `api/`. Its arguments are [extractors](extract), its errors
//!    [`ApiError`](error::ApiError), its documentation `#[utoipa::path]`.
//! 2. Add its line to `router.rs`.
//!
//! Id, bounds, span, metrics and log line of a request come from the one [layer](middleware) around all routes.

mod api;
mod app;
mod cli;
mod clock;
pub mod config;
mod connections;
pub mod data_dir;
pub mod error;
pub mod extract;
mod first_tenant;
pub mod health;
pub mod metrics;
pub mod middleware;
pub mod openapi;
mod operator;
mod packs_dir;
mod router;
pub mod routes;
pub mod state;
mod telemetry;
#[cfg(test)]
mod testing;

pub use app::{Running, Server};
pub use cli::main;
