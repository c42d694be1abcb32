//! Documents on their way to the threads that index them: few at a time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tantivy::TantivyDocument;
use tantivy::schema::document::Document;

/// Documents that wait at most. The library's own queue takes ten thousand, whatever their size.
const WAITING_AT_MOST: usize = 512;

/// Who waits for a place goes on when so many are left, rather than for each document that is done.
const WAITING_AGAIN: usize = WAITING_AT_MOST / 2;

/// After this long without a free place the document goes anyhow: the thread may have died, of which only sending tells.
const PATIENCE: Duration = Duration::from_secs(1);

/// Places in the queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// A document with its place, which is free again once the document is indexed or dropped. It is a pointer, since the
/// library makes room for all that its own queue could take, anew for each commit.
pub(super) struct Queued(Box<Waiting>);

struct Waiting {
    document: TantivyDocument,
    place: Arc<Queue>,
}

impl Queue {
    /// Waits for a place.
    pub(super) fn place(self: &Arc<Self>, document: TantivyDocument) -> Queued {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken >= WAITING_AT_MOST {
            let freed = self.freed.wait_timeout_while(taken, PATIENCE, |taken| *taken > WAITING_AGAIN);
            (taken, _) = freed.unwrap_or_else(PoisonError::into_inner);
        }
        *taken += 1;
        Queued(Box::new(Waiting { document, place: self.clone() }))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut taken = self.place.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken -= 1;
        if *taken <= WAITING_AGAIN {
            self.place.freed.notify_one();
        }
    }
}

impl Document for Queued {
    type Value<'a> = <TantivyDocument as Document>::Value<'a>;
    type FieldsValuesIter<'a> = <TantivyDocument as Document>::FieldsValuesIter<'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.0.document.iter_fields_and_values()
    }

    fn into_tantivy_document(mut self) -> TantivyDocument {
        std::mem::replace(&mut self.0.document, TantivyDocument::with_capacity(0))
    }
}
