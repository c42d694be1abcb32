//! The formats of files.

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines of cells, after RFC 4180.
    Csv,
    /// A workbook of Excel 2007 and later.
    Xlsx,
    /// One JSON object a line.
    Ndjson,
    /// Columns of typed values.
    Parquet,
}

impl Format {
    /// Each with its word, which is the end of a file's name too.
    pub const ALL: &[(&str, Self)] =
        &[("csv", Self::Csv), ("xlsx", Self::Xlsx), ("ndjson", Self::Ndjson), ("parquet", Self::Parquet)];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// Media type of such a file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}
