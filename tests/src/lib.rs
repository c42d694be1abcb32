//! End-to-end tests and the benchmark of Trellis, and the harness both use.
//!
//! The harness starts the real program as a process of its own and speaks HTTP to it: it knows the public contract and
//! nothing of what is inside.
//! Every scenario in `tests/it` is a function that takes a running server; a macro runs it on both stores.
//!
//! # Adding a scenario
//! Write an `async fn` that takes a [`TestServer`] in the suite it belongs to, and add its name to the suite's list.

pub mod bench;
mod client;
mod metric;
mod parent;
mod server;
mod tenant;

pub use client::{Client, Problem, Request, Response};
pub use parent::end_with_parent;
pub use server::{Builder, PLATFORM_TOKEN, Store, TestServer};
pub use tenant::Tenant;
