//! Pairs of records that scans have found, ranked, and what people say of them.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::duplicate::{DuplicateRule, Likeness, Traits};
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, Sequence, UserId};
use engine_store::duplicate::{self, PairPlace, PairRow};
use engine_store::record::{RecordRow, many};

use super::AgreedRule;
use super::find::{Alike, Duplicate};
use crate::access::Given;
use crate::error::{Error, Result};
use crate::records::{Page, Target, View, bad_parameter, make_name_cursor, read_name_cursor, stored};
use crate::session::Session;

/// Pairs that are read at a time.
const CHUNK: i64 = 200;

/// Pairs that one call looks at; where it has found less than a page among them, the page is shorter.
const MOST_LOOKED_AT: usize = 5_000;

/// Which pairs are wanted.
#[derive(Debug, Clone, Default)]
pub struct PairsQuery {
    /// Those that somebody has dismissed, instead of the others.
    pub dismissed: bool,
    /// At most this many, from 1 to 200.
    pub limit: usize,
    /// Where the page begins; what the page before said.
    pub cursor: Option<String>,
}

/// Two records that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicatePair {
    /// Both, the older one first; each with the score and the rules of the pair.
    pub records: [Duplicate; 2],
    /// Percent sure that they are the same.
    pub score: u8,
    /// The rules by which they agree.
    pub rules: Vec<AgreedRule>,
    /// When a scan found them.
    pub found_at: Timestamp,
    /// When somebody said that they are not the same.
    pub dismissed_at: Option<Timestamp>,
    /// Who that was.
    pub dismissed_by: Option<UserId>,
}

impl Session {
    /// Pairs that scans have found, the surest first: as far as both records are there, still agree, and may be seen.
    pub async fn duplicate_pairs(&mut self, object: &str, query: &PairsQuery) -> Result<Page<DuplicatePair>> {
        self.wait_for_position().await?;
        self.refresh().await?;
        let object = self.catalog.object(object)?;
        self.caller.check_any(Action::Read, &object.name)?;
        let list = format!("duplicates.{}.{}", object.name, query.dismissed);
        let mut after = query.cursor.as_deref().map_or(Ok(PairPlace::START), |cursor| read_place(cursor, &list))?;
        let (mut results, mut given, mut looked_at) = (Vec::new(), Given::default(), 0);
        let next = 'pages: loop {
            let rows = duplicate::page(&mut self.reader().await?, &object.name, query.dismissed, after, CHUNK).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < CHUNK);
            looked_at += rows.len();
            let records = self.both_of(&rows).await?;
            for row in rows {
                if results.len() == query.limit {
                    break 'pages Some(after);
                }
                after = row.place();
                results.extend(self.tell_pair(object, &row, &records, &mut given)?);
            }
            if is_last {
                break None;
            }
            if looked_at >= MOST_LOOKED_AT {
                break Some(after);
            }
        };
        self.write_down(given).await?;
        let next_cursor = next.map(|PairPlace { doubt, first_id, second_id }| {
            make_name_cursor(&list, &format!("{doubt}.{first_id}.{second_id}"))
        });
        Ok(Page { results, next_cursor })
    }

    async fn both_of(&self, pairs: &[PairRow]) -> Result<HashMap<i64, (RecordRow, Properties)>> {
        let mut ids: Vec<i64> = pairs.iter().flat_map(|pair| [pair.first_id, pair.second_id]).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = if ids.is_empty() { Vec::new() } else { many(&mut self.reader().await?, ids).await? };
        let registry = &self.catalog.effective.registry;
        let read = |row: RecordRow| {
            let properties = stored::read(registry, &row.object, &row.properties)?;
            Ok((row.id, (row, properties)))
        };
        rows.into_iter().map(read).collect()
    }

    /// A pair as it is by now; none where it is one no longer, or the caller may not see it.
    fn tell_pair(
        &self,
        object: &ObjectDefinition,
        pair: &PairRow,
        records: &HashMap<i64, (RecordRow, Properties)>,
        given: &mut Given,
    ) -> Result<Option<DuplicatePair>> {
        let found = |id: i64| {
            let is_seen = |row: &RecordRow| {
                row.object == object.name.as_str()
                    && row.archived_at.is_none()
                    && row.merged_into.is_none()
                    && self.caller.may(Action::Read, &object.name, row)
            };
            records.get(&id).filter(|(row, _)| is_seen(row))
        };
        let Some(((first, one), (second, other))) = found(pair.first_id).zip(found(pair.second_id)) else {
            return Ok(None);
        };
        let sees = |rule: &DuplicateRule| self.sees_rule(object, rule);
        let likeness = Traits::of(object, one, sees).likeness(object, &Traits::of(object, other, sees));
        let Some(likeness) = likeness else { return Ok(None) };
        let mut tell = |row: &RecordRow, likeness: Likeness| {
            self.tell_duplicate(object, Alike { row: row.clone(), likeness }, given)
        };
        let records = [tell(first, likeness.clone())?, tell(second, likeness)?];
        let (score, rules) = (records[0].score, records[0].rules.clone());
        Ok(Some(DuplicatePair {
            records,
            score,
            rules,
            found_at: Timestamp(pair.found_at),
            dismissed_at: pair.dismissed_at.map(Timestamp),
            dismissed_by: pair.dismissed_by.map(UserId),
        }))
    }

    /// Says that two records are not the same, or takes that back. For whoever may change both.
    pub async fn duplicate_dismiss(
        &mut self,
        object: &str,
        [one, other]: [&str; 2],
        dismisses: bool,
    ) -> Result<Sequence> {
        let one = self.changeable(object, one).await?;
        let other = self.changeable(object, other).await?;
        let (first, second) = (one.min(other), one.max(other));
        let by = dismisses.then(|| (self.now(), Some(self.caller.user).filter(|user| user.0 != 0)));
        let mut tx = duplicate::keep(self.engine.store(), self.tenant()).await?;
        if !duplicate::dismiss(&mut tx, first.0, second.0, by).await? {
            return Err(Error::not_found(format!("no scan has found records {first} and {second} to be alike")));
        }
        tx.commit().await?;
        self.position().await
    }

    async fn changeable(&mut self, object: &str, id: &str) -> Result<RecordId> {
        let record = self.record_found(object, &Target::id(id), &View::default()).await?.record;
        let row = many(&mut self.reader().await?, vec![record.id.0]).await?.into_iter().next();
        let row = row.ok_or_else(|| Error::not_found(format!("there is no record {}", record.id)))?;
        self.caller.check(Action::Update, object, &row)?;
        Ok(record.id)
    }
}

fn read_place(cursor: &str, list: &str) -> Result<PairPlace> {
    let numbers: Option<Vec<i64>> =
        read_name_cursor(cursor, list)?.split('.').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[doubt, first_id, second_id]) => Ok(PairPlace { doubt, first_id, second_id }),
        _ => Err(bad_parameter("cursor", "this cursor is not one that this list has given")),
    }
}
