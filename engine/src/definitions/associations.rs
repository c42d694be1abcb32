//! Association definitions.

use engine_model::time::Timestamp;
use engine_model::{Problems, overlay};
use serde_json::{Map, Value, json};

use super::DefinitionQuery;
use super::body::{check_supported, take_name};
use super::catalog::Catalog;
use super::edit::{Edit, Row, Target};
use super::find::{find_association, taken};
use super::place::Place;
use super::redefine::Defined;
use super::revision::{Before, Revision, shown_map};
use super::show::Showing;
use super::source::Source;
use crate::error::{Error, Result};
use crate::records::{Reply, Written};
use crate::session::Session;

const KEYS: &[&str] = &["from", "to", "label", "inverse", "cardinality", "labels", "properties", "archived"];

impl Session {
    /// The tenant's association definitions.
    pub async fn association_definitions(&mut self, query: DefinitionQuery) -> Result<Vec<Value>> {
        self.refresh().await?;
        let showing = Showing::of(&self.catalog);
        let all = self.catalog.effective.registry.associations.values();
        let wanted = all.filter(|association| query.takes(&association.layer, association.archived));
        Ok(wanted.map(|association| showing.association(association)).collect())
    }

    /// One association definition, archived or not.
    pub async fn association_definition(&mut self, name: &str) -> Result<Value> {
        self.refresh().await?;
        Ok(Showing::of(&self.catalog).association(find_association(&self.catalog, name)?))
    }

    /// Defines an association.
    pub async fn association_define(
        &mut self,
        body: Map<String, Value>,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| define(catalog, &body, now), reply).await
    }

    /// Changes an association by a merge patch.
    pub async fn association_change(&mut self, name: &str, patch: Map<String, Value>) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| change(catalog, name, "change", &patch, now), None).await
    }

    /// Archives an association; its links stay and are not shown any more.
    pub async fn association_archive(&mut self, name: &str) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), json!(true))]);
        self.redefine(|catalog, now| change(catalog, name, "archive", &patch, now), None).await
    }

    /// Brings an archived association back with its links.
    pub async fn association_restore(&mut self, name: &str, reply: Option<Reply<Defined>>) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), Value::Null)]);
        self.redefine(|catalog, now| change(catalog, name, "restore", &patch, now), reply).await
    }
}

fn define(catalog: &Catalog, body: &Map<String, Value>, now: Timestamp) -> Result<Edit> {
    check_supported(body)?;
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let place = Place::of(body);
    let mut body = body.clone();
    let name = take_name(&mut body, &mut revision.problems)?;
    if let Some(layer) = catalog.effective.layers.iter().find(|layer| layer.associations.contains_key(&name)) {
        let present = catalog.effective.registry.associations.get(&name);
        let is_archived = present.is_some_and(|association| association.archived);
        return Err(taken(&format!("an association `{name}`"), &layer.name, is_archived));
    }
    let wanted = revision.definition(&Before::nothing(), KEYS, &body);
    Ok(Edit {
        target: Target::Association(name.clone()),
        summary: format!("define association {name}"),
        rows: vec![(Row::Association(name), wanted)],
        place,
        problems: revision.problems,
    })
}

fn change(catalog: &Catalog, name: &str, verb: &str, patch: &Map<String, Value>, now: Timestamp) -> Result<Edit> {
    check_supported(patch)?;
    let association = find_association(catalog, name)?;
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let source = Source::association(&catalog.effective.layers, name);
    let before = Before {
        source: source.ok_or_else(|| Error::internal("an effective association is in no layer"))?,
        shown: shown_map(Showing::of(catalog).association(association), association.archived),
        is_archived: association.archived,
        properties: Some(&association.properties),
    };
    let wanted = revision.definition(&before, KEYS, patch);
    let spec = match &before.source.base {
        Some(base) => overlay::of_definition(base, &wanted, &mut revision.problems),
        None => wanted,
    };
    Ok(Edit {
        target: Target::Association(association.name.clone()),
        rows: vec![(Row::Association(association.name.clone()), spec)],
        summary: format!("{verb} association {name}"),
        place: Place::of(patch),
        problems: revision.problems,
    })
}
