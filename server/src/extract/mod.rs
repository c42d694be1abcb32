//! What handlers take: everything about a request as typed values, or the problem it is answered with.

mod bearer;
mod body;
mod client;
mod header;
mod idempotency;
pub mod json;
mod path;
mod percent;
mod platform;
pub mod query;
mod sequence;
mod session;
mod upload;
mod version;

pub use bearer::BearerToken;
pub use body::BodyBudget;
pub use client::{Client, PeerAddress};
pub use idempotency::IdempotencyKey;
pub use path::Path;
pub use platform::Platform;
pub use sequence::{AtLeast, TRELLIS_SEQUENCE, WrittenAt};
pub use session::{Authorized, once, once_without_body};
pub(crate) use upload::clean as clean_uploads;
pub use upload::{BareUpload, ImportUpload, UploadedFile};
pub use version::{ETag, IfMatch};

#[cfg(test)]
mod tests;
