//! One search index per tenant: documents in, exact answers out.
//!
//! The only crate that knows Tantivy. An [`Index`] holds what the change log told of one tenant up to a position; it can
//! be thrown away and made anew at any time. It knows nothing of SQL, of HTTP, or of who asks: a [`Query`] comes with
//! what its caller may see already in its filters.
//!
//! [`Query`]: engine_model::query::Query

mod census;
mod directory;
mod document;
mod due;
mod error;
mod form;
mod index;
mod schema;
mod search;
mod texts;
mod tokens;

use std::sync::LazyLock;

pub use census::Entry;
pub use document::{Document, Edit, LinkEnds, Reached, RecordState};
pub use error::{Result, SearchError};
pub use form::{form_of, is_form_of};
pub use index::{Index, IndexSize, Pace, View};
pub use search::{Limits, RecordSet};

use schema::Fields;

/// The one schema, shared by all indexes.
pub(crate) fn fields() -> &'static Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::new);
    &FIELDS
}
