//! The values that roll-ups have by now, and writing them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine_model::computed::LinkedRollup;
use engine_model::query::{Filter, Gathered, GatheredScope, Gathering, ResolveContext, field_of, filter_of_expression};
use engine_model::{Name, RecordId};
use engine_search::Limits;
use engine_store::record::{self, RecordRow};
use serde_json::Value;

use crate::error::{Error, ErrorCode, Result};
use crate::index::SearchView;
use crate::records::{Mode, Operation, Step, stored};
use crate::session::Session;

/// Records whose roll-ups are gathered at a time.
pub(super) const AT_A_TIME: usize = 250;

/// How often records that others change meanwhile are looked at again.
const ATTEMPTS: usize = 8;

impl Session {
    /// Brings roll-ups of records of one object up to date: `wanted` says which of each; with `all`, formulas are
    /// computed anew too, those of archived records included. Roll-ups of archived records are left alone.
    ///
    /// Roll-ups that read what the index is being filled with are left out and returned, the others go on; with `all`,
    /// everything waits for them.
    pub(super) async fn refresh_rollups(
        &mut self,
        object: &str,
        wanted: &BTreeMap<i64, BTreeSet<usize>>,
        all: bool,
    ) -> Result<BTreeSet<usize>> {
        let mut waiting = BTreeSet::new();
        let mut left: Vec<i64> = wanted.keys().copied().collect();
        for _ in 0..ATTEMPTS {
            let mut again = Vec::new();
            for part in left.chunks(AT_A_TIME) {
                if self.engine.stopping().is_cancelled() {
                    return Err(Error::new(ErrorCode::Unavailable, "the server is closing"));
                }
                again.extend(self.refresh_some(object, part, wanted, all, &mut waiting).await?);
            }
            if again.is_empty() {
                return Ok(waiting);
            }
            left = again;
        }
        Err(Error::new(ErrorCode::Unavailable, "records with roll-ups keep being changed by others"))
    }

    /// Those of the records that were changed by others meanwhile.
    async fn refresh_some(
        &mut self,
        object: &str,
        records: &[i64],
        wanted: &BTreeMap<i64, BTreeSet<usize>>,
        all: bool,
        waiting: &mut BTreeSet<usize>,
    ) -> Result<Vec<i64>> {
        let mut reader = self.reader().await?;
        // The rows first, then the index as of later: a value that is written belongs to the version it is written on,
        // or to a newer one, and then the commit refuses it.
        let rows = record::many(&mut reader, records.to_vec()).await?;
        let head = reader.head().await?;
        drop(reader);
        self.catch_up(head.metadata_version, head.access_version).await?;
        let is_wanted = |row: &RecordRow| row.object == object && (all || row.archived_at.is_none());
        let rows: Vec<RecordRow> = rows.into_iter().filter(is_wanted).collect();
        let view = self.engine.search_view(self.tenant(), head.sequence()).await?;
        let mut values: HashMap<i64, Vec<(Name, Option<Value>)>> = HashMap::new();
        let catalog = Arc::clone(&self.catalog);
        let rollups = catalog.effective.registry.computed.rollups();
        for (at, rollup) in rollups.iter().enumerate().filter(|(_, rollup)| rollup.object.as_str() == object) {
            let is_asked = |id: i64| wanted.get(&id).is_some_and(|wanted| wanted.contains(&at));
            let asked = |row: &&RecordRow| row.archived_at.is_none() && is_asked(row.id);
            let ids: Vec<RecordId> = rows.iter().filter(asked).map(RecordRow::record_id).collect();
            if ids.is_empty() {
                continue;
            }
            let Some(others) = self.scopes_of(rollup)? else { continue };
            match check_filled(&others, &view) {
                Err(error) if all => return Err(error),
                Err(_) => {
                    waiting.insert(at);
                    continue;
                }
                Ok(()) => {}
            }
            for (id, value) in self.values_of(rollup, others, ids, view.clone()).await? {
                values.entry(id.0).or_default().push((rollup.property.clone(), value));
            }
        }
        self.write_computed(object, &rows, values, all).await
    }

    /// The values that a roll-up has for these records.
    async fn values_of(
        &self,
        rollup: &LinkedRollup,
        others: Vec<GatheredScope>,
        records: Vec<RecordId>,
        view: SearchView,
    ) -> Result<Vec<(RecordId, Option<Value>)>> {
        let asked = Gathering {
            tenant: self.tenant(),
            association: rollup.association.clone(),
            direction: rollup.direction,
            records: records.clone(),
            others,
        };
        let gathered = self.engine.inner.tasks.spawn_blocking(move || view.gather(&asked, Limits::default()));
        let gathered = gathered.await.map_err(Error::internal)?.map_err(Error::internal)?;
        let registry = &self.catalog.effective.registry;
        let written = registry.rollup(rollup).ok_or_else(|| Error::internal("a roll-up has no definition"))?;
        if written.function.is_of_one_record() {
            return self.values_of_ends(rollup, &records, &gathered).await;
        }
        let form = registry.form_of_parts(rollup);
        let values = records.into_iter().zip(&gathered);
        Ok(values.map(|(record, gathered)| (record, written.value(gathered, form))).collect())
    }

    /// What of each object counts; `None` where nothing is known of it yet.
    fn scopes_of(&self, rollup: &LinkedRollup) -> Result<Option<Vec<GatheredScope>>> {
        let registry = &self.catalog.effective.registry;
        let Some(written) = registry.rollup(rollup) else { return Ok(None) };
        let context = ResolveContext {
            tenant: self.tenant(),
            registry,
            now: self.now(),
            zone: self.catalog.zone(),
            locale: &self.catalog.locale,
            readable: &|_| Some(Filter::everything()),
            may_see: &|_, _| true,
            lists: None,
            formerly: None,
        };
        let mut scopes = Vec::with_capacity(rollup.others.len());
        for object in rollup.others.iter().filter_map(|name| registry.objects.get(name)) {
            let filter = match &written.condition {
                Some(condition) => {
                    filter_of_expression(condition.source(), object, &context).map_err(Error::invalid)?
                }
                None => Filter::everything(),
            };
            let field = written.property.as_ref().and_then(|name| field_of(object, name));
            scopes.push(GatheredScope { object: object.name.clone(), filter, field });
        }
        Ok(Some(scopes))
    }

    /// The values of the one record that counts for each.
    async fn values_of_ends(
        &self,
        rollup: &LinkedRollup,
        records: &[RecordId],
        gathered: &[Gathered],
    ) -> Result<Vec<(RecordId, Option<Value>)>> {
        let registry = &self.catalog.effective.registry;
        let written = registry.rollup(rollup).ok_or_else(|| Error::internal("a roll-up has no definition"))?;
        let chosen: Vec<Option<RecordId>> = gathered.iter().map(|gathered| written.chosen(gathered)).collect();
        let ids: BTreeSet<i64> = chosen.iter().flatten().map(|id| id.0).collect();
        let rows = record::many(&mut self.reader().await?, ids.into_iter().collect()).await?;
        let name = written.property.as_deref().unwrap_or_default();
        let mut values: HashMap<i64, Value> = HashMap::with_capacity(rows.len());
        for row in rows {
            let mut properties = stored::read(registry, &row.object, &row.properties)?;
            values.extend(properties.shift_remove(name).map(|value| (row.id, value)));
        }
        let value = |chosen: &Option<RecordId>| chosen.and_then(|id| values.get(&id.0).cloned());
        Ok(records.iter().copied().zip(chosen.iter().map(value)).collect())
    }

    /// Writes what differs; those of the records that were changed by others meanwhile.
    async fn write_computed(
        &mut self,
        object: &str,
        rows: &[RecordRow],
        mut values: HashMap<i64, Vec<(Name, Option<Value>)>>,
        all: bool,
    ) -> Result<Vec<i64>> {
        let (mut steps, mut ids) = (Vec::new(), Vec::new());
        for row in rows {
            let values = values.remove(&row.id).unwrap_or_default();
            let stored = stored::read(&self.catalog.effective.registry, &row.object, &row.properties)?;
            let differs = |(name, value): &(Name, Option<Value>)| stored.get(name.as_str()) != value.as_ref();
            if all || values.iter().any(differs) {
                let (object, id) = (object.to_owned(), row.record_id());
                steps.push(Step::from(Operation::Compute { object, id, version: row.version, values }));
                ids.push(row.id);
            }
        }
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let written = self.execute(&steps, Mode::Each, None).await?;
        let mut again = Vec::new();
        for (id, result) in ids.into_iter().zip(written.value) {
            match result {
                Ok(_) => {}
                Err(error) if matches!(error.code, ErrorCode::VersionMismatch | ErrorCode::Conflict) => again.push(id),
                // It is gone, or its object is.
                Err(error) if error.code == ErrorCode::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(again)
    }
}

/// Whether the index has all that is read of linked records.
fn check_filled(others: &[GatheredScope], view: &SearchView) -> Result<()> {
    let fields = others.iter().flat_map(|scope| scope.filter.fields().into_iter().chain(scope.field.as_ref()));
    view.check_filled(fields)
}
