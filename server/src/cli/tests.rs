use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("trellis").chain(line.split_whitespace()))
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_is_serve_and_takes_its_flags() {
    assert!(parse("").expect("valid").command.is_none());
    assert!(parse("--listen 127.0.0.1:0").expect("valid").command.is_none());
    assert!(matches!(parse("serve --data-dir /tmp/x").expect("valid").command, Some(Command::Serve(_))));
}

#[test]
fn the_commands_of_the_contract_are_taken() {
    for line in [
        "pack check ./pack",
        "pack apply ./pack --url http://h:1 --token t",
        "tenant create acme --name Acme --profile construction --json",
        "tenant list",
        "token create ci --role viewer --expires 90d",
        "import deals.csv --object deal --map deals.yaml --dry-run",
        "doctor --json",
        "reindex",
        "reindex acme --data-dir /tmp/x --json",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn wrong_usage_exits_with_two() {
    for line in [
        "tenent list",
        "tenant create",
        "import x.csv",
        "--listn x",
        "token create x --expires soon",
        "export",
        "pack plan x --accept x=foo",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    assert_eq!(parse("--help").expect_err("help").exit_code(), 0);
    assert_eq!(parse("tenant list --url ftp://x").expect_err("refused").kind(), ErrorKind::ValueValidation);
}

#[test]
fn tokens_are_not_printed() {
    let cli = parse("tenant list --token geheim").expect("valid");
    assert!(!format!("{cli:?}").contains("geheim"));
}

/// A server that only the command line talks to, and where it listens.
async fn stub(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Runs a command line to its end; commands have runtimes of their own.
async fn run(line: String) -> anyhow::Result<ExitCode> {
    let cli = parse(&line).expect("valid");
    tokio::task::spawn_blocking(move || execute(cli)).await.expect("run")
}

#[tokio::test]
async fn an_import_is_sent_watched_and_its_failed_rows_written() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let looks = std::sync::Arc::new(AtomicUsize::new(0));
    let job = axum::routing::get(move || async move {
        let is_first = looks.fetch_add(1, Ordering::Relaxed) == 0;
        let state = if is_first { "running" } else { "done" };
        format!(
            r#"{{"id": "7", "state": "{state}", "progress": {{"rows": 3}}, "counts": {{"created": 2, "failed": 1}}}}"#
        )
    });
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let import = axum::routing::post(move |uri: axum::http::Uri, body: String| async move {
        sent.send((uri.to_string(), body)).expect("taken");
        r#"{"job": {"id": "7"}}"#
    });
    let row = r#"{"row": 3, "line": 4, "problems": [{"pointer": "/properties/a", "code": "x", "message": "odd"}]}"#;
    let errors = axum::routing::get(move || async move { format!("{row}\n") });
    let router = axum::Router::new()
        .route("/api/v1/imports", import)
        .route("/api/v1/jobs/7", job)
        .route("/api/v1/jobs/7/errors", errors);
    let url = stub(router).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, map, out) = (folder.path().join("r.csv"), folder.path().join("m.yaml"), folder.path().join("e.ndjson"));
    std::fs::write(&rows, "a\n1\n2\n3\n").expect("written");
    std::fs::write(&map, "columns: {}\n").expect("written");
    let line = format!(
        "import {} --object deal --map {} --errors {} --url {url}",
        rows.display(),
        map.display(),
        out.display()
    );
    assert_eq!(run(line).await.expect("done"), ExitCode::FAILURE, "a row failed");
    let (uri, body) = received.recv().await.expect("sent");
    assert_eq!(uri, "/api/v1/imports?object=deal&format=csv&dry_run=false");
    assert!(body.contains("name=\"map\"") && body.contains("columns: {}") && body.contains("a\n1\n2\n3\n"), "{body}");
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out).expect("a file")).expect("JSON");
    assert_eq!(written, serde_json::from_str::<serde_json::Value>(row).expect("JSON"));
}

#[tokio::test]
async fn lists_are_read_to_their_last_page() {
    let page = axum::routing::get(|uri: axum::http::Uri| async move {
        match uri.query().unwrap_or_default().contains("cursor=two") {
            true => r#"{"results": [{"id": "2", "slug": "b"}], "next_cursor": null}"#,
            false => r#"{"results": [{"id": "1", "slug": "a"}], "next_cursor": "two"}"#,
        }
    });
    let url = stub(axum::Router::new().route("/api/v1/tenants", page)).await;
    let client = client::Client::new(&url, None).expect("a client");
    let slugs: Vec<_> =
        client.list("/tenants").await.expect("a list").iter().map(|tenant| tenant["slug"].clone()).collect();
    assert_eq!(slugs, ["a", "b"]);
}

#[tokio::test]
async fn what_the_server_refuses_is_told_and_exits_with_one() {
    let problem = axum::routing::post(|| async {
        let body = r#"{"type": "t", "title": "t", "status": 409, "detail": "`acme` is taken", "code": "conflict", "errors": []}"#;
        (axum::http::StatusCode::CONFLICT, body)
    });
    let url = stub(axum::Router::new().route("/api/v1/tenants", problem)).await;
    let refused = run(format!("tenant create acme --url {url}")).await.expect_err("refused");
    assert_eq!(refused.to_string(), "`acme` is taken (conflict, 409)");
    let nobody = run("tenant list --url http://127.0.0.1:1".to_owned()).await.expect_err("nobody there");
    assert!(nobody.to_string().starts_with("no server can be reached at http://127.0.0.1:1;"), "{nobody}");
}

#[test]
fn a_pack_is_checked_without_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text: &str| {
        std::fs::write(folder.path().join("pack.yaml"), text).expect("written");
        execute(parse(&format!("pack check {}", folder.path().display())).expect("valid")).expect("checked")
    };
    let good = "pack: x\nversion: 1.0.0\nlabel: X\nrequires: {crm: ^1.0}\nextend:\n  deal: {properties: {a: {type: string}}}\n";
    assert_eq!(check(good), ExitCode::SUCCESS);
    assert_eq!(check(&good.replace("deal", "dael")), ExitCode::FAILURE);
}
