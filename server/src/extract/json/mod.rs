//! JSON bodies: checked for syntax, size and depth first, then read into types with every problem at once, as
//! [`engine::model::json`] reads all JSON.
//!
//! # Taking a body in a handler
//! ```
//! use serde_json::value::RawValue;
//! use server::extract::json::{FromJson, Json, Reading};
//!
//! struct NewTeam {
//!     name: String,
//!     members: Vec<String>,
//! }
//!
//! impl<'a> FromJson<'a> for NewTeam {
//!     fn from_json(raw: &'a RawValue, reading: &mut Reading<'a>) -> Option<Self> {
//!         let mut object = reading.object(raw)?;
//!         let name = object.required("name");
//!         let members = object.list("members", 1_000);
//!         object.finish();
//!         Some(Self { name: name?, members: members? })
//!     }
//! }
//!
//! async fn create(Json(team): Json<NewTeam>) {
//!     println!("{} of {}", team.name, team.members.len());
//! }
//! ```
//! A body that is large or read in bulk is taken as [`JsonBody`], which lends its parts instead of copying them.

mod depth;
mod properties;
mod syntax;

use axum::body::HttpBody;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use engine::model::{Problems, json};

pub use engine::model::json::{FromJson, ObjectReader, Reading};
pub use properties::PropertiesBody;

use super::body::Buffered;
use crate::error::{ApiError, ApiResult, Code};
use crate::state::AppState;

/// A body that is JSON, not yet read.
#[derive(Debug)]
pub struct JsonBody(Buffered);

impl JsonBody {
    /// Reads the body, or says everything that is wrong with it (422). What is read may borrow from the body.
    pub fn read<'a, T: FromJson<'a>>(&'a self) -> ApiResult<T> {
        let raw = syntax::check(self.0.bytes())?;
        json::read(raw).map_err(|problems| engine::Error::invalid(problems).into())
    }

    /// Reads the body as far as it can be understood, with everything that is wrong with its form; `Err` where nothing
    /// can be understood of it. For calls that look at the contents too before they say what is wrong.
    pub fn read_all<'a, T: FromJson<'a>>(&'a self) -> ApiResult<(T, Problems)> {
        let raw = syntax::check(self.0.bytes())?;
        let mut reading = Reading::default();
        match (reading.value(raw), reading.into_problems()) {
            (Some(value), problems) => Ok((value, problems)),
            (None, problems) => Err(engine::Error::invalid(problems).into()),
        }
    }

    /// The bytes as they came in.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

impl FromRequest<AppState> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> ApiResult<Self> {
        check_media_type(request.headers())?;
        Ok(Self(Buffered::read(request.into_body(), state).await?))
    }
}

/// A body that may be left out; clients send a media type even then.
impl OptionalFromRequest<AppState> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> ApiResult<Option<Self>> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<AppState>>::from_request(request, state).await.map(Some)
    }
}

/// A JSON body, read into a type that owns its parts.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: for<'a> FromJson<'a>> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> ApiResult<Self> {
        <JsonBody as FromRequest<AppState>>::from_request(request, state).await?.read().map(Self)
    }
}

/// `application/json` or any `…+json`; in UTF-8, which JSON always is.
fn check_media_type(headers: &HeaderMap) -> ApiResult<()> {
    const EXPECTED: &str = "send the body as JSON with `Content-Type: application/json`";
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(ApiError::new(Code::UnsupportedMediaType, format!("the body has no media type; {EXPECTED}")));
    };
    let text = value.to_str().unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default().trim();
    let is_json = kind.eq_ignore_ascii_case("application/json")
        || kind.rsplit_once('+').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"));
    match is_json {
        true => Ok(()),
        false => Err(ApiError::new(Code::UnsupportedMediaType, format!("this media type is not taken; {EXPECTED}"))),
    }
}

#[cfg(test)]
mod tests;
