//! Keys: what an assessment that stands answers, as one text.

use engine_model::RecordId;

/// Whose assessments are meant: of a score, of one record, alone or for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) score: &'a str,
    pub(super) object: &'a str,
    pub(super) subject: RecordId,
    pub(super) counterpart: Option<RecordId>,
}

impl Place<'_> {
    /// The key of the answer that counts.
    pub(super) fn of_criterion(&self, criterion: RecordId) -> String {
        format!("{}/{criterion}/{}/{}", self.score, side(self.counterpart), self.subject)
    }

    /// The key of a rule's answer beneath that of a person.
    pub(super) fn of_rule(&self, criterion: RecordId) -> String {
        format!("{}/rule", self.of_criterion(criterion))
    }

    /// The key of the total.
    pub(super) fn of_total(&self) -> String {
        format!("{}{}", totals(self.score, self.object, self.counterpart), self.subject)
    }
}

/// What the keys of all totals of an object's records begin with.
pub(super) fn totals(score: &str, object: &str, counterpart: Option<RecordId>) -> String {
    format!("{score}/total/{object}/{}/", side(counterpart))
}

fn side(counterpart: Option<RecordId>) -> String {
    counterpart.map_or_else(|| "-".to_owned(), |record| record.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_answers_have_one_key() {
        let alone = Place { score: "fit", object: "guest", subject: RecordId(7), counterpart: None };
        let beside = Place { counterpart: Some(RecordId(9)), ..alone.clone() };
        assert_eq!(alone.of_criterion(RecordId(3)), "fit/3/-/7");
        assert_eq!(beside.of_criterion(RecordId(3)), "fit/3/9/7");
        assert_eq!(alone.of_rule(RecordId(3)), "fit/3/-/7/rule");
        assert_eq!(alone.of_total(), "fit/total/guest/-/7");
        assert_eq!(beside.of_total(), "fit/total/guest/9/7");
        assert!(beside.of_total().starts_with(&totals("fit", "guest", Some(RecordId(9)))));
    }
}
