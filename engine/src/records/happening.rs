//! Activities that become of another type, by a change or by a merge: what they are linked with is what that type
//! happens to.

use engine_model::problem::push_segment;
use engine_model::{Problem, Properties};
use engine_store::association::{LinkKey, leading};
use engine_store::record;

use super::details::{HAPPENS_ELSEWHERE, about_of, happens_elsewhere, type_named};
use super::plan::Body;
use super::ready::Ready;
use super::state::State;
use super::write::refuse;
use crate::error::{Error, Result};
use crate::session::Session;

/// Most links of one activity that are looked at.
const MOST: i64 = 10_000;

/// An activity as a plan leaves it, the records whose links it has then, and where the caller said what it becomes.
struct Becoming<'r> {
    after: &'r State,
    records: Vec<i64>,
    pointer: String,
}

impl Session {
    /// Planned changes and merges by which an activity would have happened to what its type does not happen to, by their
    /// steps.
    pub(super) async fn misplaced(&self, ready: &[Ready]) -> Result<Vec<(usize, Error)>> {
        let mut misplaced = Vec::new();
        let unlinked: Vec<LinkKey> = ready.iter().filter_map(|ready| ready.plan.unlinked()).collect();
        for ready in ready {
            let Some(Becoming { after, records, pointer }) = self.becoming(&ready.plan.body) else { continue };
            let Ok(object) = self.catalog.object(&after.object) else { continue };
            let Some(about) = about_of(object) else { continue };
            let mut reader = self.reader().await?;
            let mut links = leading(&mut reader, records, about, MOST).await?;
            links.retain(|link| !unlinked.contains(link));
            // Archived ones come back with their links.
            let far = record::many(&mut reader, links.iter().map(|link| link.to_id).collect()).await?;
            let wrong = far
                .iter()
                .find_map(|far| happens_elsewhere(&self.catalog, object, &after.properties, about, &far.object));
            if let Some(message) = wrong {
                let message = format!("{message}, which it is linked with");
                misplaced.push((ready.index, refuse(vec![Problem::new(pointer, HAPPENS_ELSEWHERE, message)])));
            }
        }
        Ok(misplaced)
    }

    /// None where nothing becomes of another type.
    fn becoming<'r>(&self, body: &'r Body) -> Option<Becoming<'r>> {
        let (draft, others, is_merged) = match body {
            Body::Record(draft) => (&**draft, Vec::new(), false),
            Body::Merge(merging) => (&merging.winner, merging.merged().map(|id| id.0).collect::<Vec<i64>>(), true),
            Body::Purge(_) | Body::Unmerge(_) | Body::Unlink(_) | Body::Links => return None,
        };
        let (before, after) = (draft.before.as_ref()?, &draft.after);
        let object = self.catalog.object(&after.object).ok()?;
        let name = type_named(object)?;
        let is = |properties: &Properties| properties.get(name).cloned();
        let becomes_other = is(&before.properties) != is(&after.properties);
        if !(is_merged || becomes_other) {
            return None;
        }
        let records = after.id().map(|id| id.0).into_iter().chain(others).collect();
        let pointer = if is_merged { "/from".to_owned() } else { push_segment("/properties", name) };
        Some(Becoming { after, records, pointer })
    }
}
