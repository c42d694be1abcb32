//! Scores: what a criterion asks of a record, what it answers, and what answers come to together.
//!
//! Which records are criteria and answers is said by a pack's section `scores` ([`crate::behavior::Score`]).

use chrono_tz::Tz;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::behavior::Score;
use crate::expression::{Allowance, Expression, Scope, Types, Value, check_points};
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems};
use crate::query::Clock;
use crate::registry::Registry;
use crate::time::Timestamp;

/// The most points that a criterion gives; the least are none.
pub const MOST_POINTS: i64 = 100;

/// The name under which a criterion reads the record that is assessed.
pub const SUBJECT: &str = "subject";
/// The name under which it reads the record that the subject is assessed for.
pub const COUNTERPART: &str = "for_record";

/// Steps that all criteria of one assessment take together: as many as eight expressions may take each, some 200 ms.
pub const MOST_STEPS: u32 = 2_000_000;

/// Characters of an expression that are quoted in a reason.
const LONGEST_QUOTE: usize = 300;

/// What a criterion answers of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// From 0 to [`MOST_POINTS`]; none where it has no answer.
    pub points: Option<i64>,
    /// By what it came to that, without any value that was read.
    pub reason: String,
}

/// What criteria read.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The record that is assessed, as [`Value::of_record`] makes it.
    pub subject: Value,
    /// The record that it is assessed for, or null.
    pub counterpart: Value,
    /// What time it is.
    pub now: Timestamp,
    /// Where days begin.
    pub zone: Tz,
}

impl Answer {
    /// What an expression gives: true is all points and false none, and a number is as many, rounded. None where there is
    /// no work left for it.
    pub fn of(expression: &Expression, sight: &Sight, allowance: &mut Allowance) -> Option<Self> {
        let Sight { subject, counterpart, now, zone } = sight;
        let scope = Scope::new()
            .bind(SUBJECT, subject.clone())
            .bind(COUNTERPART, counterpart.clone())
            .bind("now", *now)
            .bind("today", Clock { now: *now, zone: *zone }.today());
        let source = quoted(expression.source());
        let given = match expression.evaluate_within(&scope, allowance) {
            Err(_) if allowance.is_spent() => return None,
            Ok(Value::Boolean(is_met)) => {
                let points = if is_met { MOST_POINTS } else { 0 };
                return Some(Self { points: Some(points), reason: format!("`{source}` is {is_met}") });
            }
            Ok(Value::Integer(number)) => Ok(Decimal::from(number)),
            Ok(Value::Decimal(number)) => Ok(number),
            Ok(Value::Null) => Err("gives no value".to_owned()),
            Ok(_) => Err("gives neither true nor false nor a number".to_owned()),
            Err(error) => Err(format!("cannot be computed: {}", error.without_values())),
        };
        let outside = || "gives a number outside 0 to 100".to_owned();
        Some(match given.and_then(|number| within(number).ok_or_else(outside)) {
            Ok(points) => Self { points: Some(points), reason: format!("`{source}` gives {points}") },
            Err(why) => Self { points: None, reason: format!("`{source}` {why}") },
        })
    }
}

fn within(number: Decimal) -> Option<i64> {
    let is_within = number >= Decimal::ZERO && number <= Decimal::from(MOST_POINTS);
    is_within.then(|| whole(number)).flatten()
}

fn whole(number: Decimal) -> Option<i64> {
    i64::try_from(number.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)).ok()
}

fn quoted(source: &str) -> String {
    match source.char_indices().nth(LONGEST_QUOTE) {
        None => source.to_owned(),
        Some((end, _)) => format!("{}…", &source[..end]),
    }
}

/// The weighted mean of points, rounded half away from zero; none where nothing counts. A weight below 0 is none.
pub fn weighted(points: impl IntoIterator<Item = (Decimal, i64)>) -> Option<i64> {
    let (mut sum, mut weights) = (Decimal::ZERO, Decimal::ZERO);
    for (weight, points) in points {
        let weight = weight.max(Decimal::ZERO);
        weights = weights.checked_add(weight)?;
        sum = sum.checked_add(weight.checked_mul(Decimal::from(points))?)?;
    }
    if weights.is_zero() { None } else { sum.checked_div(weights).and_then(whole) }
}

impl Score {
    /// Everything that is wrong with an expression of one of its criteria, whatever the records; `pointer` is its own.
    pub fn check_expression(&self, source: &str, registry: &Registry, pointer: &str) -> Problems {
        let expression = match Expression::compile(source) {
            Ok(expression) => expression,
            Err(error) => return vec![Problem::new(pointer, "invalid_expression", error.to_string())],
        };
        let mut types = Types::default().and_moments();
        let ends = [(SUBJECT, Some(&self.assessments.subject)), (COUNTERPART, self.assessments.counterpart.as_ref())];
        for (name, association) in ends.into_iter().filter_map(|(name, association)| Some((name, association?))) {
            let objects = objects_at(association, registry).map(|object| &object.properties).collect();
            types = types.and_record(name, objects);
        }
        check_points(&expression, &types).into_iter().map(|problem| problem.at(pointer)).collect()
    }
}

/// The objects that an association leads to.
pub fn objects_at<'r>(association: &str, registry: &'r Registry) -> impl Iterator<Item = &'r ObjectDefinition> {
    let association = registry.associations.get(association);
    let is_led_to = move |object: &&ObjectDefinition| {
        !object.archived && association.is_some_and(|association| association.to.accepts(&object.name))
    };
    registry.objects.values().filter(is_led_to)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Properties;
    use crate::layer::tests::layer;

    fn registry() -> Registry {
        let properties = json!({"name": {"type": "string"}, "nights": {"type": "integer"}, "paid": {"type": "decimal"},
            "tags": {"type": "json"}});
        let document = json!({"objects": {"guest": {"properties": properties}}});
        Registry::fold(&[layer("own", &document)]).0
    }

    fn answer(source: &str, properties: serde_json::Value) -> Answer {
        let registry = registry();
        let properties: Properties = properties.as_object().cloned().unwrap_or_default();
        let about = (Timestamp(0), Timestamp(0), None);
        let subject = Value::of_record(&registry.objects["guest"].properties, &properties, about);
        let sight = Sight { subject, counterpart: Value::Null, now: Timestamp(86_400_000_000), zone: Tz::UTC };
        Answer::of(&Expression::compile(source).expect(source), &sight, &mut Allowance::of(MOST_STEPS))
            .expect("an answer")
    }

    #[test]
    fn true_is_everything_and_a_number_is_itself() {
        let guest = json!({"nights": 3, "paid": "62.5"});
        for (source, points) in [
            ("subject.nights > 2", 100),
            ("subject.nights > 3", 0),
            ("subject.nights * 10", 30),
            ("subject.paid", 63),
            ("subject.name == null ? 0 : 100", 0),
            ("subject.created_at < now", 100),
            ("for_record == null", 100),
        ] {
            assert_eq!(answer(source, guest.clone()).points, Some(points), "{source}");
        }
        assert_eq!(answer("subject.nights > 2", guest.clone()).reason, "`subject.nights > 2` is true");
        assert_eq!(answer("subject.paid", guest).reason, "`subject.paid` gives 63");
    }

    #[test]
    fn what_has_no_answer_says_why_and_quotes_no_value() {
        let guest = json!({"name": "Ann Lee", "nights": 300, "tags": {"secret": "x"}});
        for (source, reason) in [
            ("subject.nights", "gives a number outside 0 to 100"),
            ("-1", "gives a number outside 0 to 100"),
            ("subject.paid", "gives no value"),
            ("subject.name", "gives neither true nor false nor a number"),
            ("subject.paid > 3", "cannot be computed: `>` is not defined for null and an integer (at column 14)"),
            ("int(subject.name) > 3", "cannot be computed: what it reads there does not fit (at column 1)"),
        ] {
            let answer = answer(source, guest.clone());
            assert_eq!((answer.points, answer.reason), (None, format!("`{source}` {reason}")));
        }
    }

    #[test]
    fn work_is_bounded() {
        let list = format!("[{}]", vec!["1"; 100].join(","));
        let source = format!("{list}.all(a, {list}.all(b, {list}.all(c, a + b + c > 0)))");
        let answer = answer(&source, json!({}));
        assert_eq!(answer.points, None);
        assert!(answer.reason.contains("takes too many steps"), "{}", answer.reason);
        assert!(answer.reason.contains('…'));
    }

    #[test]
    fn work_is_bounded_in_all() {
        let subject = Value::Null;
        let sight = Sight { subject, counterpart: Value::Null, now: Timestamp(0), zone: Tz::UTC };
        let sum = Expression::compile("1 + 1").expect("it reads");
        let mut allowance = Allowance::of(10);
        let mut answer = || Answer::of(&sum, &sight, &mut allowance).map(|answer| answer.points);
        // Three parts, and the value, are four steps.
        assert_eq!((answer(), answer(), answer(), answer()), (Some(Some(2)), Some(Some(2)), None, None));
    }

    #[test]
    fn a_total_is_the_weighted_mean_of_what_counts() {
        let weight = |text: &str| text.parse::<Decimal>().expect("a number");
        assert_eq!(weighted([]), None);
        assert_eq!(weighted([(weight("0"), 100)]), None);
        assert_eq!(weighted([(weight("2"), 100), (weight("1"), 40)]), Some(80));
        assert_eq!(weighted([(weight("1"), 0), (weight("1"), 1)]), Some(1));
        assert_eq!(weighted([(weight("0.5"), 100), (weight("-3"), 0)]), Some(100));
        assert_eq!(weighted([(Decimal::MAX, 100), (Decimal::MAX, 1)]), None);
    }
}
