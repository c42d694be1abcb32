//! `email`: an address of the form that mail is really sent to, in lower case.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage, host};
use crate::spec::SpecReader;

/// Characters of an address (RFC 5321, section 4.5.3.1, less the angle brackets).
const LONGEST: usize = 254;

/// Characters before the `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

#[derive(Debug)]
struct Email;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Email))
}

impl PropertyKind for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn storage(&self) -> Storage {
        Storage::Text
    }

    /// Lower case throughout: no provider tells `Ada@` from `ada@`, and two contacts for one person are worse.
    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let text = input.text("an e-mail address as a string")?.trim();
        match canonical(text) {
            Ok(address) if address.len() > LONGEST => {
                let message = format!("has {} characters; an e-mail address has at most {LONGEST}", address.len());
                Err(vec![Fault::new("too_long", message)])
            }
            Ok(address) => Ok(Value::from(address)),
            Err(reason) => {
                let message = format!("`{}` is no e-mail address: {reason}", excerpt(text));
                Err(vec![Fault::new("invalid", message)])
            }
        }
    }

    fn schema(&self) -> Map<String, Value> {
        Map::from_iter([
            ("type".to_owned(), json!("string")),
            ("format".to_owned(), json!("email")),
            ("maxLength".to_owned(), json!(LONGEST)),
        ])
    }
}

fn canonical(text: &str) -> Result<String, &'static str> {
    let (local, domain) = text.rsplit_once('@').ok_or("it has no `@`")?;
    if local.contains('@') {
        return Err("it has more than one `@`");
    }
    if local.is_empty() {
        return Err("there is nothing before the `@`");
    }
    if local.len() > LONGEST_LOCAL {
        return Err("there are more than 64 characters before the `@`");
    }
    if !local.bytes().all(is_local) {
        return Err("before the `@` stand letters a to z, digits and .!#$%&'*+-/=?^_`{|}~ only");
    }
    if local.split('.').any(str::is_empty) {
        return Err("dots before the `@` stand between other characters");
    }
    let domain = host::canonical(domain).ok_or("after the `@` stands a domain such as `example.com`")?;
    Ok(format!("{}@{domain}", local.to_ascii_lowercase()))
}

/// The characters of an unquoted local part (RFC 5322, `atext`) and the dot.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, refuse};
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_lower_case() {
        let email = kind(json!({"type": "email"}));
        for (written, canonical) in [
            (" Ada.Lovelace+CRM@Example.COM\n", "ada.lovelace+crm@example.com"),
            ("o'brien@bücher.example", "o'brien@xn--bcher-kva.example"),
            ("x@a.b.co", "x@a.b.co"),
        ] {
            assert_eq!(accept(&email, &json!(written).to_string()), json!(canonical));
        }
        let longest_local = format!("{}@example.com", "a".repeat(64));
        assert_eq!(accept(&email, &json!(longest_local).to_string()), json!(longest_local));
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        let email = kind(json!({"type": "email"}));
        for (wrong, reason) in [
            ("ada", "it has no `@`"),
            ("a@b@c.com", "it has more than one `@`"),
            ("@c.com", "there is nothing before the `@`"),
            (".a@c.com", "dots before"),
            ("a..b@c.com", "dots before"),
            ("a.@c.com", "dots before"),
            ("a b@c.com", "before the `@` stand"),
            ("\"a b\"@c.com", "before the `@` stand"),
            ("é@c.com", "before the `@` stand"),
            ("a@localhost", "after the `@`"),
            ("a@[1.2.3.4]", "after the `@`"),
            ("a@1.2.3.4", "after the `@`"),
            ("a@-c.com", "after the `@`"),
            ("a@c.com.", "after the `@`"),
            ("Ada <a@c.com>", "before the `@` stand"),
        ] {
            let faults = refuse(&email, &json!(wrong).to_string());
            assert_eq!(codes(&faults), ["invalid"], "{wrong}");
            assert!(faults[0].message.contains(reason), "{wrong}: {}", faults[0].message);
        }
        let long = format!("{}@{}.com", "a".repeat(64), ["b".repeat(60), "c".repeat(60), "d".repeat(63)].join("."));
        assert_eq!(long.len(), 254);
        assert_eq!(accept(&email, &json!(long).to_string()), json!(long));
        let longer = long.replace("b.c", "bb.c");
        assert_eq!(codes(&refuse(&email, &json!(longer).to_string())), ["too_long"]);
    }
}
