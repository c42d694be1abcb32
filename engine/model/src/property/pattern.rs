//! Regular expressions of properties: the same text means the same here and in the JSON Schema that clients see.

use regex::{Regex, RegexBuilder};

/// No pattern is longer.
const LONGEST: usize = 1_000;

/// Bound on the size of a compiled pattern, and so on what matching it against a long text may cost.
const LARGEST: usize = 512 * 1024;

/// A regular expression that a text must match somewhere, as `pattern` in JSON Schema: anchor it to match the whole.
///
/// It is written as in ECMAScript, so `\d`, `\w` and `\s` mean what they mean there. Look-around and backreferences
/// are refused: without them the time to match is linear.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles `source`, or says why it cannot be taken.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        if source.len() > LONGEST {
            return Err(format!("a pattern has at most {LONGEST} characters"));
        }
        // The translation's failures carry no reason; the plain compilation below has one for nearly all of them.
        let translated = jsonschema_regex::to_rust_regex(source);
        let text = translated.as_deref().unwrap_or(source);
        let compiled = RegexBuilder::new(text).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        match (compiled, &translated) {
            (Ok(regex), Ok(_)) => Ok(Self { source: source.to_owned(), regex }),
            (Ok(_), Err(())) => Err("the pattern is no regular expression of ECMAScript".to_owned()),
            (Err(regex::Error::CompiledTooBig(_)), _) => Err("the pattern is too large once compiled".to_owned()),
            (Err(error), _) => Err(in_one_line(&error.to_string())),
        }
    }

    /// The expression as written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Matches somewhere in `text`.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Compilers of patterns draw where something is wrong; what is wrong stands in the last line.
fn in_one_line(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    format!("the pattern is no regular expression: {}", last.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern).expect("a pattern").is_match(text)
    }

    #[test]
    fn a_pattern_matches_anywhere_unless_anchored() {
        assert!(matches("[0-9]{2}", "ab12cd"));
        assert!(!matches("^[0-9]{2}$", "ab12cd"));
        assert!(!matches("^a$", "a\n"));
    }

    #[test]
    fn classes_are_those_of_ecmascript() {
        assert!(matches(r"^\d+$", "2026"));
        assert!(!matches(r"^\d+$", "２０２６"));
        assert!(!matches(r"^\w+$", "é"));
        assert!(matches(r"^[\w-]+\/$", "a-b/"));
        assert!(matches(r"^\p{L}+$", "é"));
    }

    #[test]
    fn what_cannot_run_in_linear_time_or_little_space_is_refused() {
        for bad in ["(", "a(?=b)", r"(a)\1", r"\p{L}{1000}{1000}", "(?<=a)b", "[z-a]", &"a".repeat(LONGEST + 1)] {
            let reason = Pattern::compile(bad).expect_err(bad);
            assert!(!reason.is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics(source in r"[\\a-dDwWsSbBpPucx0-9(){}\[\]^$.*+?|<>=!:,&~-]{0,24}", text in ".*") {
            if let Ok(pattern) = Pattern::compile(&source) {
                pattern.is_match(&text);
            }
        }
    }
}
