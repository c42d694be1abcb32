//! Where-used beyond the definitions: views, reports and lists that users have saved, roles, and rules of assignment.

use engine_model::behavior::{Behavior, RoleDefinition, Section};
use engine_model::expression::Expression;
use engine_model::layer::CUSTOM;
use engine_model::query::{Mention, QueryText, mentions};
use engine_model::uses::Use;
use engine_model::{Name, Problems};
use engine_store::{Reader, assignment, list, role, saved};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::lists::text_of;
use crate::session::Session;

/// Rows that are read at a time.
const AT_A_TIME: i64 = 500;

/// What has been saved that names properties, as far as somebody may see it.
#[derive(Debug, Default)]
pub(crate) struct SavedUses(Vec<(Mention, Use)>);

impl SavedUses {
    /// What names this property.
    pub(crate) fn of(&self, object: &str, property: &str) -> impl Iterator<Item = Use> {
        let is_it = move |mention: &Mention| (mention.object.as_str(), mention.property.as_str()) == (object, property);
        self.0.iter().filter(move |(mention, _)| is_it(mention)).map(|(_, found)| found.clone())
    }

    fn add(&mut self, kind: &'static str, (name, label): (String, &str), mentions: Vec<Mention>) {
        let before = self.0.len();
        for mention in mentions {
            let pointer = mention.pointer.clone();
            let (name, label) = (name.clone(), Some(label.to_owned()));
            let found = (mention, Use { kind, name, label, pointer, layer: CUSTOM.to_owned() });
            // One place may name it in several ways.
            if !self.0.iter().skip(before).any(|known| *known == found) {
                self.0.push(found);
            }
        }
    }
}

impl Session {
    /// Everything that is saved, names properties, and may be seen by the caller.
    pub(crate) async fn saved_uses(&self) -> Result<SavedUses> {
        let mut uses = SavedUses::default();
        let mut reader = self.reader().await?;
        self.of_views_and_reports(&mut reader, &mut uses).await?;
        self.of_lists(&mut reader, &mut uses).await?;
        if self.caller.check_admin().is_ok() {
            self.of_roles(&mut reader, &mut uses).await?;
            self.of_assignment_rules(&mut reader, &mut uses).await?;
        }
        Ok(uses)
    }

    async fn of_views_and_reports(&self, reader: &mut Reader, uses: &mut SavedUses) -> Result<()> {
        for section in [Section::Views, Section::Reports] {
            let mut after = 0;
            loop {
                let (kind, user, sight) = (section.kind(), self.caller.user, self.sight_of_shared());
                let wanted = saved::Wanted { kind, object: None, user, sight };
                let rows = saved::visible(reader, wanted, after, AT_A_TIME).await?;
                let Some(last) = rows.last() else { break };
                after = last.id;
                for row in &rows {
                    let spec: Map<String, Value> = serde_json::from_str(&row.spec).map_err(Error::internal)?;
                    // What does not read any more is told by the view itself.
                    let Some(behavior) = Behavior::of_user(section, &spec, &mut Problems::new()) else { continue };
                    let found = self.catalog.effective.registry.mentioned_by(&behavior);
                    uses.add(section.kind(), (row.id.to_string(), &row.label), found);
                }
            }
        }
        Ok(())
    }

    async fn of_lists(&self, reader: &mut Reader, uses: &mut SavedUses) -> Result<()> {
        let registry = &self.catalog.effective.registry;
        let mut after = 0;
        loop {
            let wanted = list::Wanted { object: None, user: self.caller.user, sight: self.sight_of_shared() };
            let rows = list::visible(reader, wanted, after, AT_A_TIME).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            for row in rows {
                let (Some(filter), Some(object)) = (&row.filter, registry.objects.get(row.object.as_str())) else {
                    continue;
                };
                let text = QueryText { filter: Some(text_of(filter)?), ..QueryText::default() };
                let found = mentions(&text, object, registry);
                // Only what somebody may see of a list tells what it asks.
                if !found.is_empty() && self.knows_list(reader, &row).await? {
                    let found = found.into_iter();
                    let found = found.map(|found| Mention { pointer: format!("/filter{}", found.pointer), ..found });
                    uses.add("list", (row.id.to_string(), &row.name), found.collect());
                }
            }
        }
    }

    async fn of_roles(&self, reader: &mut Reader, uses: &mut SavedUses) -> Result<()> {
        let mut after = String::new();
        loop {
            let rows = role::list(reader, &after, AT_A_TIME).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.name);
            for row in &rows {
                let Ok(name) = Name::new(&row.name) else { continue };
                let spec: Map<String, Value> = serde_json::from_str(&row.spec).map_err(Error::internal)?;
                let read = RoleDefinition::of_tenant(&name, &spec, Some(&self.catalog.effective.registry));
                let Some((label, _)) = read.role else { continue };
                uses.add("role", (row.name.clone(), &label), read.mentions);
            }
        }
    }

    async fn of_assignment_rules(&self, reader: &mut Reader, uses: &mut SavedUses) -> Result<()> {
        let mut after = 0;
        loop {
            let rows = assignment::page(reader, None, after, AT_A_TIME).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            for row in &rows {
                let object = self.catalog.effective.registry.objects.get(row.object.as_str());
                let condition = row.condition.as_deref().and_then(|source| Expression::compile(source).ok());
                let (Some(object), Some(condition)) = (object, condition) else { continue };
                let properties = condition.names().filter_map(|name| object.property_called(name));
                let found = properties.map(|property| Mention {
                    object: object.name.clone(),
                    property: property.name.clone(),
                    pointer: "/when".to_owned(),
                });
                uses.add("assignment_rule", (row.id.to_string(), &row.label), found.collect());
            }
        }
    }
}
