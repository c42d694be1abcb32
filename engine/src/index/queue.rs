//! Places for what is done at the same time, and who waits for one: those whom somebody waits for come first.

use std::collections::VecDeque;

use engine_model::TenantId;

/// Tenants that wait for one of a few places.
#[derive(Debug)]
pub(super) struct Queue {
    asked: VecDeque<TenantId>,
    quiet: VecDeque<TenantId>,
    /// Places in all.
    places: usize,
    /// Places that may be taken by what nobody waits for.
    quiet_places: usize,
    taken: usize,
    quiet_taken: usize,
}

/// A place that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    is_asked: bool,
}

impl Queue {
    pub(super) fn new(places: usize, quiet_places: usize) -> Self {
        let (asked, quiet) = (VecDeque::new(), VecDeque::new());
        Self { asked, quiet, places, quiet_places, taken: 0, quiet_taken: 0 }
    }

    /// Puts a tenant at the end of those who wait as it does.
    pub(super) fn push(&mut self, tenant: TenantId, is_asked: bool) {
        let queue = if is_asked { &mut self.asked } else { &mut self.quiet };
        queue.push_back(tenant);
    }

    /// Gives a place to who is next, if there is one. Who was put in twice comes twice.
    pub(super) fn take(&mut self) -> Option<(TenantId, Taken)> {
        if self.taken >= self.places {
            return None;
        }
        let next = match self.asked.pop_front() {
            Some(tenant) => (tenant, Taken { is_asked: true }),
            None if self.quiet_taken < self.quiet_places => (self.quiet.pop_front()?, Taken { is_asked: false }),
            None => return None,
        };
        self.taken += 1;
        self.quiet_taken += usize::from(!next.1.is_asked);
        Some(next)
    }

    /// Takes a place back.
    pub(super) fn give_back(&mut self, place: Taken) {
        self.taken -= 1;
        self.quiet_taken -= usize::from(!place.is_asked);
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.quiet.is_empty()
    }
}

impl Taken {
    /// Somebody waits for what is done there.
    pub(super) fn is_asked(self) -> bool {
        self.is_asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_waited_for_comes_first_and_finds_a_place_that_others_cannot_take() {
        let mut queue = Queue::new(3, 1);
        for (tenant, is_asked) in [(1, false), (2, false), (3, true)] {
            queue.push(TenantId(tenant), is_asked);
        }
        let (tenant, _) = queue.take().expect("a place");
        assert_eq!(tenant, TenantId(3));
        let (tenant, quiet) = queue.take().expect("a place");
        assert_eq!((tenant, quiet.is_asked()), (TenantId(1), false));
        assert_eq!(queue.take(), None);
        queue.push(TenantId(4), true);
        assert_eq!(queue.take().map(|(tenant, _)| tenant), Some(TenantId(4)));
        queue.push(TenantId(5), true);
        assert_eq!(queue.take(), None);
        queue.give_back(quiet);
        assert_eq!(queue.take().map(|(tenant, _)| tenant), Some(TenantId(5)));
        assert!(!queue.is_empty());
    }
}
