//! From the rows of a chunk to the operations that carry them out.

use std::collections::HashMap;

use engine_model::problem::push_segment;
use engine_store::commit::UniqueValue;
use serde_json::Value;
use serde_json::value::to_raw_value;

use super::bind::Bound;
use super::lookup::{Targets, Users, value_of};
use super::map::LinkAim;
use super::row::{Linked, RowDraft, Wanted, WantedLink};
use super::seen::Seen;
use crate::definitions::catalog::{Catalog, shortened};
use crate::records::{LinkInput, Operation, PropertiesInput, RecordInput, Step, unique_value};

/// Stands for a record that a rehearsal knows will be there.
const REHEARSED: &str = "";

/// What rows are carried out with.
pub(super) struct Steps<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) bound: &'a Bound,
    pub(super) users: &'a Users,
    pub(super) targets: &'a Targets,
    /// Keys of rows before this chunk, of which nothing is stored because this is a rehearsal.
    pub(super) rehearsed: Option<&'a Seen>,
    /// Unique values that rows of this chunk give to records of theirs, and the rows' references.
    earlier: HashMap<UniqueValue, String>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        bound: &'a Bound,
        users: &'a Users,
        targets: &'a Targets,
        rehearsed: Option<&'a Seen>,
    ) -> Self {
        Self { catalog, bound, users, targets, rehearsed, earlier: HashMap::new() }
    }

    /// The operation of a row; what cannot be found is noted as the row's problem.
    pub(super) fn step(&mut self, draft: &mut RowDraft) -> Step {
        let associations = std::mem::take(&mut draft.links);
        let associations = associations.into_iter().filter_map(|link| self.link(link, draft)).collect();
        for (property, wanted) in std::mem::take(&mut draft.users) {
            let at = push_segment("/properties", &property);
            match self.users.find(&wanted).map(|user| to_raw_value(&user)) {
                Ok(Ok(raw)) => draft.properties.push((property, raw)),
                Ok(Err(error)) => draft.problem(wanted.column.as_deref(), at, "invalid", error.to_string()),
                Err(_) if draft.is_exported => {}
                Err(message) => draft.problem(wanted.column.as_deref(), at, "not_found", message),
            }
        }
        let owner = draft.owner.take().and_then(|wanted| match self.users.find(&wanted) {
            Ok(user) => Some(Some(user.to_string())),
            Err(message) => {
                draft.problem(wanted.column.as_deref(), "/owner_id", "not_found", message);
                None
            }
        });
        let reference = self.remember(draft);
        let input = RecordInput {
            properties: PropertiesInput(std::mem::take(&mut draft.properties)),
            owner,
            team: None,
            associations,
        };
        let object = self.bound.object.clone();
        let operation = match &self.bound.key {
            Some(key) => Operation::Upsert { object, id_property: key.clone(), id: None, input },
            None => Operation::Create { object, input },
        };
        Step { reference, operation }
    }

    fn link(&self, link: WantedLink, draft: &mut RowDraft) -> Option<LinkInput> {
        let WantedLink { wanted, is_id, properties } = link;
        let to = if is_id { wanted.text.clone() } else { self.target(&wanted, draft)? };
        if to == REHEARSED {
            return None;
        }
        let words = if is_id { format!("record `{}`", shortened(&to)) } else { described(&wanted) };
        let is_found = !is_id && !to.starts_with('$');
        draft.linked.push(Linked { column: wanted.column.clone(), to: words, is_found });
        let LinkAim { association, label, .. } = wanted.by;
        Some(LinkInput { kind: association, to, label, properties })
    }

    /// The record that a link leads to, by id or reference.
    fn target(&self, wanted: &Wanted<LinkAim>, draft: &mut RowDraft) -> Option<String> {
        let value = value_of(self.catalog, wanted);
        let found = value.as_ref().and_then(|value| {
            let stored = self.targets.find(value).map(|id| id.to_string());
            let made = || self.earlier.get(value).map(|reference| format!("${reference}"));
            let rehearsed = || self.rehearsed.filter(|seen| seen.has(value)).map(|_| REHEARSED.to_owned());
            stored.or_else(made).or_else(rehearsed)
        });
        if found.is_none() {
            let (code, message) = match value {
                Some(_) => ("not_found", format!("there is no {}", described(wanted))),
                None => ("invalid", format!("there can be no {}", described(wanted))),
            };
            draft.problem(wanted.column.as_deref(), "/associations", code, message);
        }
        found
    }

    /// Lets later rows of the chunk link to this one, which is not stored yet.
    fn remember(&mut self, draft: &RowDraft) -> Option<String> {
        let is_linked_to = self.bound.may_link_to_itself() && draft.problems.is_empty();
        let object = self.catalog.object(&self.bound.object).ok().filter(|_| is_linked_to)?;
        let reference = format!("row{}", draft.row);
        let mut is_known = false;
        for property in object.properties.values().filter(|property| property.unique) {
            let given = draft.value(&property.name).and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
            if let Some(value) =
                given.and_then(|given| unique_value(&self.catalog.locale, object, &property.name, &given))
            {
                self.earlier.entry(value).or_insert_with(|| reference.clone());
                is_known = true;
            }
        }
        is_known.then_some(reference)
    }
}

/// A record to be found, in words.
fn described(wanted: &Wanted<LinkAim>) -> String {
    let LinkAim { object, by, .. } = &wanted.by;
    format!("`{}` whose `{by}` is `{}`", object, shortened(&wanted.text))
}
