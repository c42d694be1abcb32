//! Finding views, reports and dashboards that the caller may see.

use engine_model::behavior::{Behavior, Section};
use engine_model::name::did_you_mean;
use engine_model::{TeamId, UserId};
use engine_store::Reader;
use engine_store::saved::{self, SavedRow, Teams, Wanted};

use super::item::{Known, SavedItem};
use crate::definitions::catalog::shortened;
use crate::error::{Error, Result};
use crate::records::{Page, make_cursor, read_cursor};
use crate::session::Session;

impl Session {
    /// One page of those that the caller may see: first what packs define, by name, then what users have saved.
    pub async fn saved_list(
        &mut self,
        section: Section,
        object: Option<&str>,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<SavedItem>> {
        self.refresh().await?;
        object.map(|object| self.catalog.object(object)).transpose()?;
        let object_name = object.unwrap_or_default();
        let listed = [section.as_str(), object_name];
        let of_packs = [section.as_str(), object_name, "packs"];
        // How many of packs have been told, and up to which id of what users have saved.
        let (told, after) = match cursor {
            None => (Some(0), 0),
            Some(cursor) => match read_cursor(cursor, &of_packs) {
                Ok(told) => (usize::try_from(told).ok(), 0),
                Err(_) => (None, read_cursor(cursor, &listed)?),
            },
        };
        let registry = &self.catalog.effective.registry;
        let (mut results, mut reader) = (Vec::new(), self.reader().await?);
        if let Some(told) = told {
            let packs = self.of_packs(section, object);
            for behavior in packs.iter().skip(told).take(limit) {
                results.push(self.as_seen(&mut reader, Known::of_pack(behavior, registry)).await?.item);
            }
            if packs.len() > told.saturating_add(limit) {
                let next = i64::try_from(told + limit).unwrap_or(i64::MAX);
                return Ok(Page { results, next_cursor: Some(make_cursor(&of_packs, next)) });
            }
        }
        let room = limit - results.len();
        let wanted = Wanted { kind: section.kind(), object, user: self.caller.user, sight: self.sight_of_shared() };
        let many = i64::try_from(room).unwrap_or(i64::MAX).saturating_add(1);
        let mut rows = saved::visible(&mut reader, wanted, after, many).await?;
        let has_more = rows.len() > room;
        rows.truncate(room);
        let last = rows.last().map_or(after, |row| row.id);
        for row in rows {
            results.push(self.as_seen(&mut reader, Known::of_row(row, section, registry)?).await?.item);
        }
        Ok(Page { results, next_cursor: has_more.then(|| make_cursor(&listed, last)) })
    }

    /// One of them.
    pub async fn saved(&mut self, section: Section, id: &str) -> Result<SavedItem> {
        self.refresh().await?;
        Ok(self.saved_known(section, id).await?.item)
    }

    /// One of them, as the caller may look at it.
    pub(super) async fn saved_known(&self, section: Section, id: &str) -> Result<Known> {
        let (registry, mut reader) = (&self.catalog.effective.registry, self.reader().await?);
        let of_pack = self.of_packs(section, None).into_iter().find(|behavior| behavior.name.as_str() == id);
        let known = match of_pack {
            Some(behavior) => Known::of_pack(behavior, registry),
            None => Known::of_row(self.saved_row(&mut reader, section, id).await?, section, registry)?,
        };
        self.as_seen(&mut reader, known).await
    }

    /// What a user has saved and the caller may see.
    pub(super) async fn saved_row(&self, reader: &mut Reader, section: Section, id: &str) -> Result<SavedRow> {
        let found = match id.parse() {
            Ok(number) => saved::get(reader, section.kind(), number).await?,
            Err(_) => None,
        };
        found.filter(|row| self.may_look_at(row)).ok_or_else(|| {
            let names = self.of_packs(section, None).into_iter().map(|behavior| behavior.name.as_str());
            let hint = did_you_mean(id, names);
            Error::not_found(format!("there is no {} `{}`{hint}", section.kind(), shortened(id)))
        })
    }

    fn may_look_at(&self, row: &SavedRow) -> bool {
        self.is_shared_with(UserId(row.owner_id), &row.sharing, row.team_id.map(TeamId))
    }

    /// Whether the caller may look at what a user has saved and shares so.
    pub(crate) fn is_shared_with(&self, owner: UserId, sharing: &str, team: Option<TeamId>) -> bool {
        match sharing {
            _ if owner == self.caller.user => true,
            "everyone" => true,
            "team" => self.caller.rights.admin || team.is_some_and(|team| self.caller.teams.contains(&team)),
            _ => false,
        }
    }

    /// Those that packs define, by name; of one object where that is given.
    fn of_packs(&self, section: Section, object: Option<&str>) -> Vec<&Behavior> {
        let all = self.catalog.effective.registry.behaviors.values();
        let is_meant = |behavior: &&Behavior| {
            behavior.section == section
                && object.is_none_or(|object| behavior.object() == Some(object))
                && behavior.object().is_none_or(|object| self.catalog.object(object).is_ok())
        };
        let mut found: Vec<&Behavior> = all.filter(is_meant).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }

    /// Of which teams the caller sees what is shared with them: administrators, who keep it, of all.
    pub(crate) fn sight_of_shared(&self) -> Teams {
        match self.caller.rights.admin {
            true => Teams::All,
            false => Teams::These(self.caller.teams.iter().map(|team| team.0).collect()),
        }
    }
}
