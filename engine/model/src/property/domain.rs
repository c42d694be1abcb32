//! `domain`: a public host name such as `example.com`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage, host};
use crate::spec::SpecReader;

/// Labels of letters, digits and hyphens, at least two of them.
const PATTERN: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$";

#[derive(Debug)]
struct Domain;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Domain))
}

impl PropertyKind for Domain {
    fn name(&self) -> &'static str {
        "domain"
    }

    fn storage(&self) -> Storage {
        Storage::Text
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let text = input.text("a domain as a string, such as `example.com`,")?.trim();
        match host::canonical(text) {
            Some(domain) => Ok(Value::from(domain)),
            None => Err(vec![Fault::new("invalid", format!("`{}` is no domain{}", excerpt(text), hint(text)))]),
        }
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([
            ("type".to_owned(), json!("string")),
            ("maxLength".to_owned(), json!(253)),
            ("pattern".to_owned(), json!(PATTERN)),
        ])
    }
}

/// An address of a page or a person has the domain inside.
fn hint(text: &str) -> String {
    match host::canonical(host::within(text)) {
        Some(domain) => format!("; write `{domain}`"),
        None => "; write a plain name such as `example.com`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn a_domain_is_kept_in_lower_case_ascii() {
        let domain = kind(json!({"type": "domain"}));
        assert_eq!(accept(&domain, r#"" WWW.Example.com ""#), json!("www.example.com"));
        assert_eq!(accept(&domain, r#""Bücher.example""#), json!("xn--bcher-kva.example"));
    }

    #[test]
    fn an_address_is_refused_and_the_domain_in_it_named() {
        let domain = kind(json!({"type": "domain"}));
        for (wrong, hint) in [
            ("https://Example.com/", "write `example.com`"),
            ("example.com/path", "write `example.com`"),
            ("http://u:p@example.com:80?x", "write `example.com`"),
            ("ada@example.com", "write `example.com`"),
            ("example.com.", "write `example.com`"),
            ("localhost", "write a plain name such as `example.com`"),
        ] {
            let faults = refuse(&domain, &json!(wrong).to_string());
            assert_eq!(codes(&faults), ["invalid"]);
            assert_eq!(faults[0].message, format!("`{wrong}` is no domain; {hint}"));
        }
    }
}
