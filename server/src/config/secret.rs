//! Values that are never printed.

use std::fmt;
use std::str::FromStr;

/// A token or password; its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_sendable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        // The text itself is not repeated: it is nearly a secret.
        is_sendable.then(|| Self(text.to_owned())).ok_or_else(|| "a token is visible ASCII without spaces".to_owned())
    }
}

/// Address of a database; its `Debug` and `Display` leave the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub(super) fn of(url: String) -> Self {
        Self(url)
    }

    /// The address with its password, for the one place that connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["postgres://", "postgresql://", "sqlite:"].iter().any(|scheme| text.starts_with(scheme));
        known
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| "a database address begins with `postgres://` or `sqlite:`".to_owned())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return formatter.write_str(&self.0) };
        let (address, parameters) = rest.split_once('?').map_or((rest, None), |(address, rest)| (address, Some(rest)));
        // A password may hold a `?` or an `@` that somebody forgot to encode: then nothing is certain to be the host.
        if parameters.is_some_and(|parameters| parameters.contains('@')) {
            return write!(formatter, "{scheme}://…");
        }
        match address.rsplit_once('@') {
            Some((user, host)) => write!(formatter, "{scheme}://{}:***@{host}", user.split(':').next().unwrap_or(""))?,
            None => write!(formatter, "{scheme}://{address}")?,
        }
        // `?password=…` is a way to give one, too.
        formatter.write_str(if parameters.is_some() { "?…" } else { "" })
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_an_address_shows_no_password() {
        let shown = |text: &str| text.parse::<DatabaseUrl>().expect("an address").to_string();
        assert_eq!(shown("postgres://ada:p@ss:word@db.example/crm"), "postgres://ada:***@db.example/crm");
        assert_eq!(shown("postgres://db/crm?password=secret"), "postgres://db/crm?…");
        assert_eq!(shown("postgres://db/crm?user=a&password=p@ss"), "postgres://…");
        assert_eq!(shown("postgres://ada:p@s?s@db/crm"), "postgres://…");
        assert_eq!(shown("sqlite:./data/trellis.db"), "sqlite:./data/trellis.db");
        assert!("mysql://db/crm".parse::<DatabaseUrl>().is_err());
    }

    #[test]
    fn a_secret_is_visible_ascii_and_never_shown() {
        let secret: Secret = "trl_abc".parse().expect("a token");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!("two words".parse::<Secret>().is_err());
        assert!("".parse::<Secret>().is_err());
    }
}
