//! Query parameters: typed, none unknown, none twice, every problem at once.
//!
//! ```
//! use server::extract::query::{FromQuery, Page, Query, QueryReader};
//!
//! struct ListTeams {
//!     page: Page,
//!     archived: bool,
//! }
//!
//! impl FromQuery for ListTeams {
//!     fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
//!         let page = query.page();
//!         let archived = query.flag("archived");
//!         Some(Self { page: page?, archived })
//!     }
//! }
//!
//! async fn list(Query(teams): Query<ListTeams>) {
//!     println!("{} {}", teams.page.limit, teams.archived);
//! }
//! ```

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use engine::model::Problem;
use engine::model::name::did_you_mean;
use engine::model::problem::push_segment;

use super::percent::{PlusIs, decode};
use crate::error::{ApiError, ApiResult};

/// Records on a page unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 50;
/// Most records on a page.
pub const MAX_LIMIT: usize = 200;
/// Longest cursor that is looked at, in bytes.
const MAX_CURSOR: usize = 4096;

/// Which page of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Between 1 and [`MAX_LIMIT`].
    pub limit: usize,
    /// Where the page before ended; opaque, and not yet known to be one of ours.
    pub cursor: Option<String>,
}

/// Parameters of one call.
pub trait FromQuery: Sized {
    /// Asks for each parameter; those that are not asked for are refused. `None` where a problem was noted.
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self>;
}

/// A call's parameters, read.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: FromQuery, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// A call without parameters.
#[derive(Debug)]
pub struct NoQuery;

impl FromQuery for NoQuery {
    fn from_query(_: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self)
    }
}

/// Reads the part of an address after its `?`.
pub fn read<T: FromQuery>(query: &str) -> ApiResult<T> {
    let mut reader = QueryReader::new(query);
    let value = T::from_query(&mut reader);
    match (value, reader.finish()) {
        (Some(value), problems) if problems.is_empty() => Ok(value),
        (_, problems) => Err(ApiError::bad_request_at(problems)),
    }
}

/// Parameters, asked for one by one.
#[derive(Debug)]
pub struct QueryReader<'a> {
    parameters: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    asked: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> QueryReader<'a> {
    fn new(query: &'a str) -> Self {
        let mut reader = Self { parameters: Vec::new(), asked: Vec::new(), problems: Vec::new() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = match decode(name, PlusIs::Space) {
                Ok(name) => name,
                Err(reason) => {
                    let message = format!("a parameter's name {}", reason.reason());
                    reader.problems.push(Problem::new("", "invalid", message));
                    continue;
                }
            };
            if reader.parameters.iter().any(|(other, _)| *other == name) {
                reader.problem(&name, "duplicate", format!("`{name}` is given more than once"));
                continue;
            }
            let value = decode(value, PlusIs::Space);
            if let Err(reason) = value {
                reader.problem(&name, "invalid", format!("`{name}` {}", reason.reason()));
            }
            reader.parameters.push((name, value.ok()));
        }
        reader
    }

    /// A text; empty is the same as absent.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.take(name).map(Cow::into_owned)
    }

    /// `true` or `false`; false where absent.
    pub fn flag(&mut self, name: &'static str) -> bool {
        match self.take(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.problem(name, "invalid", format!("`{name}` is `true` or `false`"));
                false
            }
        }
    }

    /// A value of any type that reads itself from text; `expected` says which, as in "a number".
    pub fn parsed<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        let text = self.take(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            self.problem(name, "invalid", format!("`{name}` is {expected}"));
        }
        value
    }

    /// Names separated by commas; empty where absent.
    pub fn names(&mut self, name: &'static str) -> Vec<String> {
        let Some(text) = self.take(name) else { return Vec::new() };
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// `limit` and `cursor`.
    pub fn page(&mut self) -> Option<Page> {
        let limit = match self.take("limit") {
            None => Some(DEFAULT_LIMIT),
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                if limit.is_none() {
                    self.problem("limit", "out_of_range", format!("`limit` is a number from 1 to {MAX_LIMIT}"));
                }
                limit
            }
        };
        let cursor = self.text("cursor");
        if cursor.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR) {
            self.problem("cursor", "invalid", "`cursor` is not one that this list gave out");
        }
        Some(Page { limit: limit?, cursor })
    }

    /// Every parameter not asked for so far, for calls that take names of the tenant's own.
    pub fn rest(&mut self) -> Vec<(String, String)> {
        let parameters = self.parameters.iter_mut();
        parameters.filter_map(|(name, value)| Some((name.to_string(), value.take()?.into_owned()))).collect()
    }

    /// Notes that a parameter is wrong in a way that its type does not tell.
    pub fn problem(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(push_segment("", name), code, message));
    }

    fn take(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        self.asked.push(name);
        let (_, value) = self.parameters.iter_mut().find(|(key, _)| key == name)?;
        // Names that were asked for stay, without their value, so that `finish` can tell them from unknown ones.
        value.take().filter(|text| !text.is_empty())
    }

    fn finish(mut self) -> Vec<Problem> {
        let parameters = std::mem::take(&mut self.parameters);
        let unknown = parameters.iter().filter(|(name, value)| value.is_some() && !self.asked.contains(&name.as_ref()));
        // The length of an address bounds how many there are; more than these nobody reads.
        let told: Vec<String> = unknown.take(20).map(|(name, _)| name.to_string()).collect();
        for name in told {
            let hint = did_you_mean(&name, self.asked.iter().copied());
            self.problem(&name, "unknown", format!("`{name}` is no parameter of this call{hint}"));
        }
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Listing {
        page: Page,
        archived: bool,
        select: Vec<String>,
        after: Option<i64>,
    }

    impl FromQuery for Listing {
        fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
            let page = query.page();
            let archived = query.flag("archived");
            let select = query.names("select");
            let after = query.parsed("after", "a sequence");
            Some(Self { page: page?, archived, select, after })
        }
    }

    fn problems(query: &str) -> Vec<(String, &'static str, String)> {
        let error = read::<Listing>(query).expect_err("refused");
        assert_eq!((error.status().as_u16(), error.code().as_str()), (400, "bad_request"));
        error.errors().iter().map(|found| (found.pointer.clone(), found.code, found.message.clone())).collect()
    }

    #[test]
    fn parameters_are_read_into_types() {
        let expected = Listing {
            page: Page { limit: 7, cursor: Some("a b+".to_owned()) },
            archived: true,
            select: vec!["name".to_owned(), "amount".to_owned()],
            after: Some(12),
        };
        let read = read::<Listing>("limit=7&cursor=a+b%2B&archived=true&select=name,%20amount,&after=12");
        assert_eq!(read.expect("valid"), expected);
    }

    #[test]
    fn what_is_absent_or_empty_has_its_default() {
        let expected =
            Listing { page: Page { limit: 50, cursor: None }, archived: false, select: Vec::new(), after: None };
        assert_eq!(read::<Listing>("").expect("valid"), expected);
        assert_eq!(read::<Listing>("cursor=&limit=&&archived=").expect("valid"), expected);
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let found = problems("limit=201&archived=yes&after=x&selct=a&cursor=1&cursor=2&bad=%ff&null=%00");
        let expected = [
            ("/cursor", "duplicate", "`cursor` is given more than once"),
            ("/bad", "invalid", "`bad` is not UTF-8 in percent-encoding"),
            ("/null", "invalid", "`null` has the character U+0000, which no text can have"),
            ("/limit", "out_of_range", "`limit` is a number from 1 to 200"),
            ("/archived", "invalid", "`archived` is `true` or `false`"),
            ("/after", "invalid", "`after` is a sequence"),
            ("/selct", "unknown", "`selct` is no parameter of this call; did you mean `select`?"),
        ];
        let expected = expected.map(|(pointer, code, message)| (pointer.to_owned(), code, message.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn limits_out_of_range_and_endless_cursors_are_refused() {
        for bad in ["0", "-1", "1.5", "999999999999999999999", "ten"] {
            assert_eq!(problems(&format!("limit={bad}"))[0].0, "/limit", "{bad}");
        }
        assert_eq!(problems(&format!("cursor={}", "x".repeat(5000)))[0].0, "/cursor");
    }

    #[test]
    fn a_call_without_parameters_takes_none() {
        assert!(read::<NoQuery>("").is_ok());
        assert_eq!(
            read::<NoQuery>("x=1").expect_err("refused").errors()[0].message,
            "`x` is no parameter of this call"
        );
    }

    #[test]
    fn the_rest_is_for_names_of_the_tenants_own() {
        struct Facade(Vec<(String, String)>);
        impl FromQuery for Facade {
            fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
                query.flag("archived");
                Some(Self(query.rest()))
            }
        }
        let rest = read::<Facade>("stage=won&archived=true&city=Z%C3%BCrich").expect("valid").0;
        assert_eq!(rest, [("stage".to_owned(), "won".to_owned()), ("city".to_owned(), "Zürich".to_owned())]);
    }
}
