//! Properties: named, typed fields of an object, and the table of their types.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems};
use crate::spec::SpecReader;

mod auto_number;
mod boolean;
mod computed;
mod date;
mod datetime;
mod decimal;
mod domain;
mod email;
mod enumeration;
mod file;
mod geo;
mod integer;
mod json;
mod money;
mod phone;
mod tags;
mod text;
mod url;
mod user;

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
    /// Taken on create where no value is given; in normal form.
    pub default: Option<Value>,
    /// The property's type with its options.
    pub kind: Arc<dyn PropertyKind>,
    /// Layer that declared it: a pack's name, `custom` for the tenant's own, `engine` for the engine's.
    pub layer: String,
    /// No longer accepted or shown; stored values stay.
    pub archived: bool,
    /// The specification as written, folded over all layers, options in their list form; without `name` and `layer`.
    pub spec: Map<String, Value>,
}

/// A property type with its options: how values are checked, brought to normal form and described.
pub trait PropertyKind: Debug + Send + Sync {
    /// The type's name in definitions, such as `money`.
    fn name(&self) -> &'static str;

    /// How values are stored in the index and compared.
    fn storage(&self) -> Storage;

    /// Brings a value to normal form, or says everything that is wrong with it.
    ///
    /// `input` is never null nor an empty string: both mean "no value" and are dealt with before.
    fn normalize(&self, input: Input<'_>, locale: &Locale) -> Result<Value, Faults>;

    /// JSON Schema 2020-12 of a value in normal form.
    fn schema(&self) -> Map<String, Value>;

    /// A text, as found in a CSV cell, as the JSON that `normalize` takes. `Err` says why it cannot be.
    fn from_text(&self, text: &str) -> Result<Value, String> {
        Ok(Value::from(text))
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

    /// Filter operators that a search takes for it.
    fn operators(&self) -> &'static [&'static str] {
        self.storage().operators()
    }

    /// The choices of an enumeration, in order; empty for any other type.
    fn options(&self) -> &[EnumOption] {
        &[]
    }

    /// Values stored under `self` that `next` would refuse must be looked for when the type changes from one to the
    /// other; `false` promises that there can be none.
    fn narrows_to(&self, next: &dyn PropertyKind) -> bool {
        self.name() != next.name() || self.schema() != next.schema()
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
    /// Filter operators for values stored this way.
    pub fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists", "contains",
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

/// A value as it came in, number literals kept as written so that decimals stay exact.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// `true` or `false`.
    Boolean(bool),
    /// A number's literal text.
    Number(&'a str),
    /// A text.
    String(&'a str),
    /// A list or an object.
    Json(&'a RawValue),
}

impl Input<'_> {
    /// What it is, in words.
    pub fn shape(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Json(raw) => if raw.get().starts_with('[') { "a list" } else { "an object" },
        }
    }

    /// `wrong_type` with what was expected.
    pub fn wrong_type(&self, expected: &str) -> Faults {
        vec![Fault::new("wrong_type", format!("{expected} is expected, not {}", self.shape()))]
    }
}

/// One thing wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Pointer from the value on, empty for the value itself, `/2` for its third element.
    pub pointer: String,
    /// Stable word.
    pub code: &'static str,
    /// What is wrong and what is expected.
    pub message: String,
}

impl Fault {
    /// A fault of the value itself.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: String::new(), code, message: message.into() }
    }
}

/// Everything wrong with a value.
pub type Faults = Vec<Fault>;

/// One property type: its name and how its options are read.
pub struct KindEntry {
    /// The type's name in definitions.
    pub name: &'static str,
    /// Reads the type's own options; problems go to the reader.
    pub read: fn(&mut SpecReader<'_>) -> Arc<dyn PropertyKind>,
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
                    let hint = did_you_mean(kind, TABLE.iter().map(|entry| entry.name));
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
        let archived = reader.boolean("archived").unwrap_or(false);
        let default = reader.value("default");
        let kind = (entry?.read)(&mut reader);
        if kind.is_computed() && (required || default.is_some()) {
            let at = if required { "required" } else { "default" };
            reader.problem(at, "not_applicable", format!("a {} is made by the engine: `{at}` has no meaning", kind.name()));
        }
        if unique && matches!(kind.storage(), Storage::LongText | Storage::Opaque | Storage::TextList) {
            let message = format!("a {} property cannot be unique", kind.name());
            reader.problem("unique", "not_applicable", message);
        }
        let default = match default.map(|value| normalize_value(kind.as_ref(), value, &Locale::default())) {
            Some(Ok(value)) => value,
            Some(Err(faults)) => {
                let at = reader.pointer_of("default");
                let faults = faults.into_iter();
                let found = faults.map(|fault| Problem::new(format!("{at}{}", fault.pointer), fault.code, fault.message));
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
        written.extend(kind.canonical_options());
        let layer = layer.to_owned();
        #[rustfmt::skip]
        let property = Self { name, label, description, group, required, unique, read_only, sensitive, searchable, default, kind, layer, archived, spec: written };
        Some(property)
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
            let string: std::borrow::Cow<'_, str> = serde_json::from_str::<BorrowedText<'_>>(text)
                .map_err(|_| vec![Fault::new("wrong_type", "the string has a broken escape")])?
                .0;
            if string.is_empty() {
                return Ok(None);
            }
            // Neither store keeps U+0000 in a text, so both refuse it alike.
            if string.contains('\0') {
                return Err(vec![Fault::new("invalid", "the character U+0000 cannot be stored")]);
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

#[derive(serde::Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

#[cfg(test)]
mod tests;
