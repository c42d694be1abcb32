//! Properties: named, typed fields of an object, and the table of their types.
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

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::migration::Migration;
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems};
use crate::query::Form;
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
mod literal;
mod money;
mod number;
mod options;
mod pattern;
mod phone;
mod reference;
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
pub(crate) use literal::around;
pub use money::Currency;
pub use reference::Reference;

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

/// A property type with its options: how values are checked, brought to normal form and described.
pub trait PropertyKind: Debug + Send + Sync {
    /// The type's name in definitions, such as `money`.
    fn name(&self) -> &'static str;

    /// How values are stored in the index and compared.
    fn storage(&self) -> Storage;

    /// The same over properties of its object that are called otherwise: `now` gives the name that there is for one that
    /// it names. `None` where it names none of these.
    fn renamed(&self, now: &dyn Fn(&str) -> Option<Name>) -> Option<Arc<dyn PropertyKind>> {
        let _ = now;
        None
    }

    /// How values are written in answers to searches.
    fn form(&self) -> Form {
        match self.storage() {
            Storage::Boolean => Form::Boolean,
            Storage::Scaled(_) => Form::Integer,
            Storage::Date => Form::Date,
            Storage::Datetime => Form::Datetime,
            Storage::Text | Storage::LongText | Storage::Option | Storage::TextList | Storage::Opaque => Form::Text,
        }
    }

    /// Brings a value to normal form, or says everything that is wrong with it.
    ///
    /// `input` is never null nor an empty string: both mean "no value" and are dealt with before.
    fn normalize(&self, input: Input<'_>, locale: &Locale) -> Result<Value, Faults>;

    /// JSON Schema 2020-12 of a value in normal form.
    fn schema(&self) -> Map<String, Value>;

    /// A text, as found in a CSV cell, as the JSON that `normalize` takes. `Err` says why it cannot be.
    #[expect(clippy::wrong_self_convention, reason = "the value comes from the text, the type says how")]
    fn from_text(&self, text: &str) -> Result<Value, String> {
        Ok(Value::from(text.trim()))
    }

    /// Canonical options to show in a definition's reply in place of those written, key by key.
    fn canonical_options(&self) -> Map<String, Value> {
        Map::new()
    }

    /// The text under which a value in normal form is unique.
    fn unique_key(&self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The engine writes it; callers may not.
    fn is_computed(&self) -> bool {
        false
    }

    /// For a `json` property, the name of the JSON Schema fragment that its values follow.
    fn schema_reference(&self) -> Option<&str> {
        None
    }

    /// For `money`, where the currency of its amounts stands.
    fn currency(&self) -> Option<&Currency> {
        None
    }

    /// What a value names, for the engine to see whether it exists.
    fn reference(&self) -> Option<Reference<'_>> {
        None
    }

    /// For `auto_number`, how a counter is written.
    fn auto_number(&self) -> Option<&AutoNumber> {
        None
    }

    /// For `formula`, the expression and the type of its result.
    fn formula(&self) -> Option<&Formula> {
        None
    }

    /// For `rollup`, what it draws together.
    fn rollup(&self) -> Option<&Rollup> {
        None
    }

    /// Filter operators that a search takes for it.
    fn operators(&self) -> &'static [&'static str] {
        self.storage().operators()
    }

    /// The choices of an enumeration, in order; empty for any other type.
    fn options(&self) -> &[EnumOption] {
        &[]
    }

    /// Values stored under `self` that `next` would refuse, or would write differently, must be looked for when the
    /// type changes from one to the other; `false` promises that there can be none.
    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        // A type whose values the engine makes would overwrite what callers stored.
        let is_taken_over = next.is_computed() && self.name() != next.name();
        is_taken_over || !widening::admits(&next.schema(), &self.schema())
    }
}

/// The few ways in which values are kept in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Short text: compared folded, sorted by collation.
    Text,
    /// Long text: words only.
    LongText,
    /// One of a list of options; sorted as the options are.
    Option,
    /// Several short texts.
    TextList,
    /// A scaled 64-bit integer: value times ten to the power of the digits.
    Scaled(u32),
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, microseconds.
    Datetime,
    /// Stored, never compared.
    Opaque,
}

impl Storage {
    /// Whether values can be claimed, so that no two records have the same.
    pub fn can_be_unique(self) -> bool {
        !matches!(self, Self::LongText | Self::Opaque | Self::TextList)
    }

    /// Whether two values enclose those between them.
    pub fn has_intervals(self) -> bool {
        matches!(self, Self::Date | Self::Datetime | Self::Scaled(_))
    }

    /// Filter operators for values stored this way.
    pub fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "eq",
                "neq",
                "lt",
                "lte",
                "gt",
                "gte",
                "between",
                "in",
                "not_in",
                "exists",
                "not_exists",
                "contains",
                "starts_with",
            ],
            Self::LongText => &["contains", "exists", "not_exists"],
            Self::Option | Self::Scaled(_) | Self::Date | Self::Datetime => {
                &["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"]
            }
            Self::TextList => &["has_any", "has_all", "exists", "not_exists"],
            Self::Boolean => &["eq", "neq", "exists", "not_exists"],
            Self::Opaque => &["exists", "not_exists"],
        }
    }
}

/// One choice of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumOption {
    /// Stored value.
    pub key: String,
    /// What people read.
    pub label: String,
    /// A colour's name or code.
    pub color: Option<String>,
    /// Kept for stored values, refused for new ones.
    pub archived: bool,
}

/// What a tenant's settings say about reading values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    /// ISO 3166 code of the country whose national phone numbers are meant, such as `US`.
    pub country: String,
}

impl Default for Locale {
    fn default() -> Self {
        Self { country: "US".to_owned() }
    }
}

/// One property type: its name and how its options are read.
pub struct KindEntry {
    /// The type's name in definitions.
    pub name: &'static str,
    /// Reads the type's own options; problems go to the reader. `None` where too little of them can be read, with at
    /// least one problem.
    pub read: fn(&mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>>,
}

/// Every property type. A new one is a line here and a file beside this one.
pub static TABLE: &[KindEntry] = &[
    KindEntry { name: "string", read: text::read_string },
    KindEntry { name: "text", read: text::read_text },
    KindEntry { name: "integer", read: integer::read },
    KindEntry { name: "decimal", read: decimal::read_decimal },
    KindEntry { name: "percent", read: decimal::read_percent },
    KindEntry { name: "money", read: money::read },
    KindEntry { name: "boolean", read: boolean::read },
    KindEntry { name: "date", read: date::read },
    KindEntry { name: "datetime", read: datetime::read },
    KindEntry { name: "enum", read: enumeration::read_enum },
    KindEntry { name: "multi_enum", read: enumeration::read_multi_enum },
    KindEntry { name: "tags", read: tags::read },
    KindEntry { name: "email", read: email::read },
    KindEntry { name: "phone", read: phone::read },
    KindEntry { name: "url", read: url::read },
    KindEntry { name: "domain", read: domain::read },
    KindEntry { name: "user", read: user::read },
    KindEntry { name: "json", read: json::read },
    KindEntry { name: "file", read: file::read },
    KindEntry { name: "geo", read: geo::read },
    KindEntry { name: "auto_number", read: auto_number::read },
    KindEntry { name: "formula", read: computed::read_formula },
    KindEntry { name: "rollup", read: computed::read_rollup },
];

/// What types are called elsewhere, too far from their names here to be taken for a slip.
const ELSEWHERE: [(&str, &str); 10] = [
    ("int", "integer"),
    ("number", "decimal"),
    ("float", "decimal"),
    ("bool", "boolean"),
    ("str", "string"),
    ("varchar", "string"),
    ("timestamp", "datetime"),
    ("select", "enum"),
    ("object", "json"),
    ("uri", "url"),
];

impl Property {
    /// Reads a property's specification, folded over all layers; `None` where its type is missing or unknown.
    ///
    /// `layer` is the layer that declared it.
    pub fn read(name: Name, spec: &Value, layer: &str, pointer: &str, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let mut reader = SpecReader::new(spec, pointer, problems)?;
        let entry = match reader.string("type") {
            Some(kind) => {
                let entry = TABLE.iter().find(|entry| entry.name == kind);
                if entry.is_none() {
                    let hint = match ELSEWHERE.iter().find(|(name, _)| *name == kind) {
                        Some((_, meant)) => format!("; did you mean `{meant}`?"),
                        None => did_you_mean(kind, TABLE.iter().map(|entry| entry.name)),
                    };
                    reader.problem("type", "unknown_type", format!("`{kind}` is no property type{hint}"));
                }
                entry
            }
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

/// Brings a value as it came in to normal form. `None` is no value: null and the empty string mean the same.
pub fn normalize(kind: &dyn PropertyKind, raw: &RawValue, locale: &Locale) -> Result<Option<Value>, Faults> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'n') | None => Ok(None),
        Some(b't') => kind.normalize(Input::Boolean(true), locale).map(Some),
        Some(b'f') => kind.normalize(Input::Boolean(false), locale).map(Some),
        Some(b'"') => {
            let string = input::decode_text(raw).map_err(|fault| vec![fault])?;
            if string.is_empty() {
                return Ok(None);
            }
            kind.normalize(Input::String(&string), locale).map(Some)
        }
        Some(b'[' | b'{') => kind.normalize(Input::Json(raw), locale).map(Some),
        Some(_) => kind.normalize(Input::Number(text), locale).map(Some),
    }
}

/// [`normalize`] for a value that is already JSON in memory, such as a default in a definition.
pub fn normalize_value(kind: &dyn PropertyKind, value: &Value, locale: &Locale) -> Result<Option<Value>, Faults> {
    let raw = serde_json::value::to_raw_value(value)
        .map_err(|error| vec![Fault::new("wrong_type", format!("not a JSON value: {error}"))])?;
    normalize(kind, &raw, locale)
}

#[cfg(test)]
mod tests;
