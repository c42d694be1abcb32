//! By which host name an address belongs to somebody.

use crate::property::host::within;

/// Hosts where anybody has an address, which says nothing about who they belong to.
const PUBLIC: [&str; 46] = [
    "126.com",
    "163.com",
    "aol.com",
    "att.net",
    "bluewin.ch",
    "bol.com.br",
    "btinternet.com",
    "comcast.net",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "t-online.de",
    "uol.com.br",
    "verizon.net",
    "web.de",
    "yahoo.co.uk",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];

/// The host in a domain, in the address of a page or in that of a person, without a leading `www.`; none where anybody
/// may have an address there. `kind` is the type of the property.
pub(super) fn host_of<'t>(kind: &str, text: &'t str) -> Option<&'t str> {
    // What stands before the `@` may hold what ends a host elsewhere.
    let host = if kind == "email" { text.rsplit_once('@')?.1 } else { within(text) };
    let host = host.strip_prefix("www.").unwrap_or(host);
    let is_public = kind == "email" && PUBLIC.contains(&host);
    Some(host).filter(|host| !host.is_empty() && !is_public)
}

/// The host in an address of a page or a person; of an address of another kind none at all, of one that says nothing of
/// its owner `Some(None)`.
pub fn host_within(text: &str) -> Option<Option<&str>> {
    let text = text.trim();
    match (text.contains("://"), text.contains('@')) {
        (true, _) => Some(host_of("url", text)),
        (false, true) => Some(host_of("email", text)),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_in_every_kind_of_address() {
        for (kind, text, host) in [
            ("domain", "acme.example", Some("acme.example")),
            ("domain", "www.acme.example", Some("acme.example")),
            ("url", "https://www.acme.example:8080/a@b?c#d", Some("acme.example")),
            ("url", "http://u:p@acme.example", Some("acme.example")),
            ("email", "ada@acme.example", Some("acme.example")),
            ("email", "ada@gmail.com", None),
            ("domain", "gmail.com", Some("gmail.com")),
        ] {
            assert_eq!(host_of(kind, text), host, "{kind} {text}");
        }
    }

    #[test]
    fn domains_are_taken_out_of_addresses() {
        assert_eq!(host_within(" ada@acme.example"), Some(Some("acme.example")));
        assert_eq!(host_within("https://www.acme.example/x"), Some(Some("acme.example")));
        assert_eq!(host_within("ada@gmail.com"), Some(None));
        assert_eq!(host_within("acme.example"), None);
    }

    #[test]
    fn public_hosts_are_in_order_and_each_is_there_once() {
        assert!(PUBLIC.is_sorted_by(|one, other| one < other));
    }
}
