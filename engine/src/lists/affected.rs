//! Which records a page of the log asks to be looked at again, for which lists.

use std::collections::{BTreeSet, HashMap};

use engine_model::query::Direction;
use engine_store::Reader;

use super::compiled::Asked;
use super::reads::Step;
use super::touched::Touched;
use crate::error::Result;
use crate::rollups::add_linked;

/// Records whose membership of a list may be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Affected {
    /// These.
    Records(BTreeSet<i64>),
    /// It is not known which, or they are too many to be named.
    All,
}

/// Finds out who is linked with whom, each once for a page.
#[derive(Debug, Default)]
pub(super) struct Ways {
    known: HashMap<Asking, Option<BTreeSet<i64>>>,
}

/// A way, and where it ends.
type Asking = (Vec<Step>, BTreeSet<i64>);

impl Ways {
    /// Records of which a list has to be looked at again.
    pub(super) async fn affected(&mut self, reader: &mut Reader, list: &Asked, touched: &Touched) -> Result<Affected> {
        let mut records = BTreeSet::new();
        for (way, ends) in Self::begun(list, touched) {
            let Some(ends) = ends else { return Ok(Affected::All) };
            if ends.is_empty() {
                continue;
            }
            match self.back(reader, way, ends).await? {
                Some(found) => records.extend(found),
                None => return Ok(Affected::All),
            }
        }
        Ok(Affected::Records(records))
    }

    /// Where on the ways of a list something has happened: from there it goes back to the records of the list. None
    /// where it is not known of whom.
    fn begun<'l>(list: &'l Asked, touched: &Touched) -> Vec<(&'l [Step], Option<BTreeSet<i64>>)> {
        let mut begun: Vec<(&[Step], Option<BTreeSet<i64>>)> = Vec::new();
        let of_lists = touched.listed.iter().filter(|(id, _)| list.statics.contains(id));
        let listed: BTreeSet<i64> = of_lists.flat_map(|(_, records)| records).copied().collect();
        for (way, reached) in &list.reads.ways {
            let mut ends = listed.clone();
            for (object, fields) in &reached.objects {
                // With whom a purged record was linked is not told any more.
                if !way.is_empty() && touched.purged.contains(object.as_str()) {
                    begun.push((way, None));
                }
                let records = touched.records.get(object.as_str()).into_iter().flatten();
                let counts = records.filter(|(_, touch)| touch.is_whole || fields.are_among(&touch.written));
                ends.extend(counts.map(|(record, _)| *record));
            }
            begun.push((way, Some(ends)));
            let Some((last, before)) = way.split_last() else { continue };
            let links = touched.links.iter().filter(|link| *last.association == *link.association);
            let near = links.map(|link| if last.direction == Direction::Out { link.from } else { link.to });
            begun.push((before, Some(near.collect())));
        }
        begun
    }

    /// The records from which the way leads to one of `ends`; none where they are too many.
    async fn back(&mut self, reader: &mut Reader, way: &[Step], ends: BTreeSet<i64>) -> Result<Option<BTreeSet<i64>>> {
        let key = (way.to_vec(), ends);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let mut at = Some(key.1.clone());
        for step in way.iter().rev() {
            let Some(records) = at.take() else { break };
            let end = match step.direction {
                Direction::Out => Direction::In,
                Direction::In => Direction::Out,
            };
            let mut found = BTreeSet::new();
            let is_whole = add_linked(reader, &records, &step.association, end, &mut found).await?;
            at = is_whole.then_some(found);
        }
        self.known.insert(key, at.clone());
        Ok(at)
    }
}
