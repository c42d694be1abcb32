//! The table of property types.

use std::sync::Arc;

use super::{
    PropertyKind, auto_number, boolean, computed, date, datetime, decimal, domain, email, enumeration, file, geo,
    integer, json, money, phone, tags, text, url, user,
};
use crate::name::did_you_mean;
use crate::spec::SpecReader;

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

/// The type with this name, or what to say where there is none.
pub(super) fn find(name: &str) -> Result<&'static KindEntry, String> {
    TABLE.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let hint = match ELSEWHERE.iter().find(|(other, _)| *other == name) {
            Some((_, meant)) => format!("; did you mean `{meant}`?"),
            None => did_you_mean(name, TABLE.iter().map(|entry| entry.name)),
        };
        format!("`{name}` is no property type{hint}")
    })
}
