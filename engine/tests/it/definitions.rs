//! Administration of metadata through sessions.

mod associations;
mod concurrency;
mod guard;
mod objects;
mod pipelines;
mod properties;
mod unique;
