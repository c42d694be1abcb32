//! The search index's room: the crate that will own Tantivy, and nothing in it yet.
//!
//! It stands so that the layers are held by manifests from the first day: this crate may depend on `engine-model` and
//! on nothing of SQL or HTTP. The index will be fed as a `Follower` of the change log, by the engine above.
