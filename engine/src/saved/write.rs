//! Saving views, reports and dashboards, changing and deleting them.

use engine_model::behavior::Section;
use engine_model::problem::push_segment;
use engine_model::{Problems, UserId};
use engine_store::saved::{self, SavedRow};
use engine_store::{Reader, Tx, counter};
use serde_json::{Map, Value};

use super::SavedReply;
use super::item::{Known, SavedItem, spec_of};
use crate::error::{Error, Result};
use crate::records::Written;
use crate::session::Session;

impl Session {
    /// Saves a new one, which belongs to the caller; private unless it says otherwise.
    pub async fn saved_create(
        &mut self,
        section: Section,
        spec: Map<String, Value>,
        reply: Option<SavedReply>,
    ) -> Result<Written<SavedItem>> {
        self.caller.check_saves()?;
        self.refresh().await?;
        let now = self.now().0;
        let row = SavedRow {
            id: 0,
            kind: section.kind().to_owned(),
            object: None,
            label: String::new(),
            sharing: String::new(),
            owner_id: self.caller.user.0,
            team_id: None,
            spec: String::new(),
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let mut row = self.saved_as(tx.reader(), section, row, spec, &[]).await?;
        row.id = counter::next(&mut tx, "saved_item").await?;
        self.put_saved(tx, section, row, reply).await
    }

    /// Changes one: what is given replaces what was there; null takes it away.
    pub async fn saved_change(
        &mut self,
        section: Section,
        id: &str,
        patch: Map<String, Value>,
    ) -> Result<Written<SavedItem>> {
        self.refresh().await?;
        // Read where it is written, so that nothing that others change meanwhile is lost.
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let row = self.own_row(tx.reader(), section, id).await?;
        let mut spec = spec_of(&row)?;
        // The column says whom it is shared with, also after a team is gone.
        spec.insert("sharing".to_owned(), row.sharing.clone().into());
        let known = self.wrong_before(&row, section, &patch)?;
        for (key, value) in patch {
            match value {
                Value::Null => drop(spec.shift_remove(&key)),
                value => drop(spec.insert(key, value)),
            }
        }
        // Nothing is shared with a team any longer than it is shared with one.
        if let Some(team) = row.team_id.filter(|_| spec.get("sharing").is_some_and(|sharing| sharing == "team")) {
            spec.entry("team").or_insert_with(|| team.to_string().into());
        }
        let updated_at = self.now().0;
        let row = self.saved_as(tx.reader(), section, SavedRow { updated_at, ..row }, spec, &known).await?;
        self.put_saved(tx, section, row, None).await
    }

    /// Deletes one.
    pub async fn saved_delete(&mut self, section: Section, id: &str) -> Result<Written<()>> {
        self.refresh().await?;
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let row = self.own_row(tx.reader(), section, id).await?;
        saved::delete(&mut tx, row.id).await?;
        let sequence = tx.head.sequence();
        tx.commit().await?;
        Ok(Written { value: (), sequence })
    }

    async fn put_saved(
        &mut self,
        mut tx: Tx,
        section: Section,
        row: SavedRow,
        reply: Option<SavedReply>,
    ) -> Result<Written<SavedItem>> {
        saved::put(&mut tx, &row).await?;
        let known = Known::of_row(row, section, &self.catalog.effective.registry)?;
        let value = self.as_seen(tx.reader(), known).await?.item;
        let written = Written { value, sequence: tx.head.sequence() };
        if let Some(reply) = reply {
            self.keep_reply(&mut tx, &written, reply).await?;
        }
        tx.commit().await?;
        Ok(written)
    }

    /// What was wrong with one before, which stands in the way of no other change. Members that name what the caller may
    /// not see stay as they are, and cannot be written anew.
    fn wrong_before(&self, row: &SavedRow, section: Section, patch: &Map<String, Value>) -> Result<Problems> {
        let Known { item, behavior, .. } = Known::of_row(row.clone(), section, &self.catalog.effective.registry)?;
        let mut known = item.warnings;
        if let Some(behavior) = behavior {
            let unseen = self.unseen_in(&behavior, &known);
            let mut found = self.wrong_for_caller(&behavior);
            found.retain(|problem| {
                let is_written = patch.keys().any(|key| {
                    let rest = problem.pointer.strip_prefix(&push_segment("", key));
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                });
                !is_written || !unseen.contains(problem)
            });
            known.extend(found);
        }
        Ok(known)
    }

    /// One that the caller may change: what the caller has saved; what others share, for administrators.
    async fn own_row(&self, reader: &mut Reader, section: Section, id: &str) -> Result<SavedRow> {
        self.caller.check_saves()?;
        let mut defined = self.catalog.effective.registry.behaviors.values();
        let of_pack = defined.find(|behavior| behavior.section == section && behavior.name.as_str() == id);
        if let Some(behavior) = of_pack {
            let (kind, pack) = (section.kind(), &behavior.layer);
            let message =
                format!("the {kind} `{id}` is the pack `{pack}`'s and cannot be changed; save one of your own");
            return Err(Error::forbidden(message));
        }
        let row = self.saved_row(reader, section, id).await?;
        if UserId(row.owner_id) != self.caller.user && self.caller.check_admin().is_err() {
            let kind = section.kind();
            let message =
                format!("the {kind} {} is user {}'s; only they and administrators change it", row.id, row.owner_id);
            return Err(Error::forbidden(message));
        }
        Ok(row)
    }
}
