//! What a list of operations would do, without doing it.

use std::collections::{HashMap, HashSet};

use engine_model::RecordId;
use engine_store::association::{Direction, of_many};
use engine_store::commit::{NewLink, RecordRef, Refusal, UniqueValue, Write};
use engine_store::record;

use super::operation::{Effect, Step};
use super::ready::Ready;
use super::refusal::explain;
use crate::assignment::Assigning;
use crate::error::Result;
use crate::session::{Session, may_be_outdated};

/// How many links are looked at to tell new ones from those that are there.
const LINKS: i64 = 50_000;

impl Session {
    /// What [`Session::execute`] would do with each of `steps` for itself, without doing it.
    ///
    /// Taken unique values and duplicates that rules refuse are seen; overlapping intervals and links beyond a cardinality only show at the commit.
    pub(crate) async fn plan_only(&mut self, steps: &[Step]) -> Result<Vec<Result<Effect>>> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<usize> = (0..steps.len()).collect();
        let at = self.now();
        let (mut ready, mut failed) = self.plan_all(steps, &all, at, &Assigning::default()).await?;
        if failed.iter().any(|(_, error)| may_be_outdated(error)) && self.refresh().await? {
            (ready, failed) = self.plan_all(steps, &all, at, &Assigning::default()).await?;
        }
        // As where it is done.
        let misplaced = self.misplaced(&ready).await?;
        ready.retain(|ready| !misplaced.iter().any(|(index, _)| *index == ready.index));
        failed.extend(misplaced);
        let mut results: Vec<(usize, Result<Effect>)> =
            failed.into_iter().map(|(index, error)| (index, Err(error))).collect();
        let refused = self.judge(&mut ready, false).await?;
        ready.retain(|ready| !refused.iter().any(|(index, _)| *index == ready.index));
        results.extend(refused.into_iter().map(|(index, error)| (index, Err(error))));
        let taken = self.taken(&ready).await?;
        let onlooker = self.onlooker(taken.iter().flatten().collect()).await?;
        let present = self.present_links(&ready).await?;
        for (ready, refusals) in ready.iter().zip(taken) {
            let links_more =
                ready.plan.links.iter().any(|link| !key_of(link).is_some_and(|key| present.contains(&key)));
            let effect = match ready.plan.effect {
                Effect::Unchanged if links_more => Effect::Changed,
                planned => planned,
            };
            let result = match refusals.is_empty() {
                true => Ok(effect),
                false => Err(explain(&refusals, ready.plan.links_at(), &onlooker)),
            };
            results.push((ready.index, result));
        }
        results.sort_unstable_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// For each plan, the values it would take that others have: stored records, or earlier plans.
    async fn taken(&self, ready: &[Ready]) -> Result<Vec<Vec<Refusal>>> {
        let mut claims: Vec<Vec<(RecordRef, UniqueValue)>> = Vec::with_capacity(ready.len());
        let mut released: HashSet<UniqueValue> = HashSet::new();
        for ready in ready {
            let mut own = Vec::new();
            for write in ready.plan.writes(&self.catalog)? {
                match write {
                    Write::Claim(record, value) => own.push((record, value)),
                    Write::Release(_, value) => drop(released.insert(value)),
                    _ => {}
                }
            }
            claims.push(own);
        }
        let values: Vec<UniqueValue> = claims.iter().flatten().map(|(_, value)| value.clone()).collect();
        if values.is_empty() {
            return Ok(claims.iter().map(|_| Vec::new()).collect());
        }
        let stored = record::holders(&mut self.reader().await?, &values).await?;
        let stored: HashMap<UniqueValue, RecordId> =
            stored.into_iter().filter(|(value, _)| !released.contains(value)).collect();
        let other = |(record, value): (RecordRef, UniqueValue)| {
            let holder = *stored.get(&value)?;
            (record != RecordRef::Id(holder)).then_some(Refusal::Taken { value, holder })
        };
        Ok(claims.into_iter().map(|own| own.into_iter().filter_map(other).collect()).collect())
    }

    /// Which of the links that the plans would make are there.
    async fn present_links(&self, ready: &[Ready]) -> Result<HashSet<LinkKey>> {
        let mut starts: HashMap<String, Vec<i64>> = HashMap::new();
        for (kind, from, _) in ready.iter().flat_map(|ready| &ready.plan.links).filter_map(key_of) {
            starts.entry(kind).or_default().push(from);
        }
        let mut present = HashSet::new();
        let mut reader = self.reader().await?;
        for (kind, mut from) in starts {
            from.sort_unstable();
            from.dedup();
            let links = of_many(&mut reader, from, &kind, Direction::Out, LINKS).await?;
            present.extend(links.into_iter().map(|link| (kind.clone(), link.near_id, link.id)));
        }
        Ok(present)
    }
}

/// An association's name, and the ids of both ends.
type LinkKey = (String, i64, i64);

/// A link between records that are both stored.
fn key_of(link: &NewLink) -> Option<LinkKey> {
    match (link.from, link.to) {
        (RecordRef::Id(from), RecordRef::Id(to)) => Some((link.kind.clone(), from.0, to.0)),
        (RecordRef::Id(_) | RecordRef::New(_), _) => None,
    }
}
