//! Putting an object's records anew, where the values of a property stand in the index under another form or not at all.
//!
//! It goes on while the log is followed, a few records at a time, and how far it is is noted with each commit.

use engine_store::record;

use super::feed::Feed;
use crate::error::Result;

/// Records that are put at a time; the log waits for them.
const AT_A_TIME: usize = 250;

impl Feed {
    /// Puts the next records of one object that has to be filled.
    pub(super) async fn fill(&mut self) -> Result<()> {
        let Some((object, before)) = self.notes.filling().next().map(|(name, filling)| (name.clone(), filling.clone()))
        else {
            return Ok(());
        };
        let limit = self.portion.rows().min(AT_A_TIME);
        let wanted = i64::try_from(limit).unwrap_or(1);
        let mut reader = self.engine.store().read(self.tenant).await?;
        let until = match before.until {
            Some(until) => until,
            // What comes later comes with the log.
            None => reader.head().await?.last_record_id,
        };
        let rows = record::list(&mut reader, &object, before.is_at_archived, before.after, wanted).await?;
        drop(reader);
        let last = rows.last().map(|row| row.id).filter(|last| *last < until && rows.len() == limit);
        self.put(rows).await?;
        self.write_notes(|notes| {
            // Definitions that have changed meanwhile begin it again.
            if let Some(filling) = notes.filling_of(&object).filter(|filling| **filling == before) {
                filling.until = Some(until);
                match last {
                    Some(last) => filling.after = last,
                    None if !before.is_at_archived => (filling.is_at_archived, filling.after) = (true, 0),
                    None => notes.end_filling(&object),
                }
            }
        });
        Ok(())
    }
}
