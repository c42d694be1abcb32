//! Texts, keys of options and ids as they are compared.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::text::fold;
use super::ResolveContext;
use super::known::{Known, Role};
use super::operand::{one, text};
use crate::RecordId;
use crate::json::read;
use crate::problem::{Problem, Problems};
use crate::property::{Faults, Storage, excerpt, normalize};

/// A text as it is compared: in the normal form of its type where it can be brought to that, and folded. Ids are exact.
pub(super) fn compared(known: &Known<'_>, raw: &RawValue, context: &ResolveContext<'_>) -> Result<String, Problems> {
    let normal = normalize(known.kind, raw, context.locale);
    match normal {
        _ if known.role == Role::Uid => uid(&text(raw)?),
        Ok(Some(Value::String(id))) if known.kind.reference().is_some() => Ok(id),
        Err(faults) if known.kind.reference().is_some() => Err(problems_of(faults)),
        Ok(Some(Value::String(normal))) => Ok(fold(&normal)),
        // A mistyped address, or one that is cut short, can still be compared as a text.
        Ok(_) | Err(_) => text(raw).map(|text| fold(&text)),
    }
}

/// A text that a list holds: folded, or for a list of options one of their keys.
pub(super) fn element(known: &Known<'_>, raw: &RawValue, context: &ResolveContext<'_>) -> Result<String, Problems> {
    match known.kind.options() {
        [] => text(raw).map(|text| fold(text.trim())),
        _ => option(known, raw, context).and_then(|_| text(raw).map(Cow::into_owned)),
    }
}

/// The position of an option by its key; archived ones too, since stored values may hold them.
pub(super) fn option(known: &Known<'_>, raw: &RawValue, context: &ResolveContext<'_>) -> Result<i64, Problems> {
    let key = text(raw)?;
    if let Some((position, _)) = (0..).zip(known.kind.options()).find(|(_, option)| option.key == key) {
        return Ok(position);
    }
    // The type says what is wrong in the same words as where a record is written.
    let list = serde_json::value::to_raw_value(&[key]).map_err(|error| one("invalid", error.to_string()))?;
    let written = if known.field.storage == Storage::TextList { &list } else { raw };
    let faults = normalize(known.kind, written, context.locale).err().unwrap_or_default();
    Err(faults.into_iter().map(|fault| Problem::new("", fault.code, fault.message)).collect())
}

/// The id of a record.
pub(super) fn record_id(raw: &RawValue) -> Result<RecordId, Problems> {
    let is_number = raw.get().bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return Err(one("wrong_type", format!("ids are strings: write \"{}\"", raw.get())));
    }
    text(raw)?.trim().parse().map_err(|error: crate::id::InvalidId| one("invalid", error.to_string()))
}

/// True or false, as the index has it.
pub(super) fn boolean(raw: &RawValue) -> Result<String, Problems> {
    read::<bool>(raw).map(|value| value.to_string())
}

/// An identifier in its canonical form.
fn uid(text: &str) -> Result<String, Problems> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let text = text.trim();
    let is_shaped = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match HYPHENS.contains(&at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        });
    match is_shaped {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(one("invalid", format!("`{}` is no UUID", excerpt(text)))),
    }
}

fn problems_of(faults: Faults) -> Problems {
    faults.into_iter().map(|fault| Problem::new(fault.pointer, fault.code, fault.message)).collect()
}
