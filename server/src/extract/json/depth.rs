//! How deep a JSON text nests, found in one pass without recursion and before anything is parsed.

/// Deepest nesting of lists and objects that is taken.
pub(super) const MAX_DEPTH: usize = 64;

/// The offset of the bracket that opens a level beyond [`MAX_DEPTH`], if there is one.
///
/// Knows strings and their escapes; whether the text is JSON at all is for the parser to say.
pub(super) fn too_deep_at(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for (offset, byte) in text.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(offset);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_levels_are_taken_and_one_more_is_not() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(too_deep_at(nested(64).as_bytes()), None);
        assert_eq!(too_deep_at(nested(65).as_bytes()), Some(64));
        assert_eq!(too_deep_at("[".repeat(1_000_000).as_bytes()), Some(64));
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        let text = format!(r#"{{"a": "{}\"[", "b": "\\"}}"#, "[{".repeat(100));
        assert_eq!(too_deep_at(text.as_bytes()), None);
        assert_eq!(too_deep_at(br#"{"a": "\\", "b": [1]}"#), None);
        assert_eq!(too_deep_at("[]".repeat(100).as_bytes()), None);
    }
}
