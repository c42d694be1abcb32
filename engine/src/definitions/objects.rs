//! Object definitions.

use engine_model::object::ObjectDefinition;
use engine_model::time::Timestamp;
use engine_model::{Name, Problem, Problems, overlay};
use serde_json::{Map, Value, json};

use super::DefinitionQuery;
use super::body::{check_supported, take_name};
use super::catalog::Catalog;
use super::edit::{Edit, Row, Target};
use super::find::{find_object, is_on, taken};
use super::place::Place;
use super::redefine::Defined;
use super::revision::{Before, Revision, shown_map};
use super::show::Showing;
use super::source::Source;
use crate::error::{Error, Result};
use crate::records::{Reply, Written};
use crate::session::Session;

const KEYS: &[&str] = &[
    "label",
    "plural",
    "plural_label",
    "display",
    "icon",
    "description",
    "capability",
    "features",
    "groups",
    "properties",
    "constraints",
    "entry",
    "archived",
];

impl Session {
    /// The tenant's object definitions with their properties.
    pub async fn object_definitions(&mut self, query: DefinitionQuery) -> Result<Vec<Value>> {
        self.refresh().await?;
        let showing = Showing::of(&self.catalog).only(query);
        let objects = self.catalog.effective.registry.objects.values().filter(|object| is_on(&self.catalog, object));
        let is_wanted = |object: &&ObjectDefinition| {
            let has_own = || object.properties.values().any(|property| query.takes_property(property));
            query.takes(&object.layer, object.archived) || (object.archived == query.archived && has_own())
        };
        Ok(objects.filter(is_wanted).map(|object| showing.object(object)).collect())
    }

    /// One object definition, archived or not.
    pub async fn object_definition(&mut self, name: &str, query: DefinitionQuery) -> Result<Value> {
        self.refresh().await?;
        let object = find_object(&self.catalog, name)?;
        Ok(Showing::of(&self.catalog).only(query).object(object))
    }

    /// The JSON Schema 2020-12 of the `properties` of an object's stored records.
    pub async fn object_schema(&mut self, name: &str) -> Result<Value> {
        self.refresh().await?;
        Ok(self.catalog.effective.registry.json_schema(find_object(&self.catalog, name)?))
    }

    /// Defines an object.
    pub async fn object_define(
        &mut self,
        body: Map<String, Value>,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| define(catalog, &body, now), reply).await
    }

    /// Changes an object by a merge patch.
    pub async fn object_change(&mut self, name: &str, patch: Map<String, Value>) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| change(catalog, name, "change", &patch, now), None).await
    }

    /// Archives an object; its records stay and are not reached any more.
    pub async fn object_archive(&mut self, name: &str) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), json!(true))]);
        self.redefine(|catalog, now| change(catalog, name, "archive", &patch, now), None).await
    }

    /// Brings an archived object back with its records.
    pub async fn object_restore(&mut self, name: &str, reply: Option<Reply<Defined>>) -> Result<Written<Defined>> {
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
    check_free(catalog, &name)?;
    if name.as_str() == "any" {
        let message = "`any` stands for every object; choose another name";
        revision.problems.push(Problem::new("/name", "reserved", message));
    }
    let wanted = revision.definition(&Before::nothing(), KEYS, &body);
    Ok(Edit {
        target: Target::Object(name.clone()),
        summary: format!("define object {name}"),
        rows: vec![(Row::Object(name), wanted)],
        place,
        problems: revision.problems,
    })
}

fn check_free(catalog: &Catalog, name: &Name) -> Result<()> {
    let Some(layer) = catalog.effective.layers.iter().find(|layer| layer.objects.contains_key(name)) else {
        return Ok(());
    };
    let object = catalog.effective.registry.objects.get(name);
    let mut error = taken(&format!("an object `{name}`"), &layer.name, object.is_some_and(|object| object.archived));
    if let Some(capability) =
        object.filter(|object| !is_on(catalog, object)).and_then(|object| object.capability.as_ref())
    {
        error.detail = format!("{}; turn its capability `{capability}` on to use it", error.detail);
    }
    Err(error)
}

fn change(catalog: &Catalog, name: &str, verb: &str, patch: &Map<String, Value>, now: Timestamp) -> Result<Edit> {
    check_supported(patch)?;
    let object = find_object(catalog, name)?;
    let mut revision = Revision { showing: Showing::of(catalog), now, problems: Problems::new() };
    let before = before(catalog, object)?;
    let wanted = revision.definition(&before, KEYS, patch);
    let mut place = Place::of(patch);
    if before.source.base.is_some() {
        place.keeps_constraints(kept_constraints(&before.source, &wanted));
    }
    Ok(Edit {
        target: Target::Object(object.name.clone()),
        rows: vec![row(object, &before.source, wanted, &mut revision.problems)],
        summary: format!("{verb} object {name}"),
        place,
        problems: revision.problems,
    })
}

fn before<'a>(catalog: &'a Catalog, object: &'a ObjectDefinition) -> Result<Before<'a>> {
    Ok(Before {
        source: source(catalog, object)?,
        shown: shown_map(Showing::of(catalog).object(object), object.archived),
        is_archived: object.archived,
        properties: Some(&object.properties),
    })
}

/// The object as it is written.
pub(crate) fn source(catalog: &Catalog, object: &ObjectDefinition) -> Result<Source> {
    let source = Source::object(&catalog.effective.layers, &object.name);
    source.ok_or_else(|| Error::internal("an effective object is in no layer"))
}

/// The row of the own layer that makes `wanted` effective.
pub(crate) fn row(
    object: &ObjectDefinition,
    source: &Source,
    wanted: Map<String, Value>,
    problems: &mut Problems,
) -> (Row, Map<String, Value>) {
    let spec = match &source.base {
        Some(base) => overlay::of_definition(base, &wanted, problems),
        None => wanted,
    };
    (Row::Object(object.name.clone()), spec)
}

/// Constraints in the order in which the fold has them: the packs' first.
fn kept_constraints(source: &Source, wanted: &Map<String, Value>) -> Vec<Value> {
    let list = |spec: Option<&Map<String, Value>>| {
        spec.and_then(|spec| spec.get("constraints")).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut kept = list(source.base.as_ref());
    let added: Vec<Value> = list(Some(wanted)).into_iter().filter(|constraint| !kept.contains(constraint)).collect();
    kept.extend(added);
    kept
}
