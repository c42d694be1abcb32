//! A lock that its holder can carry around.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Lets one through at a time.
#[derive(Debug, Default)]
pub(super) struct Gate {
    is_held: Mutex<bool>,
    freed: Condvar,
}

/// Whoever holds this is through.
pub(super) struct Passage(Arc<Gate>);

impl Gate {
    /// Waits until nobody is through.
    pub(super) fn pass(self: &Arc<Self>) -> Passage {
        let is_free = self.freed.wait_while(self.state(), |is_held| *is_held);
        *is_free.unwrap_or_else(PoisonError::into_inner) = true;
        Passage(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, bool> {
        self.is_held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        *self.0.state() = false;
        self.0.freed.notify_one();
    }
}
