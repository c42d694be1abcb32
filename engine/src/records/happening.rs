//! Activities that become of another type, by a change or by a merge: what they are linked with is what that type
//! happens to.

use std::collections::{HashMap, HashSet};

use engine_model::Problem;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_store::association::{LinkKey, leading};
use engine_store::record;

use super::details::{HAPPENS_ELSEWHERE, about_of, happens_elsewhere, type_named};
use super::plan::Body;
use super::ready::Ready;
use super::state::State;
use super::write::refuse;
use crate::error::{Error, Result};
use crate::session::Session;

/// Most links of one list of operations that are looked at.
const MOST: i64 = 200_000;

/// An activity as a plan leaves it, the records whose links it has then, and where the caller said what it becomes.
struct Becoming<'r> {
    /// Which operation does it.
    index: usize,
    object: &'r ObjectDefinition,
    about: &'r str,
    after: &'r State,
    records: Vec<i64>,
    pointer: String,
}

impl Session {
    /// Planned changes and merges by which an activity would have happened to what its type does not happen to, by their
    /// steps: two statements for each object of activities.
    pub(super) async fn misplaced(&self, ready: &[Ready]) -> Result<Vec<(usize, Error)>> {
        let becoming: Vec<Becoming<'_>> = ready.iter().filter_map(|ready| self.becoming(ready)).collect();
        if becoming.is_empty() {
            return Ok(Vec::new());
        }
        let unlinked: HashSet<LinkKey> = ready.iter().filter_map(|ready| ready.plan.unlinked()).collect();
        let mut records: HashMap<&str, Vec<i64>> = HashMap::new();
        for Becoming { about, records: of_one, .. } in &becoming {
            records.entry(about).or_default().extend(of_one);
        }
        let mut reader = self.reader().await?;
        let mut links: HashMap<i64, Vec<LinkKey>> = HashMap::new();
        for (about, records) in records {
            let found = leading(&mut reader, records, about, MOST).await?;
            for link in found.into_iter().filter(|link| !unlinked.contains(link)) {
                links.entry(link.from_id).or_default().push(link);
            }
        }
        // Archived ones come back with their links.
        let far: HashSet<i64> = links.values().flatten().map(|link| link.to_id).collect();
        let far = record::many(&mut reader, far.into_iter().collect()).await?;
        let far: HashMap<i64, String> = far.into_iter().map(|row| (row.id, row.object)).collect();
        let wrong = |becoming: &Becoming<'_>| {
            let of_it = becoming.records.iter().filter_map(|id| links.get(id)).flatten();
            let mut objects = of_it.filter(|link| link.kind == becoming.about).filter_map(|link| far.get(&link.to_id));
            let Becoming { object, about, after, .. } = becoming;
            objects.find_map(|far| happens_elsewhere(&self.catalog, object, &after.properties, about, far))
        };
        let misplaced = becoming.iter().filter_map(|becoming| {
            let message = format!("{}, which it is linked with", wrong(becoming)?);
            let problem = Problem::new(becoming.pointer.as_str(), HAPPENS_ELSEWHERE, message);
            Some((becoming.index, refuse(vec![problem])))
        });
        Ok(misplaced.collect())
    }

    /// None where nothing becomes of another type.
    fn becoming<'r>(&'r self, ready: &'r Ready) -> Option<Becoming<'r>> {
        let (draft, others, is_merged) = match &ready.plan.body {
            Body::Record(draft) => (&**draft, Vec::new(), false),
            Body::Merge(merging) => (&merging.winner, merging.merged().map(|id| id.0).collect::<Vec<i64>>(), true),
            Body::Purge(_) | Body::Unmerge(_) | Body::Unlink(_) | Body::Links => return None,
        };
        let (before, after) = (draft.before.as_ref()?, &draft.after);
        let object = self.catalog.object(&after.object).ok()?;
        let (name, about) = (type_named(object)?, about_of(object)?);
        if !is_merged && before.properties.get(name) == after.properties.get(name) {
            return None;
        }
        let records = after.id().map(|id| id.0).into_iter().chain(others).collect();
        let pointer = if is_merged { "/from".to_owned() } else { push_segment("/properties", name) };
        Some(Becoming { index: ready.index, object, about, after, records, pointer })
    }
}
