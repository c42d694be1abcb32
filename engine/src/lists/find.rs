//! Finding lists that the caller may see.

use std::collections::BTreeSet;

use engine_model::access::{Action, Reach};
use engine_model::query::{NamedLists, QueryText, mentions};
use engine_model::{Name, Problems};
use engine_store::Reader;
use engine_store::list::{self, ListRow};
use tokio::time::{Duration, Instant};

use super::FOLLOWER;
use super::list::{List, ListState};
use super::named::{Wanted, text_of};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::{Page, make_cursor, read_cursor};
use crate::saved::mask;
use crate::session::Session;

/// How long somebody waits for members to be those of now before there is an answer with what there is.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether another node has got further.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How much of a list a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// Who is in it is what the caller would find as well.
    Whole,
    /// The caller does not see all linked records that it asks about.
    Part,
    /// It asks for something that is not there any more.
    Broken(Problems),
    /// It asks about something that the caller does not know of.
    None,
}

impl Session {
    /// One page of the lists that the caller may see, by id.
    pub async fn list_page(&mut self, object: Option<&str>, limit: usize, cursor: Option<&str>) -> Result<Page<List>> {
        self.refresh().await?;
        object.map(|object| self.catalog.object(object)).transpose()?;
        let name = ["lists", object.unwrap_or_default()];
        let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, &name))?;
        let wanted = list::Wanted { object, user: self.caller.user, sight: self.sight_of_shared() };
        let many = i64::try_from(limit).unwrap_or(i64::MAX - 1).saturating_add(1);
        let mut reader = self.reader().await?;
        let mut rows = list::visible(&mut reader, wanted, after, many).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| make_cursor(&name, row.id));
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let sight = self.sight(&mut reader, &row).await?;
            results.extend(self.shown_list(row, sight)?);
        }
        Ok(Page { results, next_cursor })
    }

    /// A list. One that is still being filled, or whose members are not those of now yet, is waited for a second.
    pub async fn list(&mut self, id: &str) -> Result<List> {
        self.refresh().await?;
        let (row, sight) = self.list_row(&mut self.reader().await?, id).await?;
        let row = self.await_list(row).await?;
        self.shown_list(row, sight)?.ok_or_else(|| missing(id))
    }

    /// A list that the caller may see, and how much of it.
    pub(super) async fn list_row(&self, reader: &mut Reader, id: &str) -> Result<(ListRow, Sight)> {
        let row = match id.parse() {
            Ok(number) => list::get(reader, number).await?,
            Err(_) => None,
        };
        let row = row.filter(|row| self.may_look_at_list(row)).ok_or_else(|| missing(id))?;
        match self.sight(reader, &row).await? {
            Sight::None => Err(missing(id)),
            sight => Ok((row, sight)),
        }
    }

    pub(super) fn shown_list(&self, row: ListRow, sight: Sight) -> Result<Option<List>> {
        let sees_all = self.caller.may_all(Action::Read, &row.object);
        let unread = self.unread_in_list(&row)?;
        let mut list = match sight {
            Sight::None => return Ok(None),
            Sight::Whole => List::of(row, sees_all, Problems::new())?,
            Sight::Part => List::of(row, false, Problems::new())?,
            Sight::Broken(problems) => List::of(row, sees_all, problems)?,
        };
        if let Some(filter) = list.filter.as_mut().filter(|_| !self.caller.rights.reads_everything()) {
            let gone = self.unseen_of_gone(&list.object, filter, &list.problems);
            unread.iter().chain(&gone).for_each(|pointer| mask(filter, pointer));
        }
        Ok(Some(list))
    }

    /// Where the filter of a list asks about records of which the caller may read none.
    fn unread_in_list(&self, row: &ListRow) -> Result<Vec<String>> {
        let registry = &self.catalog.effective.registry;
        let (Some(filter), Some(object)) = (&row.filter, registry.objects.get(row.object.as_str())) else {
            return Ok(Vec::new());
        };
        if self.caller.rights.reads_every_record() {
            return Ok(Vec::new());
        }
        let text = QueryText { filter: Some(text_of(filter)?), ..QueryText::default() };
        let named = mentions(&text, object, registry).into_iter();
        let unread = named.filter(|mention| self.caller.rights.grants(&mention.object).read == Reach::NONE);
        Ok(unread.map(|mention| mention.pointer).collect())
    }

    /// How much of a list the caller sees.
    pub(super) async fn sight(&self, reader: &mut Reader, row: &ListRow) -> Result<Sight> {
        let is_known = self.catalog.object(&row.object).is_ok();
        if is_known && self.caller.check_any(Action::Read, &row.object).is_err() {
            return Ok(Sight::None);
        }
        let (Some(filter), Ok(object)) = (&row.filter, Name::new(&row.object)) else {
            return Ok(match self.catalog.object(&row.object) {
                Ok(_) => Sight::Whole,
                Err(error) => Sight::Broken(vec![engine_model::Problem::new("/object", "unknown", error.detail)]),
            });
        };
        let text = text_of(filter)?;
        let named = self.lists_below_texts(reader, [&text], Wanted::Names).await?;
        Ok(self.sight_of(&object, &text, &named))
    }

    /// Whether the caller may know what a list asks.
    pub(crate) async fn knows_list(&self, reader: &mut Reader, row: &ListRow) -> Result<bool> {
        Ok(self.sight(reader, row).await? != Sight::None)
    }

    fn sight_of(&self, object: &Name, text: &engine_model::query::ast::FilterText, named: &NamedLists) -> Sight {
        let whole = self.resolved(object, text, named, self.now());
        let own = self.resolved_for_caller(object, text, named);
        match (whole, own) {
            (Ok(whole), Ok(own)) if whole == own => Sight::Whole,
            (Ok(_), Ok(_)) => Sight::Part,
            (Ok(_), Err(_)) => Sight::None,
            // Beside what is not there any more it names what the caller does not see.
            (Err(whole), Err(own)) if own.iter().any(|one| whole.iter().all(|other| other.pointer != one.pointer)) => {
                Sight::None
            }
            // Said as the caller may know it; who asks about what is not there learns nothing.
            (Err(_), Err(problems)) | (Err(problems), Ok(_)) => {
                Sight::Broken(problems.into_iter().map(|problem| problem.within("/filter")).collect())
            }
        }
    }

    /// Of these lists, those of which the caller may know who joins and who leaves.
    pub(crate) async fn lists_told(&self, lists: BTreeSet<i64>) -> Result<BTreeSet<i64>> {
        if lists.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut reader = self.reader().await?;
        let mut told = BTreeSet::new();
        // What is gone is told to those who could have seen anything of it.
        let rows = list::many(&mut reader, lists.iter().copied().collect()).await?;
        if self.caller.check_admin().is_ok() {
            let there: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
            told.extend(lists.difference(&there));
        }
        for row in rows {
            if self.may_look_at_list(&row)
                && matches!(self.sight(&mut reader, &row).await?, Sight::Whole | Sight::Broken(_))
            {
                told.insert(row.id);
            }
        }
        Ok(told)
    }

    /// Waits until all records have been looked at for a list and its members are those of now, or for a second; the
    /// list as it is then.
    pub(super) async fn await_list(&self, row: ListRow) -> Result<ListRow> {
        if !self.engine.inner.lists.progress.is_followed() {
            return Ok(row);
        }
        let (position, deadline) = (self.position().await?.max(self.at_least), Instant::now() + PATIENCE);
        let (store, tenant) = (self.engine.store(), self.tenant());
        self.engine.inner.lists.progress.reach(store, tenant, FOLLOWER, position, deadline).await?;
        let mut looked = self.engine.inner.lists.looked.subscribe();
        loop {
            looked.mark_unchanged();
            // Nobody holds a connection while they wait.
            let found = list::get(&mut self.reader().await?, row.id).await?;
            let row = found.ok_or_else(|| missing(&row.id.to_string()))?;
            if row.state != ListState::Filling.as_str() || Instant::now() >= deadline {
                return Ok(row);
            }
            let next = (Instant::now() + LOOK_EVERY).min(deadline);
            let _ = tokio::time::timeout_at(next, looked.changed()).await;
        }
    }
}

pub(super) fn missing(id: &str) -> Error {
    Error::not_found(format!("there is no list `{}`", shortened(id)))
}
