//! Where a page of a timeline begins: a place in each of the two streams that it is made of.

use engine_model::Sequence;
use engine_store::timeline::Place;

use crate::error::Result;
use crate::records::{bad_parameter, make_name_cursor, read_name_cursor};

/// A place in the changes of a record, and one in its entries; what comes before it is yet to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// A position of the change log.
    pub(super) sequence: i64,
    pub(super) place: Place,
}

/// From which stream the next entry of a timeline comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Entry,
    Change,
    /// What has been read of a stream is told, and there is more.
    Read,
    /// Everything is told.
    End,
}

impl Cursor {
    /// Before everything is told that there is at a position of the change log.
    pub(super) fn at(head: Sequence) -> Self {
        Self { sequence: head.0.saturating_add(1), place: Place::END }
    }

    /// A change is told. Entries that were later, or at the same moment, are told by then; those that are put there from
    /// here on are not of this list any more.
    pub(super) fn pass_change(&mut self, sequence: i64, at: i64) {
        self.sequence = sequence;
        self.place = self.place.min(Place { at, entry_id: i64::MIN });
    }

    /// Reads what [`Cursor::text`] has made for the same list.
    pub(super) fn read(text: &str, list: &str) -> Result<Self> {
        let wrong = || bad_parameter("cursor", "this cursor is not one that this list has given");
        let places = read_name_cursor(text, list)?;
        let numbers: Option<Vec<i64>> = places.split('.').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[sequence, at, entry_id]) => Ok(Self { sequence, place: Place { at, entry_id } }),
            _ => Err(wrong()),
        }
    }

    /// The place as a caller is told it.
    pub(super) fn text(self, list: &str) -> String {
        let Self { sequence, place: Place { at, entry_id } } = self;
        make_name_cursor(list, &format!("{sequence}.{at}.{entry_id}"))
    }
}

/// Which of the two comes next, newest first, by when the next one of each was; of two at the same moment the entry,
/// which is of a record that is there.
pub(super) fn next((entry, more_entries): (Option<i64>, bool), (change, more_changes): (Option<i64>, bool)) -> Next {
    match (entry, change) {
        (None, _) if more_entries => Next::Read,
        (_, None) if more_changes => Next::Read,
        (None, None) => Next::End,
        (Some(_), None) => Next::Entry,
        (None, Some(_)) => Next::Change,
        (Some(entry), Some(change)) => {
            if entry >= change {
                Next::Entry
            } else {
                Next::Change
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = Cursor { sequence: 7, place: Place { at: -5, entry_id: 3 } };
        let text = cursor.text("timeline.1");
        assert_eq!(Cursor::read(&text, "timeline.1").expect("ours"), cursor);
        assert!(Cursor::read(&text, "timeline.2").is_err());
        for other in ["1.2", "1.2.3.4", "a.b.c", ""] {
            assert!(Cursor::read(&make_name_cursor("timeline.1", other), "timeline.1").is_err(), "{other}");
        }
    }

    #[test]
    fn what_comes_while_pages_are_read_is_on_none_of_them() {
        let mut cursor = Cursor::at(Sequence(9));
        assert_eq!(cursor, Cursor { sequence: 10, place: Place::END });
        cursor.pass_change(7, 50);
        assert_eq!(cursor.sequence, 7);
        assert!(Place { at: 50, entry_id: 1 } > cursor.place && Place { at: 49, entry_id: 9 } < cursor.place);
        // The clocks of two nodes may disagree.
        cursor.pass_change(6, 60);
        assert_eq!(cursor.place.at, 50);
    }

    #[test]
    fn the_newest_comes_first_and_nothing_is_passed_over() {
        assert_eq!(next((None, false), (None, false)), Next::End);
        assert_eq!(next((Some(1), false), (None, false)), Next::Entry);
        assert_eq!(next((Some(1), false), (None, true)), Next::Read);
        assert_eq!(next((None, true), (Some(1), false)), Next::Read);
        assert_eq!(next((Some(2), true), (Some(2), true)), Next::Entry);
        assert_eq!(next((Some(1), true), (Some(2), true)), Next::Change);
    }
}
