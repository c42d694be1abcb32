//! Commands that open the store themselves, where no server runs.

use serde_json::Value;
use tests::TestServer;

use crate::fixture::all_records;

/// Runs a command without a server; what it prints, and whether it was done.
fn direct(server: &TestServer, arguments: &[&str]) -> (String, String, bool) {
    let output = server.command(&[arguments, &["--direct"]].concat()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

async fn what_was_done_without_a_server_is_there_when_it_starts(mut server: TestServer) {
    server.terminate().await;
    let (made, said, is_done) = direct(&server, &["tenant", "create", "acme", "--json"]);
    assert!(is_done, "{said}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let token = made["token"].as_str().unwrap();

    let file = server.data_folder().join("people.csv");
    std::fs::write(&file, "first_name,last_name\nAda,Lovelace\nGrace,Hopper\n").unwrap();
    let file = file.to_string_lossy().into_owned();
    let (_, said, is_done) = direct(&server, &["import", &file, "--object", "contact", "--token", token]);
    assert!(is_done, "{said}");
    let (_, said, is_done) = direct(&server, &["import", &file, "--object", "contact", "--token", "trl_of_nobody"]);
    assert!(!is_done && said.contains("the token is not known"), "{said}");

    server.start().await;
    let acme = server.anonymous().with_token(token);
    let names: Vec<Value> = all_records(&acme, "contact").await.iter().map(|one| one["display_name"].clone()).collect();
    assert_eq!(names, ["Ada Lovelace", "Grace Hopper"]);
}

async fn folder_of_a_running_server_is_left_alone(server: TestServer) {
    let (_, said, is_done) = direct(&server, &["tenant", "list"]);
    assert!(!is_done && said.contains("in use by another server"), "{said}");
}

scenarios![what_was_done_without_a_server_is_there_when_it_starts, folder_of_a_running_server_is_left_alone];
