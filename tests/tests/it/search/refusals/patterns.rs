//! Patterns where words are asked for.

use serde_json::json;
use tests::TestServer;

use super::{check, things};
use crate::search::{create_all, names};

async fn words_are_words_and_no_patterns(server: TestServer) {
    let tenant = things(&server).await;
    let all = ["C++", "a|b", "5* hotel", "AT&T [old]", "100%", "a_b", "(x)"];
    create_all(&tenant, "thing", &all.map(|name| json!({"name": name, "code": name, "notes": name}))).await;
    for pattern in ["^ad.*", "ad[a-z]+", r"\d{3}", "(?i)ada"] {
        check(&tenant, json!({"q": pattern}), "/q", "not_applicable", "regular expression").await;
        let condition = json!({"property": "notes", "op": "contains", "value": pattern});
        check(&tenant, json!({"filter": condition}), "/filter/value", "not_applicable", "regular expression").await;
        let condition = json!({"property": "name", "op": "starts_with", "value": pattern});
        assert!(names(&tenant, "thing", json!({"filter": condition})).await.is_empty(), "{pattern}");
    }
    for (op, value, expected) in [
        ("eq", "A|B", &["a|b"][..]),
        ("eq", "%", &[]),
        ("starts_with", "c+", &["C++"]),
        ("starts_with", "_", &[]),
        ("starts_with", "%", &[]),
        ("contains", "+", &["C++"]),
        ("contains", "[o", &["AT&T [old]"]),
        ("contains", "%", &["100%"]),
        ("contains", ".", &[]),
        ("contains", "*", &["5* hotel"]),
    ] {
        let condition = json!({"property": "code", "op": op, "value": value});
        assert_eq!(names(&tenant, "thing", json!({"filter": condition})).await, expected, "{condition}");
    }
    for (q, expected) in [("hotel*", &["5* hotel"][..]), ("old", &["AT&T [old]"]), ("100%", &["100%"]), ("hot?l", &[])]
    {
        assert_eq!(names(&tenant, "thing", json!({"q": q})).await, expected, "{q}");
    }
}

scenarios![words_are_words_and_no_patterns];
