//! What the commit refuses, as it is told: what is in the way, and which record that is to whoever may see it.

use std::collections::HashSet;

use engine_model::access::{Action, Reach, Rights};
use engine_model::{Problem, RecordId};
use engine_store::commit::{RecordRef, Refusal};
use engine_store::record::many;

use super::write::outrun;
use crate::definitions::catalog::Catalog;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Who is told.
pub(super) struct Onlooker<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) rights: &'a Rights,
    /// Records in the way that it may see, where it may not see all of their kind.
    pub(super) seen: HashSet<RecordId>,
}

impl<'a> Onlooker<'a> {
    /// One who is told of no record unless it sees all of its object.
    pub(super) fn strict(catalog: &'a Catalog, rights: &'a Rights) -> Self {
        Self { catalog, rights, seen: HashSet::new() }
    }

    /// Whether it may see a record, of this object where that is known.
    fn sees(&self, id: RecordId, object: Option<&str>) -> bool {
        let sees_all = match object {
            Some(object) => self.rights.grants(object).read == Reach::ALL,
            None => self.rights.reads_every_record(),
        };
        sees_all || self.seen.contains(&id)
    }

    /// The records in the way of which it may see some of their kind only.
    fn unsure(&self, refusals: &[&Refusal]) -> Vec<i64> {
        let in_the_way = refusals.iter().flat_map(|refusal| match refusal {
            Refusal::Stale(_) | Refusal::Missing(_) => [None, None],
            Refusal::Taken { value, holder } => [Some((*holder, Some(value.object.as_str()))), None],
            Refusal::Overlap { interval, holder } => [Some((*holder, Some(interval.object.as_str()))), None],
            Refusal::Cardinality { from, to, .. } => [Some((*from, None)), Some((*to, None))],
        });
        in_the_way.flatten().filter(|(id, object)| !self.sees(*id, *object)).map(|(id, _)| id.0).collect()
    }

    /// Whether it may see a record with all of these properties, joined by `,`.
    fn sees_with(&self, id: RecordId, object: &str, properties: &str) -> bool {
        let registry = &self.catalog.effective.registry;
        let reads = |name: &str| {
            let object = registry.objects.get(object);
            let found = object.and_then(|object| Some((object, object.property_called(name)?)));
            found.is_some_and(|(object, property)| self.rights.reads(registry, object, property))
        };
        self.sees(id, Some(object)) && properties.split(',').all(reads)
    }
}

impl Session {
    /// The caller, with those of the records in the way that it may see.
    pub(super) async fn onlooker(&self, refusals: Vec<&Refusal>) -> Result<Onlooker<'_>> {
        let mut onlooker = Onlooker::strict(&self.catalog, &self.caller.rights);
        let unsure = onlooker.unsure(&refusals);
        if !unsure.is_empty() {
            let rows = many(&mut self.reader().await?, unsure).await?;
            let seen = rows.iter().filter(|row| self.caller.may(Action::Read, &row.object, *row));
            onlooker.seen = seen.map(|row| RecordId(row.id)).collect();
        }
        Ok(onlooker)
    }
}

/// What a refused item is answered; `links_at` is where its body speaks of links.
pub(super) fn explain(refusals: &[Refusal], links_at: &str, onlooker: &Onlooker<'_>) -> Error {
    let mut problems = Vec::with_capacity(refusals.len());
    let mut code = ErrorCode::Conflict;
    for refusal in refusals {
        let problem = match refusal {
            Refusal::Stale(_) => return outrun(),
            Refusal::Missing(record) => {
                code = ErrorCode::ValidationFailed;
                Problem::new(links_at, "not_found", format!("{} does not exist or is archived", described(*record)))
            }
            Refusal::Taken { value, holder } => {
                let names: Vec<&str> = value.properties.split(',').collect();
                let (subject, verb) = match names.as_slice() {
                    [only] => (format!("`{only}`"), "has this value"),
                    many => (format!("`{}`", many.join("` and `")), "have these values"),
                };
                let pointer = names.first().map(|name| format!("/properties/{name}")).unwrap_or_default();
                let is_seen = onlooker.sees_with(*holder, &value.object, &value.properties);
                let by = called(*holder, is_seen);
                let message = format!("{subject} must be unique, and {by} already {verb}");
                in_the_way(Problem::new(pointer, "taken", message), [(*holder, is_seen)])
            }
            Refusal::Overlap { interval, holder } => {
                let from = interval.properties.split(',').nth(1).unwrap_or_default();
                let is_seen = onlooker.sees_with(*holder, &interval.object, &interval.properties);
                let message = format!("the interval overlaps that of {}", called(*holder, is_seen));
                let problem = Problem::new(format!("/properties/{from}"), "overlap", message);
                in_the_way(problem, [(*holder, is_seen)])
            }
            Refusal::Cardinality { kind, from, to } => {
                if problems.is_empty() {
                    code = ErrorCode::Cardinality;
                }
                let ends = [from, to].map(|id| (*id, onlooker.sees(*id, None)));
                let [from, to] = ends.map(|(id, is_seen)| called(id, is_seen));
                let message = format!(
                    "`{kind}` allows no further link here: {from} is already linked to {to}; replace that link or take \
                     it away first"
                );
                in_the_way(Problem::new(links_at, "cardinality", message), ends)
            }
        };
        problems.push(problem);
    }
    let detail = match problems.as_slice() {
        [only] => only.message.clone(),
        many => format!("{} conflicts; see `errors`", many.len()),
    };
    Error { code, detail, problems, source: None, replay: None }
}

/// What a record in the way is called for whoever sees it, and for whoever does not.
pub(crate) fn called(id: RecordId, is_seen: bool) -> String {
    if is_seen { format!("record {id}") } else { "another record".to_owned() }
}

fn in_the_way<const N: usize>(mut problem: Problem, records: [(RecordId, bool); N]) -> Problem {
    let seen = records.into_iter().filter(|(_, is_seen)| *is_seen);
    problem.samples.extend(seen.map(|(id, _)| id.to_string()));
    problem
}

fn described(record: RecordRef) -> String {
    match record {
        RecordRef::Id(id) => format!("record {id}"),
        RecordRef::New(_) => "a record of the same request".to_owned(),
    }
}
