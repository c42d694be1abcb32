//! How values are kept in the index, and what searches can ask of them.

/// The few ways in which values are kept in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Short text: compared folded, sorted by collation.
    Text,
    /// Long text: words only.
    LongText,
    /// One of a list of options; sorted as the options are.
    Option,
    /// Several short texts.
    TextList,
    /// A scaled 64-bit integer: value times ten to the power of the digits.
    Scaled(u32),
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, microseconds.
    Datetime,
    /// Stored, never compared.
    Opaque,
}

impl Storage {
    /// Whether values can be claimed, so that no two records have the same.
    pub fn can_be_unique(self) -> bool {
        !matches!(self, Self::LongText | Self::Opaque | Self::TextList)
    }

    /// Whether two values enclose those between them.
    pub fn has_intervals(self) -> bool {
        matches!(self, Self::Date | Self::Datetime | Self::Scaled(_))
    }

    /// Filter operators for values stored this way.
    pub fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "eq",
                "neq",
                "lt",
                "lte",
                "gt",
                "gte",
                "between",
                "in",
                "not_in",
                "exists",
                "not_exists",
                "contains",
                "starts_with",
            ],
            Self::LongText => &["contains", "exists", "not_exists"],
            Self::Option | Self::Scaled(_) | Self::Date | Self::Datetime => {
                &["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in", "exists", "not_exists"]
            }
            Self::TextList => &["has_any", "has_all", "exists", "not_exists"],
            Self::Boolean => &["eq", "neq", "exists", "not_exists"],
            Self::Opaque => &["exists", "not_exists"],
        }
    }
}
