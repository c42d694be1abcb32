//! Exact amounts, as sums and their shares need them.

use engine_model::query::Form;
use serde::{Serialize, Serializer};

/// A number with a fixed number of digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    units: i128,
    scale: u32,
}

impl Amount {
    pub(super) fn zero(scale: u32) -> Self {
        Self { units: 0, scale }
    }

    /// Reads what an answer has: digits, and at most `scale` of them after the point.
    pub(super) fn read(text: &str, scale: u32) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let missing = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
        let digits = format!("{whole}{fraction}{}", "0".repeat(missing));
        digits.parse().ok().map(|units| Self { units, scale })
    }

    pub(super) fn scale(self) -> u32 {
        self.scale
    }

    /// The sum of two amounts of the same property.
    pub(super) fn plus(self, other: Self) -> Self {
        Self { units: self.units.saturating_add(other.units), scale: self.scale.max(other.scale) }
    }

    /// So many percent of it, with as many more digits as that takes.
    pub(super) fn percent(self, percent: u8) -> Self {
        /// A hundredth has so many digits.
        const DIGITS: u32 = 2;
        Self { units: self.units.saturating_mul(i128::from(percent)), scale: self.scale + DIGITS }
    }

    /// With so many digits after the point, and more only where they are not zeros.
    pub(super) fn shortened(self, scale: u32) -> Self {
        let mut amount = self;
        while amount.scale > scale && amount.units % 10 == 0 {
            amount = Self { units: amount.units / 10, scale: amount.scale - 1 };
        }
        amount
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form::Decimal { scale: self.scale, is_padded: true }.number(self.units).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(amount: Amount) -> String {
        serde_json::to_value(amount).expect("JSON").as_str().expect("a text").to_owned()
    }

    #[test]
    fn amounts_are_exact() {
        let read = |amount: &str| Amount::read(amount, 2).expect("an amount");
        assert_eq!(text(read("12.5")), "12.50");
        assert_eq!(text(read("-0.05").plus(read("0.01"))), "-0.04");
        assert_eq!(text(read("100.10").percent(30).shortened(2)), "30.03");
        assert_eq!(text(read("0.33").percent(25).shortened(2)), "0.0825");
        assert_eq!(text(read("0.00").percent(25).shortened(2)), "0.00");
        assert_eq!(
            text(read("99999999999999999999999999.99").percent(100).shortened(2)),
            "99999999999999999999999999.99"
        );
        assert_eq!((Amount::read("1.234", 2), Amount::read("x", 2)), (None, None));
    }
}
