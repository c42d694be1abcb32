//! Percent-encoding, read strictly: what is not an encoded UTF-8 text is refused instead of guessed.

use std::borrow::Cow;

/// The decoded text; `None` where an escape is broken, the bytes are not UTF-8, or U+0000 is among them.
///
/// `plus_is_space` is how forms and query strings write a space.
pub(super) fn decode(text: &str, plus_is_space: PlusIs) -> Option<Cow<'_, str>> {
    let needs_work = |byte: u8| byte == b'%' || (byte == b'+' && plus_is_space == PlusIs::Space);
    if !text.bytes().any(needs_work) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' if plus_is_space == PlusIs::Space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|text| !text.contains('\0')).map(Cow::Owned)
}

/// What a plus sign means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlusIs {
    /// In a query.
    Space,
    /// In a path.
    Plus,
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_escapes_of_utf8_are_read() {
        assert_eq!(decode("a+b%20c%C3%A9", PlusIs::Space).as_deref(), Some("a b cé"));
        assert_eq!(decode("a+b", PlusIs::Plus).as_deref(), Some("a+b"));
        assert!(matches!(decode("plain", PlusIs::Space), Some(Cow::Borrowed("plain"))));
        for broken in ["%", "%4", "%zz", "%ff", "%C3", "%00", "a%"] {
            assert_eq!(decode(broken, PlusIs::Space), None, "{broken}");
        }
    }
}
