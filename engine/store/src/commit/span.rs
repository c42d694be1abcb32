//! Intervals in memory: which one is in the way of another.

use std::collections::{BTreeMap, HashMap};

use super::Interval;

/// Object, constraint and value that competing intervals share.
pub(super) type Group<'u> = (&'u str, &'u str, &'u str);

/// An interval's key: its group, where it starts, whose it is.
pub(super) type SpanKey<'u> = (Group<'u>, i64, i64);

impl Interval {
    pub(super) fn group(&self) -> Group<'_> {
        (&self.object, &self.properties, &self.within)
    }

    pub(super) fn key(&self, holder: i64) -> SpanKey<'_> {
        (self.group(), self.starts_at, holder)
    }

    /// Whether another interval of the group is in the way.
    pub(super) fn overlaps(&self, starts_at: i64, ends_at: i64) -> bool {
        starts_at < self.ends_at && ends_at > self.starts_at
    }
}

/// The intervals that are occupied, in order within their group.
#[derive(Debug, Default)]
pub(super) struct Spans<'u>(HashMap<Group<'u>, BTreeMap<(i64, i64), i64>>);

impl<'u> Spans<'u> {
    /// Occupies an interval until `ends_at`, or frees it.
    pub(super) fn put(&mut self, (group, starts_at, holder): SpanKey<'u>, ends_at: Option<i64>) {
        let line = self.0.entry(group).or_default();
        match ends_at {
            Some(ends_at) => drop(line.insert((starts_at, holder), ends_at)),
            None => drop(line.remove(&(starts_at, holder))),
        }
    }

    /// Who else is in the way of an interval that `record` wants; `is_left_out` says which ones do not count.
    pub(super) fn in_the_way(
        &self,
        interval: &Interval,
        record: i64,
        is_left_out: impl Fn(SpanKey<'_>) -> bool,
    ) -> Option<i64> {
        let group = interval.group();
        let before_its_end = self.0.get(&group)?.range(..(interval.ends_at, i64::MIN)).rev();
        let mut others = before_its_end.filter(|((_, holder), _)| *holder != record);
        let found = others.find(|((starts_at, holder), ends_at)| {
            interval.overlaps(*starts_at, **ends_at) && !is_left_out((group, *starts_at, *holder))
        });
        found.map(|((_, holder), _)| *holder)
    }
}
