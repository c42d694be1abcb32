//! What is refused as a whole.

use engine::transfer::{Format, ImportRequest};
use engine::{ErrorCode, NewToken};

use super::fixture::{World, failure, request};

#[tokio::test]
async fn a_map_is_refused_before_anything_is_sent() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    let map = "object: visit\nkey: cod\ncolumns: {a: nme}";
    let error = session.import_begin(request("site", map, Format::Csv)).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::ValidationFailed);
    let found: Vec<_> =
        error.problems.iter().map(|problem| (problem.pointer.as_str(), problem.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("/map/object", "the map is for `visit`, and the import for `site`"),
            ("/map/columns/a", "`nme` is no property of `site`; did you mean `name`?"),
            ("/map/key", "`cod` is no property of `site`; did you mean `code`?"),
        ]
    );
    let unknown = session.import_begin(request("siet", "", Format::Csv)).await.expect_err("refused");
    assert_eq!(
        (unknown.code, unknown.detail.as_str()),
        (ErrorCode::NotFound, "there is no object `siet`; did you mean `site`?")
    );
    let formless = ImportRequest {
        object: "site".to_owned(),
        file_name: Some("sites.xls".to_owned()),
        ..ImportRequest::default()
    };
    let error = session.import_begin(formless).await.expect_err("refused");
    assert_eq!(error.problems[0].pointer, "/format");
    let error =
        session.import_begin(request("site", "compose: {name: '{a}'}", Format::Ndjson)).await.expect_err("refused");
    assert_eq!((error.problems[0].pointer.as_str(), error.problems[0].code), ("/map/compose", "not_applicable"));
}

#[tokio::test]
async fn rights_are_those_of_who_asks() {
    let world = World::with_sites().await;
    let mut owner = world.session().await;
    for (role, scopes, object, allowed) in [
        ("viewer", vec![], "site", false),
        ("member", vec![], "site", true),
        ("member", vec![], "user", false),
        ("admin", vec!["visit:write".to_owned()], "site", false),
        ("admin", vec!["write".to_owned()], "user", false),
        ("admin", vec![], "user", true),
    ] {
        let new = NewToken { name: role.to_owned(), role: Some(role.to_owned()), scopes, ..NewToken::default() };
        let (_, secret) = owner.token_create(new, None).await.expect("a token").value;
        let begun = world.session_as(&secret).await.import_begin(request(object, "", Format::Csv)).await;
        match begun {
            Ok(_) => assert!(allowed, "{role} {object}"),
            Err(error) => assert_eq!((error.code, allowed), (ErrorCode::Forbidden, false), "{role} {object}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_fails_with_the_place() {
    let world = World::with_sites().await;
    for (file, detail) in [
        ("", "the file is empty; a CSV file begins with its header"),
        ("\r\n\n", "the file is empty; a CSV file begins with its header"),
        (
            "code,name\nA,North\nB,\"East\nC,West\n",
            "the row that begins on line 3 has a quotation mark that is never closed; write a mark inside a cell twice",
        ),
    ] {
        let job = world.import(request("site", "key: code", Format::Csv), file).await;
        assert_eq!(failure(&job).1, detail);
    }
    let long = format!("code,name\nA,\"{}", "x\n".repeat(600_000));
    let job = world.import(request("site", "", Format::Csv), &long).await;
    let detail = "the row that begins on line 2 is longer than 1 MiB: a quotation mark in it seems not to be closed";
    assert_eq!(failure(&job).1, detail);
    let job = world.import(request("site", "", Format::Ndjson), &"x".repeat(1_100_000)).await;
    assert_eq!(failure(&job).1, "the row that begins on line 1 is longer than 1 MiB; is this the right format?");
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_located() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    for (bytes, detail) in [
        (&b"code,name\nA,\"North\nM\xFCnchen\"\n"[..], "line 3 is not UTF-8 (byte 0xFC); save the file as UTF-8"),
        (b"\xFF\xFEc\0", "line 1 is not UTF-8 (byte 0xFF); it looks like UTF-16; save the file as UTF-8"),
    ] {
        let id = super::fixture::upload(&mut session, request("site", "", Format::Csv), bytes).await;
        let job = super::fixture::ended(&mut session, id).await;
        assert_eq!(failure(&job).1, detail);
    }
}

#[tokio::test]
async fn a_header_that_does_not_fit_the_map_imports_nothing() {
    let world = World::with_sites().await;
    let before = world.position().await;
    let map = "columns: {Code: code, Name: name}\nignore: [Other]";
    let job = world.import(request("site", map, Format::Csv), "Code,Nme,Other,Code\nA,North,,\n").await;
    let (code, _, problems) = failure(&job);
    assert_eq!(code, "validation_failed");
    assert_eq!(
        problems,
        [
            "the map neither uses nor ignores the column `Nme`; did you mean `Name`?",
            "the file has two columns `Code`; rename one of them",
            "the file has no column `Name`, which the map names; did you mean `Nme`?",
        ]
    );
    assert_eq!(world.position().await, before);
}
