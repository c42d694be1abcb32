//! What the documents tell users to type, typed.
//!
//! Blocks marked `sh session` are one script from the top of a page to its end, and every command of it succeeds; the
//! command of a block marked `sh refused` fails. Pages go on from the first block of the README, which says where the
//! server is: here that line names the server under test and the token that it printed.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use tests::{Store, TestServer};

use crate::fixture::start;

const README: &str = include_str!("../../../README.md");

/// The line that a user changes.
const ADDRESS_AND_TOKEN: &str = "export TRELLIS=http://127.0.0.1:8080 TOKEN=trl_…\n";

/// One test for each page: a fresh server, and everything that the page tells to type.
macro_rules! pages {
    ($($name:ident: $page:literal,)+) => {
        $(#[tokio::test]
        async fn $name() {
            let server = start(Store::Sqlite).await;
            let said = type_in(&server, include_str!(concat!("../../../docs/", $page)), true);
            assert!(!said.is_empty(), "the page tells to type nothing");
        })+
    };
}

pages! {
    everything_printed_about_records_works: "records.md",
    everything_printed_about_searches_works: "search.md",
    everything_printed_about_definitions_works: "admin.md",
    everything_printed_about_pipelines_works: "pipelines.md",
    everything_printed_about_views_works: "views.md",
    everything_printed_about_lists_works: "lists.md",
    everything_printed_about_duplicates_works: "duplicates.md",
    everything_printed_about_timelines_works: "timeline.md",
    everything_printed_about_scores_works: "scoring.md",
    everything_printed_about_packs_works: "packs.md",
    everything_printed_about_changes_works: "changes.md",
    everything_printed_about_access_works: "access.md",
    everything_printed_about_imports_works: "import.md",
    everything_printed_about_exports_works: "export.md",
    everything_printed_about_errors_works: "errors.md",
}

#[tokio::test]
async fn the_first_session_works_as_printed() {
    let server = start(Store::Sqlite).await;
    let said = type_in(&server, README, false);
    let lines: Vec<serde_json::Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let [tenant, object, property, association, list, changes, refused] = lines.as_slice() else {
        panic!("the session says something else: {said}");
    };
    assert_eq!((&tenant["tenant"]["slug"], &tenant["role"]), (&"demo".into(), &"owner".into()));
    assert_eq!(
        (&object["name"], &property["currency"], &association["from"]),
        (&"venue".into(), &"EUR".into(), &"venue".into())
    );
    let venue = &list["results"][0];
    assert_eq!(venue["properties"]["day_rate"], "1250.50");
    assert_eq!(venue["included"]["contact"][0]["properties"]["first_name"], "Amara");
    let kinds: Vec<_> = changes["results"].as_array().unwrap().iter().map(|change| change["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("record.created"), Some("association.created")]);
    let printed =
        README.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an answer is shown");
    let printed: serde_json::Value = serde_json::from_str(printed).unwrap();
    assert_eq!((&refused["errors"], &refused["status"]), (&printed["errors"], &printed["status"]));
}

/// Types what `page` says into a shell, after what the README begins with where it does not say that itself; the output.
fn type_in(server: &TestServer, page: &str, goes_on: bool) -> String {
    let mut script = "set -euo pipefail\n".to_owned();
    if goes_on {
        let (_, preamble) = blocks(README).next().expect("the README begins with where the server is");
        script.push_str(&preamble);
    }
    for (is_refused, block) in blocks(page) {
        match is_refused {
            false => script.push_str(&block),
            true => script.push_str(&format!("if {{ {block}}}; then echo 'this was not refused' >&2; exit 1; fi\n")),
        }
    }
    let address = format!("export TRELLIS={} TOKEN={}\n", server.address(), printed_token(server));
    assert_eq!(script.matches(ADDRESS_AND_TOKEN).count(), 1, "the line to change is there once");
    run(&script.replace(ADDRESS_AND_TOKEN, &address))
}

/// The blocks that are to be typed, in order, and whether each is refused.
fn blocks(page: &str) -> impl Iterator<Item = (bool, String)> {
    page.split("\n```").filter_map(|part| {
        let (mark, block) = part.split_once('\n')?;
        let is_refused = match mark {
            "sh session" => false,
            "sh refused" => true,
            _ => return None,
        };
        Some((is_refused, format!("{block}\n")))
    })
}

/// The token as a user finds it: on standard output, this once.
fn printed_token(server: &TestServer) -> String {
    let log = server.log();
    let (_, token) = log.split_once("its token, shown this once: ").expect("the token is printed");
    token.lines().next().unwrap_or_default().to_owned()
}

/// Runs a script in a folder of its own, with the program under its own name.
fn run(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_trellis-under-test"), bin.join("trellis")).unwrap();
    let mut path = bin.into_os_string();
    if let Some(inherited) = std::env::var_os("PATH") {
        path.push(":");
        path.push(inherited);
    }
    let output =
        Command::new("bash").args(["-c", script]).current_dir(&folder).env_clear().env("PATH", path).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}\nof\n{script}", String::from_utf8_lossy(&output.stderr));
    said
}
