//! Until when the value of an expression holds that reads the present moment.
//!
//! `now` moves on at the pace of time, and so does what is one step away from it, such as `now - created_at`. What is
//! made of that stands still until a certain moment: `(now - created_at).getDays()` until the next day is over,
//! `now > due_at` until it is due. Where an expression does something else with what moves, its value is taken to hold
//! for a second.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::evaluate::Evaluation;
use super::node::{BinaryOperator, Node, NodeKind};
use super::value::Value;
use crate::query::Clock;
use crate::time::{Timestamp, start_of_day};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

/// Clocks of all time zones agree on the quarters of an hour.
const QUARTER: i64 = 15 * MINUTE;

/// Follows what moves through one expression.
pub(super) struct Horizon<'e, 'n> {
    evaluation: &'e mut Evaluation<'n>,
    names: &'n [String],
    now: Timestamp,
    zone: Tz,
    /// The first moment at which the value may be another.
    until: Option<i64>,
}

impl<'e, 'n> Horizon<'e, 'n> {
    pub(super) fn new(evaluation: &'e mut Evaluation<'n>, names: &'n [String], now: Timestamp, zone: Tz) -> Self {
        Self { evaluation, names, now, zone, until: None }
    }

    /// The first moment at which the value may be another than it is now; `None` where it holds for ever.
    pub(super) fn of(mut self, root: &Node) -> Option<Timestamp> {
        if self.pace(root) != 0 {
            self.at_next(SECOND);
        }
        self.until.map(Timestamp)
    }

    /// How many microseconds a moment or a duration moves with each that passes; 0 for whatever stands still.
    fn pace(&mut self, node: &Node) -> i64 {
        match &node.kind {
            NodeKind::Literal(_) | NodeKind::LoopVariable(_) => 0,
            NodeKind::Variable(index) => match self.names.get(*index).map(String::as_str) {
                Some("now") => 1,
                Some("today") => {
                    self.at_midnight(self.zone);
                    0
                }
                _ => 0,
            },
            NodeKind::Binary { operator, left, right } => self.binary(*operator, left, right),
            NodeKind::Call { function, arguments } => self.call(function.name, arguments),
            NodeKind::Conditional { condition, then, otherwise } => {
                self.still(condition);
                match self.evaluation.evaluate(condition) {
                    Ok(Value::Boolean(true)) => self.pace(then),
                    Ok(Value::Boolean(false)) => self.pace(otherwise),
                    Ok(_) | Err(_) => 0,
                }
            }
            NodeKind::Loop { range, body } => {
                // What a loop does with each element is not followed.
                self.still(range);
                if body.parts().any(|part| self.mentions_now(part)) {
                    self.at_next(SECOND);
                }
                if body.parts().any(|part| self.mentions(part, "today")) {
                    self.at_midnight(self.zone);
                }
                0
            }
            _ => {
                node.parts().into_iter().for_each(|part| self.still(part));
                0
            }
        }
    }

    /// A part of which nothing is known but that it may be another each moment, where it moves.
    fn still(&mut self, node: &Node) {
        if self.pace(node) != 0 {
            self.at_next(SECOND);
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Node, right: &Node) -> i64 {
        let (left_pace, right_pace) = (self.pace(left), self.pace(right));
        let pace = match operator {
            BinaryOperator::Add => return left_pace + right_pace,
            BinaryOperator::Subtract => return left_pace - right_pace,
            BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual => left_pace - right_pace,
            BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Remainder | BinaryOperator::In => {
                if left_pace != 0 || right_pace != 0 {
                    self.at_next(SECOND);
                }
                0
            }
        };
        if pace != 0
            && let (Some(left), Some(right)) = (self.length(left), self.length(right))
        {
            self.at_crossing(left.saturating_sub(right), pace);
        }
        0
    }

    /// A distance is compared with zero: it is another answer when it gets there, and once more when it has passed.
    fn at_crossing(&mut self, distance: i64, pace: i64) {
        let left = if pace > 0 { distance.saturating_neg() } else { distance };
        match left {
            1.. => self.at(left / pace.abs()),
            0 => self.at(1),
            _ => {}
        }
    }

    fn call(&mut self, function: &str, arguments: &[Node]) -> i64 {
        let paces: Vec<i64> = arguments.iter().map(|argument| self.pace(argument)).collect();
        let (Some(first), Some(pace)) = (arguments.first(), paces.first().copied().filter(|pace| *pace != 0)) else {
            if paces.iter().any(|pace| *pace != 0) {
                self.at_next(SECOND);
            }
            return 0;
        };
        if function == "timestamp" {
            return pace;
        }
        match self.evaluation.evaluate(first) {
            Ok(Value::Duration(length)) => match unit_of(function) {
                Some(unit) => self.at_next_of(micros(length), unit, pace),
                None => self.at_next(SECOND),
            },
            Ok(Value::Datetime(_)) => match function {
                "getFullYear" | "getMonth" | "getDate" | "getDayOfMonth" | "getDayOfWeek" | "getDayOfYear" | "date" => {
                    let zone = arguments.get(1).map(|zone| self.evaluation.evaluate(zone));
                    let zone = match zone {
                        Some(Ok(Value::String(name))) => name.parse().unwrap_or(Tz::UTC),
                        Some(_) | None => Tz::UTC,
                    };
                    self.at_midnight(zone);
                }
                "getHours" => self.at_next(QUARTER),
                "getMinutes" => self.at_next(MINUTE),
                _ => self.at_next(SECOND),
            },
            Ok(_) | Err(_) => self.at_next(SECOND),
        }
        0
    }

    /// A length counted in whole units, those towards zero, changes when it reaches the next of them or leaves its own.
    fn at_next_of(&mut self, length: i64, unit: i64, pace: i64) {
        let rest = length.rem_euclid(unit);
        let distance = match (pace > 0, length < 0, rest) {
            (true, true, 0) => 1,
            (true, ..) => unit - rest,
            (false, false, rest) => rest + 1,
            (false, true, 0) => unit,
            (false, true, rest) => rest,
        };
        self.at(distance / pace.abs());
    }

    fn at_midnight(&mut self, zone: Tz) {
        let today = Clock { now: self.now, zone }.today();
        let next = today.succ_opt().map_or(self.now.0 + DAY, |next| start_of_day(zone, next).0);
        self.at(next - self.now.0);
    }

    /// At the next multiple of a step.
    fn at_next(&mut self, step: i64) {
        self.at(step - self.now.0.rem_euclid(step));
    }

    fn at(&mut self, from_now: i64) {
        let at = self.now.0.saturating_add(from_now.max(1));
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
    }

    /// A moment or a duration in microseconds.
    fn length(&mut self, node: &Node) -> Option<i64> {
        match self.evaluation.evaluate(node).ok()? {
            Value::Datetime(moment) => Some(moment.0),
            Value::Duration(length) => Some(micros(length)),
            _ => None,
        }
    }

    fn mentions_now(&self, node: &Node) -> bool {
        self.mentions(node, "now")
    }

    fn mentions(&self, node: &Node, wanted: &str) -> bool {
        match &node.kind {
            NodeKind::Variable(index) => self.names.get(*index).is_some_and(|name| name == wanted),
            _ => node.parts().into_iter().any(|part| self.mentions(part, wanted)),
        }
    }
}

fn unit_of(function: &str) -> Option<i64> {
    Some(match function {
        "getDays" => DAY,
        "getHours" => 60 * MINUTE,
        "getMinutes" => MINUTE,
        "getSeconds" => SECOND,
        "getMilliseconds" => 1_000,
        _ => return None,
    })
}

fn micros(length: TimeDelta) -> i64 {
    length.num_microseconds().unwrap_or(if length < TimeDelta::zero() { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Expression, Scope};

    /// Until when a value holds, in microseconds from 2026-03-01T10:00:00.5Z.
    fn holds(source: &str) -> Option<i64> {
        let now = Timestamp::parse("2026-03-01T10:00:00.5Z").expect("a moment");
        let then = Timestamp::parse("2026-02-27T08:00:00Z").expect("a moment");
        let due = Timestamp::parse("2026-03-01T10:00:07Z").expect("a moment");
        let today = Clock { now, zone: Tz::UTC }.today();
        let scope = Scope::new().bind("now", now).bind("today", today).bind("then", then).bind("due", due);
        let (value, until) = Expression::compile(source).expect("compiles").evaluate_at(&scope, now, Tz::UTC);
        assert!(value.is_ok(), "{value:?}");
        until.map(|until| until.0 - now.0)
    }

    const HOUR: i64 = 60 * MINUTE;

    #[test]
    fn a_value_holds_until_something_is_reached() {
        let until_midnight = 14 * HOUR - SECOND / 2;
        for (source, expected) in [
            ("then < due", None),
            ("now > due", Some(6_500_000)),
            ("due < now", Some(6_500_000)),
            ("due - now > duration('2s')", Some(4_500_000)),
            ("now > then", None),
            ("now - then > duration('1h')", None),
            ("(now - then).getDays()", Some(22 * HOUR - SECOND / 2)),
            ("(now - then).getHours()", Some(HOUR - SECOND / 2)),
            ("(due - now).getSeconds()", Some(500_001)),
            ("(then - now).getHours()", Some(HOUR - SECOND / 2)),
            ("today > date('2026-02-01')", Some(until_midnight)),
            ("(today - date('2026-02-01')).getDays()", Some(until_midnight)),
            ("now.getFullYear()", Some(until_midnight)),
            ("date(now, 'Asia/Tokyo')", Some(5 * HOUR - SECOND / 2)),
            ("now.getHours()", Some(QUARTER - SECOND / 2)),
            ("now", Some(SECOND / 2)),
            ("string(now)", Some(SECOND / 2)),
            ("now - now == duration('0s')", None),
            ("then > due ? now.getFullYear() : 1", None),
            ("[1, 2].exists(x, now > due)", Some(SECOND / 2)),
            ("then < due || now > due", Some(6_500_000)),
        ] {
            assert_eq!(holds(source), expected, "{source}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_changes_before_its_horizon(offset in -200_000_000_i64..200_000_000, ahead in 0.0_f64..1.0) {
            let now = Timestamp(1_772_359_200_000_000);
            let other = Timestamp(now.0 + offset * 1_000);
            for source in [
                "now > other", "other <= now", "now == other", "(now - other).getHours()", "(other - now).getMinutes()",
                "(now - other).getDays() > 1", "now - other > duration('90m') ? 'late' : 'early'", "today == date(other)",
                "now.getDayOfWeek() + (other - now).getDays()",
            ] {
                let expression = Expression::compile(source).expect("compiles");
                let at = |now: Timestamp| {
                    let today = Clock { now, zone: Tz::UTC }.today();
                    let scope = Scope::new().bind("now", now).bind("today", today).bind("other", other);
                    expression.evaluate_at(&scope, now, Tz::UTC)
                };
                let (value, until) = at(now);
                let value = value.expect("a value");
                let last = until.map_or(now.0 + 400 * DAY, |until| until.0 - 1);
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any moment will do")]
                let between = now.0 + ((last - now.0) as f64 * ahead) as i64;
                for moment in [between, last] {
                    let (later, _) = at(Timestamp(moment));
                    proptest::prop_assert_eq!(&value, &later.expect("a value"), "{} at {}", source, moment - now.0);
                }
            }
        }
    }
}
