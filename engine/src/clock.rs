//! Time as a value that is passed in, so that tests can move it.

use std::fmt::Debug;

use engine_model::time::Timestamp;

/// A source of the present moment.
pub trait Clock: Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}
