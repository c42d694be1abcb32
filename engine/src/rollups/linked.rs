//! The records that are linked with others, however many there are.

use std::collections::BTreeSet;

use engine_model::RecordId;
use engine_model::query::Direction;
use engine_store::{Reader, association};

use crate::error::Result;

/// Links that are read at a time.
const LINKS: i64 = 10_000;

/// Records whose links are read at a time.
const RECORDS: usize = 500;

/// Records beyond which nobody keeps them in mind.
const MOST: usize = 50_000;

/// Adds every record that is linked with one of `records`, which stand at the `direction` end; archived ones are left
/// out. False where they are too many to be named.
pub(crate) async fn add_linked(
    reader: &mut Reader,
    records: &BTreeSet<i64>,
    kind: &str,
    direction: Direction,
    found: &mut BTreeSet<i64>,
) -> Result<bool> {
    let direction = match direction {
        Direction::Out => association::Direction::Out,
        Direction::In => association::Direction::In,
    };
    let records: Vec<i64> = records.iter().copied().collect();
    let mut waiting: Vec<Vec<i64>> = records.chunks(RECORDS).map(<[i64]>::to_vec).collect();
    while let Some(mut part) = waiting.pop() {
        if found.len() > MOST {
            return Ok(false);
        }
        if let [only] = part.as_slice() {
            add_all(reader, *only, kind, direction, found).await?;
            continue;
        }
        let links = association::of_many(reader, part.clone(), kind, direction, LINKS).await?;
        if i64::try_from(links.len()).is_ok_and(|count| count < LINKS) {
            found.extend(links.into_iter().map(|link| link.id));
        } else {
            let rest = part.split_off(part.len() / 2);
            waiting.extend([part, rest]);
        }
    }
    Ok(found.len() <= MOST)
}

/// Page by page.
async fn add_all(
    reader: &mut Reader,
    record: i64,
    kind: &str,
    direction: association::Direction,
    found: &mut BTreeSet<i64>,
) -> Result<()> {
    let mut after = 0;
    loop {
        let links = association::list(reader, RecordId(record), kind, direction, after, LINKS).await?;
        let is_last = i64::try_from(links.len()).is_ok_and(|count| count < LINKS);
        after = links.last().map_or(after, |link| link.id);
        found.extend(links.into_iter().map(|link| link.id));
        if is_last || found.len() > MOST {
            return Ok(());
        }
    }
}
