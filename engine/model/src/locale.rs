//! Codes that a tenant's settings name: currencies and countries.

/// Whether `code` is an ISO 4217 currency code in upper case.
pub fn is_currency(code: &str) -> bool {
    iso_currency::Currency::from_code(code).is_some()
}

/// Whether `code` is the ISO 3166 code of a country with a telephone plan, in upper case.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && phonenumber::metadata::DATABASE.by_id(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_other_texts() {
        assert!(is_currency("CAD") && !is_currency("cad") && !is_currency("XYZ1"));
        assert!(is_country("CA") && !is_country("ca") && !is_country("QQ") && !is_country("001"));
    }
}
