//! Countries' dialling plans: which digits are a phone number, and how it is dialled from anywhere.
//!
//! The plans are those of libphonenumber, as the `phonenumber` crate carries them. Its parser is not used: version
//! 0.3.10 strips trunk prefixes from numbers that have none, so that `+7 800 123 45 67` became `+7 001234567`.

use phonenumber::Metadata;
use phonenumber::metadata::DATABASE;

/// Brings digits that begin with a country code to E.164; a trunk prefix inside, as in `44 (0) 20 …`, goes.
pub(super) fn international(digits: &str) -> Result<String, String> {
    let (code, regions, rest) = split_code(digits).ok_or("no country has its country code")?;
    let fits = |number: &str| regions.iter().any(|region| fits(region, number));
    if fits(rest) {
        return Ok(format!("+{code}{rest}"));
    }
    let without_trunk = regions.iter().find_map(|region| strip_trunk(region, rest).filter(|number| fits(number)));
    match without_trunk.as_deref() {
        Some(number) => Ok(format!("+{code}{number}")),
        None if regions.iter().any(|region| has_length(region, rest)) => Ok(format!("+{code}{rest}")),
        None => Err(format!("numbers with the country code +{code} do not have {} digits after it", rest.len())),
    }
}

/// Brings digits as they are dialled within `country`, the prefix that leads abroad included, to E.164.
pub(super) fn national(digits: &str, country: &str) -> Result<String, String> {
    let Some(plan) = DATABASE.by_id(country) else {
        return Err("write it with `+` and the country code".to_owned());
    };
    if let Some(Ok(number)) = strip_international(plan, digits).map(international) {
        return Ok(number);
    }
    let code = plan.country_code().to_string();
    let without_trunk = strip_trunk(plan, digits);
    // The trunk prefix may be read together with a digit that would name a carrier.
    let without_carrier = plan.national_prefix().and_then(|prefix| digits.strip_prefix(prefix));
    let with_code = digits.strip_prefix(&code).filter(|rest| fits(plan, rest));
    let readings = [without_trunk.as_deref(), without_carrier, Some(digits)].into_iter().flatten();
    let number = readings
        .clone()
        .find(|number| fits(plan, number))
        .or(with_code)
        .or_else(|| readings.clone().find(|number| has_length(plan, number)));
    match number {
        Some(number) => international(&format!("{code}{number}")),
        None => Err(format!(
            "numbers in {country} do not have {} digits; write others with `+` and the country code",
            digits.len()
        )),
    }
}

/// The country code, the plans of the regions that share it, and what follows.
fn split_code(digits: &str) -> Option<(u16, Vec<&'static Metadata>, &str)> {
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let number: u16 = code.parse().ok().filter(|_| !code.starts_with('0'))?;
        Some((number, DATABASE.by_code(&number)?, rest))
    })
}

/// What follows the prefix that leads abroad, `011` in the United States.
fn strip_international<'a>(plan: &Metadata, digits: &'a str) -> Option<&'a str> {
    let prefix = plan.international_prefix()?.find(digits).filter(|prefix| prefix.start() == 0)?;
    digits.get(prefix.end()..)
}

/// The number without the prefix that is dialled within the country only; some plans put other digits in its place.
fn strip_trunk(plan: &Metadata, digits: &str) -> Option<String> {
    let Some(prefix) = plan.national_prefix_for_parsing() else {
        return digits.strip_prefix(plan.national_prefix()?).map(str::to_owned);
    };
    let groups = prefix.captures(digits).filter(|groups| groups.get(0).is_some_and(|whole| whole.start() == 0))?;
    let last = groups.get(groups.len() - 1);
    match plan.national_prefix_transform_rule() {
        Some(rule) if groups.len() > 1 && last.is_some() => Some(prefix.replace(digits, rule).into_owned()),
        _ => digits.get(groups.get(0)?.end()..).map(str::to_owned),
    }
}

/// The plan knows numbers that begin so and are as long.
fn fits(plan: &Metadata, national: &str) -> bool {
    has_length(plan, national) && plan.descriptors().general().is_match(national)
}

/// The plan knows numbers that are as long.
fn has_length(plan: &Metadata, national: &str) -> bool {
    let plans = plan.descriptors();
    let descriptors = [
        plans.fixed_line(),
        plans.mobile(),
        plans.toll_free(),
        plans.premium_rate(),
        plans.shared_cost(),
        plans.personal_number(),
        plans.voip(),
        plans.pager(),
        plans.uan(),
        plans.voicemail(),
    ];
    let mut lengths = descriptors.into_iter().flatten().flat_map(|descriptor| descriptor.possible_length());
    lengths.any(|length| usize::from(*length) == national.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of each sort in each plan, in E.164, with its plan.
    fn examples() -> impl Iterator<Item = (&'static Metadata, String)> {
        DATABASE.iter().flat_map(|plan| {
            let plans = plan.descriptors();
            let sorts = [
                plans.fixed_line(),
                plans.mobile(),
                plans.toll_free(),
                plans.premium_rate(),
                plans.shared_cost(),
                plans.personal_number(),
                plans.voip(),
                plans.uan(),
                plans.voicemail(),
            ];
            let examples = sorts.into_iter().flatten().filter_map(|sort| sort.example());
            examples.map(move |example| (plan, format!("{}{example}", plan.country_code())))
        })
    }

    #[test]
    fn every_example_of_every_plan_stays_as_it_is() {
        let mut count = 0;
        for (plan, number) in examples() {
            assert_eq!(international(&number), Ok(format!("+{number}")), "{}", plan.id());
            count += 1;
        }
        assert!(count > 1_000, "{count}");
    }

    #[test]
    fn nearly_every_example_is_found_as_it_is_dialled_at_home() {
        let mut others = Vec::new();
        for (plan, number) in examples().filter(|(plan, _)| plan.id() != "001") {
            let code = plan.country_code().to_string();
            let significant = number.strip_prefix(&code).expect("the code");
            let dialled = format!("{}{significant}", plan.national_prefix().unwrap_or_default());
            if national(&dialled, plan.id()) != Ok(format!("+{number}")) {
                others.push(format!("{} {dialled}", plan.id()));
            }
        }
        // It begins with `019`, which leads abroad from Israel.
        assert_eq!(others, ["IL 01919123456"]);
    }
}
