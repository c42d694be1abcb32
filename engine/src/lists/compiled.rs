//! What the lists of a tenant ask, by its definitions as they are: made once for each version of either.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine_model::query::ast::FilterText;
use engine_model::query::{Field, Filter, Members, NamedLists, ResolveContext, resolve_filter};
use engine_model::time::Timestamp;
use engine_model::{Name, Problems};
use engine_store::list::{self, ListRow};
use engine_store::{Reader, counter};

use super::EPOCH;
use super::named::{Wanted, text_of};
use super::reads::Reads;
use crate::digest::digest;
use crate::error::Result;
use crate::session::Session;

/// Lists that are read at a time.
const AT_A_TIME: i64 = 500;

/// What a filter that names something that is not there comes to.
pub(super) const BROKEN: &str = "broken";

/// A moment that never changes: what a filter comes to then only depends on definitions. 2000-01-01.
const SOME_MOMENT: Timestamp = Timestamp(946_684_800_000_000);

/// More than a year, and no whole number of days or weeks: what changes with time is something else by then.
const LATER: i64 = (400 * 24 + 7) * 3_600_000_000;

/// A dynamic list, ready to be asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: i64,
    pub(super) version: i64,
    pub(super) object: Name,
    pub(super) text: FilterText,
    /// What it asks whoever looks; none where it names something that is not there.
    pub(super) filter: Option<Filter>,
    pub(super) reads: Reads,
    /// Its members change while nothing is written.
    pub(super) is_timed: bool,
    /// A field of it does.
    pub(super) is_live: bool,
    /// The static lists that it names, however deep.
    pub(super) statics: BTreeSet<i64>,
    /// What it comes to, in short.
    pub(super) shape: String,
    /// What it came to when all records were looked at last.
    pub(super) known_shape: String,
    /// It is being filled for the first time.
    pub(super) is_new: bool,
}

/// All dynamic lists of a tenant.
#[derive(Debug)]
pub(super) struct Compiled {
    metadata_version: i64,
    pub(super) epoch: i64,
    pub(super) lists: Vec<Asked>,
}

impl Session {
    /// What all lists ask, by the definitions that the session has.
    pub(super) async fn compiled(&self) -> Result<Arc<Compiled>> {
        let mut reader = self.reader().await?;
        // The epoch first: lists that are read after it can only be newer, which the commit finds.
        let epoch = counter::last(&mut reader, EPOCH).await?;
        let known = &self.engine.inner.lists.compiled;
        if let Some((compiled, _)) = known.get(&self.tenant()).await
            && (compiled.metadata_version, compiled.epoch) == (self.catalog.version, epoch)
        {
            return Ok(compiled);
        }
        let (mut lists, mut after, mut bytes) = (Vec::new(), 0, 0_usize);
        loop {
            let rows = list::dynamic(&mut reader, after, AT_A_TIME).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < AT_A_TIME);
            after = rows.last().map_or(after, |row| row.id);
            for row in rows {
                bytes += row.filter.as_deref().map_or(0, str::len) * 16 + 1_024;
                lists.extend(self.asked(&mut reader, row).await?);
                if lists.len().is_multiple_of(64) {
                    tokio::task::yield_now().await;
                }
            }
            if is_last {
                break;
            }
        }
        let compiled = Arc::new(Compiled { metadata_version: self.catalog.version, epoch, lists });
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        known.insert(self.tenant(), (Arc::clone(&compiled), bytes)).await;
        Ok(compiled)
    }

    /// What one list asks; none where it is static.
    pub(super) async fn asked(&self, reader: &mut Reader, row: ListRow) -> Result<Option<Asked>> {
        let Some(text) = row.filter.as_deref().map(text_of).transpose()? else { return Ok(None) };
        let named = self.lists_below_texts(reader, [&text], Wanted::Names).await?;
        let Ok(object) = Name::new(&row.object) else { return Ok(None) };
        let asking = self.asking(&object, &text, &named);
        Ok(Some(Asked {
            id: row.id,
            version: row.version,
            object,
            text,
            filter: asking.filter,
            reads: asking.reads,
            is_timed: asking.is_timed,
            is_live: asking.is_live,
            statics: asking.statics,
            shape: asking.shape,
            known_shape: row.shape,
            is_new: row.fill_until.is_some(),
        }))
    }

    /// What a text asks of records of an object, whoever looks, with what is known of that.
    pub(super) fn asking(&self, object: &Name, text: &FilterText, named: &NamedLists) -> Asking {
        let is_static = |(id, list): (&String, &engine_model::query::NamedList)| match list.members {
            Members::Static(_) => id.parse().ok(),
            Members::Dynamic(_) => None,
        };
        let statics = named.iter().filter_map(is_static).collect();
        let now = self.now();
        let filter = self.resolved(object, text, named, now).ok();
        let Some(filter) = filter else {
            let (reads, shape) = (Reads::default(), BROKEN.to_owned());
            return Asking { filter: None, reads, is_timed: false, is_live: false, statics, shape };
        };
        let later = self.resolved(object, text, named, Timestamp(now.0.saturating_add(LATER)));
        let is_live = self.catalog.has_live(&filter.fields());
        let is_timed = is_live || later.as_ref() != Ok(&filter);
        let of_field = |field: &Field| self.catalog.has_live(&[field]);
        let reads = Reads::of(object, &filter, &of_field);
        let shape = self.shape(object, text, named, &filter);
        Asking { filter: Some(filter), reads, is_timed, is_live, statics, shape }
    }

    /// What a filter comes to by these definitions, whatever time it is.
    fn shape(&self, object: &Name, text: &FilterText, named: &NamedLists, filter: &Filter) -> String {
        let timeless = self.resolved(object, text, named, SOME_MOMENT);
        let mut shape = format!("{timeless:?}");
        // What records are called follows from definitions too.
        for field in filter.fields().iter().filter(|field| field.name.as_str() == "display_name") {
            if let Some(object) = self.catalog.effective.registry.objects.get(&field.object) {
                shape.push_str(&format!("{:?}", object.display));
            }
        }
        digest(&shape)
    }

    /// What a text asks of records of an object at a moment, whoever looks.
    pub(super) fn resolved(
        &self,
        object: &Name,
        text: &FilterText,
        named: &NamedLists,
        now: Timestamp,
    ) -> Result<Filter, Problems> {
        self.in_whole(named, now, |context| self.resolved_by(object, text, context))
    }

    /// The same of what the caller may see.
    pub(super) fn resolved_for_caller(
        &self,
        object: &Name,
        text: &FilterText,
        named: &NamedLists,
    ) -> Result<Filter, Problems> {
        self.in_context(named, |context| self.resolved_by(object, text, context))
    }

    fn resolved_by(&self, object: &Name, text: &FilterText, context: &ResolveContext<'_>) -> Result<Filter, Problems> {
        let object = self
            .catalog
            .object(object)
            .map_err(|error| vec![engine_model::Problem::new("/object", "unknown", error.detail)])?;
        resolve_filter(text, object, context)
    }

    /// What a list asks right now.
    pub(super) async fn asked_now(&self, reader: &mut Reader, asked: &Asked) -> Result<Option<Filter>> {
        if !asked.is_timed && asked.statics.is_empty() {
            return Ok(asked.filter.clone());
        }
        let named = self.lists_below_texts(reader, [&asked.text], Wanted::Ids).await?;
        Ok(self.resolved(&asked.object, &asked.text, &named, self.now()).ok())
    }
}

/// What is known of what a list asks.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) filter: Option<Filter>,
    pub(super) reads: Reads,
    pub(super) is_timed: bool,
    pub(super) is_live: bool,
    pub(super) statics: BTreeSet<i64>,
    pub(super) shape: String,
}
