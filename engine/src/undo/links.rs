//! Links that a request has made, changed or taken away.

use std::collections::HashMap;

use engine_model::RecordId;
use engine_store::association::{self, LinkKey, StoredLink};
use engine_store::change::ChangeRow;
use indexmap::IndexMap;
use serde::Deserialize;

use super::Skipped;
use super::page::Take;
use super::states::{Known, Made};
use crate::error::{Error, Result};
use crate::records::{Operation, PropertiesInput};
use crate::session::Session;

/// Which link: as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LinkEnds {
    pub(super) from: i64,
    pub(super) kind: String,
    pub(super) to: i64,
}

impl LinkEnds {
    fn skipped(&self, reason: String) -> Skipped {
        Skipped { record: Some(RecordId(self.from)), property: Some(self.kind.clone()), reason }
    }
}

/// What a link was called before and after a change; none where there was, or is, none.
#[derive(Debug)]
pub(super) struct LinkChange {
    /// Microseconds since 1970.
    at: i64,
    old: Option<Label>,
    new: Option<Label>,
}

type Label = Option<String>;

/// A change of a link as the log has it.
#[derive(Deserialize)]
struct Logged {
    r#type: (Option<String>, Option<String>),
    to: (Option<RecordId>, Option<RecordId>),
    label: (Label, Label),
}

impl LinkChange {
    /// What a change says of a link; none where a purge has erased it.
    pub(super) fn of(change: &ChangeRow) -> Result<Option<(LinkEnds, Self)>> {
        let Some(from) = change.record_id.filter(|_| change.changes != "{}") else { return Ok(None) };
        let Logged { r#type, to, label } = serde_json::from_str(&change.changes).map_err(Error::internal)?;
        let (old, new) = (r#type.0.as_ref().map(|_| label.0), r#type.1.as_ref().map(|_| label.1));
        let (Some(kind), Some(RecordId(to))) = (r#type.1.or(r#type.0), to.1.or(to.0)) else { return Ok(None) };
        Ok(Some((LinkEnds { from, kind, to }, Self { at: change.at, old, new })))
    }

    /// When a link was made by it.
    pub(super) fn made_at(&self) -> Option<i64> {
        (self.old.is_none() && self.new.is_some()).then_some(self.at)
    }
}

/// How links go back.
pub(super) struct LinkSteps {
    /// What takes links away.
    pub(super) go: Vec<Take>,
    /// What makes links, or changes what they are called.
    pub(super) come: Vec<Take>,
    /// How many links come to rest with records that are put away, and need no step.
    pub(super) rest: u64,
}

impl Session {
    /// Steps that take links away, and those that make them or change what they are called. What a record was made with
    /// stays with it: with one that stays, and at rest with one that is put away.
    pub(super) async fn link_steps(
        &self,
        links: IndexMap<LinkEnds, Vec<LinkChange>>,
        known: &HashMap<i64, Known>,
        made: &HashMap<i64, Made>,
        skipped: &mut Vec<Skipped>,
    ) -> Result<LinkSteps> {
        let led = |id: i64| known.get(&id).map_or(id, Known::led);
        let rests = |id: i64| known.get(&id).is_some_and(Known::rests);
        let key = |ends: &LinkEnds| LinkKey { from_id: led(ends.from), kind: ends.kind.clone(), to_id: led(ends.to) };
        let wanted: Vec<LinkKey> = links.keys().map(key).collect();
        let present = match wanted.is_empty() {
            true => Vec::new(),
            false => association::among(&mut self.reader().await?, &wanted).await?,
        };
        let present: HashMap<LinkKey, StoredLink> = present.into_iter().map(|link| (link.key(), link)).collect();
        let (mut go, mut come, mut rest) = (Vec::new(), Vec::new(), 0);
        for (ends, changes) in links {
            let key = key(&ends);
            let stored = present.get(&key);
            let now = stored.map(|link| link.label.clone());
            let (mut then, mut count) = (now.clone(), 0);
            let made_with = |change: &LinkChange, end: i64| {
                let at = change.made_at()?;
                made.get(&end).filter(|made| made.at == at)
            };
            for change in changes {
                let made = [ends.from, ends.to].into_iter().filter_map(|end| Some((end, made_with(&change, end)?)));
                let made: Vec<(i64, &Made)> = made.collect();
                if !made.is_empty() && made.iter().all(|(_, made)| !made.stays) && then == change.new {
                    rest += 1;
                    continue;
                }
                if let Some((end, _)) = made.into_iter().find(|(_, made)| made.stays) {
                    let other = if end == ends.from { ends.to } else { ends.from };
                    let reason =
                        format!("record {end}, which was made with the link to record {other}, is left as it is");
                    skipped.push(ends.skipped(reason));
                    continue;
                }
                if then == change.new {
                    (then, count) = (change.old, count + 1);
                    continue;
                }
                let reason = match (then.is_some(), change.new.is_some()) {
                    (false, _) => format!("the link to record {} has been taken away since", ends.to),
                    (true, false) => format!("the link to record {} has been made again since", ends.to),
                    (true, true) => format!("the link to record {} has been changed since", ends.to),
                };
                skipped.push(ends.skipped(reason));
            }
            let take = |operation: Operation| Take {
                step: operation.into(),
                changes: count,
                record: RecordId(ends.from),
                property: Some(ends.kind.clone()),
            };
            let (from, to) = (key.from_id.to_string(), key.to_id.to_string());
            match then {
                then if then == now => {}
                None if let Some(end) = [ends.from, ends.to].into_iter().find(|end| rests(*end)) => {
                    let reason = format!("record {end} is archived, and its links rest with it; restore it first");
                    skipped.push(ends.skipped(reason));
                }
                None => go.push(take(Operation::Dissociate { kind: key.kind.clone(), from, to })),
                Some(label) => {
                    let properties = stored.map_or(Ok(PropertiesInput::default()), |link| {
                        serde_json::from_str(&link.properties).map_err(Error::internal)
                    })?;
                    let kind = key.kind.clone();
                    come.push(take(Operation::Associate { kind, from, to, label, properties, replace: false }));
                }
            }
        }
        Ok(LinkSteps { go, come, rest })
    }
}
