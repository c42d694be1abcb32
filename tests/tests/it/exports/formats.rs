//! What stands in a file is what the API says of the records, whatever the format.

use std::io::Cursor;
use std::process::{Command, Stdio};

use calamine::{Data, Reader, Xlsx};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use tests::{Client, TestServer};

use super::{csv_columns, csv_rows, export, lines, samples};
use crate::fixture::{all_records, create, define_thing, results};

/// A value as a CSV cell, by its type in JSON and by nothing else.
fn cell(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if name == "extra" => json!(text).to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) if name == "extra" => Value::from(list.clone()).to_string(),
        Value::Array(list) if list.iter().any(|text| text.as_str().unwrap().contains([';', '['])) => value.to_string(),
        Value::Array(list) => list.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join(";"),
        Value::Object(point) if name == "place" => format!("{},{}", degrees(&point["lat"]), degrees(&point["lon"])),
        other => other.to_string(),
    }
}

fn degrees(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

async fn csv_has_every_value_of_every_record(server: TestServer) {
    let tenant = server.tenant("generic").await;
    samples(&tenant).await;
    let (job, file) = export(&tenant, &json!({"object": "sample", "format": "csv"})).await;
    assert_eq!((&job["progress"]["records"], &job["progress"]["total"]), (&json!(4), &json!(4)));
    assert_eq!(job["file"]["bytes"], file.len());
    let definition = tenant.get("/object-definitions/sample").await.ok(200);
    let names: Vec<String> = definition["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(csv_columns(&file), [&["id".to_owned()], names.as_slice()].concat());
    assert!(!file.starts_with("\u{feff}".as_bytes()) && file.ends_with(b"\r\n"));
    let (records, rows) = (all_records(&tenant, "sample").await, csv_rows(&file));
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(rows) {
        assert_eq!(row["id"], record["id"].as_str().unwrap());
        for name in &names {
            assert_eq!(row[name], cell(name, &record["properties"][name]), "{name} of {}", record["id"]);
        }
    }
}

async fn ndjson_has_records_as_they_are_answered(server: TestServer) {
    let tenant = server.tenant("generic").await;
    samples(&tenant).await;
    let (_, file) = export(&tenant, &json!({"object": "sample", "format": "ndjson"})).await;
    assert_eq!(lines(&file), all_records(&tenant, "sample").await);
    let request = json!({"object": "sample", "format": "ndjson", "select": ["count", "name", "created_at"]});
    let (_, file) = export(&tenant, &request).await;
    let listed = tenant.get("/records/sample?select=count,name").await.ok(200);
    assert_eq!(&lines(&file), results(&listed));
}

async fn workbooks_have_typed_cells(server: TestServer) {
    let tenant = server.tenant("generic").await;
    samples(&tenant).await;
    let (job, file) = export(&tenant, &json!({"object": "sample", "format": "xlsx"})).await;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
    let (name, range) = workbook.worksheets().remove(0);
    assert_eq!(name, "sample");
    let rows: Vec<&[Data]> = range.rows().collect();
    let records = all_records(&tenant, "sample").await;
    assert_eq!(rows.len(), records.len() + 1);
    let at = |row: usize, name: &str| {
        let column = rows[0].iter().position(|head| *head == Data::String(name.to_owned())).unwrap();
        rows[row][column].clone()
    };
    assert_eq!(at(1, "name"), Data::String("a,\"b\"\r\nc;d\té 😀 ' _x000D_".to_owned()));
    assert_eq!(at(2, "name"), Data::String("=1+cmd|' /C calc'!A0".to_owned()));
    assert_eq!(at(1, "count"), Data::String((i64::MAX / 2).to_string()));
    assert_eq!((at(2, "count"), at(2, "double")), (Data::Float(-4.0), Data::Float(-8.0)));
    assert_eq!(at(1, "amount"), Data::String("9999999999999999.99".to_owned()));
    assert_eq!((at(2, "exact"), at(3, "exact")), (Data::Float(0.000_001), Data::Empty));
    assert_eq!((at(1, "is_open"), at(2, "is_open")), (Data::Bool(true), Data::Bool(false)));
    assert_eq!(at(1, "day"), Data::String("0001-01-01".to_owned()));
    assert!(matches!(at(2, "day"), Data::DateTime(day) if day.as_f64() == 2_958_465.0));
    assert_eq!(at(1, "colors"), Data::String("red;blue".to_owned()));
    // The job says which text a cell has no room for.
    assert_eq!(at(1, "story"), Data::String("x".repeat(32_767)));
    assert_eq!(job["progress"]["cut"], 1);
    let errors = tenant.get(&format!("/jobs/{}/errors", job["id"].as_str().unwrap())).await;
    let errors = lines(errors.text.as_bytes());
    assert_eq!((errors.len(), &errors[0]["row"], &errors[0]["line"]), (1, &json!(1), &json!(2)));
    let problem = &errors[0]["problems"][0];
    assert_eq!((&problem["column"], &problem["code"]), (&json!("story"), &json!("too_long")));
}

async fn parquet_has_typed_columns(server: TestServer) {
    let tenant = server.tenant("generic").await;
    samples(&tenant).await;
    let request = json!({"object": "sample", "format": "parquet", "select":
        ["name", "story", "count", "amount", "is_open", "day", "at", "colors", "labels", "extra", "place", "created_at",
         "owner_id", "version"]});
    let (_, file) = export(&tenant, &request).await;
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
    let records = all_records(&tenant, "sample").await;
    assert_eq!(rows.len(), records.len());
    for (record, row) in records.iter().zip(&rows) {
        let properties = &record["properties"];
        for (name, field) in row.get_column_iter() {
            let value = match name.as_str() {
                "id" | "version" | "created_at" | "owner_id" => &record[name],
                _ => &properties[name],
            };
            let read = match field {
                Field::Null => Value::Null,
                Field::Bool(is_true) => json!(is_true),
                Field::Long(number) if name == "id" => json!(number.to_string()),
                Field::Long(number) => json!(number),
                Field::Str(text) if name == "extra" => serde_json::from_str(text).unwrap(),
                Field::Str(text) => json!(text),
                Field::Date(days) => {
                    let day = chrono::NaiveDate::default() + chrono::TimeDelta::days(i64::from(*days));
                    json!(day.format("%Y-%m-%d").to_string().trim_start_matches('+'))
                }
                Field::TimestampMicros(at) => {
                    let at = chrono::DateTime::from_timestamp_micros(*at).unwrap();
                    json!(at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
                }
                Field::Decimal(decimal) => {
                    let units = i64::from_be_bytes(decimal.data().try_into().unwrap());
                    assert_eq!(decimal.scale(), 2);
                    let sign = if units < 0 { "-" } else { "" };
                    json!(format!("{sign}{}.{:02}", units.abs() / 100, units.abs() % 100))
                }
                Field::ListInternal(list) => {
                    let text = |field: &Field| match field {
                        Field::Str(text) => json!(text),
                        other => panic!("{other:?}"),
                    };
                    Value::from(list.elements().iter().map(text).collect::<Vec<_>>())
                }
                other => panic!("{name}: {other:?}"),
            };
            let value = match (name.as_str(), value) {
                ("place", Value::Object(point)) => {
                    json!(format!("{},{}", degrees(&point["lat"]), degrees(&point["lon"])))
                }
                _ => value.clone(),
            };
            assert_eq!(read, value, "{name} of {}", record["id"]);
        }
    }
}

/// Runs a command as a user would; what it wrote to standard output, and what it said beside.
fn run(server: &TestServer, caller: &Client, arguments: &[&str]) -> (Vec<u8>, String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_trellis-under-test"))
        .args(arguments)
        .env("TRELLIS_URL", server.address())
        .env("TRELLIS_TOKEN", caller.token().unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned(), output.status.success())
}

async fn an_exported_file_can_be_imported_again(server: TestServer) {
    let (tenant, other) = (server.tenant("generic").await, server.tenant("generic").await);
    samples(&tenant).await;
    super::define_sample(&other).await;
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("map.yaml");
    std::fs::write(&map, "ignore: [id, number, double]\n").unwrap();
    let file = folder.path().join("samples.csv");
    let (_, said, is_done) = run(&server, &tenant, &["export", "--object", "sample", "--out", file.to_str().unwrap()]);
    assert!(is_done && said.contains("wrote `"), "{said}");
    let arguments = ["import", file.to_str().unwrap(), "--object", "sample", "--map", map.to_str().unwrap(), "--json"];
    let (told, said, is_done) = run(&server, &other, &arguments);
    assert!(is_done, "{}{said}", String::from_utf8_lossy(&told));
    let strip = |records: Vec<Value>| -> Vec<Value> {
        let strip = |mut record: Value| {
            let properties = record["properties"].as_object_mut().unwrap();
            // A list without elements is an empty cell, which says nothing.
            properties.retain(|name, value| name == "extra" || *value != json!([]));
            Value::Object(properties.clone())
        };
        records.into_iter().map(strip).collect()
    };
    let (copies, originals) = (strip(all_records(&other, "sample").await), strip(all_records(&tenant, "sample").await));
    assert_eq!(copies.len(), originals.len());
    for (copy, original) in copies.iter().zip(&originals) {
        let differs = |(name, value): &(&String, &Value)| copy[name.as_str()] != **value;
        let different: Vec<_> = original.as_object().unwrap().iter().filter(differs).collect();
        assert!(different.is_empty(), "{different:?} is now {copy}");
        assert_eq!(copy.as_object().unwrap().len(), original.as_object().unwrap().len(), "{copy} and {original}");
    }
}

async fn the_command_writes_what_is_asked_for(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_thing(&tenant, json!({"size": {"type": "integer"}})).await;
    for (name, size) in [("a", 1), ("b", 2), ("c", 3)] {
        create(&tenant, "thing", json!({"name": name, "size": size})).await;
    }
    let filter = r#"{"property": "size", "op": "gte", "value": 2}"#;
    let arguments = [
        "export",
        "--object",
        "thing",
        "--format",
        "csv",
        "--filter",
        filter,
        "--select",
        "size,name",
        "--sort",
        "-size",
    ];
    let (told, said, is_done) = run(&server, &tenant, &arguments);
    assert!(is_done, "{said}");
    let rows = csv_rows(&told);
    assert_eq!(csv_columns(&told), ["id", "size", "name"]);
    assert_eq!(rows.iter().map(|row| row["name"].as_str()).collect::<Vec<_>>(), ["c", "b"]);
    let (told, said, is_done) = run(&server, &tenant, &["export", "--object", "thig", "--format", "csv"]);
    assert!(!is_done && told.is_empty() && said.contains("did you mean `thing`?"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.parquet");
    let arguments = ["export", "--object", "thing", "--out", out.to_str().unwrap(), "--json"];
    let (told, said, is_done) = run(&server, &tenant, &arguments);
    assert!(is_done, "{said}");
    let job: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((&job["state"], &job["spec"]["format"]), (&json!("done"), &json!("parquet")));
    assert!(std::fs::read(&out).unwrap().starts_with(b"PAR1"));
    assert!(!folder.path().join("x.parquet.part").exists());
}

scenarios![
    csv_has_every_value_of_every_record,
    ndjson_has_records_as_they_are_answered,
    workbooks_have_typed_cells,
    parquet_has_typed_columns,
    an_exported_file_can_be_imported_again,
    the_command_writes_what_is_asked_for,
];
