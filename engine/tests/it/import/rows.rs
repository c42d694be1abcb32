//! What becomes of rows.

use engine::records::Target;
use engine::transfer::{Format, ImportRequest};
use engine::{JobError, LinkQuery};
use serde_json::{Value, json};

use super::fixture::{World, counts, done, request, values};

const SITES: &str = "\
key: code
columns:
  Code: code
  Name: name
  Area: {property: area, round: 2}
  Opened: {property: opened_on, date: '%m/%d/%Y'}
  Parent: {link: site_parent, object: site, by: code}
";

const FILE: &str = "\
Code,Name,Area,Opened,Parent
A,North,12.345,3/1/2017,
B,\"East, \"\"old\"\"
wing\",,,A
C,West,,,B
";

async fn links(world: &World, object: &str, id: &str, kind: &str) -> Vec<String> {
    let mut session = world.session().await;
    let query = LinkQuery { kind: kind.to_owned(), direction: None, limit: 50, cursor: None };
    let page = session.links(object, &Target::id(id), &query).await.expect("links");
    page.results.into_iter().map(|link| link.display_name).collect()
}

async fn errors(world: &World, job: &engine::Job) -> Vec<JobError> {
    world.session().await.job_errors(&job.id.to_string(), 0, 1000).await.expect("errors")
}

fn summary(errors: &[JobError]) -> Vec<Value> {
    let row = |error: &JobError| {
        let problems: Vec<_> =
            error.problems.iter().map(|found| json!([found.column, found.pointer, found.code])).collect();
        json!([error.row, error.line, problems])
    };
    errors.iter().map(row).collect()
}

#[tokio::test]
async fn a_file_becomes_records_and_the_same_file_again_changes_nothing() {
    let world = World::with_sites().await;
    let progress = world.import_csv("site", SITES, FILE).await;
    assert_eq!(counts(&progress), [3, 0, 0, 0, 0]);
    assert_eq!((progress.bytes, progress.total_bytes), (FILE.len() as u64, FILE.len() as u64));
    assert_eq!((progress.rows, progress.line), (3, 5));
    let records = world.records("site").await;
    assert_eq!(
        records.iter().map(values).collect::<Vec<_>>(),
        [
            json!({"name": "North", "code": "A", "area": "12.35", "opened_on": "2017-03-01"}),
            json!({"name": "East, \"old\"\nwing", "code": "B"}),
            json!({"name": "West", "code": "C"}),
        ]
    );
    // Rows of one file link to rows before them.
    assert_eq!(links(&world, "site", &records[2].id.to_string(), "site_parent").await, ["East, \"old\" wing"]);
    let before = world.position().await;
    assert_eq!(counts(&world.import_csv("site", SITES, FILE).await), [0, 0, 3, 0, 0]);
    assert_eq!(world.position().await, before);
}

#[tokio::test]
async fn changes_say_that_they_come_from_the_import_and_by_which_request() {
    let world = World::with_sites().await;
    let before = world.position().await;
    world.import_csv("site", SITES, FILE).await;
    let query = engine::ChangeQuery { after: before, object: None, limit: 100, wait: std::time::Duration::ZERO };
    let changes = world.session().await.changes(&query).await.expect("changes").results;
    assert_eq!(changes.len(), 5);
    for change in &changes {
        assert_eq!((change.source.as_str(), change.request_id.as_deref()), ("import", Some("request-1")));
        assert!(change.actor.is_some());
    }
}

#[tokio::test]
async fn rows_with_a_known_key_change_what_differs_and_leave_what_they_do_not_say() {
    let world = World::with_sites().await;
    world.import_csv("site", SITES, FILE).await;
    let file = "Code,Name,Area,Opened,Parent\nA,North,,,\nB,East,,,\nC,West,,,A\n";
    assert_eq!(counts(&world.import_csv("site", SITES, file).await), [0, 2, 1, 0, 0]);
    let records = world.records("site").await;
    assert_eq!(values(&records[0])["area"], "12.35");
    assert_eq!(values(&records[1])["name"], "East");
    // Of a link that a record can have only one of, the row says where it leads.
    assert_eq!(links(&world, "site", &records[2].id.to_string(), "site_parent").await, ["North"]);
    assert_eq!(links(&world, "site", &records[1].id.to_string(), "site_parent").await, ["North"]);
}

#[tokio::test]
async fn every_kind_of_mistake_fails_its_row_and_no_other() {
    let world = World::with_sites().await;
    world.import_csv("site", SITES, FILE).await;
    let map =
        format!("{SITES}  Slug: slug\n  Twin: {{link: site_twin, object: site, by: code}}\n  Owner: {{owner: name}}\n");
    let file = "\
Code,Name,Area,Opened,Parent,Slug,Twin,Owner
D,Fine,,,,taken,A,Owner
E,,-1,2017,Z,,,Nobody
F,Short
,Keyless,,,,,,
G,Slug,,,,taken,,
H,Twin,,,,,A,
I,Own,,,I,,,
J,Fine too,,,,,,
";
    let job = world.import(request("site", &map, Format::Csv), file).await;
    let found = errors(&world, &job).await;
    let progress = done(job);
    assert_eq!(counts(&progress), [2, 0, 0, 0, 6]);
    assert_eq!(
        summary(&found),
        [
            json!([
                2,
                3,
                [
                    ["Opened", "/properties/opened_on", "invalid"],
                    ["Parent", "/associations", "not_found"],
                    ["Owner", "/owner_id", "not_found"],
                    ["Area", "/properties/area", "too_small"],
                    ["Name", "/properties/name", "required"],
                ]
            ]),
            json!([3, 4, [[null, "", "cell_count"], ["Code", "/properties/code", "required"]]]),
            json!([4, 5, [["Code", "/properties/code", "required"]]]),
            json!([5, 6, [["Slug", "/properties/slug", "taken"]]]),
            json!([6, 7, [["Twin", "/associations", "cardinality"]]]),
            json!([7, 8, [["Parent", "/associations", "not_found"]]]),
        ]
    );
    assert_eq!(found[0].problems[1].message, "there is no `site` whose `code` is `Z`");
    assert_eq!(found[0].problems[2].message, "there is no user called `Nobody`");
    let names: Vec<_> = world.records("site").await.into_iter().map(|record| record.display_name).collect();
    assert_eq!(&names[3..], ["Fine", "Fine too"]);
}

#[tokio::test]
async fn a_row_that_links_to_a_row_that_failed_says_so() {
    let world = World::with_sites().await;
    let file = "Code,Name,Area,Opened,Parent\nA,North,-1,,\nB,East,,,A\n";
    let job = world.import(request("site", SITES, Format::Csv), file).await;
    let found = errors(&world, &job).await;
    assert_eq!(summary(&found)[1], json!([2, 3, [["Parent", "/associations/0/to", "not_found"]]]));
    let expected = "there is no `site` whose `code` is `A`; the row that should make it may have failed";
    assert_eq!(found[1].problems[0].message, expected);
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let world = World::with_sites().await;
    world.import_csv("site", SITES, FILE).await;
    let before = world.position().await;
    let file = "\
Code,Name,Area,Opened,Parent
A,North,12.345,3/1/2017,
B,East,,,
C,West,,,A
D,New,,,A
D,Newer,,,
E,Newest,,,D
F,,,,Z
";
    let request = ImportRequest { dry_run: true, ..request("site", SITES, Format::Csv) };
    let job = world.import(request, file).await;
    let found = errors(&world, &job).await;
    let progress = done(job);
    assert_eq!(counts(&progress), [2, 3, 1, 0, 1]);
    assert_eq!(progress.problems, found);
    assert_eq!(
        summary(&found),
        [json!([7, 8, [["Parent", "/associations", "not_found"], ["Name", "/properties/name", "required"]]])]
    );
    assert_eq!(world.position().await, before);
    assert_eq!(world.records("site").await.len(), 3);
    let numbers = ImportRequest { dry_run: true, ..super::fixture::request("visit", "", Format::Csv) };
    assert_eq!(counts(&done(world.import(numbers, "title\nFirst\n").await)), [1, 0, 0, 0, 0]);
    world.import_csv("visit", "", "title\nFirst\n").await;
    assert_eq!(values(&world.records("visit").await[0])["number"], "V-001", "the rehearsal took no number");
}

#[tokio::test]
async fn rows_are_passed_over_as_the_map_says() {
    let world = World::with_sites().await;
    let map = "key: code\ncolumns: {Code: code, Name: name}\nskip_without: [Name]\nskip_values: [none]\ndistinct: true";
    let file = "Code,Name\nA,North\nA,South\nB,none\nC,West\n";
    assert_eq!(counts(&world.import_csv("site", map, file).await), [2, 0, 0, 2, 0]);
    let names: Vec<_> = world.records("site").await.into_iter().map(|record| record.display_name).collect();
    assert_eq!(names, ["North", "West"]);
}

#[tokio::test]
async fn files_come_with_marks_other_line_ends_and_delimiters() {
    let world = World::with_sites().await;
    let map = "key: code\ndelimiter: ';'\ncolumns: {Code: code, Name: name}";
    let file = "\u{FEFF}Code;Name\r\n\r\nA;\"Nord\r\nSüd\"\r\nB;Ost";
    let progress = world.import_csv("site", map, file).await;
    assert_eq!((counts(&progress), progress.line), ([2, 0, 0, 0, 0], 5));
    assert_eq!(values(&world.records("site").await[0])["name"], "Nord\r\nSüd");
}

#[tokio::test]
async fn lines_of_json_are_records_with_links_and_owners() {
    let world = World::with_sites().await;
    let file = concat!(
        r#"{"properties": {"code": "A", "name": "North", "area": 1.5}, "owner": "Owner"}"#,
        "\n\n",
        r#"{"properties": {"code": "B", "name": "East"}, "links": [{"type": "site_parent", "to": {"object": "site", "property": "code", "value": "A"}}]}"#,
        "\n{\"code\": \"C\"\n",
        r#"{"code": "D", "name": "Flat"}"#,
    );
    let run = || world.import(request("site", "key: code", Format::Ndjson), file);
    let job = run().await;
    let found = errors(&world, &job).await;
    assert_eq!(summary(&found), [json!([3, 4, [[null, "", "invalid"], [null, "/properties/code", "required"]]])]);
    assert_eq!(counts(&done(job)), [3, 0, 0, 0, 1]);
    let records = world.records("site").await;
    assert!(records[0].owner.is_some());
    assert_eq!(links(&world, "site", &records[1].id.to_string(), "site_parent").await, ["North"]);
    let before = world.position().await;
    assert_eq!(counts(&done(run().await)), [0, 0, 3, 0, 1]);
    assert_eq!(world.position().await, before);
}

#[tokio::test]
async fn rows_become_users_who_own_records() {
    let world = World::with_sites().await;
    let map = "columns: {Agent: name, Mail: email, Role: role}\nignore: [Region]";
    let file = "Agent,Mail,Role,Region\nAda,ADA@example.com,admin,East\nBob,,,West\nEve,,boss,\n,,,\n";
    let run = |dry_run| world.import(ImportRequest { dry_run, ..request("user", map, Format::Csv) }, file);
    assert_eq!(counts(&done(run(true).await)), [3, 0, 0, 0, 1], "roles show when users are made");
    assert_eq!(world.session().await.users(50, None).await.expect("users").results.len(), 1);
    let job = run(false).await;
    let found = errors(&world, &job).await;
    assert_eq!(counts(&done(job)), [2, 0, 0, 0, 2]);
    assert_eq!(
        summary(&found),
        [
            json!([3, 4, [["Role", "/properties/role", "unknown_option"]]]),
            json!([4, 5, [["Agent", "/properties/name", "required"]]]),
        ]
    );
    assert_eq!(counts(&done(run(false).await)), [0, 0, 2, 0, 2]);
    let changed = "Agent,Mail,Role,Region\nAda,ada@example.com,member,East\n";
    assert_eq!(counts(&world.import_csv("user", map, changed).await), [0, 1, 0, 0, 0]);
    let owned = "columns: {Name: name, Agent: {owner: name}}";
    world.import_csv("site", owned, "Name,Agent\nNorth,Bob\n").await;
    let users = world.session().await.users(50, None).await.expect("users").results;
    assert_eq!(
        users.iter().map(|user| (user.name.as_str(), user.role.as_str())).collect::<Vec<_>>(),
        [("Owner", "owner"), ("Ada", "member"), ("Bob", "member"),]
    );
    assert_eq!(world.records("site").await[0].owner, Some(users[2].id));
}

#[tokio::test]
async fn many_rows_go_through_in_chunks() {
    let world = World::with_sites().await;
    let mut file = "code,name\n".to_owned();
    for number in 0..1_234 {
        file.push_str(&format!("S{number},\"Site\n{number}\"\n"));
    }
    let progress = world.import_csv("site", "key: code", &file).await;
    assert_eq!((counts(&progress), progress.line), ([1_234, 0, 0, 0, 0], 2_469));
    let target = Target { id: "S1233".to_owned(), id_property: Some("code".to_owned()) };
    let mut session = world.session().await;
    let found = session.record_read("site", &target, &Default::default()).await.expect("a record");
    assert_eq!(found.record.display_name, "Site 1233");
}
