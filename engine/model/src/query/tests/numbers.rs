use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::{Filter, Test};
use super::*;

/// Whether a filter on a number holds for a value in units of the last digit kept.
fn holds(filter: &Filter, units: i64) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| holds(part, units)),
        Filter::Any(parts) => parts.iter().any(|part| holds(part, units)),
        Filter::Not(inner) => !holds(inner, units),
        Filter::Is(_, Test::Numbers(ranges)) => ranges.iter().any(|range| range.contains(&units)),
        other => panic!("{other:?}"),
    }
}

fn compares(op: &str, value: Decimal, bounds: &[Decimal]) -> bool {
    let first = bounds[0];
    match op {
        "eq" => value == first,
        "neq" => value != first,
        "lt" => value < first,
        "lte" => value <= first,
        "gt" => value > first,
        "gte" => value >= first,
        "between" => first <= value && value <= bounds[1],
        "in" => bounds.contains(&value),
        _ => !bounds.contains(&value),
    }
}

proptest! {
    #[test]
    fn numbers_compare_as_exact_decimals_do(
        (property, scale) in prop::sample::select(vec![("amount", 2_u32), ("rank", 6)]),
        op in prop::sample::select(vec!["eq", "neq", "lt", "lte", "gt", "gte", "between", "in", "not_in"]),
        written in prop::collection::vec((-3_000_000_i64..3_000_000, 0_u32..9), 2),
        is_text in any::<bool>(),
        offsets in prop::collection::vec(-3_i64..=3, 8),
    ) {
        let bounds: Vec<_> = written.iter().map(|(units, places)| Decimal::new(*units, *places)).collect();
        let literal = |bound: &Decimal| if is_text { format!("\"{bound}\"") } else { bound.to_string() };
        let value = match op {
            "between" | "in" | "not_in" => format!("[{},{}]", literal(&bounds[0]), literal(&bounds[1])),
            _ => literal(&bounds[0]),
        };
        let body = format!(r#"{{"filter": {{"property": "{property}", "op": "{op}", "value": {value}}}}}"#);
        let body = RawValue::from_string(body).expect("JSON");
        let text: QueryText = read(&body).expect("a query");
        let query = resolve(&text, &[object("deal")], &context()).expect("a query");
        // Values around each bound, where mistakes of rounding would show.
        for bound in &bounds {
            let near = (bound * Decimal::from(10_i64.pow(scale))).floor();
            let near: i64 = near.try_into().expect("small");
            for units in offsets.iter().map(|offset| near + offset) {
                let value = Decimal::new(units, scale);
                let expected = compares(op, value, &bounds);
                prop_assert_eq!(holds(&query.scopes[0].filter, units), expected, "{} {} {:?}", value, op, &bounds);
            }
        }
    }

    #[test]
    fn numbers_of_any_size_are_read_as_exact_decimals_read_them(
        units in any::<i64>(),
        // No more than 38 digits are divided away, so that the plain reference holds them.
        places in 0_u32..26,
        exponent in -12_i32..12,
        scale in 0_u32..=18,
    ) {
        let written = format!("{}e{exponent}", Decimal::from_i128_with_scale(units.into(), places));
        let (above, below) = crate::property::around(&written, scale).expect("a number");
        // In whole numbers: units times ten to the power of what is left of the point.
        let power = exponent + i32::try_from(scale).expect("small") - i32::try_from(places).expect("small");
        let factor = 10_i128.checked_pow(power.unsigned_abs()).expect("small");
        let exact = if power >= 0 { i128::from(units).checked_mul(factor) } else { None };
        let (expected_above, expected_below) = match exact {
            _ if power < 0 => {
                let below = i128::from(units).div_euclid(factor);
                let is_whole = i128::from(units).rem_euclid(factor) == 0;
                (below + i128::from(!is_whole), below)
            }
            Some(exact) => (exact, exact),
            None => (i128::from(units.signum()) * i128::MAX, i128::from(units.signum()) * i128::MAX),
        };
        let limit = 10_i128.pow(19);
        prop_assert_eq!((above, below), (expected_above.clamp(-limit, limit), expected_below.clamp(-limit, limit)));
    }
}

#[test]
fn what_is_no_number_is_none() {
    for wrong in ["", "x", "1,5", "1e", "--1", "NaN", "0x1", "1 2"] {
        assert_eq!(crate::property::around(wrong, 2), None, "{wrong}");
    }
    assert_eq!(crate::property::around("-0", 2), Some((0, 0)));
    assert_eq!(crate::property::around("-0.001", 2), Some((0, -1)));
    assert_eq!(crate::property::around("1e-99999999999999999999", 2), Some((1, 0)));
    assert_eq!(crate::property::around("-1e99999999999999999999", 2), Some((-10_i128.pow(19), -10_i128.pow(19))));
}
