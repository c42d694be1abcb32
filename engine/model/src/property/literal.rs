//! Decimal literals such as `12.50` or `1e3`, read exactly and without ever computing a huge power.

use std::iter;

/// A number that 64 bits do not hold, and none that they hold times any scale reaches.
const BEYOND_64_BITS: i128 = 10_i128.pow(19);

/// A decimal literal, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Literal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

/// Why a number cannot be kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Too many digits before the point.
    TooLarge,
    /// Too many digits after it.
    TooPrecise,
}

impl<'a> Literal<'a> {
    /// Reads an optional sign, digits, an optional point and an optional exponent; at least one digit.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = split_sign(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_number = (!whole.is_empty() || !fraction.is_empty()) && is_digits(whole) && is_digits(fraction);
        is_number.then_some(Self { negative, whole, fraction, exponent })
    }

    /// The number times ten to the power of `scale`, if that is whole and has at most `digits` digits (37 or fewer).
    pub(super) fn scaled(&self, scale: u32, digits: u32) -> Result<i128, Vec<Misfit>> {
        let Some((highest, lowest)) = self.span() else { return Ok(0) };
        let shift = lowest + i64::from(scale);
        let mut misfits = Vec::new();
        if highest + i64::from(scale) >= i64::from(digits) {
            misfits.push(Misfit::TooLarge);
        }
        if shift < 0 {
            misfits.push(Misfit::TooPrecise);
        }
        if !misfits.is_empty() {
            return Err(misfits);
        }
        let mut left = highest - lowest + 1;
        let mut value: i128 = 0;
        for digit in self.digits().skip_while(|digit| *digit == 0) {
            if left == 0 {
                break;
            }
            value = value * 10 + i128::from(digit);
            left -= 1;
        }
        for _ in 0..shift {
            value *= 10;
        }
        Ok(if self.negative { -value } else { value })
    }

    /// The whole numbers next to the number times ten to the power of `scale`, from above and from below: both are the
    /// number itself where that is whole. What 64 bits do not hold is taken for the same number beyond them.
    fn around(&self, scale: u32) -> (i128, i128) {
        /// Ten to the power of so many is beyond 64 bits.
        const BEYOND: i64 = 19;
        let Some((highest, lowest)) = self.span() else { return (0, 0) };
        let before_point = highest + i64::from(scale) + 1;
        if before_point > BEYOND {
            let beyond = if self.negative { -BEYOND_64_BITS } else { BEYOND_64_BITS };
            return (beyond, beyond);
        }
        let digits = self.digits().skip_while(|digit| *digit == 0).chain(iter::repeat(0));
        let kept = usize::try_from(before_point).unwrap_or(0);
        let whole = digits.take(kept).fold(0_i128, |whole, digit| whole * 10 + i128::from(digit));
        let is_cut = lowest + i64::from(scale) < 0;
        match (self.negative, is_cut) {
            (false, false) => (whole, whole),
            (false, true) => (whole + 1, whole),
            (true, false) => (-whole, -whole),
            (true, true) => (-whole, -whole - 1),
        }
    }

    /// Below zero, as far as its sign says.
    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes()).map(|byte| byte - b'0')
    }

    /// Powers of ten of the first and the last digit that is not zero; none for zero.
    fn span(&self) -> Option<(i64, i64)> {
        let leading = self.digits().position(|digit| digit != 0)?;
        let trailing = self.digits().rev().position(|digit| digit != 0)?;
        let power_of =
            |length: usize, zeros: usize| i64::try_from(length).ok()?.checked_sub(i64::try_from(zeros).ok()?);
        let highest = power_of(self.whole.len(), leading)? - 1 + self.exponent;
        let lowest = self.exponent - power_of(self.fraction.len(), trailing)?;
        Some((highest, lowest))
    }
}

/// The whole numbers next to a decimal literal times ten to the power of `scale`, the one above it first; both are the
/// number itself where that is whole. Numbers that 64 bits do not hold become ones just beyond. `None` for no literal.
pub(crate) fn around(text: &str, scale: u32) -> Option<(i128, i128)> {
    Literal::parse(text).map(|literal| literal.around(scale))
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Exponents beyond a billion are all the same: no text is long enough to make up for them.
fn parse_exponent(text: &str) -> Option<i64> {
    const BEYOND: i64 = 1_000_000_000;
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !is_digits(digits) {
        return None;
    }
    let size = match digits.trim_start_matches('0') {
        "" => 0,
        significant => significant.parse().map_or(BEYOND, |size: i64| size.min(BEYOND)),
    };
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scaled(text: &str, scale: u32, digits: u32) -> Result<i128, Vec<Misfit>> {
        Literal::parse(text).expect("a literal").scaled(scale, digits)
    }

    #[test]
    fn literals_are_signs_digits_point_and_exponent() {
        for good in ["0", "-0", "+1", "007", "1.", ".5", "1e3", "1E+3", "1.5e-3", "-.5e00000000000000000001"] {
            assert!(Literal::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "-", ".", "e3", ".e3", "1e", "1e+", "1.2.3", "1,5", "0x1", "1 ", "--1", "NaN", "inf", "1e1.5", "１"]
        {
            assert_eq!(Literal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_scaled_value_is_exact() {
        assert_eq!(scaled("12.50", 2, 18), Ok(1250));
        assert_eq!(scaled("-0.000001", 6, 18), Ok(-1));
        assert_eq!(scaled("1e3", 2, 18), Ok(100_000));
        assert_eq!(scaled("1200e-4", 2, 18), Ok(12));
        assert_eq!(scaled("999999999999.999999", 6, 18), Ok(999_999_999_999_999_999));
        assert_eq!(scaled("0000000000000000000000000000000.10", 1, 18), Ok(1));
        assert_eq!(scaled("9223372036854775808", 0, 19), Ok(9_223_372_036_854_775_808));
    }

    #[test]
    fn what_does_not_fit_is_told_apart() {
        assert_eq!(scaled("1000000000000", 6, 18), Err(vec![Misfit::TooLarge]));
        assert_eq!(scaled("0.0000001", 6, 18), Err(vec![Misfit::TooPrecise]));
        assert_eq!(scaled("1000000000000.0000001", 6, 18), Err(vec![Misfit::TooLarge, Misfit::TooPrecise]));
    }

    #[test]
    fn huge_exponents_cost_nothing() {
        assert_eq!(scaled("1e400", 6, 18), Err(vec![Misfit::TooLarge]));
        assert_eq!(scaled("1e-9999999", 6, 18), Err(vec![Misfit::TooPrecise]));
        assert_eq!(scaled("1e99999999999999999999999999", 6, 18), Err(vec![Misfit::TooLarge]));
        assert_eq!(scaled("-1e-99999999999999999999999999", 6, 18), Err(vec![Misfit::TooPrecise]));
        assert_eq!(scaled("0e99999999999999999999999999", 6, 18), Ok(0));
        assert_eq!(scaled(&format!("{}e-1000000", "1".to_owned() + &"0".repeat(1_000_000)), 6, 18), Ok(1_000_000));
    }

    proptest! {
        #[test]
        fn shifting_the_point_and_the_exponent_together_changes_nothing(
            units in -999_999_999_999_999_999_i64..=999_999_999_999_999_999,
            point in 0_usize..40,
            zeros in 0_usize..30,
        ) {
            let digits = format!("{}{:0>41}", "0".repeat(zeros), units.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - point);
            let sign = if units < 0 { "-" } else { "" };
            // The value is `units` millionths.
            let text = format!("{sign}{whole}.{fraction}e{}", i64::try_from(point).expect("small") - 6);
            prop_assert_eq!(scaled(&text, 6, 18), Ok(i128::from(units)));
        }

        #[test]
        fn no_text_panics(text in "[-+]?[0-9.eE+-]{0,40}", other in ".*") {
            for text in [text, other] {
                if let Some(literal) = Literal::parse(&text) {
                    let _ = literal.scaled(6, 18);
                    let _ = literal.scaled(0, 19);
                }
            }
        }
    }
}
