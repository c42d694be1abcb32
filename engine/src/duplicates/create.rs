//! What happens when a record is made that rules take for a duplicate: it is refused, or its maker is told.
//!
//! On one node, records of which a rule may refuse some are made one after the other, so that of two that are alike one
//! is refused. Two nodes at the same moment may each make one; a scan finds them.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::duplicate::{DuplicateRule, OnCreate, shared_keys};
use engine_model::object::ObjectDefinition;
use engine_model::{Problem, Properties};

use super::AgreedRule;
use super::find::{Alike, Duplicate, Sight, Sought};
use crate::error::{Error, ErrorCode, Result};
use crate::records::called;
use crate::session::Session;

/// What comes of a record that is about to be made.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It may be made, and resembles these.
    Makes(Vec<Duplicate>),
    /// It may not.
    Refused(Error),
}

/// What rules have to do with new records of an object.
pub(crate) fn on_create(object: &ObjectDefinition) -> OnCreate {
    let rules = object.duplicates.iter().filter(|rule| rule.is_in_force(object));
    rules.map(|rule| rule.on_create).max().unwrap_or_default()
}

impl Session {
    /// What comes of these new records of an object, in order; they are made together. `warns` where somebody is there
    /// to be told what they resemble.
    pub(crate) async fn judge_new(
        &self,
        object: &ObjectDefinition,
        records: &[&Properties],
        warns: bool,
    ) -> Result<Vec<Verdict>> {
        let view = self.view_of_now().await?;
        let sought: Vec<_> = records.iter().map(|properties| Sought { properties, id: None }).collect();
        let refusing = |rule: &DuplicateRule| rule.on_create == OnCreate::Refuse;
        let in_the_way = match on_create(object) {
            OnCreate::Refuse => self.alike(&view, object, &sought, refusing, Sight::Everything).await?,
            OnCreate::Warn | OnCreate::Ignore => records.iter().map(|_| Vec::new()).collect(),
        };
        let resembled = match warns {
            true => {
                let warning = |rule: &DuplicateRule| rule.on_create != OnCreate::Ignore;
                self.alike(&view, object, &sought, warning, Sight::Caller).await?
            }
            false => records.iter().map(|_| Vec::new()).collect(),
        };
        let mut verdicts = Vec::with_capacity(records.len());
        let mut made: HashMap<(usize, String), usize> = HashMap::new();
        for (index, ((properties, in_the_way), resembled)) in records.iter().zip(in_the_way).zip(resembled).enumerate()
        {
            let error = match in_the_way.into_iter().next() {
                Some(alike) => Some(self.refusal(object, properties, alike)),
                None => twin(object, properties, index, &mut made),
            };
            verdicts.push(match error {
                Some(error) => Verdict::Refused(error),
                None => {
                    let told = resembled.iter().map(|alike| self.tell_duplicate(object, alike));
                    Verdict::Makes(told.collect::<Result<_>>()?)
                }
            });
        }
        Ok(verdicts)
    }

    /// Says what is in the way; which record that is only to whoever may see it, and all by which the two agree.
    fn refusal(&self, object: &ObjectDefinition, properties: &Properties, Alike { row, likeness }: Alike) -> Error {
        let mut rules = likeness.rules.iter().filter_map(|at| object.duplicates.get(*at));
        let seen = match self.caller.may(Action::Read, &object.name, &row) {
            true => rules.clone().find(|rule| self.sees_rule(object, rule)),
            false => None,
        };
        let is_seen = seen.is_some();
        let id = row.record_id();
        let advice = if is_seen { "; change that one instead" } else { "" };
        let mut error = duplicate(seen.or_else(|| rules.next()), properties, &called(id, is_seen), advice);
        if let Some(problem) = error.problems.first_mut().filter(|_| is_seen) {
            problem.samples.push(id.to_string());
        }
        error
    }
}

/// That one of the records before it in the same request is like it, by a rule of equal values.
fn twin(
    object: &ObjectDefinition,
    properties: &Properties,
    index: usize,
    made: &mut HashMap<(usize, String), usize>,
) -> Option<Error> {
    let refusing = object.duplicates.iter().enumerate().filter(|(_, rule)| rule.on_create == OnCreate::Refuse);
    let keys: Vec<_> = refusing
        .flat_map(|(at, rule)| shared_keys(rule, object, properties).into_iter().map(move |key| (at, key)))
        .collect();
    if let Some((at, key)) = keys.iter().find(|key| made.contains_key(*key)) {
        let first = made.get(&(*at, key.clone())).copied().unwrap_or_default();
        let record = format!("new record {first} of this request");
        return Some(duplicate(object.duplicates.get(*at), properties, &record, "; change that one instead"));
    }
    made.extend(keys.into_iter().map(|key| (key, index)));
    None
}

fn duplicate(rule: Option<&DuplicateRule>, properties: &Properties, record: &str, advice: &str) -> Error {
    let agreed = rule.map(AgreedRule::of).unwrap_or(AgreedRule { properties: Vec::new(), similar: false });
    let present = |name: &&String| properties.get(name.as_str()).is_some_and(|value| !value.is_null());
    let names: Vec<&str> = agreed.properties.iter().filter(present).map(String::as_str).collect();
    let pointer = names.first().map(|name| format!("/properties/{name}")).unwrap_or_default();
    let alike = if agreed.similar { "is like it" } else { "agrees with it" };
    let message = format!("a duplicate: {record} {alike} by `{}`{advice}", names.join("` and `"));
    Error::new(ErrorCode::Conflict, message.clone()).with(Problem::new(pointer, "duplicate", message))
}
