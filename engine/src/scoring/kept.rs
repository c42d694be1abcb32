//! Assessments that stand, found by their keys.

use std::collections::HashMap;

use engine_model::time::Timestamp;
use engine_model::{RecordId, UserId};
use engine_store::commit::UniqueValue;
use engine_store::record::{self, RecordRow};
use engine_store::{Reader, merge};
use serde_json::Value;

use super::criteria::Criteria;
use super::definition::Known;
use super::key::Place;
use super::wish::Review;
use crate::caller::Standing;
use crate::error::{Error, Result};
use crate::records::{stored, unique_value};
use crate::session::Session;

/// Most records that were merged into one whose assessments are looked for beside its own.
const MOST_MERGED: i64 = 20;

/// Most places where answers of one record are looked for.
const MOST_PLACES: usize = 64;

/// Who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A person.
    Person,
    /// A rule.
    Rule,
}

impl By {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Rule => "rule",
        }
    }
}

/// An assessment, as it is stored or yet to be made.
#[derive(Debug, Clone)]
pub(super) struct Assessment {
    /// The record that it is; none where it is yet to be made.
    pub(super) stored: Option<Stored>,
    pub(super) points: Option<i64>,
    pub(super) rationale: String,
    pub(super) at: Option<Timestamp>,
    pub(super) by: By,
    pub(super) user: Option<UserId>,
    pub(super) review: Review,
    /// Whether it is the one that stands.
    pub(super) is_current: bool,
    pub(super) key: Option<String>,
    /// It was answered for a record that was merged into the one in question, or into the one that this is assessed for.
    pub(super) is_of_merged: bool,
}

/// The record of an assessment, with what of it may become other.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: RecordId,
    pub(super) version: i64,
    pub(super) standing: Standing,
    pub(super) review: Review,
    pub(super) is_current: bool,
    pub(super) key: Option<String>,
}

/// What stands of one criterion, or of the total.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    pub(super) person: Option<Assessment>,
    pub(super) rule: Option<Assessment>,
    /// What has stood until now.
    pub(super) retired: Vec<Assessment>,
    /// What stood of records that were merged into this one, and gives way to what stands of it: theirs again when they
    /// are taken out.
    pub(super) shadowed: Vec<Assessment>,
}

/// What stands of a score of one record.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    pub(super) criteria: HashMap<RecordId, Slot>,
    pub(super) total: Slot,
}

/// What a key answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Criterion(RecordId),
    Total,
}

impl Slots {
    /// Nothing was ever answered.
    pub(super) fn is_empty(&self) -> bool {
        let has_none = |slot: &Slot| slot.all().next().is_none();
        has_none(&self.total) && self.criteria.values().all(has_none)
    }
}

impl Slot {
    /// What counts: a person's answer, or else that of the rule.
    pub(super) fn standing(&self) -> Option<&Assessment> {
        self.person.as_ref().or(self.rule.as_ref())
    }

    pub(super) fn standing_mut(&mut self) -> Option<&mut Assessment> {
        self.person.as_mut().or(self.rule.as_mut())
    }

    fn take(&mut self, assessment: Assessment) {
        let place = match assessment.by {
            By::Person => &mut self.person,
            By::Rule => &mut self.rule,
        };
        match place {
            // Of a record that was merged into this one; its own comes first.
            Some(_) => self.give_way(assessment),
            None => *place = Some(assessment),
        }
    }

    /// Has an assessment stand no more.
    pub(super) fn give_way(&mut self, assessment: Assessment) {
        match assessment.is_of_merged {
            true => self.shadowed.push(assessment),
            false => self.retired.push(assessment),
        }
    }
}

impl Session {
    /// What stands of a score of one record. What stood of records that were merged into it counts where it has nothing
    /// of its own.
    pub(super) async fn score_slots(
        &self,
        reader: &mut Reader,
        known: &Known,
        place: &Place<'_>,
        criteria: &Criteria,
    ) -> Result<Slots> {
        let mut wanted: Vec<(UniqueValue, Part, bool)> = Vec::with_capacity(2 * criteria.0.len() + 1);
        for (place, is_of_merged) in places(reader, place).await? {
            for criterion in criteria.0.iter().map(super::criteria::Criterion::id) {
                for key in [place.of_criterion(criterion), place.of_rule(criterion)] {
                    wanted.push((self.value_of(known, &key)?, Part::Criterion(criterion), is_of_merged));
                }
            }
            wanted.push((self.value_of(known, &place.of_total())?, Part::Total, is_of_merged));
        }
        let values: Vec<UniqueValue> = wanted.iter().map(|(value, ..)| value.clone()).collect();
        let holders: HashMap<UniqueValue, RecordId> = record::holders(reader, &values).await?.into_iter().collect();
        let rows = record::many(reader, holders.values().map(|id| id.0).collect()).await?;
        let mut rows: HashMap<i64, RecordRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut slots = Slots::default();
        for (value, part, is_of_merged) in wanted {
            let Some(row) = holders.get(&value).and_then(|id| rows.remove(&id.0)) else { continue };
            let assessment = Assessment { is_of_merged, ..self.assessment(known, &row)? };
            match part {
                Part::Criterion(criterion) => slots.criteria.entry(criterion).or_default().take(assessment),
                Part::Total => slots.total.take(Assessment { by: By::Rule, ..assessment }),
            }
        }
        Ok(slots)
    }

    /// The total that stands of a record.
    pub(super) async fn standing_total(
        &self,
        reader: &mut Reader,
        known: &Known,
        place: &Place<'_>,
    ) -> Result<Option<RecordId>> {
        let keys = places(reader, place).await?.into_iter().map(|(place, _)| self.value_of(known, &place.of_total()));
        let keys: Vec<UniqueValue> = keys.collect::<Result<_>>()?;
        let holders: HashMap<UniqueValue, RecordId> = record::holders(reader, &keys).await?.into_iter().collect();
        Ok(keys.iter().find_map(|key| holders.get(key)).copied())
    }

    /// A key as it is claimed.
    fn value_of(&self, known: &Known, key: &str) -> Result<UniqueValue> {
        let parts = &known.score.assessments;
        let object = self.catalog.object(&parts.object)?;
        let value = unique_value(&self.catalog.locale, object, &parts.key, &Value::from(key));
        value.ok_or_else(|| Error::internal(format!("`{}` does not take keys of assessments", parts.key)))
    }

    /// A stored assessment.
    pub(super) fn assessment(&self, known: &Known, row: &RecordRow) -> Result<Assessment> {
        let parts = &known.score.assessments;
        let properties = stored::read(&self.catalog.effective.registry, &row.object, &row.properties)?;
        let text = |name: &str| properties.get(name).and_then(Value::as_str);
        let by = if text(&parts.by) == Some(By::Person.as_str()) { By::Person } else { By::Rule };
        let review = text(&parts.review).and_then(Review::read).unwrap_or(Review::Pending);
        let is_current = properties.get(parts.current.as_str()).and_then(Value::as_bool) == Some(true);
        let key = text(&parts.key).map(str::to_owned);
        Ok(Assessment {
            stored: Some(Stored {
                id: row.record_id(),
                version: row.version,
                standing: Standing::from(row),
                review,
                is_current,
                key: key.clone(),
            }),
            points: properties.get(parts.score.as_str()).and_then(Value::as_i64),
            rationale: text(&parts.rationale).unwrap_or_default().to_owned(),
            at: text(&parts.at).and_then(Timestamp::parse),
            by,
            user: text(&parts.user).and_then(|user| user.parse().ok()),
            review,
            is_current,
            key,
            is_of_merged: false,
        })
    }
}

/// Where answers of a record stand: its own place, and those of the records that were merged into it, or into the one
/// that it is assessed for.
async fn places<'p>(reader: &mut Reader, place: &Place<'p>) -> Result<Vec<(Place<'p>, bool)>> {
    let subjects = with_merged(reader, place.subject).await?;
    let counterparts = match place.counterpart {
        Some(counterpart) => with_merged(reader, counterpart).await?.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let all =
        counterparts.into_iter().flat_map(|counterpart| subjects.iter().map(move |subject| (*subject, counterpart)));
    let own = (place.subject, place.counterpart);
    let at = |(subject, counterpart): (RecordId, Option<RecordId>)| {
        (Place { subject, counterpart, ..place.clone() }, (subject, counterpart) != own)
    };
    Ok(all.take(MOST_PLACES).map(at).collect())
}

/// A record, then those that were merged into it.
pub(super) async fn with_merged(reader: &mut Reader, record: RecordId) -> Result<Vec<RecordId>> {
    let merged = merge::led_to(reader, vec![record.0], MOST_MERGED).await?;
    Ok(std::iter::once(record).chain(merged).collect())
}
