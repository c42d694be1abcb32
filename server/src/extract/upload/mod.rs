//! The file of an import, streamed to disk while it comes in.
//!
//! Sent as `multipart/form-data` with a part `file` and, if columns need one, a part `map`; or as the bare body.

mod file;
mod paced;

use axum::body::Body;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;

pub use file::UploadedFile;
pub(crate) use file::clean;

use super::body::{next_chunk, within};
use crate::error::{ApiError, ApiResult};
use crate::state::AppState;
use file::FileWriter;
use paced::{Paced, Taken};

/// Largest map of columns, in bytes.
const MAX_MAP: usize = 1024 * 1024;

/// What an import was given. Take who is calling before it: this reads the whole body.
#[derive(Debug)]
pub struct ImportUpload {
    /// The map of columns as YAML or JSON.
    pub map: Option<String>,
    /// The rows, on disk.
    pub file: UploadedFile,
    /// What the sender calls the file.
    pub file_name: Option<String>,
    /// What the sender says that a bare body is.
    pub media_type: Option<String>,
}

/// Characters of a file's name that are kept.
const MAX_FILE_NAME: usize = 200;

impl FromRequest<AppState> for ImportUpload {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> ApiResult<Self> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|text| text.split(';').next());
        match essence.map(|text| text.trim().to_ascii_lowercase()) {
            Some(form) if form == "multipart/form-data" => from_parts(request, state).await,
            media_type => from_bare_body(request.into_body(), media_type, state).await,
        }
    }
}

async fn from_bare_body(body: Body, media_type: Option<String>, state: &AppState) -> ApiResult<ImportUpload> {
    Ok(ImportUpload { map: None, file: store(body, state).await?, file_name: None, media_type })
}

async fn store(mut body: Body, state: &AppState) -> ApiResult<UploadedFile> {
    let mut writer = FileWriter::create(state.data_dir.uploads(), state.http.max_import_bytes).await?;
    while let Some(chunk) = within(state.http.request_timeout, next_chunk(&mut body)).await?? {
        writer.write(&chunk).await?;
    }
    writer.finish().await
}

/// A file that is the whole body. Take who is calling before it, as before [`ImportUpload`].
#[derive(Debug)]
pub struct BareUpload(pub UploadedFile);

impl FromRequest<AppState> for BareUpload {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> ApiResult<Self> {
        store(request.into_body(), state).await.map(Self)
    }
}

async fn from_parts(request: Request, state: &AppState) -> ApiResult<ImportUpload> {
    let (paced, taken) = Paced::new(request.headers().clone(), request.into_body());
    let mut request = paced.into_request();
    // Each part is bounded by itself.
    DefaultBodyLimit::disable().apply(&mut request);
    let without_boundary = |_| ApiError::bad_request("`Content-Type: multipart/form-data` has no boundary");
    let mut parts = Multipart::from_request(request, state).await.map_err(without_boundary)?;
    let (mut map, mut file, mut file_name) = (None, None, None);
    while let Some(part) = within(state.http.request_timeout, parts.next_field()).await?.map_err(broken)? {
        let part = Part { field: part, taken: &taken, state };
        match part.field.name() {
            Some("map") if map.is_none() => map = Some(part.into_text().await?),
            Some("file") if file.is_none() => {
                file_name = part.field.file_name().map(|name| name.chars().take(MAX_FILE_NAME).collect());
                file = Some(part.into_file().await?);
            }
            Some(name @ ("map" | "file")) => {
                return Err(ApiError::bad_request(format!("the part `{name}` is given more than once")));
            }
            other => {
                let name: String = other.unwrap_or_default().chars().take(64).collect();
                let hint = engine::model::name::did_you_mean(&name, ["file", "map"]);
                return Err(ApiError::bad_request(format!("`{name}` is no part of an import{hint}")));
            }
        }
    }
    let missing = || ApiError::bad_request("the part `file` with the rows is missing");
    Ok(ImportUpload { map, file: file.ok_or_else(missing)?, file_name, media_type: None })
}

/// One part of a form as it comes in.
struct Part<'a> {
    field: Field<'a>,
    taken: &'a Taken,
    state: &'a AppState,
}

impl Part<'_> {
    async fn into_text(mut self) -> ApiResult<String> {
        let mut text = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if text.len() + chunk.len() > MAX_MAP {
                return Err(ApiError::too_large(format!("the map is larger than {MAX_MAP} bytes")));
            }
            text.extend_from_slice(&chunk);
        }
        String::from_utf8(text).map_err(|_| ApiError::bad_request("the map is not UTF-8"))
    }

    async fn into_file(mut self) -> ApiResult<UploadedFile> {
        let mut writer = FileWriter::create(self.state.data_dir.uploads(), self.state.http.max_import_bytes).await?;
        while let Some(chunk) = self.chunk().await? {
            writer.write(&chunk).await?;
        }
        writer.finish().await
    }

    async fn chunk(&mut self) -> ApiResult<Option<Bytes>> {
        let chunk = within(self.state.http.request_timeout, self.field.chunk()).await?.map_err(broken)?;
        self.taken.add(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }
}

fn broken(error: MultipartError) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large("the form is too large"),
        _ => ApiError::bad_request("the form breaks off or is no `multipart/form-data`"),
    }
}

#[cfg(test)]
mod tests;
