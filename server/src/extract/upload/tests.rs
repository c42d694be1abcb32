use axum::http::Request as HttpRequest;
use futures::stream;

use super::*;
use crate::testing::TestServer;

fn form(parts: &[(&str, &str)]) -> String {
    let part = |(name, text): &(&str, &str)| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--XX--\r\n"
}

async fn upload(body: impl Into<Body>, state: &AppState) -> ApiResult<ImportUpload> {
    let request = HttpRequest::post("/").header("content-type", "multipart/form-data; boundary=XX").body(body.into());
    ImportUpload::from_request(request.expect("a request"), state).await
}

fn files_in(state: &AppState) -> usize {
    std::fs::read_dir(state.data_dir.uploads()).expect("a folder").count()
}

#[tokio::test]
async fn a_form_gives_the_map_and_the_file_which_goes_when_dropped() {
    let state = TestServer::new(|_| {}).await;
    let rows = "name\n".to_owned() + &"Ada\n".repeat(100_000);
    let got = upload(form(&[("map", "columns: {}"), ("file", &rows)]), &state).await.expect("taken");
    assert_eq!((got.map.as_deref(), got.file_name.as_deref()), (Some("columns: {}"), Some("f")));
    assert_eq!(
        (got.file.bytes(), std::fs::read_to_string(got.file.path()).expect("a file")),
        (rows.len() as u64, rows)
    );
    drop(got);
    assert_eq!(files_in(&state), 0);
}

#[tokio::test]
async fn a_file_that_is_kept_stays() {
    let state = TestServer::new(|_| {}).await;
    let got = upload(form(&[("file", "a")]), &state).await.expect("taken");
    let kept = state.data_dir.uploads().join("kept");
    got.file.keep_as(&kept).await.expect("moved");
    assert_eq!(std::fs::read_to_string(&kept).expect("a file"), "a");
    assert_eq!(files_in(&state), 1);
}

#[tokio::test]
async fn a_bare_body_is_the_file() {
    let state = TestServer::new(|_| {}).await;
    let request = HttpRequest::post("/")
        .header("content-type", "Text/CSV; charset=utf-8")
        .body(Body::from("a,b\n"))
        .expect("a request");
    let got = ImportUpload::from_request(request, &state).await.expect("taken");
    assert_eq!((got.map, got.file.bytes(), got.media_type.as_deref()), (None, 4, Some("text/csv")));
}

#[tokio::test]
async fn what_is_no_import_is_refused_and_leaves_nothing() {
    let state = TestServer::new(|config| config.http.max_import_bytes = 10).await;
    let cases = [
        (form(&[("map", "x")]), 400, "the part `file` with the rows is missing"),
        (form(&[("fil", "x")]), 400, "`fil` is no part of an import; did you mean `file`?"),
        (form(&[("file", "x"), ("file", "y")]), 400, "the part `file` is given more than once"),
        (form(&[("file", "12345678901")]), 413, "a file of at most 10 bytes is taken"),
        (form(&[("map", &"x".repeat(MAX_MAP + 1))]), 413, "the map is larger than 1048576 bytes"),
        ("--XX\r\nnonsense".to_owned(), 400, "the form breaks off or is no `multipart/form-data`"),
        (form(&[("file", "abc")]).replace("--XX--", ""), 400, "the form breaks off or is no `multipart/form-data`"),
    ];
    for (body, status, message) in cases {
        let refused = upload(body, &state).await.expect_err(message);
        assert_eq!(
            (refused.status().as_u16(), refused.to_string().split_once(": ").map(|(_, text)| text.to_owned())),
            (status, Some(message.to_owned()))
        );
    }
    assert_eq!(files_in(&state), 0);
}

#[tokio::test]
async fn an_endless_head_of_a_part_is_cut_off() {
    let state = TestServer::new(|_| {}).await;
    let given = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = given.clone();
    let start = stream::iter([Ok(Bytes::from("--XX\r\nContent-Disposition: form-data; name=\""))]);
    let endless = stream::repeat_with(move || {
        counter.fetch_add(1 << 20, std::sync::atomic::Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 20]))
    });
    let body = Body::from_stream(futures::StreamExt::chain(start, endless));
    assert_eq!(upload(body, &state).await.expect_err("refused").status(), 400);
    assert!(given.load(std::sync::atomic::Ordering::Relaxed) <= 4 << 20);
}
