//! Whether bytes are JSON at all. What the JSON says is for [`Reading`](super::Reading).

use serde_json::value::RawValue;

use super::depth::{MAX_DEPTH, too_deep_at};
use crate::error::{ApiError, ApiResult};

/// The bytes as one JSON value, or 400 with line and column.
pub(super) fn check(bytes: &[u8]) -> ApiResult<&RawValue> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::bad_request("the request has no body; a JSON value is expected"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = place(bytes, error.valid_up_to());
        ApiError::bad_request(format!("the body is not UTF-8 at {place}"))
    })?;
    if let Some(offset) = too_deep_at(bytes) {
        let place = place(bytes, offset);
        return Err(ApiError::bad_request(format!("the body nests deeper than {MAX_DEPTH} levels at {place}")));
    }
    serde_json::from_str(text).map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))
}

/// Line and column, both from 1; the column counts bytes, as the parser's own do.
fn place(bytes: &[u8], offset: usize) -> String {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    format!("line {line} column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        let error = check(bytes).expect_err("refused");
        assert_eq!(error.code().as_str(), "bad_request");
        error.to_string()
    }

    #[test]
    fn json_is_taken_without_the_space_around_it() {
        assert_eq!(check(b" {\"a\": 1}\n").map(RawValue::get).ok(), Some("{\"a\": 1}"));
    }

    #[test]
    fn broken_text_is_told_by_line_and_column() {
        assert_eq!(
            refused(b"{\"a\":\n 1,}"),
            "bad_request: the body is not JSON: key must be a string at line 2 column 4"
        );
        assert_eq!(refused(b"{\n\"a\": \"\xff\"}"), "bad_request: the body is not UTF-8 at line 2 column 7");
        assert_eq!(refused(b" \n"), "bad_request: the request has no body; a JSON value is expected");
        assert!(refused(b"{} {}").contains("trailing characters"));
        assert!(refused(b"{\"a\": NaN}").contains("line 1 column"));
        let nested = "\n".to_owned() + &"[".repeat(100_000);
        assert_eq!(refused(nested.as_bytes()), "bad_request: the body nests deeper than 64 levels at line 2 column 65");
    }
}
