//! Queries: what a search asks, as sent and with every name resolved.
//!
//! A [`QueryText`] is what callers send, read with every mistake and its place; [`resolve()`] makes a [`Query`] of it,
//! which is what the index answers and can no longer be wrong.
//!
//! Pure: the moment and the time zone that relative dates need are passed in.

mod among;
pub mod ast;
mod cursor;
mod every;
mod expression;
mod few;
mod fields;
mod form;
mod formerly;
mod found;
mod gather;
mod mentions;
mod moment;
pub mod resolve;
mod span;
mod text;
mod typed;

#[cfg(test)]
mod tests;

pub use among::Among;
pub use ast::{AcrossObjects, QueryText};
pub use cursor::Cursor;
pub use expression::filter_of_expression;
pub use few::{Few, Question, TextTest};
pub use formerly::Formerly;
pub use gather::{Gathered, GatheredScope, Gathering};
pub use mentions::{Mention, mentions};
pub use moment::period_days;
pub(crate) use moment::{Clock, is_relative_moment};
pub use resolve::{Members, NamedList, NamedLists, ResolveContext, field_of, resolve, resolve_filter, system_field};
pub use text::{asked_number, fold, forgiven_letters, phone_endings, words};
pub use typed::{
    Aggregate, Answer, AskedNumber, Direction, Every, Field, Filter, Form, Group, Hit, Key, Linked, LinkedScope,
    Measure, Order, Place, Quantifier, Query, Row, Scope, SortKey, Table, Test, Words,
};
