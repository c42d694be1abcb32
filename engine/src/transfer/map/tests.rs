use serde_json::json;

use super::*;

fn read(text: &str) -> ColumnMap {
    ColumnMap::read(text).expect("a map")
}

fn refused(text: &str) -> Vec<(String, &'static str, String)> {
    let problems = ColumnMap::read(text).expect_err("refused");
    problems.into_iter().map(|problem| (problem.pointer, problem.code, problem.message)).collect()
}

/// The rules of the only target of the only column.
fn rules(options: &str) -> CellRules {
    let map = read(&format!("columns: {{c: {{property: p, {options}}}}}"));
    map.columns["c"][0].rules.clone()
}

fn text(rules: &CellRules, cell: &str) -> Option<String> {
    match rules.read(cell, false).expect("readable") {
        Cell::Empty => None,
        Cell::Text(text) => Some(text.into_owned()),
        Cell::List(texts) => panic!("a list: {texts:?}"),
    }
}

fn moment(options: &str, cell: &str) -> Result<Option<String>, String> {
    let rules = if options.is_empty() { CellRules::default() } else { rules(options) };
    Ok(match rules.read(cell, true)? {
        Cell::Empty => None,
        Cell::Text(text) => Some(text.into_owned()),
        Cell::List(texts) => panic!("a list: {texts:?}"),
    })
}

#[test]
fn every_form_of_a_target_is_read() {
    let map = read(
        r#"
object: deal
key: reference
format: csv
delimiter: ";"
distinct: true
columns:
  opportunity_id: [reference, {property: name}]
  account: {link: deal_company, object: company, by: domain, label: primary}
  agent: {owner: name}
  closer: {property: closed_by, user: email}
compose: {place: "{lat}, {lon}."}
constants: {currency: USD, rank: 1}
skip_without: [account]
skip_values: [Select, ""]
ignore: [other]
"#,
    );
    let aims: Vec<&Aim> = map.columns.values().flatten().map(|target| &target.aim).collect();
    let link = LinkAim {
        association: "deal_company".to_owned(),
        object: "company".to_owned(),
        by: "domain".to_owned(),
        label: Some("primary".to_owned()),
    };
    let expected = [
        Aim::Property("reference".to_owned()),
        Aim::Property("name".to_owned()),
        Aim::Link(link),
        Aim::Owner(UserKey::Name),
        Aim::User("closed_by".to_owned(), UserKey::Email),
    ];
    assert_eq!(aims, expected.iter().collect::<Vec<_>>());
    assert_eq!(map.used_columns(), ["opportunity_id", "account", "agent", "closer", "lat", "lon"]);
    let pieces = ["lat", ", ", "lon", "."].iter().enumerate().map(|(index, piece)| match index % 2 {
        0 => Piece::Column((*piece).to_owned()),
        _ => Piece::Text((*piece).to_owned()),
    });
    assert_eq!(map.compose["place"], Template(pieces.collect()));
    assert_eq!(map.constants["rank"], json!(1));
    assert_eq!((map.format, map.delimiter, map.distinct), (Some(Format::Csv), Some(b';'), true));
    assert_eq!((map.object.as_deref(), map.key.as_deref()), (Some("deal"), Some("reference")));
    assert_eq!((map.skip_values, map.ignore), (vec!["Select".to_owned(), String::new()], vec!["other".to_owned()]));
}

#[test]
fn json_is_read_like_yaml_and_nothing_is_an_empty_map() {
    let map = read("{\"columns\":\n\t{\"a\": \"name\"}}");
    assert_eq!(map.columns["a"][0].aim, Aim::Property("name".to_owned()));
    assert!(read("").is_automatic());
    // YAML knows no such pair of escapes, JSON does.
    let map = read(r#"{"columns": {"\ud83d\ude00": "name"}}"#);
    assert_eq!(map.used_columns(), ["\u{1F600}"]);
    assert_eq!(refused(r#"{"colums": {"\ud83d\ude00": "name"}}"#)[0].0, "/map/colums");
}

#[test]
fn every_mistake_is_found_at_once_with_its_line() {
    let found = refused(
        r#"
objct: deal
columns:
  a: {property: p, link: l}
  b: {link: l, by: domain}
  c: {owner: nme}
  d: {property: p, match: "a.b", date: "%Q", split: ";"}
  e: []
  f: 5
  g: {property: p, values: {x: [1]}, tme_zone: UTC}
compose: {h: "no column", i: "{open"}
delimiter: ";;"
time_zone: Mars/Base
ignore: [a]
distinct: true
"#,
    );
    let places: Vec<(&str, &str)> = found.iter().map(|(pointer, code, _)| (pointer.as_str(), *code)).collect();
    assert_eq!(
        places,
        [
            ("/map/delimiter", "invalid"),
            ("/map/time_zone", "invalid"),
            ("/map/columns/a", "invalid"),
            ("/map/columns/b/object", "required"),
            ("/map/columns/c/owner", "unknown"),
            ("/map/columns/c", "invalid"),
            ("/map/columns/d/match", "invalid"),
            ("/map/columns/d/date", "invalid"),
            ("/map/columns/d", "invalid"),
            ("/map/columns/e", "required"),
            ("/map/columns/f", "wrong_type"),
            ("/map/columns/g/values/x", "wrong_type"),
            ("/map/columns/g/tme_zone", "unknown_key"),
            ("/map/compose/h", "invalid"),
            ("/map/compose/i", "invalid"),
            ("/map/ignore", "conflict"),
            ("/map/distinct", "required"),
            ("/map/objct", "unknown_key"),
        ]
    );
    assert_eq!(found.last().expect("one").2, "map:2:1: `objct` is not known here; did you mean `object`?");
    assert_eq!(refused("columns: {a: [}")[0].1, "invalid_yaml");
}

#[test]
fn cells_are_matched_then_left_out_then_replaced() {
    let rules = rules(r#"match: '^(\w+) x$', skip_values: [none, 0], values: {a: "1", b: null, c: true}"#);
    assert_eq!(text(&rules, " a x "), Some("1".to_owned()));
    assert_eq!(text(&rules, "c x"), Some("true".to_owned()));
    assert_eq!(text(&rules, "d x"), Some("d".to_owned()));
    for nothing in ["a", "none x", "0 x", "b x", "", "  "] {
        assert_eq!(text(&rules, nothing), None, "{nothing}");
    }
}

#[test]
fn lists_are_split_and_their_empty_parts_left_out() {
    let rules = rules(r#"split: "|""#);
    assert_eq!(rules.read("a | b||", false), Ok(Cell::List(vec!["a".to_owned(), "b".to_owned()])));
    assert_eq!(rules.read(" | ", false), Ok(Cell::Empty));
}

#[test]
fn dates_are_read_by_their_form() {
    let date = rules(r#"date: "%m/%d/%Y""#);
    assert_eq!(text(&date, "3/1/2017"), Some("2017-03-01".to_owned()));
    let wrong = date.read("2017-03-01", false).expect_err("another form");
    assert_eq!(wrong, "`2017-03-01` is no date of the form `%m/%d/%Y`");
    assert!(date.read("2/30/2017", false).is_err());
    let long = rules(r#"date: "%Y-%m-%dT%H:%M:%S%.f""#);
    assert_eq!(text(&long, "2013-07-08T00:00:00.000"), Some("2013-07-08".to_owned()));
}

#[test]
fn moments_without_an_offset_are_of_the_time_zone() {
    let utc = |cell: &str| moment("", cell).expect("readable");
    assert_eq!(utc("2026-03-01 09:30"), Some("2026-03-01T09:30:00+00:00".to_owned()));
    assert_eq!(utc("2026-03-01"), Some("2026-03-01T00:00:00+00:00".to_owned()));
    assert_eq!(utc("2026-03-01T09:30:00+02:00"), Some("2026-03-01T09:30:00+02:00".to_owned()));
    assert_eq!(utc("next week"), Some("next week".to_owned()), "its type refuses it");
    let berlin = |cell: &str| moment(r#"date: "%d.%m.%Y %H:%M", time_zone: Europe/Berlin"#, cell);
    assert_eq!(berlin("01.07.2026 09:30"), Ok(Some("2026-07-01T07:30:00+00:00".to_owned())));
    assert_eq!(berlin("25.10.2026 02:30"), Ok(Some("2026-10-25T00:30:00+00:00".to_owned())), "the first of two");
    assert_eq!(
        berlin("29.03.2026 02:30"),
        Err("clocks never showed `29.03.2026 02:30`: summer time began then".to_owned())
    );
    let with_offset = moment(r#"date: "%Y%m%d %H%M %z""#, "20260301 0930 -0500");
    assert_eq!(with_offset, Ok(Some("2026-03-01T09:30:00-05:00".to_owned())));
    assert_eq!(moment(r#"date: "%d.%m.%Y""#, "01.07.2026"), Ok(Some("2026-07-01T00:00:00+00:00".to_owned())));
}

#[test]
fn numbers_are_rounded_half_away_from_zero() {
    let round = rules("round: 2");
    for (cell, rounded) in
        [("512639.5200000001", "512639.52"), ("0.125", "0.13"), ("-0.125", "-0.13"), ("7", "7"), ("1e-7", "0")]
    {
        assert_eq!(text(&round, cell).and_then(|text| text.parse::<f64>().ok()), rounded.parse().ok(), "{cell}");
    }
    assert_eq!(round.read("many", false), Err("`many` is no number that can be rounded".to_owned()));
}

#[test]
fn a_time_zone_of_the_map_is_that_of_its_columns() {
    let map = read("time_zone: Asia/Tokyo\ncolumns: {a: p, b: {property: q, time_zone: UTC}}");
    let zones: Vec<_> = map.columns.values().map(|targets| targets[0].rules.time_zone.expect("one").name()).collect();
    assert_eq!(zones, ["Asia/Tokyo", "UTC"]);
}
