//! The operators of conditions.

use crate::name::did_you_mean;
use crate::property::excerpt;

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    Exists,
    NotExists,
    Contains,
    StartsWith,
    HasAny,
    HasAll,
}

const ALL: [(&str, Operator); 15] = [
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("between", Operator::Between),
    ("in", Operator::In),
    ("not_in", Operator::NotIn),
    ("exists", Operator::Exists),
    ("not_exists", Operator::NotExists),
    ("contains", Operator::Contains),
    ("starts_with", Operator::StartsWith),
    ("has_any", Operator::HasAny),
    ("has_all", Operator::HasAll),
];

/// What other languages call them.
const ELSEWHERE: [(&str, &str); 14] = [
    ("=", "eq"),
    ("==", "eq"),
    ("equals", "eq"),
    ("!=", "neq"),
    ("<>", "neq"),
    ("<", "lt"),
    ("<=", "lte"),
    (">", "gt"),
    (">=", "gte"),
    ("like", "contains"),
    ("regex", "contains"),
    ("matches", "contains"),
    ("is_null", "not_exists"),
    ("is_not_null", "exists"),
];

impl Operator {
    /// The operator of this name, if it is one of those that are `taken`. Otherwise the code and the message of the
    /// problem; `subject` is what it would be applied to.
    pub(crate) fn find(name: &str, taken: &[&'static str], subject: &str) -> Result<Self, (&'static str, String)> {
        let found = ALL.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator);
        let fitting = taken.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match found {
            Some(operator) if taken.contains(&name) => Ok(operator),
            Some(_) => Err(("not_applicable", format!("`{name}` does not fit {subject}; it takes {fitting}"))),
            None => {
                let shown = excerpt(name);
                let meant = ELSEWHERE.iter().find(|(other, _)| *other == name).map(|(_, known)| *known);
                let hint = match meant.filter(|known| taken.contains(known)) {
                    Some(known) => format!("; did you mean `{known}`?"),
                    None => did_you_mean(name, taken.iter().copied()),
                };
                let separator = if hint.is_empty() { ";" } else { "" };
                Err((
                    "unknown_operator",
                    format!("`{shown}` is no operator{hint}{separator} {subject} takes {fitting}"),
                ))
            }
        }
    }

    /// The problem of a name that is no operator at all; none where it is one, whatever it may be applied to.
    pub(crate) fn unknown(name: &str) -> Option<String> {
        if ALL.iter().any(|(known, _)| *known == name) {
            return None;
        }
        let meant = ELSEWHERE.iter().find(|(other, _)| *other == name);
        let hint = match meant {
            Some((_, known)) => format!("; did you mean `{known}`?"),
            None => did_you_mean(name, ALL.map(|(known, _)| known)),
        };
        Some(format!("`{}` is no operator{hint}", excerpt(name)))
    }

    /// Name in conditions.
    pub(crate) fn name(self) -> &'static str {
        ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }
}
