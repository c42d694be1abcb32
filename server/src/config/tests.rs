use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::setting::SETTINGS;
use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn sources(folder: &Path, pairs: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Sources {
    let flags = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
    Sources { file: None, folder: folder.to_owned(), variables: variables(pairs), flags }
}

fn nowhere() -> PathBuf {
    PathBuf::from("/nonexistent-folder-of-a-test")
}

fn folder_with(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("trellis.toml"), text).expect("written");
    folder
}

fn problems(sources: &Sources) -> Vec<String> {
    Config::load(sources).expect_err("refused").0
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = Config::load(&sources(&nowhere(), &[], &[])).expect("valid");
    assert_eq!(config.http.listen.as_str(), "127.0.0.1:8080");
    assert_eq!(config.http.max_body_bytes, 8 * 1024 * 1024);
    assert_eq!(config.http.max_import_bytes, 1 << 30);
    assert_eq!(config.storage.max_export_bytes, 4 << 30);
    assert_eq!(config.http.request_timeout, Duration::from_secs(60));
    assert_eq!(config.http.trusted_proxy_header, None);
    assert_eq!(config.storage.data_dir, PathBuf::from("./data"));
    assert_eq!(config.storage.database_url.expose(), "sqlite:./data/trellis.db");
    assert_eq!(config.tenants.first_tenant, "demo");
    assert_eq!(config.tenants.platform_token, None);
    assert_eq!(config.telemetry.format, LogFormat::Pretty);
}

#[test]
fn every_setting_is_explained_in_the_default_file_in_the_same_order() {
    let keys: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
    assert_eq!(layers::documented_keys(), keys);
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let folder = folder_with("listen = \"127.0.0.1:1\"\nfirst_tenant = \"acme\"\nmax_requests = 7\n");
    let given = [("TRELLIS_LISTEN", "127.0.0.1:2"), ("TRELLIS_MAX_REQUESTS", "8"), ("TRELLIS_DATA_DIR", "")];
    let config = Config::load(&sources(folder.path(), &given, &[("listen", "127.0.0.1:3")])).expect("valid");
    assert_eq!(config.http.listen.as_str(), "127.0.0.1:3");
    assert_eq!(config.http.max_requests, 8);
    assert_eq!(config.tenants.first_tenant, "acme");
    // An empty variable is none.
    assert_eq!(config.storage.data_dir, PathBuf::from("./data"));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_the_nearest_key() {
    let folder = folder_with("lisen = \"127.0.0.1:1\"\nmax_requests = 0\nlog_format = true\n");
    let given = [("TRELLIS_REQUEST_TIMEOUT", "soon"), ("TRELLIS_DATABASE_URL", "mysql://u:geheim@h/d")];
    let found = problems(&sources(folder.path(), &given, &[("listen", "8080")]));
    let file = folder.path().join("trellis.toml");
    let file = file.display();
    assert_eq!(
        found,
        [
            format!("{file}: `lisen` is no setting; did you mean `listen`?"),
            format!("{file}: `log_format` takes a text or a whole number"),
            "the flag --listen: `listen`: `8080` is no address with a port, such as 127.0.0.1:8080".to_owned(),
            format!("{file}: `max_requests`: `0` is no whole number above 0"),
            "the variable TRELLIS_REQUEST_TIMEOUT: `request_timeout`: `soon` is no duration; write seconds, or \
             `500 ms`, `30 s`, `5 min`"
                .to_owned(),
            "the variable TRELLIS_DATABASE_URL: `database_url`: a database address begins with `postgres://` or \
             `sqlite:`"
                .to_owned(),
        ]
    );
}

#[test]
fn a_broken_file_is_told_by_line_and_column_without_its_text() {
    let folder = folder_with("listen = \"127.0.0.1:1\"\nplatform_token = \"geheim\n");
    let found = problems(&sources(folder.path(), &[], &[]));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("line 2, column "), "{}", found[0]);
    assert!(!found[0].contains("geheim"), "{}", found[0]);
}

#[test]
fn a_file_that_was_named_must_exist() {
    let mut given = sources(&nowhere(), &[], &[]);
    assert!(Config::load(&given).is_ok());
    given.file = Some(nowhere().join("other.toml"));
    assert!(problems(&given)[0].contains("cannot be read"));
}

#[test]
fn a_misspelt_variable_is_a_warning() {
    let given = [("TRELLIS_LISTN", "x"), ("TRELLIS_URL", "x"), ("PATH", "x")];
    let config = Config::load(&sources(&nowhere(), &given, &[])).expect("valid");
    let expected = "the variable `TRELLIS_LISTN` is no setting and is ignored; did you mean `TRELLIS_LISTEN`?";
    assert_eq!(config.warnings, [expected]);
}

#[test]
fn no_secret_is_ever_printed() {
    let given = [
        ("TRELLIS_PLATFORM_TOKEN", "geheim1"),
        ("TRELLIS_FIRST_TOKEN", "geheim2"),
        ("TRELLIS_DATABASE_URL", "postgres://ada:geheim3@db/crm"),
        ("TRELLIS_MIGRATION_URL", "postgres://db/crm?password=geheim4"),
    ];
    let config = Config::load(&sources(&nowhere(), &given, &[])).expect("valid");
    assert_eq!(config.tenants.platform_token.as_ref().map(Secret::expose), Some("geheim1"));
    let printed = format!("{config:?}");
    assert!(!printed.contains("geheim"), "{printed}");
    let refused = problems(&sources(&nowhere(), &[("TRELLIS_PLATFORM_TOKEN", "ge heim")], &[]));
    assert!(!refused[0].contains("heim"), "{}", refused[0]);
}
