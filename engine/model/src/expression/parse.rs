//! From a source to CEL's syntax tree.

use std::thread;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::{Env, ParseError, ParseErrors};

use super::error::{ExpressionError, Position};

/// Longest source taken, in bytes.
pub const MAX_SOURCE_BYTES: usize = 4_096;

/// Deepest nesting of brackets and conditionals that the parser follows.
const MAX_NESTING: u16 = 32;

/// The parser recurses some ten functions per bracket and once per operator of a chain. That takes up to 7 MiB for
/// the worst source within the bounds in a build without optimisation, and memory is only taken as it is touched.
const PARSER_STACK_BYTES: usize = 32 * 1024 * 1024;

/// Parses `source` and hands its tree to `then`, both on a stack of their own.
pub(super) fn parse<T: Send>(
    source: &str,
    then: impl FnOnce(&IdedExpr, &SourceInfo) -> Result<T, ExpressionError> + Send,
) -> Result<T, ExpressionError> {
    if source.len() > MAX_SOURCE_BYTES {
        let message = format!("an expression has at most {MAX_SOURCE_BYTES} bytes, and this one {}", source.len());
        return Err(ExpressionError::new(message, Position::at(source, MAX_SOURCE_BYTES)));
    }
    let work = || {
        let environment = Env::default().with_optional_support(false);
        let parser = environment.parser().max_recursion_depth(MAX_NESTING);
        let (tree, info) = parser.parse_with_source_info(source).map_err(|errors| translate(errors, source))?;
        then(&tree, &info)
    };
    let unreadable = || ExpressionError::new("the expression cannot be read", Position::at(source, 0));
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("expression".to_owned()).stack_size(PARSER_STACK_BYTES);
        let parsed = thread.spawn_scoped(scope, work).map_err(|_| unreadable())?;
        parsed.join().unwrap_or_else(|_| Err(unreadable()))
    })
}

/// The first error in the parser's words becomes ours; those after it are mostly echoes of it.
fn translate(mut errors: ParseErrors, source: &str) -> ExpressionError {
    let is_syntax = |error: &ParseError| error.msg.starts_with(SYNTAX_ERROR);
    errors.errors.sort_by_key(|error| !is_syntax(error));
    let Some(error) = errors.errors.first() else {
        return ExpressionError::new("the expression cannot be read", Position::at(source, 0));
    };
    let (line, column) = (usize::try_from(error.pos.0).unwrap_or(1), usize::try_from(error.pos.1).unwrap_or(1));
    ExpressionError::new(describe(&error.msg), Position::at_line(source, line, column))
}

const SYNTAX_ERROR: &str = "Syntax error: ";

/// The parser's messages list what its grammar would take; people need what is in the way.
fn describe(message: &str) -> String {
    if let Some(word) = message.strip_prefix("reserved identifier: ") {
        return format!("`{word}` is a word of the language itself and cannot be a name");
    }
    if message.starts_with("invalid int literal") {
        let limit = i64::MAX;
        return format!("the number is out of range: above {limit} write it as a decimal, such as `{limit}0.0`");
    }
    if message.starts_with("invalid double literal") {
        return "the number is out of range".to_owned();
    }
    let Some(detail) = message.strip_prefix(SYNTAX_ERROR) else { return message.to_owned() };
    if detail.contains("Recursion limit") {
        return format!("the expression is nested more than {MAX_NESTING} levels deep");
    }
    let unexpected = detail.strip_prefix("mismatched input ").or_else(|| detail.strip_prefix("extraneous input "));
    if let Some(rest) = unexpected {
        let token = rest.split(" expecting ").next().unwrap_or(rest).trim_matches('\'');
        return match token {
            "<EOF>" => "the expression ends too early".to_owned(),
            "and" | "AND" => "`and` is written `&&`".to_owned(),
            "or" | "OR" => "`or` is written `||`".to_owned(),
            _ => format!("`{token}` is not expected here"),
        };
    }
    match detail.strip_prefix("token recognition error at: ").map(|token| token.trim_matches('\'').trim()) {
        Some("=") => "`=` is written `==`".to_owned(),
        Some("&") => "`&` is written `&&`".to_owned(),
        Some("|") => "`|` is written `||`".to_owned(),
        Some("") => "a string is not closed".to_owned(),
        Some(token) => format!("`{token}` cannot stand here"),
        None => "the expression cannot be read from here on".to_owned(),
    }
}
