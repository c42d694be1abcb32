//! `Idempotency-Key`: the caller's word under which a write happens once.

use axum::extract::OptionalFromRequestParts;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use super::header::single;
use crate::error::{ApiError, ApiResult};

/// Longest key, in bytes.
const MAX_LENGTH: usize = 255;

/// The caller's key: 1 to 255 printable ASCII characters. Handlers take an `Option` of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: String,
    /// Method and address of the call that it was sent with.
    call: String,
}

impl IdempotencyKey {
    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// Hash of method, address and body, in hexadecimal: the same key with another one is a conflict.
    pub fn fingerprint(&self, body: &[u8]) -> String {
        let hash = Sha256::new().chain_update(&self.call).chain_update([0]).chain_update(body).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Option<Self>> {
        let malformed =
            || ApiError::bad_request("`Idempotency-Key` is one text of 1 to 255 printable ASCII characters");
        let Some(value) = single(&parts.headers, "idempotency-key").map_err(|()| malformed())? else {
            return Ok(None);
        };
        let key = value.to_str().map_err(|_| malformed())?;
        let is_printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if key.is_empty() || key.len() > MAX_LENGTH || !is_printable {
            return Err(malformed());
        }
        Ok(Some(Self { key: key.to_owned(), call: format!("{} {}", parts.method, parts.uri) }))
    }
}
