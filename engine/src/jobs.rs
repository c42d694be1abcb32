//! Jobs.
/// A job.
#[derive(Debug)]
pub struct Job;
/// An error.
#[derive(Debug)]
pub struct JobError;
pub(crate) fn start_worker(_engine: &crate::Engine) {}
