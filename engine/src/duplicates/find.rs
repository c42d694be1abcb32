//! Finds records that are alike: candidates of the index, compared by their values.

use std::collections::{BTreeSet, HashMap};

use engine_model::Properties;
use engine_model::access::Action;
use engine_model::duplicate::{DuplicateRule, Likeness, Traits, candidates};
use engine_model::object::ObjectDefinition;
use engine_model::query::{Few, NamedLists, ResolveContext};
use engine_store::record::{RecordRow, many};

use super::AgreedRule;
use crate::error::Result;
use crate::index::SearchView;
use crate::records::{Linked, stored};
use crate::session::Session;

/// Records that are read at a time.
const AT_A_TIME: usize = 1_000;

/// A record that another one resembles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The record.
    pub record: Linked,
    /// Percent sure that it is the same.
    pub score: u8,
    /// The rules by which the two agree.
    pub rules: Vec<AgreedRule>,
}

/// With whose rights records are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// With the caller's.
    Caller,
    /// With those of nobody in particular: a rule holds for all records.
    Everything,
}

/// A record that others may be like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) properties: &'a Properties,
    /// The record itself, where it is there already.
    pub(super) id: Option<i64>,
}

/// A record that is like the one that was sought.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    pub(super) row: RecordRow,
    pub(super) likeness: Likeness,
}

impl Session {
    /// For each of some records of an object those that are like it by the rules that are `wanted`, the surest first.
    pub(super) async fn alike(
        &self,
        view: &SearchView,
        object: &ObjectDefinition,
        sought: &[Sought<'_>],
        wanted: impl Fn(&DuplicateRule) -> bool + Copy,
        sight: Sight,
    ) -> Result<Vec<Vec<Alike>>> {
        let wanted =
            |rule: &DuplicateRule| wanted(rule) && (sight == Sight::Everything || self.sees_rule(object, rule));
        let (lists, formerly) = (NamedLists::default(), view.formerly());
        let ask = |context: &ResolveContext<'_>| -> Vec<Few> {
            let context = ResolveContext { formerly: Some(&formerly), ..*context };
            sought.iter().map(|one| candidates(object, one.properties, wanted, &context)).collect()
        };
        let asked = match sight {
            Sight::Caller => self.in_context(&lists, ask),
            Sight::Everything => self.in_whole(&lists, self.now(), ask),
        };
        view.check_filled(asked.iter().flat_map(Few::fields))?;
        let found = self.engine.ask_few(view.clone(), asked).await?;
        let rows = self.rows_by_id(found.iter().flatten().map(|id| id.0).collect()).await?;
        let mut traits: HashMap<i64, Traits> = HashMap::with_capacity(rows.len());
        for (id, row) in rows.iter().filter(|(_, row)| row.object == object.name.as_str()) {
            let properties = stored::read(&self.catalog.effective.registry, &row.object, &row.properties)?;
            traits.insert(*id, Traits::of(object, &properties, wanted));
        }
        let mut all = Vec::with_capacity(sought.len());
        for (one, ids) in sought.iter().zip(found) {
            let (mut alike, own) = (Vec::new(), Traits::of(object, one.properties, wanted));
            for id in ids.into_iter().map(|id| id.0).filter(|id| Some(*id) != one.id) {
                let Some((row, traits)) = rows.get(&id).zip(traits.get(&id)) else { continue };
                let is_seen = sight == Sight::Everything || self.caller.may(Action::Read, &object.name, row);
                let likeness = own.likeness(object, traits).filter(|_| is_seen && row.archived_at.is_none());
                if let Some(likeness) = likeness {
                    alike.push(Alike { row: row.clone(), likeness });
                }
            }
            alike.sort_by_key(|alike| (std::cmp::Reverse(alike.likeness.score), alike.row.id));
            all.push(alike);
        }
        Ok(all)
    }

    /// One state of the index that has every write acknowledged by now.
    pub(super) async fn view_of_now(&self) -> Result<SearchView> {
        let at_least = self.position().await?.max(self.at_least);
        self.engine.search_view(self.tenant(), at_least).await
    }

    /// Records by their ids, those left out that were merged into others.
    pub(super) async fn rows_by_id(&self, ids: BTreeSet<i64>) -> Result<HashMap<i64, RecordRow>> {
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut rows = HashMap::with_capacity(ids.len());
        for part in ids.chunks(AT_A_TIME) {
            let found = many(&mut self.reader().await?, part.to_vec()).await?;
            rows.extend(found.into_iter().filter(|row| row.merged_into.is_none()).map(|row| (row.id, row)));
        }
        Ok(rows)
    }

    /// Whether the caller may read all that a rule looks at.
    pub(super) fn sees_rule(&self, object: &ObjectDefinition, rule: &DuplicateRule) -> bool {
        let registry = &self.catalog.effective.registry;
        let mut properties = rule.names().filter_map(|name| object.property(name));
        properties.all(|property| self.caller.reads(registry, object, property))
    }

    /// What a caller is told of a record that another one is like.
    pub(super) fn tell_duplicate(&self, object: &ObjectDefinition, alike: &Alike) -> Result<Duplicate> {
        let Alike { row, likeness: Likeness { score, rules } } = alike;
        Ok(Duplicate { record: self.linked(row)?, score: *score, rules: agreed(object, rules) })
    }
}

/// Rules by their positions among the object's.
pub(super) fn agreed(object: &ObjectDefinition, rules: &[usize]) -> Vec<AgreedRule> {
    rules.iter().filter_map(|at| object.duplicates.get(*at)).map(AgreedRule::of).collect()
}
