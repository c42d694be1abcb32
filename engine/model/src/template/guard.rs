//! What a template may not have, told before minijinja reads it, since that folds constants while it parses.
//!
//! Too strict rather than too clever: text is not told from code, nor are strings in the code.

use crate::name::did_you_mean;

use super::TemplateError;

const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// Brackets and statements inside each other.
const MAX_NESTING: usize = 16;

/// Refuses what could fill the memory or the stack.
pub(super) fn check(source: &str) -> Result<(), TemplateError> {
    check_characters(source)?;
    check_statements(source)
}

fn check_characters(source: &str) -> Result<(), TemplateError> {
    let mut nesting: usize = 0;
    for (at, character) in source.char_indices() {
        match character {
            // Repeats texts and lists.
            '*' => return refuse(source, at, "`*` cannot be part of a template with expressions"),
            '(' | '[' | '{' => nesting += 1,
            ')' | ']' | '}' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > MAX_NESTING {
            return refuse(source, at, format!("brackets are more than {MAX_NESTING} levels deep"));
        }
    }
    Ok(())
}

/// Assignments can double a text again and again, as can blocks that filter.
fn check_statements(source: &str) -> Result<(), TemplateError> {
    let mut nesting: usize = 0;
    for (at, _) in source.match_indices("{%") {
        let code = source.get(at + 2..).unwrap_or_default().trim_start_matches(['-', '+']).trim_start();
        let word = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        match word {
            "if" | "for" => nesting += 1,
            "endif" | "endfor" => nesting = nesting.saturating_sub(1),
            _ if STATEMENTS.contains(&word) => {}
            _ => {
                let hint = did_you_mean(word, STATEMENTS.iter().copied());
                return refuse(source, at, format!("there is no statement `{word}`; there are `if` and `for`{hint}"));
            }
        }
        if nesting > MAX_NESTING {
            return refuse(source, at, format!("statements are more than {MAX_NESTING} levels deep"));
        }
    }
    Ok(())
}

fn refuse(source: &str, at: usize, message: impl Into<String>) -> Result<(), TemplateError> {
    let line = source.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
    Err(TemplateError { message: message.into(), line })
}
