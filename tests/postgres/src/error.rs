//! What can go wrong, in words for the person who runs the tests.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::Path;

/// Why there is no PostgreSQL to test with.
///
/// One message with everything in it: nobody but a person reads it.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(crate) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self(format!("could not {doing} {}: {error}", path.display()))
    }
}

impl Display for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
