//! Filters in short, so that a table of them can be read.

use std::ops::{Bound, RangeInclusive};

use super::super::{Direction, Filter, Linked, Quantifier, Test};

/// A filter in short: `amount 100..`, `stage {new,won}`, `!(a & b)`.
pub(in crate::query) fn show(filter: &Filter) -> String {
    let all = |list: &[Filter], joint: &str| list.iter().map(show).collect::<Vec<_>>().join(joint);
    match filter {
        Filter::All(list) if list.is_empty() => "everything".to_owned(),
        Filter::Any(list) if list.is_empty() => "nothing".to_owned(),
        Filter::All(list) => format!("({})", all(list, " & ")),
        Filter::Any(list) => format!("({})", all(list, " | ")),
        Filter::Not(inner) => format!("!{}", show(inner)),
        Filter::Exists(field) => format!("{}?", field.name),
        Filter::Is(field, test) => format!("{} {}", field.name, test_in_short(test)),
        Filter::Ids(ids) => {
            format!("id {{{}}}", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
        }
        Filter::Listed(ids) => format!("one of {}", ids.len()),
        Filter::Linked(linked) => linked_in_short(linked),
    }
}

fn test_in_short(test: &Test) -> String {
    match test {
        Test::Numbers(ranges) => ranges_in_short(ranges),
        Test::Texts(texts) => format!("{{{}}}", texts.join(",")),
        Test::Between(from, to) => {
            let bound = |bound: &Bound<String>, marks: [&str; 2]| match bound {
                Bound::Included(text) => (marks[0].to_owned(), text.clone()),
                Bound::Excluded(text) => (marks[1].to_owned(), text.clone()),
                Bound::Unbounded => (marks[1].to_owned(), String::new()),
            };
            let ((open, from), (close, to)) = (bound(from, ["[", "("]), bound(to, ["]", ")"]));
            format!("{open}{from}..{to}{close}")
        }
        Test::StartsWith(text) => format!("{text}*"),
        Test::HasAll(texts) => format!("all{{{}}}", texts.join(",")),
        Test::Words(words) => format!("words{{{}}}", words.join(",")),
        Test::Parts(parts) => format!("parts{{{}}}", parts.join(",")),
    }
}

fn ranges_in_short(ranges: &[RangeInclusive<i64>]) -> String {
    let end = |number: i64| if number == i64::MIN || number == i64::MAX { String::new() } else { number.to_string() };
    let range = |range: &RangeInclusive<i64>| match range.start() == range.end() {
        true => range.start().to_string(),
        false => format!("{}..{}", end(*range.start()), end(*range.end())),
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

fn linked_in_short(linked: &Linked) -> String {
    let direction = match linked.direction {
        Direction::Out => ">",
        Direction::In => "<",
    };
    let quantifier = match &linked.quantifier {
        Quantifier::Any => "any".to_owned(),
        Quantifier::None => "none".to_owned(),
        Quantifier::All => "all".to_owned(),
        Quantifier::Count(ranges) => format!("[{}]", ranges_in_short(ranges)),
    };
    let others = linked.others.iter().map(|other| match &other.visible {
        Filter::All(list) if list.is_empty() => format!("{}: {}", other.object, show(&other.filter)),
        visible => format!("{} of {}: {}", other.object, show(visible), show(&other.filter)),
    });
    format!("{direction}{} {quantifier}({})", linked.association, others.collect::<Vec<_>>().join("; "))
}
