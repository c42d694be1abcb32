//! A job's way through all records of some objects, one after the other.

use engine_store::record::{self, RecordRow};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::session::Session;

/// How far a job has got; part of its progress.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Walk {
    /// Objects that are done.
    pub(crate) objects: usize,
    /// Of the next object, the active records come first, then the archived ones.
    is_at_archived: bool,
    /// The last record that is done of them.
    after: i64,
}

impl Walk {
    /// Records of the object that it has come to; none where its active or its archived ones are all done.
    pub(crate) async fn rows(&self, session: &Session, object: &str, limit: i64) -> Result<Vec<RecordRow>> {
        let mut reader = session.reader().await?;
        Ok(record::list(&mut reader, object, self.is_at_archived, self.after, limit).await?)
    }

    /// Goes on behind these records, which are done; whether the object is done with them.
    pub(crate) fn pass(&mut self, rows: &[RecordRow]) -> bool {
        match rows.last() {
            Some(last) => self.after = last.id,
            None if !self.is_at_archived => (self.is_at_archived, self.after) = (true, 0),
            None => {
                *self = Self { objects: self.objects + 1, ..Self::default() };
                return true;
            }
        }
        false
    }
}
