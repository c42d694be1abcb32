//! Properties: named, typed fields of an object.
//!
//! # Codes of what can be wrong with a value
//! | code | meaning |
//! | --- | --- |
//! | `wrong_type` | another kind of JSON is expected |
//! | `invalid` | the right kind of JSON, but no such value: no calendar day, no e-mail address, … |
//! | `too_short`, `too_long` | too few or too many characters |
//! | `too_small`, `too_large` | outside of the numbers that are allowed |
//! | `too_precise` | more digits after the point than are kept |
//! | `too_many` | too many elements |
//! | `pattern` | does not match the property's pattern |
//! | `unknown_option` | no option of the enumeration has this key |
//! | `archived_option` | the option is kept for stored values only |
//! | `read_only` | the engine makes the value itself |

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::migration::Migration;
use crate::name::Name;
use crate::problem::{Problem, Problems};
use crate::spec::SpecReader;

mod auto_number;
mod beside;
mod boolean;
mod computed;
mod date;
mod datetime;
mod decimal;
mod dial_plan;
mod domain;
mod email;
mod enumeration;
pub(crate) mod exact;
mod fault;
mod file;
mod geo;
pub(crate) mod host;
mod input;
mod integer;
mod json;
mod kind;
mod literal;
mod money;
mod normalize;
mod number;
mod options;
mod pattern;
mod phone;
mod reference;
mod storage;
mod table;
mod tags;
mod text;
mod url;
mod user;
mod widening;

pub use auto_number::AutoNumber;
pub(crate) use beside::check_beside;
pub use computed::{Formula, Rollup, RollupFunction};
pub(crate) use date::parse as parse_day;
pub(crate) use datetime::is_moment;
pub(crate) use fault::excerpt;
pub use fault::{Fault, Faults};
pub use file::FileRules;
pub use input::Input;
pub use kind::PropertyKind;
pub(crate) use literal::around;
pub use money::Currency;
pub use normalize::{Locale, normalize, normalize_value};
pub use options::EnumOption;
pub use reference::Reference;
pub use storage::Storage;
pub use table::{KindEntry, TABLE};

/// One typed field of an object definition.
#[derive(Debug, Clone)]
pub struct Property {
    /// Internal name, unique in its object.
    pub name: Name,
    /// What people read.
    pub label: String,
    /// What it means, for people.
    pub description: Option<String>,
    /// Group it is shown in.
    pub group: Option<Name>,
    /// A record without it is refused.
    pub required: bool,
    /// No two unarchived records of the object share a value.
    pub unique: bool,
    /// Only the engine and imports write it.
    pub read_only: bool,
    /// Hidden unless a role grants it.
    pub sensitive: bool,
    /// Found by full-text search.
    pub searchable: bool,
    /// Searches with `contains` find parts of words too.
    pub substring: bool,
    /// Taken on create where no value is given; in normal form.
    pub default: Option<Value>,
    /// The property's type with its options.
    pub kind: Arc<dyn PropertyKind>,
    /// Layer that declared it: a pack's name, `custom` for the tenant's own, `engine` for the engine's.
    pub layer: String,
    /// No longer accepted or shown; stored values stay.
    pub archived: bool,
    /// What it was called before, the newest name first; who still says so means this one.
    pub was: Vec<Name>,
    /// How values from before become those of this definition, as its pack says.
    pub migration: Option<Value>,
    /// How stored values became, or become, those of this definition.
    pub migrated: Option<Migration>,
    /// The specification as written, folded over all layers, options in their list form; without `name` and `layer`.
    pub spec: Map<String, Value>,
}

impl Property {
    /// Reads a property's specification, folded over all layers; `None` where its type is missing or unknown.
    ///
    /// `layer` is the layer that declared it.
    pub fn read(name: Name, spec: &Value, layer: &str, pointer: &str, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let mut reader = SpecReader::new(spec, pointer, problems)?;
        let entry = match reader.string("type") {
            Some(kind) => table::find(kind).map_err(|message| reader.problem("type", "unknown_type", message)).ok(),
            None => {
                if spec.get("type").is_none_or(Value::is_null) {
                    reader.missing("type");
                }
                None
            }
        };
        let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
        let description = reader.string("description").map(str::to_owned);
        let group = reader.name("group");
        let required = reader.boolean("required").unwrap_or(false);
        let unique = reader.boolean("unique").unwrap_or(false);
        let read_only = reader.boolean("read_only").unwrap_or(false);
        let sensitive = reader.boolean("sensitive").unwrap_or(false);
        let searchable = reader.boolean("searchable").unwrap_or(false);
        let substring = reader.boolean("substring").unwrap_or(false);
        let archived = reader.boolean("archived").unwrap_or(false);
        // Kept for whoever shows the definition.
        reader.string("archived_at");
        let default = reader.value("default");
        let was = reader.name_or_names("was").unwrap_or_default();
        let migration = reader.value("migration").cloned();
        if let Some(migration) = &migration {
            let at = reader.pointer_of("migration");
            Migration::specify(migration, None, 0, &at, reader.problems());
        }
        let migrated = reader.map("migrated").and_then(|spec| {
            let at = reader.pointer_of("migrated");
            Migration::read(&name, spec, &at, reader.problems())
        });
        let Some(kind) = (entry?.read)(&mut reader) else {
            reader.finish();
            return None;
        };
        for (at, is_written) in [("required", required), ("default", default.is_some())] {
            if is_written && kind.is_computed() {
                let message = format!("a {} is made by the engine: `{at}` has no meaning", kind.name());
                reader.problem(at, "not_applicable", message);
            }
        }
        if unique && !kind.storage().can_be_unique() {
            let message = format!("a {} property cannot be unique", kind.name());
            reader.problem("unique", "not_applicable", message);
        }
        let has_words = kind.storage() == Storage::Text && kind.operators().contains(&"contains");
        if substring && !has_words {
            let message = format!("a {} property is not searched by parts of words", kind.name());
            reader.problem("substring", "not_applicable", message);
        }
        // With broken options every default would look wrong too.
        let is_sound = reader.problems().len() == before;
        let default =
            default.filter(|_| is_sound).map(|value| normalize_value(kind.as_ref(), value, &Locale::default()));
        let default = match default {
            Some(Ok(value)) => value,
            Some(Err(faults)) => {
                let at = reader.pointer_of("default");
                let faults = faults.into_iter();
                let found =
                    faults.map(|fault| Problem::new(format!("{at}{}", fault.pointer), fault.code, fault.message));
                reader.problems().extend(found.collect::<Vec<_>>());
                None
            }
            None => None,
        };
        reader.finish();
        if problems.len() > before {
            return None;
        }
        let mut written = spec.as_object().cloned().unwrap_or_default();
        written.shift_remove("name");
        written.shift_remove("layer");
        written.shift_remove("migrated");
        written.extend(kind.canonical_options());
        let layer = layer.to_owned();
        #[rustfmt::skip]
        let property = Self { name, label, description, group, required, unique, read_only, sensitive, searchable, substring, default, kind, layer, archived, was, migration, migrated, spec: written };
        Some(property)
    }

    /// The type of its values: of what is computed that of the result.
    pub(crate) fn value_kind(&self) -> Arc<dyn PropertyKind> {
        let formula = self.kind.formula().map(|formula| &formula.result);
        let result = formula.or_else(|| self.kind.rollup().and_then(|rollup| rollup.result.as_ref()));
        Arc::clone(result.unwrap_or(&self.kind))
    }

    /// Its type without bounds, as sums of its values need it.
    pub(crate) fn unbounded_kind(&self) -> Option<Arc<dyn PropertyKind>> {
        if self.kind.rollup().is_some() {
            return Some(self.value_kind());
        }
        let mut spec = self.spec.clone();
        let named = if self.kind.formula().is_some() { spec.get("result") } else { spec.get("type") };
        let entry = TABLE.iter().find(|entry| named.is_some_and(|name| name == entry.name))?;
        for bound in ["minimum", "maximum"] {
            spec.shift_remove(bound);
        }
        (entry.read)(&mut SpecReader::of_map(&spec, "", &mut Problems::new()))
    }

    /// A caller may give it a value.
    pub fn is_writable(&self) -> bool {
        !self.archived && !self.kind.is_computed()
    }
}

#[cfg(test)]
mod tests;
