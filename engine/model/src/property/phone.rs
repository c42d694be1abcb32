//! `phone`: a number as it is dialled from anywhere: E.164, an extension appended as in RFC 3966.
//!
//! `+14155552671`, or `+14155552671;ext=12` where an extension was given: it would be lost otherwise, and it is no
//! part of E.164. A number need not be assigned to anybody, nor lie in a range known to be in use, since ranges open
//! faster than their lists are updated; but the country's numbers must have its length.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage, dial_plan};
use crate::spec::SpecReader;

/// Bytes of a number as people write it, with spaces, brackets and an extension.
const LONGEST: usize = 64;

/// Digits of a number with its country code: 15 by E.164, and a trunk or international prefix that goes.
const MOST_DIGITS: usize = 20;

/// Digits of an extension.
const MOST_EXTENSION_DIGITS: usize = 7;

/// Words that lead to an extension; longer ones first, since they begin with shorter ones.
const EXTENSION_WORDS: [&str; 6] = [";ext=", "extension", "extn", "ext", "x", "#"];

#[derive(Debug)]
struct Phone;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Phone))
}

impl PropertyKind for Phone {
    fn name(&self) -> &'static str {
        "phone"
    }

    fn storage(&self) -> Storage {
        Storage::Text
    }

    fn normalize(&self, input: Input<'_>, locale: &Locale) -> Result<Value, Faults> {
        let text = input.text("a phone number as a string, such as `+1 415 555 2671`,")?.trim();
        if text.len() > LONGEST {
            return Err(vec![Fault::new("too_long", format!("a phone number has at most {LONGEST} characters"))]);
        }
        canonical(text, &locale.country)
            .map(Value::from)
            .map_err(|reason| vec![Fault::new("invalid", format!("`{}` is no phone number: {reason}", excerpt(text)))])
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([
            ("type".to_owned(), json!("string")),
            ("pattern".to_owned(), json!(format!("^\\+[1-9][0-9]{{1,19}}(;ext=[0-9]{{1,{MOST_EXTENSION_DIGITS}}})?$"))),
            ("maxLength".to_owned(), json!(LONGEST)),
        ])
    }
}

fn canonical(text: &str, country: &str) -> Result<String, String> {
    let text = text.to_lowercase();
    let text = text.strip_prefix("tel:").unwrap_or(&text);
    let (number, extension) = split_extension(text)?;
    let dialled = dialled(number)?;
    let mut number = match dialled.strip_prefix('+') {
        Some(digits) => dial_plan::international(digits),
        None => dial_plan::national(&dialled, country),
    }?;
    if let Some(extension) = extension {
        number.push_str(";ext=");
        number.push_str(extension);
    }
    Ok(number)
}

/// Splits off an extension such as `x12`, `ext. 12` or `#12`.
fn split_extension(text: &str) -> Result<(&str, Option<&str>), String> {
    let Some(at) = text.find(|each: char| each.is_ascii_alphabetic() || each == ';' || each == '#') else {
        return Ok((text, None));
    };
    let (number, rest) = text.split_at(at);
    let unknown = || "letters lead to an extension only, as in `+1 415 555 2671 ext. 12`".to_owned();
    let digits = EXTENSION_WORDS.iter().find_map(|word| rest.strip_prefix(word)).ok_or_else(unknown)?;
    let digits = digits.trim_start_matches(['.', ':', '=', ' ']);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unknown());
    }
    if digits.len() > MOST_EXTENSION_DIGITS {
        return Err(format!("an extension has at most {MOST_EXTENSION_DIGITS} digits"));
    }
    Ok((number, Some(digits)))
}

/// Only the digits, with `+` before them where one was written: nothing else reaches the parser.
fn dialled(number: &str) -> Result<String, String> {
    let mut dialled = String::with_capacity(number.len());
    for each in number.chars() {
        match each {
            '0'..='9' => dialled.push(each),
            '+' if dialled.is_empty() => dialled.push(each),
            ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{2010}'..='\u{2015}' => {}
            _ => return Err(format!("`{}` cannot stand there", excerpt(&each.to_string()))),
        }
    }
    let digits = dialled.bytes().filter(u8::is_ascii_digit).count();
    match digits {
        0 => Err("it has no digits".to_owned()),
        1..=4 => Err("it is too short".to_owned()),
        5..=MOST_DIGITS => Ok(dialled),
        _ => Err("it is too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn national_numbers_are_those_of_the_tenants_country() {
        for (country, written, canonical_form) in [
            ("US", "(415) 555-2671", "+14155552671"),
            ("US", "1 415 555 2671", "+14155552671"),
            ("US", "415.555.2671", "+14155552671"),
            ("US", "011 44 20 7946 0958", "+442079460958"),
            ("US", "011 49 1512 3456789", "+4915123456789"),
            ("DE", "030 123456", "+4930123456"),
            ("DE", "0049 30 123456", "+4930123456"),
            ("DE", "001 415 555 2671", "+14155552671"),
            ("GB", "020 7946 0958", "+442079460958"),
            ("IT", "02 3661 8300", "+390236618300"),
            ("FR", "06 31 96 65 43", "+33631966543"),
        ] {
            assert_eq!(canonical(written, country), Ok(canonical_form.to_owned()), "{country} {written}");
        }
    }

    #[test]
    fn international_numbers_do_not_depend_on_the_country() {
        for (written, canonical_form) in [
            ("+1 (415) 555-2671", "+14155552671"),
            ("+15551234567", "+15551234567"),
            ("+44 (0) 20 7946 0958", "+442079460958"),
            ("+49 1512 3456789", "+4915123456789"),
            ("tel:+49-30-123456", "+4930123456"),
            ("+39 02 3661 8300", "+390236618300"),
            ("+800 12345678", "+80012345678"),
            ("+1\u{a0}415\u{2013}555\u{2010}2671", "+14155552671"),
        ] {
            for country in ["US", "DE", "IT", "JP", "XX", ""] {
                assert_eq!(canonical(written, country), Ok(canonical_form.to_owned()), "{country} {written}");
            }
        }
    }

    #[test]
    fn an_extension_is_kept() {
        for written in [
            "+1 415 555 2671 x12",
            "+1 415 555 2671 ext. 12",
            "+1 415 555 2671 Extension: 12",
            "+1 415 555 2671#12",
            "tel:+1-415-555-2671;ext=12",
            "(415) 555-2671 EXT12",
            "+14155552671;ext=12",
        ] {
            assert_eq!(canonical(written, "US"), Ok("+14155552671;ext=12".to_owned()), "{written}");
        }
        assert!(canonical("+14155552671 x", "US").is_err());
        assert_eq!(canonical("+14155552671 x12345678", "US"), Err("an extension has at most 7 digits".to_owned()));
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        let phone = kind(json!({"type": "phone"}));
        for (wrong, reason) in [
            ("+", "it has no digits"),
            ("911", "it is too short"),
            ("555-2671", "numbers in US do not have 7 digits"),
            ("+1 415 555 267", "numbers with the country code +1 do not have 9 digits after it"),
            ("+999 123456789", "no country has its country code"),
            ("1-800-FLOWERS", "letters lead to an extension only"),
            ("415 555 2671 or 415 555 2672", "letters lead to an extension only"),
            ("415,555,2671", "`,` cannot stand there"),
            ("+1 415 +555 2671", "`+` cannot stand there"),
            ("٤١٥٥٥٥٢٦٧١", "`٤` cannot stand there"),
            ("123456789012345678901", "it is too long"),
        ] {
            let faults = refuse(&phone, &json!(wrong).to_string());
            assert_eq!(codes(&faults), ["invalid"], "{wrong}");
            assert!(faults[0].message.contains(reason), "{wrong}: {}", faults[0].message);
        }
        assert_eq!(codes(&refuse(&phone, "4155552671")), ["wrong_type"]);
        assert_eq!(codes(&refuse(&phone, &json!("4".repeat(65)).to_string())), ["too_long"]);
        assert_eq!(accept(&phone, r#"" 415-555-2671 ""#), json!("+14155552671"));
    }

    proptest! {
        #[test]
        fn digits_never_panic_and_the_form_is_stable(digits in r"\+?[0-9]{1,22}", country in "[A-Z]{2}") {
            if let Ok(number) = canonical(&digits, &country) {
                prop_assert_eq!(canonical(&number, "US"), Ok(number.clone()));
                prop_assert_eq!(canonical(&number, &country), Ok(number));
            }
        }

        #[test]
        fn no_text_panics(text in r"(tel:|\+|00|011)?[0-9 ().;=x#*,a-z/-]{0,40}", other in ".{0,70}") {
            let _ = canonical(&text, "US");
            let _ = canonical(&other, "BR");
        }
    }
}
