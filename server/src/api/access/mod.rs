//! Users, teams, roles and tokens; why somebody may do something, and who was given sensitive values.

pub(crate) mod assignment_rules;
pub(crate) mod explain;
pub(crate) mod log;
pub(crate) mod roles;
pub(crate) mod teams;
pub(crate) mod tokens;
pub(crate) mod users;

use crate::extract::query::{FromQuery, Page, QueryReader};

/// Which page of a list.
#[derive(Debug)]
pub(crate) struct Paged(pub(crate) Page);

impl FromQuery for Paged {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        query.page().map(Self)
    }
}
