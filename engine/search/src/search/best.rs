//! The best so many documents of a segment, found without sorting all.

use std::cmp::Ordering;

/// A key within a segment: whether there is no value, then the value, turned round where the order descends. Records
/// without a value come last either way.
pub(crate) type Rank = (bool, u64);

/// The ranks of all keys, and the id, which decides where they are the same.
pub(crate) type Ranks = (Vec<Rank>, u64);

/// A document among the best so far.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked {
    pub(crate) ranks: Vec<Rank>,
    pub(crate) id: u64,
    pub(crate) document: u32,
}

/// What a place leaves of documents whose first keys are all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    /// None of them.
    Nothing,
    /// Those whose next key is not beyond this, which may have to be looked at more closely; all where it is none.
    From(Option<Rank>),
}

impl Stretch {
    /// Those that come after a place.
    pub(crate) fn after(place: Option<&Ranks>, same: &[Rank]) -> Self {
        Self::of(place, same, Ordering::Less)
    }

    /// `beyond` is how the same keys compare with the place's where it leaves nothing.
    fn of(place: Option<&Ranks>, same: &[Rank], beyond: Ordering) -> Self {
        let Some((ranks, id)) = place else { return Self::From(None) };
        match same.cmp(ranks.get(..same.len()).unwrap_or(ranks)) {
            Ordering::Equal => Self::From(Some(ranks.get(same.len()).copied().unwrap_or((false, *id)))),
            order if order == beyond => Self::Nothing,
            _ => Self::From(None),
        }
    }
}

/// The best so many.
pub(crate) struct Best {
    most: usize,
    kept: Vec<Ranked>,
    /// The worst that is still good enough; known once there are enough.
    bound: Option<Ranks>,
}

impl Best {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), bound: None }
    }

    /// How many are wanted.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Those that can still be among the best.
    pub(crate) fn last(&self, same: &[Rank]) -> Stretch {
        if self.most == 0 {
            return Stretch::Nothing;
        }
        Stretch::of(self.bound.as_ref(), same, Ordering::Greater)
    }

    /// Whether there are as many as are wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= self.most
    }

    pub(crate) fn add(&mut self, ranks: &[Rank], id: u64, document: u32) {
        if self.bound.as_ref().is_some_and(|(bound, bound_id)| (ranks, id) > (bound, *bound_id)) {
            return;
        }
        self.kept.push(Ranked { ranks: ranks.to_vec(), id, document });
        if self.kept.len() >= self.most.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() <= self.most {
            return;
        }
        if let Some(last) = self.most.checked_sub(1) {
            let (_, worst, _) = self.kept.select_nth_unstable(last);
            self.bound = Some((worst.ranks.clone(), worst.id));
        }
        self.kept.truncate(self.most);
    }

    pub(crate) fn into_sorted(mut self) -> Vec<Ranked> {
        self.cut();
        self.kept.sort_unstable();
        self.kept
    }
}
