//! Exact numbers: whole multiples of a millionth of a millionth.

use serde_json::Value;

const DIGITS: usize = 12;

/// One.
pub(super) const ONE: i128 = 10_i128.pow(DIGITS as u32);

/// A number as JSON has it, or as a decimal string.
pub(super) fn parse(value: &Value) -> i128 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= DIGITS, "{text} has too many digits");
    sign * format!("{whole}{fraction:0<DIGITS$}").parse::<i128>().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A decimal string with so many digits after the point, without needless zeros unless padded.
pub(super) fn write(number: i128, scale: u32, is_padded: bool) -> String {
    let scale = scale as usize;
    let unit = 10_i128.pow((DIGITS - scale) as u32);
    assert_eq!(number % unit, 0, "{number} has more than {scale} digits");
    let digits = format!("{:0>width$}", (number / unit).unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = if is_padded { fraction } else { fraction.trim_end_matches('0') };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if number < 0 { "-" } else { "" })
}

/// The mean as a decimal string, rounded half away from zero to ten digits after the point.
pub(super) fn mean(sum: i128, count: i128) -> String {
    let unit = 10_i128.pow((DIGITS - 10) as u32);
    let (whole, rest) = (sum / (count * unit), sum % (count * unit));
    let rounded = if rest.abs() * 2 >= count * unit { rest.signum() } else { 0 };
    write((whole + rounded) * unit, 10, false)
}
