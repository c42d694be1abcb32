//! `url`: the address of a page, `http` or `https`, in the form in which browsers compare it.

use std::sync::Arc;

use ::url::{Host, ParseError, Position, Url};
use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::SpecReader;

/// Characters of an address, those in its normal form counted.
const LONGEST: usize = 2_048;

/// Other schemes are refused: a link of a CRM is followed with a click, and `javascript:` would run.
const SCHEMES: [&str; 2] = ["http", "https"];

#[derive(Debug)]
struct Address;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Address))
}

impl PropertyKind for Address {
    fn name(&self) -> &'static str {
        "url"
    }

    fn storage(&self) -> Storage {
        Storage::Text
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let text = input.text("an address as a string, such as `https://example.com`,")?.trim();
        if text.len() > LONGEST {
            return Err(too_long());
        }
        match canonical(text) {
            Ok(address) if address.len() > LONGEST => Err(too_long()),
            Ok(address) => Ok(Value::from(address)),
            Err(reason) => {
                let message = format!("`{}` is no address of a page: {reason}", excerpt(text));
                Err(vec![Fault::new("invalid", message)])
            }
        }
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([
            ("type".to_owned(), json!("string")),
            ("format".to_owned(), json!("uri")),
            ("pattern".to_owned(), json!("^https?://")),
            ("maxLength".to_owned(), json!(LONGEST)),
        ])
    }
}

fn too_long() -> Faults {
    vec![Fault::new("too_long", format!("an address has at most {LONGEST} characters"))]
}

fn canonical(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("it has control characters".to_owned());
    }
    match Url::parse(text) {
        Ok(url) if SCHEMES.contains(&url.scheme()) => strict(&url),
        // `example.com:8080` reads like the scheme `example.com`.
        Ok(url) if url.scheme().contains('.') => Err(without_scheme(text)),
        Ok(url) => Err(format!("`{}` is neither `http` nor `https`", url.scheme())),
        Err(ParseError::RelativeUrlWithoutBase) => Err(without_scheme(text)),
        Err(error) => Err(error.to_string()),
    }
}

/// The address by RFC 3986, which allows fewer characters than browsers let pass.
fn strict(url: &Url) -> Result<String, String> {
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if let Some(Host::Domain(name)) = url.host()
        && !is_plain(name)
    {
        return Err(format!("`{}` is no host name", excerpt(name)));
    }
    let mut address = escape(&url[..Position::BeforeHost]);
    address.push_str(&url[Position::BeforeHost..Position::AfterHost]);
    address.push_str(&escape(&url[Position::AfterHost..Position::AfterQuery]));
    if let Some(fragment) = url.fragment() {
        address.push('#');
        address.push_str(&escape(fragment).replace('#', "%23"));
    }
    Ok(address)
}

/// Percent-encodes the characters, all of them ASCII, that the `url` crate leaves though RFC 3986 has no place for them.
fn escape(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for (at, character) in part.char_indices() {
        let is_escape = || part.get(at + 1..at + 3).is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match character {
            '%' if !is_escape() => escaped.push_str("%25"),
            '[' | ']' | '{' | '}' | '|' | '\\' | '^' | '`' | '"' | '<' | '>' => {
                escaped.push_str(&format!("%{:02X}", u32::from(character)));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

fn without_scheme(text: &str) -> String {
    let meant = format!("https://{}", text.trim_start_matches('/'));
    match Url::parse(&meant) {
        Ok(_) => format!("it lacks the scheme; write `{}`", excerpt(&meant)),
        Err(_) => "it lacks the scheme, such as `https://`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn addresses_are_normalised() {
        let url = kind(json!({"type": "url"}));
        for (written, canonical) in [
            (" HTTPS://Example.com ", "https://example.com/"),
            ("http://example.com:80/a/../b c?q=é#F", "http://example.com/b%20c?q=%C3%A9#F"),
            ("https://bücher.example/Path", "https://xn--bcher-kva.example/Path"),
            ("https://127.0.0.1:8080", "https://127.0.0.1:8080/"),
            ("http://0/?##", "http://0.0.0.0/?#%23"),
            ("https://[::1]/a[1]|%zz%41?q={^`}", "https://[::1]/a%5B1%5D%7C%25zz%41?q=%7B%5E%60%7D"),
        ] {
            assert_eq!(accept(&url, &json!(written).to_string()), json!(canonical));
        }
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        let url = kind(json!({"type": "url"}));
        for (wrong, reason) in [
            ("example.com", "it lacks the scheme; write `https://example.com`"),
            ("example.com:8080/x", "it lacks the scheme; write `https://example.com:8080/x`"),
            ("//example.com", "it lacks the scheme; write `https://example.com`"),
            ("javascript:alert(1)", "`javascript` is neither `http` nor `https`"),
            ("mailto:a@b.co", "`mailto` is neither `http` nor `https`"),
            ("https://", "empty host"),
            ("https://a\"b.com", "`a\"b.com` is no host name"),
            ("https://a\tb.com", "it has control characters"),
        ] {
            let faults = refuse(&url, &json!(wrong).to_string());
            assert_eq!(codes(&faults), ["invalid"], "{wrong}");
            assert!(faults[0].message.ends_with(reason), "{wrong}: {}", faults[0].message);
        }
        let growing = format!("https://example.com/{}", "é".repeat(1_000));
        assert_eq!(codes(&refuse(&url, &json!(growing).to_string())), ["too_long"]);
    }
}
