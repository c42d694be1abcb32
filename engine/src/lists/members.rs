//! Who is in a list, as far as the caller may see.

use std::collections::BTreeMap;

use engine_model::access::Action;
use engine_model::query::QueryText;
use engine_model::query::ast::{FilterForm, FilterText, SortText};
use engine_model::time::Timestamp;
use engine_store::list::{self, ListRow};
use engine_store::record;

use super::find::Sight;
use crate::error::Result;
use crate::query::of_parameters;
use crate::records::{Page, Record, Shown, make_cursor, read_cursor};
use crate::session::Session;

/// A member of a list.
#[derive(Debug, Clone)]
pub struct ListMember {
    /// The record.
    pub record: Record,
    /// When it joined; none where only its being a member now is known.
    pub joined_at: Option<Timestamp>,
}

impl Session {
    /// One page of a list's members that the caller may see, in the order of their ids.
    pub async fn list_members(
        &mut self,
        id: &str,
        select: Option<Vec<String>>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<ListMember>> {
        self.wait_for_position().await?;
        self.refresh().await?;
        let (row, sight) = self.list_row(&mut self.reader().await?, id).await?;
        if sight == Sight::Part {
            return self.members_found(&row, select, limit, cursor).await;
        }
        let row = self.await_list(row).await?;
        self.settle_rollups(&row.object).await?;
        let page = self.members_kept(&row, select, limit, cursor).await?;
        self.give(page.results.iter().map(|member| &member.record)).await?;
        Ok(page)
    }

    async fn members_kept(
        &self,
        row: &ListRow,
        select: Option<Vec<String>>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<ListMember>> {
        let definition = self.catalog.object(&row.object)?;
        self.caller.check_any(Action::Read, &row.object)?;
        if let Some(names) = &select {
            self.check_select(&row.object, names)?;
        }
        let (id, shown) = (row.id.to_string(), {
            Shown::of(&self.catalog, definition, &self.caller.rights, select.as_deref(), self.now())
        });
        let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, &["members", &id]))?;
        let mut reader = self.reader().await?;
        let many = i64::try_from(limit).unwrap_or(i64::MAX - 1).saturating_add(1);
        let mut members = list::page(&mut reader, row.id, after, many).await?;
        let has_more = members.len() > limit;
        members.truncate(limit);
        let next_cursor =
            members.last().filter(|_| has_more).map(|last| make_cursor(&["members", &id], last.record_id));
        let rows = record::many(&mut reader, members.iter().map(|member| member.record_id).collect()).await?;
        let mut rows: BTreeMap<i64, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut results = Vec::with_capacity(members.len());
        for member in members {
            let found = rows.remove(&member.record_id);
            let is_seen = |found: &record::RecordRow| {
                found.archived_at.is_none()
                    && found.object == row.object
                    && self.caller.may(Action::Read, &row.object, found)
            };
            if let Some(found) = found.filter(is_seen) {
                let (record, joined_at) = (Record::from_row(found, &shown)?, Some(Timestamp(member.joined_at)));
                results.push(ListMember { record, joined_at });
            }
        }
        Ok(Page { results, next_cursor })
    }

    /// The members that somebody finds who does not see all that the list asks about.
    async fn members_found(
        &mut self,
        row: &ListRow,
        select: Option<Vec<String>>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<ListMember>> {
        let form = FilterForm::List(row.id.to_string());
        let text = QueryText {
            filter: Some(FilterText { pointer: "/list".to_owned(), form }),
            sort: vec![SortText::parse("id", String::new())],
            select,
            limit,
            cursor: cursor.map(str::to_owned),
            ..QueryText::default()
        };
        let answer = self.record_search(&row.object, &text, Vec::new()).await.map_err(of_parameters)?;
        let members = answer.results.into_iter().map(|found| ListMember { record: found.record, joined_at: None });
        Ok(Page { results: members.collect(), next_cursor: answer.next_cursor })
    }
}
