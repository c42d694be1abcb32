//! The index of one tenant from outside: what it holds, and what is left of it after a crash.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod crash;
mod damage;
mod fixture;
mod history;
mod index;
