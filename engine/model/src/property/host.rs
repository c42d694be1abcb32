//! Host names in the form in which they are compared: lower case, international ones in ASCII.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Bytes beyond which no text can be a host name of 253 ASCII characters.
const LONGEST: usize = 1_024;

/// The host in an address of a page or a person, or the text itself, as it is written.
pub(crate) fn within(text: &str) -> &str {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().trim_end_matches('.')
}

/// The public host name that `text` means: at least two labels, the last of which is no number.
pub(super) fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if text.len() > LONGEST {
        return None;
    }
    let ascii = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify).ok()?;
    let (_, top) = ascii.rsplit_once('.')?;
    let is_address = top.bytes().all(|byte| byte.is_ascii_digit());
    (!is_address).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_lower_case_ascii() {
        for (written, name) in [
            ("Example.COM", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("a.b.c.co.uk", "a.b.c.co.uk"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("1.de", "1.de"),
        ] {
            assert_eq!(canonical(written).as_deref(), Some(name), "{written}");
        }
    }

    #[test]
    fn others_are_no_public_host_names() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = "a.".repeat(127) + "com";
        for wrong in [
            "",
            ".",
            "localhost",
            "example.com.",
            ".com",
            "a..b",
            "-a.com",
            "a-.com",
            "a_b.com",
            "a b.com",
            "a/b.com",
            "1.2.3.4",
            "[::1]",
            "a.com:80",
            "xn--a.com",
            "r3---sn.example.com",
            &long_label,
            &long_name,
            &"ü".repeat(2_000),
        ] {
            assert_eq!(canonical(wrong), None, "{wrong}");
        }
    }
}
