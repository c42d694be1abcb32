//! Headers that may come once.

use axum::http::{HeaderMap, HeaderValue};

/// The header's value, if it is there; `Err` where it comes more than once.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a HeaderValue>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(()),
    }
}
