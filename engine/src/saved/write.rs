//! Saving views, reports and dashboards, changing and deleting them.

use engine_model::behavior::{Behavior, Content, Section};
use engine_model::{Problem, Problems, TeamId, UserId};
use engine_store::saved::{self, SavedRow};
use engine_store::{Tx, access, counter};
use serde_json::{Map, Value};

use super::SavedReply;
use super::item::{Known, SavedItem, spec_of};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::Written;
use crate::session::Session;

/// Members that are never missing.
const NEEDED: [&str; 3] = ["label", "object", "items"];

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
        let mut row = self.saved_as(section, row, spec).await?;
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        row.id = counter::next(&mut tx, "saved_item").await?;
        self.put_saved(tx, section, row, reply).await
    }

    /// Changes one: what is given replaces what was there; null takes it away, but what cannot be missing.
    pub async fn saved_change(
        &mut self,
        section: Section,
        id: &str,
        patch: Map<String, Value>,
    ) -> Result<Written<SavedItem>> {
        self.refresh().await?;
        let row = self.own_row(section, id).await?;
        let mut spec = spec_of(&row)?;
        if let Some(team) = row.team_id {
            spec.insert("team".to_owned(), team.to_string().into());
        }
        for (key, value) in patch {
            match value {
                Value::Null if NEEDED.contains(&key.as_str()) => {}
                Value::Null => drop(spec.shift_remove(&key)),
                value => drop(spec.insert(key, value)),
            }
        }
        let updated_at = self.now().0;
        let row = self.saved_as(section, SavedRow { updated_at, ..row }, spec).await?;
        let tx = self.engine.store().begin(self.tenant()).await?;
        self.put_saved(tx, section, row, None).await
    }

    /// Deletes one.
    pub async fn saved_delete(&mut self, section: Section, id: &str) -> Result<Written<()>> {
        self.refresh().await?;
        let row = self.own_row(section, id).await?;
        let mut tx = self.engine.store().begin(self.tenant()).await?;
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
        let value = Known::of_row(row, section, &self.catalog.effective.registry)?.item;
        let written = Written { value, sequence: tx.head.sequence() };
        if let Some(reply) = reply {
            self.keep_reply(&mut tx, &written, reply).await?;
        }
        tx.commit().await?;
        Ok(written)
    }

    /// One that the caller may change: what the caller has saved; what others share, for administrators.
    async fn own_row(&self, section: Section, id: &str) -> Result<SavedRow> {
        self.caller.check_saves()?;
        let mut defined = self.catalog.effective.registry.behaviors.values();
        let of_pack = defined.find(|behavior| behavior.section == section && behavior.name.as_str() == id);
        if let Some(behavior) = of_pack {
            let (kind, pack) = (section.kind(), &behavior.layer);
            let message =
                format!("the {kind} `{id}` is the pack `{pack}`'s and cannot be changed; save one of your own");
            return Err(Error::forbidden(message));
        }
        let row = self.saved_row(section, id).await?;
        if UserId(row.owner_id) != self.caller.user && self.caller.check_admin().is_err() {
            let kind = section.kind();
            let message =
                format!("the {kind} {} is user {}'s; only they and administrators change it", row.id, row.owner_id);
            return Err(Error::forbidden(message));
        }
        Ok(row)
    }

    /// The row that says what is written; every mistake in it at once.
    async fn saved_as(&self, section: Section, row: SavedRow, mut spec: Map<String, Value>) -> Result<SavedRow> {
        let mut problems = Problems::new();
        let team = spec.shift_remove("team").filter(|team| !team.is_null());
        let sharing = spec.entry("sharing").or_insert_with(|| "private".into());
        if sharing.as_str() == Some("shared") {
            *sharing = "everyone".into();
        }
        let behavior = Behavior::of_user(section, &spec, &mut problems);
        if let Some(behavior) = &behavior {
            problems.extend(self.catalog.effective.registry.check_behavior(behavior));
            self.check_items(behavior, &mut problems).await?;
        }
        let sharing = spec.get("sharing").and_then(Value::as_str).unwrap_or_default();
        let team_id = self.read_team(team, sharing == "team", &row, &mut problems).await?;
        match behavior {
            Some(behavior) if problems.is_empty() => Ok(SavedRow {
                object: behavior.object().map(str::to_owned),
                label: behavior.label.clone(),
                sharing: behavior.sharing().to_owned(),
                team_id: team_id.map(|team| team.0),
                spec: Value::Object(spec).to_string(),
                ..row
            }),
            _ => Err(Error::invalid(problems)),
        }
    }

    /// The team that is given; the only one that the user is in where none is.
    async fn read_team(
        &self,
        given: Option<Value>,
        is_shared: bool,
        row: &SavedRow,
        problems: &mut Problems,
    ) -> Result<Option<TeamId>> {
        let tell = |problems: &mut Problems, code: &'static str, message: String| {
            problems.push(Problem::new("/team", code, message));
        };
        let Some(given) = given else {
            match self.caller.teams.as_slice() {
                [only] if is_shared => return Ok(Some(*only)),
                _ if is_shared => tell(problems, "required", "`team` says which team it is shared with".to_owned()),
                _ => {}
            }
            return Ok(None);
        };
        if !is_shared {
            let message = "only what has `sharing: team` is shared with one".to_owned();
            tell(problems, "not_applicable", message);
            return Ok(None);
        }
        let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        let Ok(team) = text.parse::<TeamId>() else {
            tell(problems, "not_found", format!("there is no team `{}`", shortened(&text)));
            return Ok(None);
        };
        let is_there = access::team(&mut self.reader().await?, team).await?.is_some();
        let may = self.caller.teams.contains(&team) || row.team_id == Some(team.0) || self.caller.check_admin().is_ok();
        if !is_there {
            tell(problems, "not_found", format!("there is no team `{team}`"));
        } else if !may {
            tell(problems, "forbidden", format!("you are not in team {team}"));
        }
        Ok(Some(team))
    }

    /// What a dashboard shows of what users have saved has to be there, for whoever saves the dashboard.
    async fn check_items(&self, behavior: &Behavior, problems: &mut Problems) -> Result<()> {
        let Content::Dashboard(dashboard) = &behavior.content else { return Ok(()) };
        for (index, item) in dashboard.items.iter().enumerate().filter(|(_, item)| item.is_saved()) {
            let kind = item.section.kind();
            match self.saved_row(item.section, &item.of).await {
                Ok(_) => {}
                Err(error) if error.code == crate::error::ErrorCode::NotFound => {
                    problems.push(Problem::new(format!("/items/{index}/{kind}"), "unknown", error.detail));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
