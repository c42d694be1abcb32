//! Whether planned records may be made, by the rules of their objects for duplicates.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::Properties;
use engine_model::duplicate::OnCreate;

use super::ready::Ready;
use crate::definitions::catalog::Catalog;
use crate::duplicates::{Verdict, on_create};
use crate::error::{Error, Result};
use crate::session::Session;

impl Session {
    /// Which records may not be made, since others are like them, by their steps; notes what the rest resembles where
    /// `warns`, as somebody is there to be told.
    pub(super) async fn judge(&self, ready: &mut [Ready], warns: bool) -> Result<Vec<(usize, Error)>> {
        let mut refused = Vec::new();
        for (name, places) in new_records(ready) {
            let object = self.catalog.object(&name)?;
            match on_create(object) {
                OnCreate::Refuse => {}
                OnCreate::Warn if warns => {}
                OnCreate::Warn | OnCreate::Ignore => continue,
            }
            let made: Vec<Arc<Properties>> =
                places.iter().filter_map(|place| Some(Arc::clone(ready.get(*place)?.made()?.1))).collect();
            let records: Vec<&Properties> = made.iter().map(AsRef::as_ref).collect();
            let verdicts = self.judge_new(object, &records, warns).await?;
            for (place, verdict) in places.into_iter().zip(verdicts) {
                let Some(ready) = ready.get_mut(place) else { continue };
                match verdict {
                    Verdict::Makes(duplicates) => ready.duplicates = duplicates,
                    Verdict::Refused(error) => refused.push((ready.index, error)),
                }
            }
        }
        Ok(refused)
    }
}

/// Whether a rule may refuse one of the records that are to be made.
pub(super) fn may_refuse(catalog: &Catalog, ready: &[Ready]) -> bool {
    let mut objects = ready.iter().filter_map(|ready| catalog.object(ready.made()?.0).ok());
    objects.any(|object| on_create(object) == OnCreate::Refuse)
}

/// Places of new records, by their object.
fn new_records(ready: &[Ready]) -> BTreeMap<String, Vec<usize>> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, (object, _)) in ready.iter().enumerate().filter_map(|(place, ready)| Some((place, ready.made()?))) {
        match places.get_mut(object) {
            Some(known) => known.push(place),
            None => drop(places.insert(object.to_owned(), vec![place])),
        }
    }
    places
}
