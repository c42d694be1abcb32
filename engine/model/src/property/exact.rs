//! Exact decimals with a fixed number of digits after the point: what `decimal`, `percent` and `money` share.

use serde_json::{Map, Value, json};

use super::fault::{Fault, Faults, excerpt};
use super::input::Input;
use super::literal::{Literal, Misfit};
use crate::query::Form;
use crate::spec::SpecReader;

/// Digits of a decimal, those after the point included: as many as a 64-bit integer always holds.
pub(super) const MOST_DIGITS: u32 = 18;

/// Keyword of the bounds in [`Exact::schema`]: JSON Schema has none for numbers that are texts.
pub(super) const MINIMUM: &str = "x-minimum";
/// See [`MINIMUM`].
pub(super) const MAXIMUM: &str = "x-maximum";

/// The range and the form of exact decimals; bounds are in units of the last digit kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exact {
    /// Digits kept after the point.
    pub(super) scale: u32,
    /// All of these digits are always written; otherwise zeros at the end go.
    pub(super) is_padded: bool,
    minimum: Option<i64>,
    maximum: Option<i64>,
}

impl Exact {
    /// Any number of that scale.
    pub(super) fn unbounded(scale: u32, is_padded: bool) -> Self {
        Self { scale, is_padded, minimum: None, maximum: None }
    }

    /// Reads `minimum` and `maximum`, written as numbers or as strings.
    pub(super) fn read(reader: &mut SpecReader<'_>, scale: u32, is_padded: bool) -> Self {
        let unbounded = Self::unbounded(scale, is_padded);
        let minimum = unbounded.read_bound(reader, "minimum");
        let maximum = unbounded.read_bound(reader, "maximum");
        if minimum.zip(maximum).is_some_and(|(minimum, maximum)| minimum > maximum) {
            reader.problem("minimum", "invalid", "`minimum` is above `maximum`");
        }
        Self { minimum, maximum, ..unbounded }
    }

    fn read_bound(&self, reader: &mut SpecReader<'_>, key: &'static str) -> Option<i64> {
        let written = match reader.value(key)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            other => {
                let message = format!("a number or a decimal string is expected, not {}", crate::spec::shape(other));
                reader.problem(key, "wrong_type", message);
                return None;
            }
        };
        match self.units(&written) {
            Ok(units) => Some(units),
            Err(faults) => {
                for fault in faults {
                    reader.problem(key, fault.code, fault.message);
                }
                None
            }
        }
    }

    /// How such a number is written.
    pub(super) fn form(&self) -> Form {
        Form::Decimal { scale: self.scale, is_padded: self.is_padded }
    }

    /// Brings a number or a decimal string to its canonical text.
    pub(super) fn normalize(&self, input: Input<'_>) -> Result<Value, Faults> {
        let text = match input {
            Input::Number(text) => text,
            Input::String(text) => text.trim(),
            Input::Boolean(_) | Input::Json(_) => return Err(input.wrong_type("a number or a decimal string")),
        };
        let units = self.units(text)?;
        self.check_bounds(units)?;
        Ok(Value::from(self.format(units)))
    }

    /// The number in units of the last digit kept.
    fn units(&self, text: &str) -> Result<i64, Faults> {
        let Some(literal) = Literal::parse(text) else {
            let message = format!("`{}` is no decimal number; write it plainly, such as `-1234.5`", excerpt(text));
            return Err(vec![Fault::new("invalid", message)]);
        };
        let misfits = match literal.scaled(self.scale, MOST_DIGITS) {
            Ok(units) => match i64::try_from(units) {
                Ok(units) => return Ok(units),
                Err(_) => vec![Misfit::TooLarge],
            },
            Err(misfits) => misfits,
        };
        Err(misfits.into_iter().map(|misfit| self.misfit(misfit)).collect())
    }

    fn misfit(&self, misfit: Misfit) -> Fault {
        match misfit {
            Misfit::TooLarge => {
                let message = format!("has more than {} digits before the point", MOST_DIGITS - self.scale);
                Fault::new("too_large", message)
            }
            Misfit::TooPrecise => Fault::new(
                "too_precise",
                format!("has more than {} digits after the point; round it first", self.scale),
            ),
        }
    }

    fn check_bounds(&self, units: i64) -> Result<(), Faults> {
        if let Some(minimum) = self.minimum.filter(|minimum| units < *minimum) {
            return Err(vec![Fault::new("too_small", format!("must be at least {}", self.format(minimum)))]);
        }
        if let Some(maximum) = self.maximum.filter(|maximum| units > *maximum) {
            return Err(vec![Fault::new("too_large", format!("must be at most {}", self.format(maximum)))]);
        }
        Ok(())
    }

    fn format(&self, units: i64) -> String {
        decimal_text(units.into(), self.scale, self.is_padded)
    }

    /// A string of the canonical form; the bounds as the annotations [`MINIMUM`] and [`MAXIMUM`].
    pub(super) fn schema(&self) -> Map<String, Value> {
        let whole = match MOST_DIGITS - self.scale {
            0 => "0".to_owned(),
            1 => "[0-9]".to_owned(),
            digits => format!("(0|[1-9][0-9]{{0,{}}})", digits - 1),
        };
        let fraction = match (self.scale, self.is_padded) {
            (0, _) => String::new(),
            (scale, true) => format!("\\.[0-9]{{{scale}}}"),
            (scale, false) => format!("(\\.[0-9]{{0,{}}}[1-9])?", scale - 1),
        };
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("pattern".to_owned(), json!(format!("^-?{whole}{fraction}$")));
        for (keyword, bound) in [(MINIMUM, self.minimum), (MAXIMUM, self.maximum)] {
            if let Some(bound) = bound {
                schema.insert(keyword.to_owned(), json!(self.format(bound)));
            }
        }
        schema
    }
}

/// The canonical text of a number in units of its last digit: no exponent, no needless zero, no negative zero.
pub(crate) fn decimal_text(units: i128, scale: u32, is_padded: bool) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let scale = scale as usize;
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = if is_padded { fraction } else { fraction.trim_end_matches('0') };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `scale`, if it is written: at most `most`.
pub(super) fn read_scale(reader: &mut SpecReader<'_>, most: u32) -> Option<u32> {
    let written = reader.count("scale")?;
    let scale = u32::try_from(written).ok().filter(|scale| *scale <= most);
    if scale.is_none() {
        reader.problem("scale", "too_large", format!("at most {most} digits after the point can be kept here"));
    }
    scale
}
