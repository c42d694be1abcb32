//! Queries: what a search asks, as sent and with every name resolved.
//!
//! A [`Query`] is what the index answers; it can no longer be wrong.
//!
//! Pure: the moment and the time zone that relative dates need are passed in.

mod form;
mod text;
mod typed;

pub use text::{fold, words};
pub use typed::{
    Aggregate, Answer, Direction, Every, Field, Filter, Form, Group, Hit, Key, Linked, LinkedScope, Measure, Order,
    Place, Quantifier, Query, Row, Scope, SortKey, Table, Test, Words,
};
