use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use calamine::{Data, Reader, Xlsx};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::xlsx::XlsxWriter;
use super::*;
use crate::exports::column::Type;
use crate::query::AnsweredRow;

const MONEY: Type = Type::Decimal { digits: 18, scale: 2, is_padded: true };
const WIDE: Type = Type::Decimal { digits: 38, scale: 10, is_padded: false };

fn column(name: &str, kind: Type) -> Column {
    Column { name: name.to_owned(), heading: name.to_owned(), kind, is_system: false }
}

/// One column of each type.
fn columns() -> Vec<Column> {
    let kinds = [
        ("id", Type::Id),
        ("text", Type::Text),
        ("integer", Type::Integer),
        ("money", MONEY),
        ("wide", WIDE),
        ("boolean", Type::Boolean),
        ("date", Type::Date),
        ("datetime", Type::Datetime),
        ("list", Type::List),
        ("geo", Type::Geo),
        ("json", Type::Json),
    ];
    kinds.into_iter().map(|(name, kind)| column(name, kind)).collect()
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

fn list<'a>(texts: &[&'a str]) -> Cell<'a> {
    Cell::List(texts.iter().map(|text| Cow::Borrowed(*text)).collect())
}

/// Rows at the ends of what values can be, and one without any.
fn rows() -> Vec<Vec<Cell<'static>>> {
    let decimal = |digits: &'static str| Cell::Decimal(Cow::Borrowed(digits));
    let date = |date: &'static str| Cell::Date(Cow::Borrowed(date));
    let moment = |moment: &'static str| Cell::Datetime(Cow::Borrowed(moment));
    let json = |json: &'static str| Cell::Json(Cow::Borrowed(json));
    vec![
        vec![
            Cell::Integer(1),
            text("a,\"b\"\r\nc;é 😀 _x000D_"),
            Cell::Integer(i64::MIN),
            decimal("-9999999999999999.99"),
            decimal("-1234567890123456789012345678.0123456789"),
            Cell::Boolean(true),
            date("0001-01-01"),
            moment("0001-01-01T00:00:00.000000Z"),
            list(&["a", "b c"]),
            Cell::Geo(-52.52, 13.405),
            json(r#"{"a": [1, "x;y"]}"#),
        ],
        vec![
            Cell::Integer(2),
            text("=1+1"),
            Cell::Integer(-0),
            decimal("0.00"),
            decimal("0.5"),
            Cell::Boolean(false),
            date("9999-12-31"),
            moment("9999-12-31T23:59:59.999999Z"),
            list(&["a;b", "[x"]),
            Cell::Geo(0.0, 180.0),
            json("\"=x\""),
        ],
        vec![
            Cell::Integer(3),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
        ],
        vec![
            Cell::Integer(4),
            text("\t tab"),
            Cell::Integer(i64::MAX),
            decimal("120000.00"),
            decimal("3"),
            Cell::Boolean(true),
            date("2026-03-01"),
            moment("2026-03-01T09:30:00.250000Z"),
            list(&[]),
            Cell::Geo(1.5, -0.25),
            json("[]"),
        ],
    ]
}

fn layout<'a>(format: Format, columns: &'a [Column], escape_formulas: bool) -> Layout<'a> {
    let scratch_dir = Path::new("/tmp");
    Layout { format, columns, title: "deal", escape_formulas, scratch_dir, max_scratch_bytes: u64::MAX }
}

/// What the rows are made of does not matter to these formats.
fn group() -> AnsweredRow {
    AnsweredRow { key: None, measures: Vec::new() }
}

fn write_all(writer: &mut dyn RowWriter, rows: &[Vec<Cell<'_>>]) -> Vec<Vec<Cut>> {
    let group = group();
    let row = |cells: &Vec<Cell<'_>>| writer.write(&Row { cells: cells.clone(), whole: Whole::Group(&group) });
    rows.iter().map(row).collect::<Result<_>>().expect("written")
}

fn written(layout: &Layout<'_>, rows: &[Vec<Cell<'_>>]) -> Vec<u8> {
    let mut sink = Vec::new();
    let mut writer = open(layout, &mut sink).expect("begun");
    assert!(write_all(writer.as_mut(), rows).iter().all(Vec::is_empty), "nothing is cut");
    writer.finish().expect("finished");
    sink
}

#[test]
fn csv_has_cells_that_an_import_reads() {
    let columns = columns();
    let bytes = written(&layout(Format::Csv, &columns, false), &rows());
    let expected = concat!(
        "id,text,integer,money,wide,boolean,date,datetime,list,geo,json\r\n",
        "1,\"a,\"\"b\"\"\r\nc;é 😀 _x000D_\",-9223372036854775808,-9999999999999999.99,",
        "-1234567890123456789012345678.0123456789,true,0001-01-01,0001-01-01T00:00:00.000000Z,a;b c,",
        "\"-52.52,13.405\",\"{\"\"a\"\": [1, \"\"x;y\"\"]}\"\r\n",
        "2,=1+1,0,0.00,0.5,false,9999-12-31,9999-12-31T23:59:59.999999Z,\"[\"\"a;b\"\",\"\"[x\"\"]\",\"0,180\",",
        "\"\"\"=x\"\"\"\r\n",
        "3,,,,,,,,,,\r\n",
        "4,\t tab,9223372036854775807,120000.00,3,true,2026-03-01,2026-03-01T09:30:00.250000Z,,\"1.5,-0.25\",[]\r\n",
    );
    assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
}

#[test]
fn csv_keeps_spreadsheets_from_computing_texts_where_that_is_asked_for() {
    let columns = [column("=text", Type::Text), column("number", MONEY), column("list", Type::List)];
    let rows = ["=1", "+1", "-1", "@x", "\tx", "x=1"]
        .map(|sample| vec![text(sample), Cell::Decimal(Cow::Borrowed("-1.00")), list(&["-a", "b"])]);
    let bytes = written(&layout(Format::Csv, &columns, true), &rows);
    let expected = "'=text,number,list\r\n'=1,-1.00,'-a;b\r\n'+1,-1.00,'-a;b\r\n'-1,-1.00,'-a;b\r\n'@x,-1.00,'-a;b\r\n\
                    '\tx,-1.00,'-a;b\r\nx=1,-1.00,'-a;b\r\n";
    assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
}

fn sheets(bytes: Vec<u8>) -> Vec<(String, Vec<Vec<Data>>)> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let sheets = workbook.worksheets().into_iter();
    sheets.map(|(name, range)| (name, range.rows().map(<[Data]>::to_vec).collect())).collect()
}

#[test]
fn a_workbook_has_typed_cells_and_rounds_nothing() {
    let columns = columns();
    let found = sheets(written(&layout(Format::Xlsx, &columns, false), &rows()));
    let [(name, found)] = found.as_slice() else { panic!("one sheet is expected") };
    assert_eq!(name, "deal");
    let string = |text: &str| Data::String(text.to_owned());
    let names: Vec<Data> = columns.iter().map(|column| string(&column.name)).collect();
    let shown = |cell: &Data| match cell {
        Data::DateTime(moment) => Data::Float(moment.as_f64()),
        other => other.clone(),
    };
    let found: Vec<Vec<Data>> = found.iter().map(|row| row.iter().map(shown).collect()).collect();
    let empty = Data::Empty;
    let expected = vec![
        names,
        vec![
            Data::Float(1.0),
            // What ends lines is one character in a cell.
            string("a,\"b\"\r\nc;é 😀 _x000D_"),
            string("-9223372036854775808"),
            string("-9999999999999999.99"),
            string("-1234567890123456789012345678.0123456789"),
            Data::Bool(true),
            string("0001-01-01"),
            string("0001-01-01T00:00:00.000000Z"),
            string("a;b c"),
            string("-52.52,13.405"),
            string(r#"{"a": [1, "x;y"]}"#),
        ],
        vec![
            Data::Float(2.0),
            string("=1+1"),
            Data::Float(0.0),
            Data::Float(0.0),
            Data::Float(0.5),
            Data::Bool(false),
            Data::Float(2_958_465.0),
            Data::Float(2_958_465.999_999_999_99),
            string("[\"a;b\",\"[x\"]"),
            string("0,180"),
            string("\"=x\""),
        ],
        std::iter::once(Data::Float(3.0)).chain(std::iter::repeat_n(empty.clone(), 10)).collect(),
        vec![
            Data::Float(4.0),
            string("\t tab"),
            string("9223372036854775807"),
            Data::Float(120_000.0),
            Data::Float(3.0),
            Data::Bool(true),
            Data::Float(46_082.0),
            Data::Float(46_082.395_836_226_85),
            empty,
            string("1.5,-0.25"),
            string("[]"),
        ],
    ];
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "row {row}");
    }
}

#[test]
fn a_full_sheet_is_followed_by_another_and_long_texts_are_cut_and_told() {
    let columns = [column("id", Type::Id), column("text", Type::Text)];
    let mut sink = Vec::new();
    let layout = layout(Format::Xlsx, &columns, false);
    let mut writer: Box<dyn RowWriter + '_> = Box::new(XlsxWriter::with_rows(&layout, &mut sink, 3).expect("begun"));
    // Each of these characters counts twice.
    let (fitting, long) = ("x".repeat(32_767), "😀".repeat(16_384));
    let rows: Vec<Vec<Cell<'_>>> = [fitting.as_str(), &long, "c", "d", "e"]
        .iter()
        .zip(1..)
        .map(|(cell, id)| vec![Cell::Integer(id), text(cell)])
        .collect();
    let cuts = write_all(writer.as_mut(), &rows);
    writer.finish().expect("finished");
    let expected = Cut { column: "text".to_owned(), most: 32_767 };
    assert_eq!(cuts, [vec![], vec![expected], vec![], vec![], vec![]]);
    let found = sheets(sink);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["deal", "deal 2", "deal 3"]);
    let ids = |rows: &[Vec<Data>]| -> Vec<String> { rows.iter().map(|row| row[0].to_string()).collect() };
    let all: Vec<Vec<String>> = found.iter().map(|(_, rows)| ids(rows)).collect();
    assert_eq!(all, [vec!["id", "1", "2"], vec!["id", "3", "4"], vec!["id", "5"]]);
    assert_eq!(found[0].1[1][1], Data::String(fitting));
    assert_eq!(found[0].1[2][1], Data::String("😀".repeat(16_383)));
}

#[test]
fn a_workbook_is_put_together_from_so_much_and_no_more() {
    let columns = [column("text", Type::Text)];
    let mut sink = Vec::new();
    let layout = Layout { max_scratch_bytes: 10_000, ..layout(Format::Xlsx, &columns, false) };
    let mut writer = open(&layout, &mut sink).expect("begun");
    let (cell, group) = ("x".repeat(5_000), group());
    let mut write = || writer.write(&Row { cells: vec![text(&cell)], whole: Whole::Group(&group) });
    assert!(write().is_ok());
    assert_eq!(write().expect_err("refused").code, ErrorCode::TooLarge);
}

/// Every row of a file, its values by their names.
fn parquet_rows(bytes: Vec<u8>) -> Vec<Vec<(String, Field)>> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a file");
    let rows = reader.get_row_iter(None).expect("rows");
    let row = |row: ::parquet::record::Row| {
        row.get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect::<Vec<_>>()
    };
    rows.map(|found| row(found.expect("a row"))).collect()
}

/// A value as a text that is the same for the same value.
fn shown(field: &Field) -> String {
    match field {
        Field::Null => "null".to_owned(),
        Field::Bool(is_true) => is_true.to_string(),
        Field::Int(number) | Field::Date(number) => number.to_string(),
        Field::Long(number) | Field::TimestampMicros(number) => number.to_string(),
        Field::Str(text) => format!("{text:?}"),
        Field::Decimal(decimal) => {
            let mut units: i128 = if decimal.data()[0] & 0x80 == 0 { 0 } else { -1 };
            for byte in decimal.data() {
                units = (units << 8) | i128::from(*byte);
            }
            format!("{units}/{}", decimal.scale())
        }
        Field::ListInternal(list) => format!("{:?}", list.elements().iter().map(shown).collect::<Vec<_>>()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn parquet_has_typed_columns() {
    let columns = columns();
    let found = parquet_rows(written(&layout(Format::Parquet, &columns, false), &rows()));
    let names: Vec<&str> = found[0].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>());
    let found: Vec<Vec<String>> = found.iter().map(|row| row.iter().map(|(_, field)| shown(field)).collect()).collect();
    let nulls: Vec<&str> = std::iter::once("3").chain(std::iter::repeat_n("null", 10)).collect();
    let expected = [
        vec![
            "1",
            r#""a,\"b\"\r\nc;é 😀 _x000D_""#,
            "-9223372036854775808",
            "-999999999999999999/2",
            "-12345678901234567890123456780123456789/10",
            "true",
            "-719162",
            "-62135596800000000",
            r#"["\"a\"", "\"b c\""]"#,
            r#""-52.52,13.405""#,
            r#""{\"a\": [1, \"x;y\"]}""#,
        ],
        vec![
            "2",
            "\"=1+1\"",
            "0",
            "0/2",
            "5000000000/10",
            "false",
            "2932896",
            "253402300799999999",
            r#"["\"a;b\"", "\"[x\""]"#,
            "\"0,180\"",
            r#""\"=x\"""#,
        ],
        nulls,
        vec![
            "4",
            r#""\t tab""#,
            "9223372036854775807",
            "12000000/2",
            "30000000000/10",
            "true",
            "20513",
            "1772357400250000",
            "[]",
            "\"1.5,-0.25\"",
            "\"[]\"",
        ],
    ];
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "row {row}");
    }
}

#[test]
fn parquet_has_groups_of_bounded_size() {
    let columns = [column("id", Type::Id), column("text", Type::Text)];
    let long = "x".repeat(1024 * 1024);
    let rows: Vec<Vec<Cell<'_>>> = (0..70).map(|id| vec![Cell::Integer(id), text(&long)]).collect();
    let bytes = written(&layout(Format::Parquet, &columns, false), &rows);
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).expect("a file");
    let groups: Vec<i64> = reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(groups, [32, 32, 6]);
    let ids = parquet_rows(bytes).into_iter().map(|row| row[0].1.clone());
    assert_eq!(ids.collect::<Vec<_>>(), (0..70).map(Field::Long).collect::<Vec<_>>());
}

#[test]
fn files_without_rows_are_files() {
    let columns = columns();
    let bytes = written(&layout(Format::Csv, &columns, false), &[]);
    assert_eq!(bytes, b"id,text,integer,money,wide,boolean,date,datetime,list,geo,json\r\n");
    assert_eq!(sheets(written(&layout(Format::Xlsx, &columns, false), &[]))[0].1.len(), 1);
    assert!(parquet_rows(written(&layout(Format::Parquet, &columns, false), &[])).is_empty());
    assert!(written(&layout(Format::Ndjson, &[], false), &[]).is_empty());
}

/// Texts with everything that formats have a meaning for.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,6}",
        prop::sample::select(vec![
            "\"", ",", "\r", "\n", "\r\n", ";", "'", "=", "\t", "_x0041_", "_x", "<", "&amp;", "]]>", "\u{1}",
            "\u{7f}", "\u{feff}", "\u{fffe}", " ", "[", "\\", "é", "😀", "e\u{301}",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 1..8)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("no value", |text| !text.is_empty())
}

proptest! {
    #[test]
    fn any_text_comes_back(texts in prop::collection::vec(hostile(), 1..6)) {
        let columns = [column("id", Type::Id), column("text", Type::Text)];
        let rows: Vec<Vec<Cell<'_>>> =
            (1..).zip(&texts).map(|(id, cell)| vec![Cell::Integer(id), text(cell)]).collect();
        let csv = written(&layout(Format::Csv, &columns, false), &rows);
        let read: Vec<String> =
            ::csv::Reader::from_reader(csv.as_slice()).records().map(|row| row.expect("a row")[1].to_owned()).collect();
        prop_assert_eq!(&read, &texts);
        let parquet = parquet_rows(written(&layout(Format::Parquet, &columns, false), &rows));
        let read: Vec<Field> = parquet.into_iter().map(|row| row[1].1.clone()).collect();
        prop_assert_eq!(read, texts.iter().map(|text| Field::Str(text.clone())).collect::<Vec<_>>());
        let found = sheets(written(&layout(Format::Xlsx, &columns, false), &rows));
        let read: Vec<String> = found[0].1.iter().skip(1).map(|row| row[1].to_string()).collect();
        prop_assert_eq!(&read, &texts);
    }

    #[test]
    fn units_are_those_of_exact_arithmetic(units in any::<i64>(), scale in 0_u32..12) {
        let decimal = Decimal::from_i128_with_scale(i128::from(units), scale);
        prop_assert_eq!(number::units(&decimal.to_string(), scale), Some(i128::from(units)));
    }
}
