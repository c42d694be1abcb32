//! Links that give way to new ones: who writes takes none away that it may not see or change.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::{Problem, RecordId};
use engine_store::association::{Direction, LinkRow, of_many};
use engine_store::commit::{NewLink, RecordRef, Replace};
use engine_store::{Reader, record};

use super::operation::Operation;
use super::plan::Planner;
use super::refusal::called;
use super::reserved::keeps_records;
use super::state::State;
use super::workspace::{Workspace, upsert_key};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Most links in the way of others that are read at a time; there is one for each end, unless the association allowed
/// more once.
const MOST: i64 = 50_000;

/// Where a record has one link at most: name of the association, the record, and its end.
type Spot = (String, RecordRef, Direction);

/// Links that leave no room for new ones which are to take their places.
#[derive(Debug, Default)]
pub(crate) struct InTheWay {
    stored: HashMap<Spot, Vec<LinkRow>>,
    /// Those of the records across that administrators and automation may keep to themselves.
    kept: HashMap<i64, State>,
    /// The other ends of those that operations of the same list have made.
    made: HashMap<Spot, Vec<RecordRef>>,
}

impl InTheWay {
    /// Takes over a link that an operation makes.
    pub(super) fn note(&mut self, link: &NewLink) {
        for (spot, end) in spots(link) {
            self.made.entry(spot).or_default().push(end);
        }
    }
}

/// The ends of a link that may have no other one, each with the end across.
fn spots(link: &NewLink) -> impl Iterator<Item = (Spot, RecordRef)> {
    let start = (link.limits_from, link.from, Direction::Out, link.to);
    let end = (link.limits_to, link.to, Direction::In, link.from);
    let limited = [start, end].into_iter().filter(|(is_limited, ..)| *is_limited);
    limited.map(|(_, near, direction, far)| ((link.kind.clone(), near, direction), far))
}

impl Session {
    /// The links in the way of those that the operations make in place of others: one statement for each kind and end.
    pub(super) async fn in_the_way(
        &self,
        reader: &mut Reader,
        workspace: &Workspace,
        operations: &[&Operation],
    ) -> Result<InTheWay> {
        let mut wanted: HashMap<(String, Direction), Vec<i64>> = HashMap::new();
        let associations = &self.catalog.effective.registry.associations;
        for (kind, end) in operations.iter().flat_map(|operation| self.replacing(workspace, operation)) {
            let (Some(association), Some(id)) = (associations.get(kind), end.id()) else { continue };
            let starts = association.from.as_str() == end.object && association.cardinality.limits_from();
            let ends = association.to.accepts(&end.object) && association.cardinality.limits_to();
            for (_, direction) in [(starts, Direction::Out), (ends, Direction::In)].into_iter().filter(|(may, _)| *may)
            {
                wanted.entry((kind.to_owned(), direction)).or_default().push(id.0);
            }
        }
        let (mut found, mut kept) = (InTheWay::default(), Vec::new());
        let registry = &self.catalog.effective.registry;
        for ((kind, direction), mut records) in wanted {
            records.sort_unstable();
            records.dedup();
            for row in of_many(reader, records, &kind, direction, MOST).await? {
                let object = registry.objects.get(row.object.as_str());
                kept.extend(object.filter(|object| keeps_records(object)).map(|_| row.id));
                let spot = (kind.clone(), RecordRef::Id(RecordId(row.near_id)), direction);
                found.stored.entry(spot).or_default().push(row);
            }
        }
        if !kept.is_empty() {
            for row in record::many(reader, kept).await? {
                found.kept.insert(row.id, State::from_row(row, registry)?);
            }
        }
        Ok(found)
    }

    /// Records at the ends of links that an operation makes in place of others; those that are made with it have none.
    fn replacing<'w>(&self, workspace: &'w Workspace, operation: &'w Operation) -> Vec<(&'w str, &'w State)> {
        let catalog = &self.catalog;
        let (near, input) = match operation {
            Operation::Associate { kind, from, to, replace: true, .. } => {
                let ends = [from, to].into_iter().filter_map(|id| workspace.find_any(id));
                return ends.map(|end| (kind.as_str(), end)).collect();
            }
            _ if !self.replaces_some() => return Vec::new(),
            Operation::Update { object, target, input, .. } => {
                let found = catalog.object(object).and_then(|object| workspace.find(catalog, object, target));
                (found.ok(), input)
            }
            Operation::Upsert { object, id_property, id, input } => {
                let object = catalog.object(object);
                let key = object.and_then(|object| upsert_key(catalog, object, id_property, id.as_deref(), input));
                (key.ok().and_then(|key| workspace.holder(&key)), input)
            }
            _ => return Vec::new(),
        };
        let Some(near) = near else { return Vec::new() };
        input.associations.iter().map(|link| (link.kind.as_str(), near)).collect()
    }

    /// Whether it is an import of somebody for whom not every link gives way to its own.
    fn replaces_some(&self) -> bool {
        self.is_import() && !self.caller.takes_any_link()
    }
}

impl Planner<'_> {
    /// Which links may give way to a new one; refuses one that would take away what the caller may not see, or may
    /// change at neither end.
    pub(super) fn replace(&self, link: &NewLink) -> Result<Replace> {
        let in_the_way = &self.workspace.in_the_way;
        let mut giving = Vec::new();
        for (spot, across) in spots(link) {
            giving.extend(in_the_way.made.get(&spot).into_iter().flatten().copied());
            let (_, near, _) = spot;
            for row in in_the_way.stored.get(&spot).into_iter().flatten() {
                let far = RecordRef::Id(RecordId(row.id));
                if far == across {
                    continue;
                }
                let is_known = self.basis.catalog.object(&row.object).is_ok();
                if !is_known || !self.caller.may(Action::Read, &row.object, row) {
                    return Err(hidden(&link.kind, near));
                }
                let is_changed = |state: &State| self.caller.may(Action::Update, &state.object, state);
                if !self.workspace.state(near).is_some_and(is_changed) {
                    self.caller.check(Action::Update, &row.object, row)?;
                }
                if let Some((object, state)) =
                    self.basis.catalog.object(&row.object).ok().zip(in_the_way.kept.get(&row.id))
                {
                    self.basis.check_kept(object, state)?;
                }
                giving.push(far);
            }
        }
        Ok(Replace::These(giving))
    }
}

fn hidden(kind: &str, near: RecordRef) -> Error {
    let near = match near {
        RecordRef::Id(id) => called(id, true),
        RecordRef::New(_) => "a record of the same request".to_owned(),
    };
    let message = format!(
        "`{kind}` allows no further link here: {near} is already linked to a record that you may not see, so that this \
         link cannot be replaced"
    );
    Error::new(ErrorCode::Cardinality, message.clone()).with(Problem::new("", "cardinality", message))
}
