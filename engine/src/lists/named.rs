//! The lists that filters name, with those that these name themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine_model::json::read;
use engine_model::query::ast::FilterText;
use engine_model::query::{Members, NamedList, NamedLists};
use engine_model::{Name, RecordId, TeamId, UserId};
use engine_store::Reader;
use engine_store::list::{self, ListRow};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::MAX_STATIC;
use crate::error::{Error, Result};
use crate::session::Session;

/// Lists that may name each other one below the other.
pub(super) const MAX_DEPTH: usize = 8;

/// Lists that one filter may name, however deep.
const MAX_NAMED: usize = 200;

/// Ids of static lists that one filter may ask about.
const MAX_IDS: usize = 2_000_000;

/// Members that are read at a time.
const AT_A_TIME: i64 = 50_000;

/// What of static lists is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Which records are in them.
    Ids,
    /// Nothing: it is asked what a filter names.
    Names,
}

/// A list by which a caller cannot filter.
#[derive(Debug)]
pub(crate) struct OutOfReach {
    /// Where the filter names it, such as `/filter/all/0/list`.
    pub(crate) at: String,
    pub(crate) id: String,
    pub(crate) why: Why,
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// There is none.
    Gone,
    /// The caller may not see it.
    Hidden,
    /// It asks about links to records of which the caller may read none.
    AsksHidden,
}

/// What a list asks, as it is stored.
pub(crate) fn text_of(filter: &str) -> Result<FilterText> {
    let raw: Box<RawValue> = serde_json::from_str(filter).map_err(Error::internal)?;
    read(&raw).map_err(|problems| Error::internal(format!("a list's filter cannot be read: {problems:?}")))
}

impl Session {
    /// The lists that a search names and that the caller may see, with all that stand below.
    pub(crate) async fn lists_named(&self, text: Option<&FilterText>) -> Result<NamedLists> {
        let Some(text) = text else { return Ok(NamedLists::new()) };
        let sent = text.lists();
        if sent.is_empty() {
            return Ok(NamedLists::new());
        }
        let mut reader = self.reader().await?;
        let ids = sent.iter().filter_map(|id| id.parse().ok()).collect();
        let rows = list::many(&mut reader, ids).await?;
        let visible = self.may_ask_about(&mut reader, &rows).await?;
        let mut found = self.lists_below(&mut reader, rows, Wanted::Ids).await?;
        // What only others may see is asked about where a list that is shared names it, and by nobody else.
        found.retain(|id, _| !sent.contains(id.as_str()) || visible.contains(id));
        Ok(found)
    }

    /// Ids of those of these lists that the caller may ask about: one that is not there for it cannot be asked about
    /// either.
    async fn may_ask_about(&self, reader: &mut Reader, rows: &[ListRow]) -> Result<BTreeSet<String>> {
        let mut visible = BTreeSet::new();
        for row in rows.iter().filter(|row| self.may_look_at_list(row)) {
            if self.caller.rights.reads_everything() || self.knows_list(reader, row).await? {
                visible.insert(row.id.to_string());
            }
        }
        Ok(visible)
    }

    /// Where a filter of what somebody saves names lists by which the caller cannot filter as whoever saved it.
    pub(crate) async fn lists_out_of_reach(
        &self,
        reader: &mut Reader,
        filter: Option<&Value>,
    ) -> Result<Vec<OutOfReach>> {
        let Some(filter) = filter else { return Ok(Vec::new()) };
        let raw = to_raw_value(filter).map_err(Error::internal)?;
        // What does not read is told by who understands the whole.
        let Ok(text) = read::<FilterText>(&raw) else { return Ok(Vec::new()) };
        let places = text.list_places();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let ids = text.lists().into_iter().filter_map(|id| id.parse().ok()).collect();
        let rows = list::many(reader, ids).await?;
        let visible = self.may_ask_about(reader, &rows).await?;
        let there: BTreeSet<String> = rows.iter().map(|row| row.id.to_string()).collect();
        let below = self.lists_below(reader, rows, Wanted::Names).await?;
        let why = |id: &str| {
            if !there.contains(id) {
                Some(Why::Gone)
            } else if !visible.contains(id) {
                Some(Why::Hidden)
            } else {
                self.asks_unread(id, &below, 0).then_some(Why::AsksHidden)
            }
        };
        let places = places.into_iter().filter_map(|(at, id)| {
            Some(OutOfReach { at: format!("/filter{at}/list"), id: id.to_owned(), why: why(id)? })
        });
        Ok(places.collect())
    }

    /// Whether a list, or one below it, asks about links to records of which the caller may read none.
    fn asks_unread(&self, id: &str, below: &NamedLists, depth: usize) -> bool {
        let Some(NamedList { object, members: Members::Dynamic(text) }) = below.get(id) else { return false };
        let has_own = !self.unread_links(text, object).is_empty();
        has_own || (depth < MAX_DEPTH && text.lists().into_iter().any(|id| self.asks_unread(id, below, depth + 1)))
    }

    pub(crate) fn may_look_at_list(&self, row: &ListRow) -> bool {
        self.is_shared_with(UserId(row.created_by), &row.sharing, row.team_id.map(TeamId))
    }

    /// The lists that texts name, whoever may see them.
    pub(super) async fn lists_below_texts(
        &self,
        reader: &mut Reader,
        texts: impl IntoIterator<Item = &FilterText>,
        wanted: Wanted,
    ) -> Result<NamedLists> {
        let ids: BTreeSet<i64> =
            texts.into_iter().flat_map(FilterText::lists).filter_map(|id| id.parse().ok()).collect();
        if ids.is_empty() {
            return Ok(NamedLists::new());
        }
        let rows = list::many(reader, ids.into_iter().collect()).await?;
        self.lists_below(reader, rows, wanted).await
    }

    /// These lists and all that stand below them. What stands too deep, which nobody could save, is left out.
    async fn lists_below(&self, reader: &mut Reader, rows: Vec<ListRow>, wanted: Wanted) -> Result<NamedLists> {
        let mut found: BTreeMap<i64, ListRow> = BTreeMap::new();
        let mut texts: BTreeMap<i64, Arc<FilterText>> = BTreeMap::new();
        let mut next = rows;
        for _ in 0..=MAX_DEPTH {
            let mut below = BTreeSet::new();
            for row in next {
                if let Some(filter) = &row.filter {
                    let text = text_of(filter)?;
                    below.extend(text.lists().into_iter().filter_map(|id| id.parse::<i64>().ok()));
                    texts.insert(row.id, Arc::new(text));
                }
                found.insert(row.id, row);
            }
            below.retain(|id| !found.contains_key(id));
            if found.len() + below.len() > MAX_NAMED && wanted == Wanted::Ids {
                let message = format!("a filter names at most {MAX_NAMED} lists, those that they name included");
                return Err(Error::invalid_at("/filter", "too_many", message));
            }
            if below.is_empty() {
                break;
            }
            next = list::many(reader, below.into_iter().collect()).await?;
        }
        let (mut named, mut ids) = (NamedLists::with_capacity(found.len()), 0);
        for (id, row) in found {
            let Ok(object) = Name::new(&row.object) else { continue };
            let members = match texts.remove(&id) {
                Some(text) => Members::Dynamic(text),
                None if wanted == Wanted::Names => Members::Static(Arc::from([])),
                None => {
                    let members = self.static_ids(reader, &row).await?;
                    ids += members.len();
                    if ids > MAX_IDS {
                        let message = format!("static lists with more than {MAX_IDS} members in all are named");
                        return Err(Error::invalid_at("/filter", "too_costly", message));
                    }
                    Members::Static(members)
                }
            };
            named.insert(id.to_string(), NamedList { object, members });
        }
        Ok(named)
    }

    /// The records in a static list, lowest first: archived ones too, which are found again when they are restored.
    async fn static_ids(&self, reader: &mut Reader, row: &ListRow) -> Result<Arc<[RecordId]>> {
        let (known, key) = (&self.engine.inner.lists.members, (self.tenant(), row.id));
        if let Some((revision, ids)) = known.get(&key).await
            && revision == row.revision
        {
            return Ok(ids);
        }
        let mut ids: Vec<RecordId> = Vec::new();
        loop {
            let after = ids.last().map_or(0, |id| id.0);
            let page = list::ids(reader, row.id, after, AT_A_TIME).await?;
            let is_last = i64::try_from(page.len()).is_ok_and(|count| count < AT_A_TIME);
            ids.extend(page.into_iter().map(RecordId));
            // Merges may add a few beyond what may be put.
            if is_last || i64::try_from(ids.len()).is_ok_and(|count| count > 2 * MAX_STATIC) {
                break;
            }
        }
        let ids: Arc<[RecordId]> = ids.into();
        known.insert(key, (row.revision, Arc::clone(&ids))).await;
        Ok(ids)
    }
}
