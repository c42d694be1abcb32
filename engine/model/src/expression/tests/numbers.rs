use super::*;

#[test]
fn decimals_are_exact_on_either_side_of_integers_and_literals() {
    let scope =
        Scope::new().bind("amount", decimal("120000.00")).bind("probability", 35_i64).bind("rate", decimal("0.1"));
    let cases = [
        ("amount * probability / 100", "42000"),
        ("probability * amount / 100", "42000"),
        ("amount * 0.2", "24000.000"),
        ("0.2 * amount", "24000.000"),
        ("100 - rate", "99.9"),
        ("rate - 100", "-99.9"),
        ("1 + rate", "1.1"),
        ("rate + rate + rate", "0.3"),
        ("0.1 + 0.2", "0.3"),
        ("-rate", "-0.1"),
        ("amount / 7", "17142.857142857142857142857143"),
        ("2 / 3.0", "0.6666666666666666666666666667"),
        ("decimal(7) / 2", "3.5"),
        ("7.5 % 2", "1.5"),
        ("1e3", "1000"),
        ("-1.5e-3", "-0.0015"),
        ("1234567890.123456789", "1234567890.123456789"),
    ];
    for (source, expected) in cases {
        assert_eq!(evaluate(source, &scope), Ok(expected.into()), "{source}");
    }
}

#[test]
fn decimals_compare_by_value_with_any_number() {
    let scope = Scope::new().bind("amount", decimal("1000.00"));
    for source in [
        "amount >= 1000",
        "amount == 1000",
        "1000 == amount",
        "1000 <= amount",
        "amount < 1000.01",
        "999.99 < amount",
        "amount != 1000.001",
        "amount in [1, 1000]",
        "1000 in [amount]",
        "[amount] == [1000]",
        "{'a': 1000} == {'a': amount}",
        "{1000: true}[amount]",
    ] {
        assert_eq!(evaluate(source, &scope), Ok(true.into()), "{source}");
    }
}

#[test]
fn a_decimal_of_18_digits_times_an_integer_of_ten_loses_no_digit() {
    let scope = Scope::new().bind("amount", decimal("123456789012.345678")).bind("count", 9_876_543_210_i64);
    // 123456789012345678 * 9876543210, by hand.
    assert_eq!(evaluate("amount * count", &scope), Ok("1219326311248285312223.746380".into()));
}

#[test]
fn integers_stay_integers() {
    for (source, expected) in [
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("2 * 3 + 4", "10"),
        ("-(2)", "-2"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("int(2.9)", "2"),
        ("int(-2.9)", "-2"),
        ("int('42')", "42"),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn results_out_of_range_are_errors() {
    for (source, expected) in [
        ("9223372036854775807 + 1", "error: the result of `+` is out of range (at column 21)"),
        ("-(-9223372036854775807 - 1)", "error: the result of `-` is out of range (at column 1)"),
        ("1 / 0", "error: division by zero (at column 3)"),
        ("1 / 0.0", "error: division by zero (at column 3)"),
        ("1.0 % 0", "error: division by zero (at column 5)"),
        ("1e28 * 1e28", "error: the result of `*` is out of range (at column 6)"),
        ("int(1e20)", "error: the result of `int` is out of range (at column 1)"),
        ("(-9223372036854775807 - 1) / -1", "error: the result of `/` is out of range (at column 28)"),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}

#[test]
fn conversions_read_what_they_write() {
    for (source, expected) in [
        ("decimal('12.50')", "\"12.50\""),
        ("double('12.50')", "\"12.50\""),
        ("string(12.50)", "\"12.50\""),
        ("string(true) + string(1)", "\"true1\""),
        ("bool('true')", "true"),
        ("decimal('1_000')", "error: `1_000` is no number of up to 28 digits (at column 1)"),
        (
            "decimal('123456789012345678901234567890')",
            "error: `123456789012345678901234567890` is no number of up to 28 digits (at column 1)",
        ),
        ("int('x')", "error: `x` is no integer (at column 1)"),
    ] {
        assert_eq!(value(source), expected, "{source}");
    }
}
