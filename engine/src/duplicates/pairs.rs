//! Pairs of records that scans have found, ranked, and what people say of them.

use std::collections::HashMap;

use engine_model::access::Action;
use engine_model::duplicate::{DuplicateRule, Traits};
use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, UserId};
use engine_store::duplicate::{self, PairPlace, PairRow};
use engine_store::record::{RecordRow, many};

use super::AgreedRule;
use super::find::agreed;
use crate::error::{Error, Result};
use crate::records::{Linked, Page, Target, View, bad_parameter, make_name_cursor, read_name_cursor, stored};
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
    /// Both, the older one first.
    pub records: [Linked; 2],
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
        let (mut results, mut looked_at) = (Vec::new(), 0);
        let next = 'pages: loop {
            let rows = duplicate::page(&mut self.reader().await?, &object.name, query.dismissed, after, CHUNK).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < CHUNK);
            looked_at += rows.len();
            let records = self.rows_by_id(rows.iter().flat_map(|row| [row.first_id, row.second_id]).collect()).await?;
            for row in rows {
                if results.len() == query.limit {
                    break 'pages Some(after);
                }
                after = row.place();
                results.extend(self.tell_pair(object, &row, &records)?);
            }
            if is_last {
                break None;
            }
            if looked_at >= MOST_LOOKED_AT {
                break Some(after);
            }
        };
        let next_cursor = next.map(|PairPlace { doubt, first_id, second_id }| {
            make_name_cursor(&list, &format!("{doubt}.{first_id}.{second_id}"))
        });
        Ok(Page { results, next_cursor })
    }

    /// A pair as it is by now; none where it is one no longer, or the caller may not see it.
    fn tell_pair(
        &self,
        object: &ObjectDefinition,
        pair: &PairRow,
        records: &HashMap<i64, RecordRow>,
    ) -> Result<Option<DuplicatePair>> {
        let found = |id: i64| {
            let is_seen = |row: &RecordRow| {
                row.object == object.name.as_str()
                    && row.archived_at.is_none()
                    && self.caller.may(Action::Read, &object.name, row)
            };
            records.get(&id).filter(|row| is_seen(row))
        };
        let Some((first, second)) = found(pair.first_id).zip(found(pair.second_id)) else { return Ok(None) };
        let sees = |rule: &DuplicateRule| self.sees_rule(object, rule);
        let traits = |row: &RecordRow| -> Result<Traits> {
            let properties = stored::read(&self.catalog.effective.registry, &row.object, &row.properties)?;
            Ok(Traits::of(object, &properties, sees))
        };
        let likeness = traits(first)?.likeness(object, &traits(second)?);
        let Some(likeness) = likeness else { return Ok(None) };
        Ok(Some(DuplicatePair {
            records: [self.linked(first)?, self.linked(second)?],
            score: likeness.score,
            rules: agreed(object, &likeness.rules),
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
