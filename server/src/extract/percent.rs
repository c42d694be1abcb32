//! Percent-encoding, read strictly: what is not an encoded UTF-8 text is refused instead of guessed.

use std::borrow::Cow;

/// Why something is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// An escape is broken, or the bytes are not UTF-8.
    Encoding,
    /// U+0000 is among its characters.
    Null,
}

impl Undecodable {
    /// What is wrong, as the end of a sentence.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Encoding => "is not UTF-8 in percent-encoding",
            Self::Null => "has the character U+0000, which no text can have",
        }
    }
}

/// The decoded text. `plus_is_space` is how forms and query strings write a space.
pub(super) fn decode(text: &str, plus_is_space: PlusIs) -> Result<Cow<'_, str>, Undecodable> {
    let needs_work = |byte: u8| byte == b'%' || (byte == b'+' && plus_is_space == PlusIs::Space);
    if !text.bytes().any(needs_work) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next())? * 16 + digit(bytes.next())?,
            b'+' if plus_is_space == PlusIs::Space => b' ',
            other => other,
        });
    }
    match String::from_utf8(decoded) {
        Ok(text) if text.contains('\0') => Err(Undecodable::Null),
        Ok(text) => Ok(Cow::Owned(text)),
        Err(_) => Err(Undecodable::Encoding),
    }
}

/// What a plus sign means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlusIs {
    /// In a query.
    Space,
    /// In a path.
    Plus,
}

fn digit(byte: Option<u8>) -> Result<u8, Undecodable> {
    let digit = byte.and_then(|byte| char::from(byte).to_digit(16));
    digit.and_then(|digit| u8::try_from(digit).ok()).ok_or(Undecodable::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_escapes_of_utf8_are_read() {
        assert_eq!(decode("a+b%20c%C3%A9", PlusIs::Space).as_deref(), Ok("a b cé"));
        assert_eq!(decode("a+b", PlusIs::Plus).as_deref(), Ok("a+b"));
        assert!(matches!(decode("plain", PlusIs::Space), Ok(Cow::Borrowed("plain"))));
        for broken in ["%", "%4", "%zz", "%ff", "%C3", "a%"] {
            assert_eq!(decode(broken, PlusIs::Space), Err(Undecodable::Encoding), "{broken}");
        }
        assert_eq!(decode("a%00", PlusIs::Space), Err(Undecodable::Null));
    }
}
