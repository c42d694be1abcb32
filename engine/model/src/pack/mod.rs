//! Packs: versioned bundles of definitions, written in YAML.
//!
//! Text becomes JSON with places ([`yaml`]), the files of a folder become one document, and the document becomes a
//! [`Pack`], whose definitions are a [`Layer`](crate::layer::Layer). Nothing here reads files: the caller brings names
//! and texts.
//!
//! ```
//! use engine_model::pack::Pack;
//!
//! let text = "pack: tiny\nversion: 1.0.0\nobjects:\n  site:\n    properties:\n      name: {type: strng}\n";
//! let pack = Pack::read(&[("pack.yaml".into(), text.into())]).expect("in shape");
//! let problems = pack.check(&[]);
//! assert!(problems[0].to_string().starts_with("pack.yaml:6:20: `strng` is no property type"));
//! ```

mod concern;
mod place;
mod profile;
mod read;
mod rest;
mod scalar;
mod schema;
mod source;
mod write;
pub mod yaml;

pub use place::{LocatedProblem, Place, Places};
pub use profile::{Profile, read_profiles};
pub use read::Pack;
pub use schema::json_schema;
pub use write::write;

#[cfg(test)]
mod tests;
