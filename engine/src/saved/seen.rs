//! What something saved says of properties that the caller may not see: that is told, and values are taken out of it.

use engine_model::access::Reach;
use engine_model::behavior::{Behavior, Content};
use engine_model::json::read;
use engine_model::query::ast::FilterText;
use engine_model::{Problem, Problems};
use engine_store::Reader;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::check::{filter_of, no_list};
use super::item::Known;
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::lists::{OutOfReach, Why};
use crate::session::Session;

/// What is left of a condition on what the caller may not see, beside `hidden: true`.
const SHOWN: [&str; 5] = ["property", "association", "direction", "quantifier", "op"];

impl Session {
    /// Something saved as the caller may look at it.
    pub(super) async fn as_seen(&self, reader: &mut Reader, known: Known) -> Result<Known> {
        let mut known = self.without_unseen(known);
        let Some(behavior) = &known.behavior else { return Ok(known) };
        for OutOfReach { at, id, why } in self.lists_out_of_reach(reader, filter_of(behavior)).await? {
            let what = match why {
                Why::Gone => {
                    known.item.warnings.push(no_list(at, &id));
                    continue;
                }
                Why::Hidden => "a list that you may not see",
                Why::AsksHidden => "a list that asks about links to records of which you may read none",
            };
            let message = format!("the {} filters by {what}", behavior.section.kind());
            let problem = Problem::new(at, "forbidden", message);
            if let (Some(filter), Some(at)) =
                (known.item.spec.get_mut("filter"), problem.pointer.strip_prefix("/filter"))
            {
                mask(filter, at);
            }
            known.hidden.push(problem.clone());
            known.item.warnings.push(problem);
        }
        Ok(known)
    }

    /// The same as far as definitions tell.
    fn without_unseen(&self, mut known: Known) -> Known {
        if self.caller.rights.reads_everything() {
            return known;
        }
        let Some(behavior) = known.behavior.clone() else {
            // What it is about cannot be told.
            known.item.spec.get_mut("filter").into_iter().for_each(|filter| mask(filter, ""));
            return known;
        };
        let unseen = self.unseen_in(&behavior, &known.item.warnings);
        if let Some(filter) = known.item.spec.get_mut("filter") {
            let object = behavior.object().unwrap_or_default();
            let gone = self.unseen_of_gone(object, filter, &known.item.warnings);
            let unread = self.unreadable_in(&behavior);
            let pointers = unread.iter().chain(unseen.iter().map(|problem| &problem.pointer));
            let pointers = pointers.filter_map(|pointer| pointer.strip_prefix("/filter"));
            pointers.chain(gone.iter().map(String::as_str)).for_each(|pointer| mask(filter, pointer));
        }
        let unread = self.unread_links_in(&behavior);
        let hidden = unseen.iter().map(|problem| &problem.pointer).chain(&unread);
        known.hidden = hidden.map(|pointer| self.hidden(&behavior, pointer)).collect();
        known.item.warnings.extend(known.hidden.iter().cloned());
        known
    }

    /// What is wrong with it for the caller alone, who does not see something that it names; `known` is wrong for all.
    pub(super) fn unseen_in(&self, behavior: &Behavior, known: &[Problem]) -> Problems {
        let mut found = self.wrong_for_caller(behavior);
        found.retain(|problem| !known.iter().any(|other| other.pointer == problem.pointer));
        found
    }

    /// Where a filter asks about properties that are not there any more, and that the caller would not see if they were.
    /// Of those at the other end of a link nobody knows whose they were.
    pub(crate) fn unseen_of_gone(&self, object: &str, filter: &Value, problems: &[Problem]) -> Vec<String> {
        let registry = &self.catalog.effective.registry;
        let object = registry.objects.get(object);
        let is_unseen = |pointer: &&str| {
            let name = filter.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let found = object.and_then(|object| Some((object, object.properties.get(name)?)));
            pointer.contains("/match/")
                || found.is_some_and(|(object, property)| !self.caller.reads(registry, object, property))
        };
        let at = problems.iter().filter_map(|problem| problem.pointer.strip_prefix("/filter"));
        at.filter(|pointer| pointer.ends_with("/property")).filter(is_unseen).map(str::to_owned).collect()
    }

    /// What is wrong with it as far as the caller sees definitions.
    pub(super) fn wrong_for_caller(&self, behavior: &Behavior) -> Problems {
        self.catalog.effective.registry.check_behavior_for(behavior, &self.caller.rights)
    }

    /// Where it speaks of records of which the caller may read none.
    fn unreadable_in(&self, behavior: &Behavior) -> Vec<String> {
        let is_unread = |object: &str| self.caller.rights.grants(object).read == Reach::NONE;
        if behavior.object().is_some_and(is_unread) {
            return vec!["/filter".to_owned()];
        }
        let named = self.catalog.effective.registry.mentioned_by(behavior).into_iter();
        named.filter(|mention| is_unread(&mention.object)).map(|mention| mention.pointer).collect()
    }

    /// Where it filters by linked records of which the caller may read none.
    fn unread_links_in(&self, behavior: &Behavior) -> Vec<String> {
        let raw = filter_of(behavior).and_then(|filter| to_raw_value(filter).ok());
        let text = raw.as_ref().and_then(|raw| read::<FilterText>(raw).ok());
        let (Some(object), Some(text)) = (behavior.object(), text) else { return Vec::new() };
        self.unread_links(&text, object).into_iter().map(|at| format!("/filter{at}")).collect()
    }

    /// Says that the caller may not see what stands at a place, without what it is compared with.
    fn hidden(&self, behavior: &Behavior, pointer: &str) -> Problem {
        let name = find(&behavior.spec, pointer).and_then(Value::as_str);
        let name = name.map_or_else(|| "what stands here".to_owned(), |name| format!("`{}`", shortened(name)));
        let (kind, role) = (behavior.section.kind(), &self.caller.role);
        let message = match &behavior.content {
            Content::View(_) if pointer.starts_with("/filter") => {
                format!("the {kind} filters by {name}, which the role `{role}` does not allow to read")
            }
            Content::View(_) => format!("the role `{role}` does not allow to read {name}, so it is left out"),
            _ => format!("the {kind} is made of {name}, which the role `{role}` does not allow to read"),
        };
        Problem::new(pointer, "forbidden", message)
    }
}

/// Refuses what cannot be shown without what the caller may not see.
pub(super) fn check_hidden(hidden: impl IntoIterator<Item = Problem>) -> Result<()> {
    let problems: Problems = hidden.into_iter().collect();
    match problems.as_slice() {
        [] => Ok(()),
        [only] => Err(Error { problems: vec![only.clone()], ..Error::forbidden(only.message.clone()) }),
        many => {
            let detail = format!("{} things in it may not be read; see `errors`", many.len());
            Err(Error { problems, ..Error::forbidden(detail) })
        }
    }
}

fn find<'v>(spec: &'v Map<String, Value>, pointer: &str) -> Option<&'v Value> {
    let inner = pointer.strip_prefix('/')?;
    let (key, rest) = inner.split_at(inner.find('/').unwrap_or(inner.len()));
    spec.get(key)?.pointer(rest)
}

/// Takes out of a filter what a condition compares with; `pointer` leads to what that is about, or is empty for all of it.
pub(crate) fn mask(filter: &mut Value, pointer: &str) {
    let condition = pointer.rsplit_once('/').map_or("", |(above, _)| above);
    if let Some(Value::Object(condition)) = filter.pointer_mut(condition) {
        condition.retain(|key, _| SHOWN.contains(&key.as_str()));
        condition.insert("hidden".to_owned(), Value::Bool(true));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_keep_what_they_are_about_only() {
        let mut filter = json!({"all": [{"property": "ssn", "op": "eq", "value": "1"}, {"property": "name", "op": "exists"},
            {"not": {"association": "a", "match": {"property": "pin", "op": "in", "value": ["2"]}}}]});
        for pointer in ["/all/0/property", "/all/2/not/match/property", "/all/7/property"] {
            mask(&mut filter, pointer);
        }
        let expected = json!({"all": [{"property": "ssn", "op": "eq", "hidden": true}, {"property": "name", "op": "exists"},
            {"not": {"association": "a", "match": {"property": "pin", "op": "in", "hidden": true}}}]});
        assert_eq!(filter, expected);
        mask(&mut filter, "");
        assert_eq!(filter, json!({"hidden": true}));
    }
}
