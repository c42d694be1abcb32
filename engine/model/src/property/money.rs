//! `money`: an exact amount; its currency is fixed or stands in another property.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::exact::{Exact, read_scale};
use super::{Faults, Input, Locale, PropertyKind, Storage};
use crate::name::Name;
use crate::query::Form;
use crate::spec::SpecReader;

/// Digits after the point where the currency varies or has no minor unit of its own.
const DEFAULT_SCALE: u32 = 2;

/// No currency has more digits than this.
const MOST_SCALE: u32 = 4;

/// Where the currency of an amount stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Currency {
    /// The same for every record: an ISO 4217 code such as `USD`.
    Code(&'static str),
    /// In this property of the same record.
    Property(Name),
}

#[derive(Debug)]
struct Money {
    currency: Option<Currency>,
    exact: Exact,
}

pub(super) fn read(reader: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    let fixed = reader.string("currency").and_then(|code| read_currency(reader, code));
    let property = reader.name("currency_property");
    if fixed.is_some() && property.is_some() {
        let message = "either `currency` or `currency_property`: the currency cannot be fixed and vary";
        reader.problem("currency_property", "not_applicable", message);
    }
    let written = read_scale(reader, MOST_SCALE);
    let minor_digits = fixed.and_then(|currency| currency.exponent()).map(u32::from);
    let scale = written.or(minor_digits).unwrap_or(DEFAULT_SCALE);
    let exact = Exact::read(reader, scale, true);
    let currency = fixed.map(|currency| Currency::Code(currency.code())).or(property.map(Currency::Property));
    Some(Arc::new(Money { currency, exact }))
}

fn read_currency(reader: &mut SpecReader<'_>, code: &str) -> Option<iso_currency::Currency> {
    let currency = iso_currency::Currency::from_code(code);
    if currency.is_none() {
        let meant = iso_currency::Currency::from_code(&code.trim().to_ascii_uppercase());
        let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{}`?", meant.code()));
        reader.problem("currency", "unknown", format!("`{code}` is no ISO 4217 currency code{hint}"));
    }
    currency
}

impl PropertyKind for Money {
    fn name(&self) -> &'static str {
        "money"
    }

    fn storage(&self) -> Storage {
        Storage::Scaled(self.exact.scale)
    }

    fn form(&self) -> Form {
        self.exact.form()
    }

    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        self.exact.normalize(input)
    }

    fn schema(&self) -> Map<String, Value> {
        self.exact.schema()
    }

    fn currency(&self) -> Option<&Currency> {
        self.currency.as_ref()
    }

    fn renamed(&self, now: &dyn Fn(&str) -> Option<Name>) -> Option<Arc<dyn PropertyKind>> {
        let Some(Currency::Property(name)) = &self.currency else { return None };
        let currency = Some(Currency::Property(now(name)?));
        Some(Arc::new(Self { currency, exact: self.exact.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{accept, codes, kind, problems, refuse};
    use super::*;

    #[test]
    fn the_currency_says_how_many_digits_there_are() {
        for (spec, amount) in [
            (json!({"type": "money"}), "120000.00"),
            (json!({"type": "money", "currency": "USD"}), "120000.00"),
            (json!({"type": "money", "currency": "JPY"}), "120000"),
            (json!({"type": "money", "currency": "BHD"}), "120000.000"),
            (json!({"type": "money", "currency": "XAU"}), "120000.00"),
            (json!({"type": "money", "currency_property": "currency"}), "120000.00"),
            (json!({"type": "money", "currency": "USD", "scale": 4}), "120000.0000"),
        ] {
            assert_eq!(accept(&kind(spec.clone()), "120000"), json!(amount), "{spec}");
        }
        assert_eq!(codes(&refuse(&kind(json!({"type": "money", "currency": "JPY"})), "0.5")), ["too_precise"]);
        assert_eq!(codes(&refuse(&kind(json!({"type": "money", "minimum": 0})), "-0.01")), ["too_small"]);
    }

    #[test]
    fn where_the_currency_stands_is_told() {
        let property = Name::new("currency").expect("a name");
        assert_eq!(kind(json!({"type": "money"})).currency(), None);
        assert_eq!(kind(json!({"type": "money", "currency": "CAD"})).currency(), Some(&Currency::Code("CAD")));
        let varying = kind(json!({"type": "money", "currency_property": "currency"}));
        assert_eq!(varying.currency(), Some(&Currency::Property(property)));
    }

    #[test]
    fn wrong_options_are_reported() {
        assert_eq!(problems(json!({"type": "money", "currency": "usd"})), [("/currency", "unknown")]);
        assert_eq!(problems(json!({"type": "money", "currency": "€€€"})), [("/currency", "unknown")]);
        assert_eq!(problems(json!({"type": "money", "scale": 5})), [("/scale", "too_large")]);
        let both = json!({"type": "money", "currency": "USD", "currency_property": "currency"});
        assert_eq!(problems(both), [("/currency_property", "not_applicable")]);
    }
}
