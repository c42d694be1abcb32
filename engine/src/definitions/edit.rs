//! One change of the tenant's own layer: rows before and after, and what to say of it.

use engine_model::layer::{CUSTOM, Layer};
use engine_model::time::Timestamp;
use engine_model::{Name, Problem, Problems};
use engine_store::{Tx, definition};
use serde_json::{Map, Value, json};

use super::catalog::Catalog;
use super::place::Place;
use super::show::Showing;
use crate::error::{Error, Result};

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Object(Name),
    Property { object: Name, property: Name },
    Association(Name),
    Pipeline { object: Name, name: Name },
}

/// A row of the own layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    Object(Name),
    Association(Name),
    Pipeline { object: Name, name: Name },
}

/// Rows of the own layer as they shall be.
pub(crate) type Rows = Vec<(Row, Map<String, Value>)>;

/// One change of the tenant's own layer, not yet checked against the other definitions.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) target: Target,
    pub(crate) rows: Rows,
    /// One line for people.
    pub(crate) summary: String,
    /// How places in definitions are found in the request's body.
    pub(crate) place: Place,
    /// What is wrong with the body itself.
    pub(crate) problems: Problems,
}

impl Edit {
    /// Leaves only the rows that differ from what `catalog` has.
    pub(crate) fn news(&mut self, catalog: &Catalog) {
        let own = catalog.effective.own_layer();
        self.rows.retain(|(row, spec)| match own.and_then(|own| row.of(own)) {
            Some(present) => present != spec,
            None => !spec.is_empty() || row.is_new(catalog),
        });
    }

    /// The own layer with the change.
    pub(crate) fn apply(&self, catalog: &Catalog) -> Layer {
        let mut own = catalog
            .effective
            .own_layer()
            .cloned()
            .unwrap_or_else(|| Layer { name: CUSTOM.to_owned(), ..Layer::default() });
        for (row, spec) in &self.rows {
            match row {
                Row::Object(name) if is_of_pack(catalog, name) => drop(own.extend.insert(name.clone(), spec.clone())),
                Row::Object(name) => drop(own.objects.insert(name.clone(), spec.clone())),
                Row::Association(name) => drop(own.associations.insert(name.clone(), spec.clone())),
                Row::Pipeline { object, name } => {
                    own.pipelines.insert((object.clone(), name.clone()), spec.clone());
                }
            }
        }
        own
    }

    /// What the call answers once `showing` is in force.
    pub(crate) fn answer(&self, showing: Showing<'_>) -> Result<Value> {
        let registry = showing.registry;
        let answer = match &self.target {
            Target::Object(name) => registry.objects.get(name).map(|object| showing.object(object)),
            Target::Property { object, property } => {
                let found = registry.objects.get(object).and_then(|object| object.properties.get(property));
                found.map(|property| showing.property(property))
            }
            Target::Association(name) => registry.associations.get(name).map(|found| showing.association(found)),
            Target::Pipeline { object, name } => {
                let found = registry.pipelines.get(object).and_then(|pipelines| pipelines.get(name));
                found.map(|pipeline| showing.pipeline(pipeline))
            }
        };
        answer.ok_or_else(|| Error::internal("a changed definition is not there"))
    }

    /// Problems of the definitions as a whole, placed in the request's body, after those of the body itself.
    /// Where the definition itself does not read, what others miss of it is left out.
    pub(crate) fn place(&self, mut found: Problems, reads: bool) -> Problems {
        if !reads {
            found.retain(|problem| self.place.covers(&self.target, &problem.pointer));
        }

        let mut problems = self.problems.clone();
        for problem in found {
            let placed = Problem { pointer: self.place.find(&self.target, &problem.pointer, problem.code), ..problem };
            // The reader of the whole may have noticed the same.
            let is_known =
                self.problems.iter().any(|known| known.pointer == placed.pointer && known.code == placed.code);
            if !is_known {
                problems.push(placed);
            }
        }
        problems
    }
}

/// Each row before and after, null where there was none.
pub(crate) fn changes(own: Option<&Layer>, rows: &[(Row, Map<String, Value>)]) -> Map<String, Value> {
    let change = |(row, spec): &(Row, Map<String, Value>)| (row.path(), json!([own.and_then(|own| row.of(own)), spec]));
    rows.iter().map(change).collect()
}

/// Writes rows.
pub(crate) async fn put(tx: &mut Tx, rows: &[(Row, Map<String, Value>)], now: Timestamp) -> Result<()> {
    for (row, spec) in rows {
        let spec = serde_json::to_string(spec).map_err(Error::internal)?;
        match row {
            Row::Object(name) => definition::put(tx, definition::Kind::Object, name, spec, now).await?,
            Row::Association(name) => definition::put(tx, definition::Kind::Association, name, spec, now).await?,
            Row::Pipeline { object, name } => definition::put_pipeline(tx, object, name, spec, now).await?,
        }
    }
    Ok(())
}

/// The rows of `after` that are not as they are in `before`.
pub(crate) fn differing(before: Option<&Layer>, after: &Layer) -> Rows {
    let objects = after.objects.iter().chain(&after.extend).map(|(name, spec)| (Row::Object(name.clone()), spec));
    let associations = after.associations.iter().map(|(name, spec)| (Row::Association(name.clone()), spec));
    let pipeline = |((object, name), spec): (&(Name, Name), _)| {
        (Row::Pipeline { object: object.clone(), name: name.clone() }, spec)
    };
    let all = objects.chain(associations).chain(after.pipelines.iter().map(pipeline));
    let differs = |(row, spec): &(Row, &Map<String, Value>)| before.and_then(|before| row.of(before)) != Some(*spec);
    all.filter(differs).map(|(row, spec)| (row, spec.clone())).collect()
}

impl Row {
    fn of<'a>(&self, own: &'a Layer) -> Option<&'a Map<String, Value>> {
        match self {
            Self::Object(name) => own.objects.get(name).or_else(|| own.extend.get(name)),
            Self::Association(name) => own.associations.get(name),
            Self::Pipeline { object, name } => own.pipelines.get(&(object.clone(), name.clone())),
        }
    }

    /// No layer has it, so that even an empty specification says something.
    fn is_new(&self, catalog: &Catalog) -> bool {
        !catalog.effective.layers.iter().any(|layer| self.of(layer).is_some())
    }

    /// How the history names it.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Object(name) => format!("objects.{name}"),
            Self::Association(name) => format!("associations.{name}"),
            Self::Pipeline { object, name } => format!("pipelines.{object}.{name}"),
        }
    }
}

/// Whether some pack owns the object, so that the tenant only adds to it.
pub(crate) fn is_of_pack(catalog: &Catalog, object: &str) -> bool {
    catalog.effective.layers.iter().any(|layer| layer.name != CUSTOM && layer.objects.contains_key(object))
}
