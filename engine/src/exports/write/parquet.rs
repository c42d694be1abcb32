//! Parquet: typed columns, in groups of rows that are bounded by their size in memory.
//!
//! Integers are 64 bits, decimals have their property's scale, moments are microseconds in UTC, lists are lists of
//! texts; points and other JSON are texts. Every column may lack values.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type as Schema, TypePtr};

use super::number::{days, microseconds, units};
use super::{Cut, Layout, Row, RowWriter, failed};
use crate::error::{Error, Result};
use crate::exports::cell::Cell;
use crate::exports::column::{Column, Type};

/// Rows of a group.
const GROUP_ROWS: usize = 100_000;

/// Bytes of a group in memory.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Digits of a decimal that 64 bits hold.
const DIGITS_OF_64_BITS: u32 = 18;

/// Bytes of a decimal that they do not hold.
const WIDE: i32 = 16;

/// Writes Parquet.
pub(super) struct ParquetWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Gathered>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    pub(super) fn open(layout: &Layout<'_>, sink: W) -> Result<Self> {
        let fields: Vec<TypePtr> = layout.columns.iter().map(schema_of).collect::<Result<_>>()?;
        let schema = Schema::group_type_builder("record").with_fields(fields).build().map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("trellis ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let columns = layout.columns.iter().map(Gathered::of).collect();
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    fn write_group(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for column in &mut self.columns {
            let writer = group.next_column().map_err(failed)?;
            let mut writer = writer.ok_or_else(|| Error::internal("a file has fewer columns than its schema"))?;
            column.write(&mut writer)?;
            writer.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl<W: Write + Send> RowWriter for ParquetWriter<W> {
    fn write(&mut self, row: &Row<'_>) -> Result<Vec<Cut>> {
        for (column, cell) in self.columns.iter_mut().zip(&row.cells) {
            self.bytes += column.add(cell)?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(Vec::new())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.write_group()?;
        let mut writer = self.writer;
        writer.finish().map_err(failed)?;
        writer.inner_mut().flush().map_err(failed)
    }
}

/// A column's values of the rows of a group.
struct Gathered {
    name: String,
    kind: Type,
    values: Values,
    /// Of each value, or of each list and of each of its elements, how much of it is there.
    defined: Vec<i16>,
    /// Of each element, whether it goes on with the list before.
    repeated: Vec<i16>,
}

enum Values {
    Boolean(Vec<bool>),
    /// Days.
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Wide(Vec<FixedLenByteArray>),
    Text(Vec<ByteArray>),
}

impl Gathered {
    fn of(column: &Column) -> Self {
        let values = match column.kind {
            Type::Boolean => Values::Boolean(Vec::new()),
            Type::Date => Values::Int32(Vec::new()),
            Type::Decimal { digits, .. } if digits > DIGITS_OF_64_BITS => Values::Wide(Vec::new()),
            Type::Id | Type::Integer | Type::Datetime | Type::Decimal { .. } => Values::Int64(Vec::new()),
            Type::Text | Type::List | Type::Geo | Type::Json => Values::Text(Vec::new()),
        };
        let (defined, repeated) = (Vec::new(), Vec::new());
        Self { name: column.name.clone(), kind: column.kind, values, defined, repeated }
    }

    /// Takes the next row's value in; how many bytes it takes, roughly.
    fn add(&mut self, cell: &Cell<'_>) -> Result<usize> {
        /// Of a value and its levels.
        const FIXED: usize = 24;
        /// Of a text beside its characters.
        const TEXT: usize = 64;
        if self.kind == Type::List {
            return Ok(self.add_list(cell));
        }
        if matches!(cell, Cell::Empty) {
            self.defined.push(0);
            return Ok(size_of::<i16>());
        }
        self.defined.push(1);
        let unfit = || Error::internal(format!("a value of `{}` is none of its column's type", self.name));
        match &mut self.values {
            Values::Boolean(values) => match cell {
                Cell::Boolean(is_true) => values.push(*is_true),
                _ => return Err(unfit()),
            },
            Values::Int32(values) => match cell {
                Cell::Date(date) => values.push(days(date).ok_or_else(unfit)?),
                _ => return Err(unfit()),
            },
            Values::Int64(values) => values.push(integer(self.kind, cell).ok_or_else(unfit)?),
            Values::Wide(values) => {
                let units = wide(self.kind, cell).ok_or_else(unfit)?;
                values.push(FixedLenByteArray::from(units.to_be_bytes().to_vec()));
            }
            Values::Text(values) => {
                let text = match cell {
                    Cell::Text(text) | Cell::Json(text) => text.as_bytes().to_vec(),
                    Cell::Geo(lat, lon) => format!("{lat},{lon}").into_bytes(),
                    _ => return Err(unfit()),
                };
                let bytes = text.len();
                values.push(ByteArray::from(text));
                return Ok(TEXT + bytes);
            }
        }
        Ok(FIXED)
    }

    /// 0 is no list, 1 an empty one, 2 an element.
    fn add_list(&mut self, cell: &Cell<'_>) -> usize {
        let Values::Text(values) = &mut self.values else { return 0 };
        let texts = match cell {
            Cell::List(texts) => texts.as_slice(),
            _ => &[],
        };
        if texts.is_empty() {
            self.defined.push(i16::from(matches!(cell, Cell::List(_))));
            self.repeated.push(0);
            return 2 * size_of::<i16>();
        }
        let mut bytes = 0;
        for (at, text) in texts.iter().enumerate() {
            values.push(ByteArray::from(text.as_bytes().to_vec()));
            self.defined.push(2);
            self.repeated.push(i16::from(at > 0));
            bytes += 64 + text.len();
        }
        bytes
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let (defined, repeated) = (std::mem::take(&mut self.defined), std::mem::take(&mut self.repeated));
        let repeated = (self.kind == Type::List).then_some(repeated.as_slice());
        let defined = Some(defined.as_slice());
        let written = match &mut self.values {
            Values::Boolean(values) => {
                let values = std::mem::take(values);
                writer.typed::<BoolType>().write_batch(&values, defined, repeated)
            }
            Values::Int32(values) => {
                let values = std::mem::take(values);
                writer.typed::<Int32Type>().write_batch(&values, defined, repeated)
            }
            Values::Int64(values) => {
                let values = std::mem::take(values);
                writer.typed::<Int64Type>().write_batch(&values, defined, repeated)
            }
            Values::Wide(values) => {
                let values = std::mem::take(values);
                writer.typed::<FixedLenByteArrayType>().write_batch(&values, defined, repeated)
            }
            Values::Text(values) => {
                let values = std::mem::take(values);
                writer.typed::<ByteArrayType>().write_batch(&values, defined, repeated)
            }
        };
        written.map(drop).map_err(failed)
    }
}

fn integer(kind: Type, cell: &Cell<'_>) -> Option<i64> {
    match (kind, cell) {
        (_, Cell::Integer(number)) => Some(*number),
        (Type::Decimal { scale, .. }, Cell::Decimal(digits)) => i64::try_from(units(digits, scale)?).ok(),
        (_, Cell::Datetime(moment)) => microseconds(moment),
        _ => None,
    }
}

fn wide(kind: Type, cell: &Cell<'_>) -> Option<i128> {
    match (kind, cell) {
        (Type::Decimal { scale, .. }, Cell::Decimal(digits)) => units(digits, scale),
        _ => None,
    }
}

fn schema_of(column: &Column) -> Result<TypePtr> {
    let name = column.name.as_str();
    let built = match column.kind {
        Type::Text | Type::Geo => leaf(name, Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Type::Json => leaf(name, Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Type::Id | Type::Integer => leaf(name, Physical::INT64, None),
        Type::Boolean => leaf(name, Physical::BOOLEAN, None),
        Type::Date => leaf(name, Physical::INT32, Some(LogicalType::Date)),
        Type::Datetime => leaf(name, Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Type::Decimal { digits, scale, .. } => decimal(name, digits, scale),
        Type::List => list(name),
    };
    Ok(Arc::new(built.map_err(failed)?))
}

fn leaf(name: &str, physical: Physical, logical: Option<LogicalType>) -> parquet::errors::Result<Schema> {
    Schema::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

fn decimal(name: &str, digits: u32, scale: u32) -> parquet::errors::Result<Schema> {
    let (physical, length) = match digits > DIGITS_OF_64_BITS {
        true => (Physical::FIXED_LEN_BYTE_ARRAY, WIDE),
        false => (Physical::INT64, -1),
    };
    let [digits, scale] = [digits, scale].map(|number| i32::try_from(number).unwrap_or(i32::MAX));
    Schema::primitive_type_builder(name, physical)
        .with_length(length)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::decimal(scale, digits)))
        .with_precision(digits)
        .with_scale(scale)
        .build()
}

fn list(name: &str) -> parquet::errors::Result<Schema> {
    let element = Schema::primitive_type_builder("element", Physical::BYTE_ARRAY)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::String))
        .build()?;
    let elements = Schema::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(element)])
        .build()?;
    Schema::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(elements)])
        .build()
}
