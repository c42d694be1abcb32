//! Pipelines of objects and their stages.

use engine_model::object::ObjectDefinition;
use engine_model::pipeline::Pipeline;
use engine_model::problem::push_segment;
use engine_model::time::Timestamp;
use engine_model::{Name, Problem, Problems, overlay};
use serde_json::{Map, Value, json};

use super::DefinitionQuery;
use super::body::{check_supported, take_name};
use super::catalog::Catalog;
use super::edit::{Edit, Row, Target};
use super::find::{find_object, find_pipeline, taken};
use super::patch::{Entries, check_nulls, merge, merge_entries, news, reuse, stamp};
use super::place::Place;
use super::redefine::Defined;
use super::revision::shown_map;
use super::show::Showing;
use super::source::Source;
use crate::error::{Error, Result};
use crate::records::{Reply, Written};
use crate::session::Session;

const KEYS: &[&str] = &["label", "default", "categories", "stages", "transitions", "defaults", "archived"];

impl Session {
    /// An object's pipelines, in order.
    pub async fn pipelines(&mut self, object: &str, query: DefinitionQuery) -> Result<Vec<Value>> {
        self.refresh().await?;
        let object = find_object(&self.catalog, object)?;
        let showing = Showing::of(&self.catalog);
        let all = self
            .catalog
            .effective
            .registry
            .pipelines
            .get(&object.name)
            .into_iter()
            .flat_map(|pipelines| pipelines.values());
        let wanted = all.filter(|pipeline| query.takes(&pipeline.layer, pipeline.archived));
        Ok(wanted.map(|pipeline| showing.pipeline(pipeline)).collect())
    }

    /// One pipeline, archived or not.
    pub async fn pipeline(&mut self, object: &str, name: &str) -> Result<Value> {
        self.refresh().await?;
        let object = find_object(&self.catalog, object)?;
        Ok(Showing::of(&self.catalog).pipeline(find_pipeline(&self.catalog, object, name)?))
    }

    /// Defines a pipeline.
    pub async fn pipeline_define(
        &mut self,
        object: &str,
        body: Map<String, Value>,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| define(catalog, object, &body, now), reply).await
    }

    /// Changes a pipeline by a merge patch; a list of stages replaces them, a map of stages merges into them.
    pub async fn pipeline_change(
        &mut self,
        object: &str,
        name: &str,
        patch: Map<String, Value>,
    ) -> Result<Written<Defined>> {
        self.redefine(|catalog, now| change(catalog, object, name, "change", &patch, now), None).await
    }

    /// Archives a pipeline that no record is in.
    pub async fn pipeline_archive(&mut self, object: &str, name: &str) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), json!(true))]);
        self.redefine(|catalog, now| change(catalog, object, name, "archive", &patch, now), None).await
    }

    /// Brings an archived pipeline back.
    pub async fn pipeline_restore(
        &mut self,
        object: &str,
        name: &str,
        reply: Option<Reply<Defined>>,
    ) -> Result<Written<Defined>> {
        let patch = Map::from_iter([("archived".to_owned(), Value::Null)]);
        self.redefine(|catalog, now| change(catalog, object, name, "restore", &patch, now), reply).await
    }
}

fn define(catalog: &Catalog, object: &str, body: &Map<String, Value>, now: Timestamp) -> Result<Edit> {
    check_supported(body)?;
    let object = find_object(catalog, object)?;
    let place = Place::of(body);
    let mut problems = Problems::new();
    let mut body = body.clone();
    let name = take_name(&mut body, &mut problems)?;
    let key = (object.name.clone(), name.clone());
    if let Some(layer) = catalog.effective.layers.iter().find(|layer| layer.pipelines.contains_key(&key)) {
        let present = catalog.effective.registry.pipelines.get(&object.name).and_then(|pipelines| pipelines.get(&name));
        let what = format!("a pipeline `{name}` of `{}`", object.name);
        return Err(taken(&what, &layer.name, present.is_some_and(|pipeline| pipeline.archived)));
    }
    let shown = json!({"object": object.name, "layer": engine_model::layer::CUSTOM, "archived_at": null});
    let wanted = revise(&Map::new(), &shown_map(shown, false), false, &body, now, &mut problems);
    Ok(edit(catalog, object, name, "define", wanted, place, problems))
}

fn change(
    catalog: &Catalog,
    object: &str,
    name: &str,
    verb: &str,
    patch: &Map<String, Value>,
    now: Timestamp,
) -> Result<Edit> {
    check_supported(patch)?;
    let object = find_object(catalog, object)?;
    let pipeline = find_pipeline(catalog, object, name)?;
    let mut problems = Problems::new();
    let source = source(catalog, pipeline)?;
    let shown = shown_map(Showing::of(catalog).pipeline(pipeline), pipeline.archived);
    let wanted = revise(&source.effective, &shown, pipeline.archived, patch, now, &mut problems);
    Ok(edit(catalog, object, pipeline.name.clone(), verb, wanted, Place::of(patch), problems))
}

fn source(catalog: &Catalog, pipeline: &Pipeline) -> Result<Source> {
    let source = Source::pipeline(&catalog.effective.layers, &pipeline.object, &pipeline.name);
    source.ok_or_else(|| Error::internal("an effective pipeline is in no layer"))
}

fn edit(
    catalog: &Catalog,
    object: &ObjectDefinition,
    name: Name,
    verb: &str,
    wanted: Map<String, Value>,
    place: Place,
    problems: Problems,
) -> Edit {
    let mut rows = vec![row(catalog, &object.name, &name, &wanted)];
    if wanted.get("default") == Some(&json!(true)) {
        rows.extend(others_no_default(catalog, &object.name, &name));
    }
    let summary = format!("{verb} pipeline {}.{name}", object.name);
    let target = Target::Pipeline { object: object.name.clone(), name };
    Edit { target, rows, summary, place, problems }
}

/// The row of the own layer that makes `wanted` effective.
fn row(catalog: &Catalog, object: &Name, name: &Name, wanted: &Map<String, Value>) -> (Row, Map<String, Value>) {
    let base = Source::pipeline(&catalog.effective.layers, object, name).and_then(|source| source.base);
    let spec = base.map_or_else(|| wanted.clone(), |base| overlay::of_pipeline(&base, &as_in_base(&base, wanted)));
    (Row::Pipeline { object: object.clone(), name: name.clone() }, spec)
}

/// Only one pipeline is where new records start.
fn others_no_default(catalog: &Catalog, object: &Name, name: &Name) -> Vec<(Row, Map<String, Value>)> {
    let pipelines =
        catalog.effective.registry.pipelines.get(object).into_iter().flat_map(|pipelines| pipelines.values());
    pipelines
        .filter(|other| other.is_default && other.name != *name)
        .filter_map(|other| {
            let mut wanted = Source::pipeline(&catalog.effective.layers, object, &other.name)?.effective;
            wanted.shift_remove("default");
            Some(row(catalog, object, &other.name, &wanted))
        })
        .collect()
}

/// A pipeline's specification with a patch applied.
fn revise(
    written: &Map<String, Value>,
    shown: &Map<String, Value>,
    is_archived: bool,
    patch: &Map<String, Value>,
    now: Timestamp,
    problems: &mut Problems,
) -> Map<String, Value> {
    let mut news = news(patch, shown, "", problems);
    if news.shift_remove("object").is_some_and(|object| !object.is_null()) {
        let message = "the path says whose pipeline it is, and that cannot be changed; leave `object` out";
        problems.push(Problem::new("/object", "immutable", message));
    }
    check_nulls(&news, KEYS, "", problems);
    let given = news.shift_remove("stages");
    let mut wanted = written.clone();
    merge(&mut wanted, news);
    match given {
        None => {}
        Some(Value::Null) => drop(wanted.shift_remove("stages")),
        Some(given) => drop(
            wanted.insert("stages".to_owned(), stages(given, shown.get("stages"), written.get("stages"), problems)),
        ),
    }
    stamp(&mut wanted, is_archived, now);
    wanted
}

/// The stages that a patch leads to, as a map in order: a list replaces what is there, a map merges into it.
fn stages(given: Value, shown: Option<&Value>, written: Option<&Value>, problems: &mut Problems) -> Value {
    let mut written = written.and_then(stage_entries).unwrap_or_default();
    let entries = match &given {
        Value::Array(list) => {
            let entries = listed_entries(list, problems);
            reuse(entries, &shown.and_then(stage_entries).unwrap_or_default(), &written)
        }
        Value::Object(map) => {
            for (name, stage) in map.iter().filter(|(_, stage)| !is_stage(stage)) {
                let message = format!("a label or an object is expected, not {}", engine_model::spec::shape(stage));
                problems.push(Problem::new(push_segment("/stages", name), "wrong_type", message));
            }
            merge_entries(&mut written, map, "name");
            written
        }
        _ => return given,
    };
    let nameless = |entry: Map<String, Value>| {
        let mut stage = Map::new();
        merge(&mut stage, entry);
        stage.shift_remove("name");
        Value::Object(stage)
    };
    entries.into_iter().map(|(name, entry)| (name, nameless(entry))).collect()
}

fn is_stage(stage: &Value) -> bool {
    matches!(stage, Value::Null | Value::String(_) | Value::Object(_))
}

/// Listed stages by name; what is wrong with one as such leaves the others to be looked at.
fn listed_entries(list: &[Value], problems: &mut Problems) -> Entries {
    let mut entries = Entries::new();
    for (index, stage) in list.iter().enumerate() {
        let at = format!("/stages/{index}");
        let (spec, name) = match stage {
            Value::Object(spec) => (spec.clone(), spec.get("name")),
            other => {
                let shape = engine_model::spec::shape(other);
                let message = format!("an object with the stage's `name` is expected, not {shape}");
                problems.push(Problem::new(&at, "wrong_type", message));
                // The others may lead there.
                (Map::new(), Some(other).filter(|other| other.is_string()))
            }
        };
        let at = format!("{at}/name");
        match name {
            Some(Value::String(name)) => match Name::new(name) {
                Ok(_) if entries.contains_key(name) => {
                    problems.push(Problem::new(at, "taken", format!("the stage `{name}` is there twice")));
                }
                Ok(_) => drop(entries.insert(name.clone(), spec)),
                Err(error) => problems.push(Problem::new(at, "invalid_name", error.to_string())),
            },
            None | Some(Value::Null) if stage.is_object() => {
                problems.push(Problem::new(at, "required", "`name` is required"));
            }
            Some(other) if stage.is_object() => {
                let message = format!("a string is expected, not {}", engine_model::spec::shape(other));
                problems.push(Problem::new(at, "wrong_type", message));
            }
            None | Some(_) => {}
        }
    }
    entries
}

/// Stages by name, each with its name; `None` where they have no known form.
fn stage_entries(stages: &Value) -> Option<Entries> {
    let mut entries = Entries::new();
    match stages {
        Value::Array(list) => {
            for stage in list {
                let spec = stage.as_object()?;
                entries.insert(spec.get("name")?.as_str()?.to_owned(), spec.clone());
            }
        }
        Value::Object(map) => merge_entries(&mut entries, map, "name"),
        _ => return None,
    }
    Some(entries)
}

/// `wanted` with those stages in their short form that the base has so, and that say no more.
fn as_in_base(base: &Map<String, Value>, wanted: &Map<String, Value>) -> Map<String, Value> {
    let mut wanted = wanted.clone();
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (base.get("stages"), wanted.get_mut("stages")) else {
        return wanted;
    };
    for (name, stage) in new.iter_mut() {
        if let Some(label @ Value::String(_)) = old.get(name)
            && *stage == json!({"label": label})
        {
            *stage = label.clone();
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    fn shown() -> Value {
        let stage = |name: &str, label: &str, kind: &str| json!({"name": name, "label": label, "type": kind, "probability": null, "requires": [], "rules": [], "color": null, "archived": false});
        json!([stage("open", "Open", "open"), stage("won", "Won", "won")])
    }

    fn revised(patch: Value) -> (Value, Problems) {
        let written = map(json!({"label": "Sales", "stages": {"open": "Open", "won": {"type": "won"}}}));
        let shown = map(json!({"label": "Sales", "object": "deal", "default": true, "stages": shown()}));
        let mut problems = Problems::new();
        let wanted = revise(&written, &shown, false, &map(patch), Timestamp(0), &mut problems);
        (Value::from(overlay::of_pipeline(&written, &as_in_base(&written, &wanted))), problems)
    }

    #[test]
    fn a_list_of_stages_replaces_and_a_map_merges() {
        assert_eq!(revised(json!({"stages": shown(), "object": "deal", "default": true})), (json!({}), vec![]));
        let mut longer = shown();
        longer.as_array_mut().expect("a list").push(json!({"name": "lost", "type": "lost", "color": null}));
        assert_eq!(revised(json!({"stages": longer})), (json!({"stages": {"lost": {"type": "lost"}}}), vec![]));
        assert_eq!(revised(json!({"stages": [shown()[1]]})), (json!({"stages": {"open": null}}), vec![]));
        assert_eq!(
            revised(json!({"stages": {"open": {"probability": 20}, "lost": "Lost"}})),
            (json!({"stages": {"open": {"label": "Open", "probability": 20}, "lost": {"label": "Lost"}}}), vec![])
        );
    }

    #[test]
    fn mistakes_in_stages_have_their_places() {
        let (_, problems) = revised(json!({"object": "contact", "stages": {"open": 7}, "lable": null}));
        let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        assert_eq!(found, [("/object", "immutable"), ("/lable", "unknown_key"), ("/stages/open", "wrong_type")]);
        let (_, problems) = revised(json!({"stages": [{"name": "a"}, {"name": "a"}]}));
        let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        assert_eq!(found, [("/stages/1/name", "taken")]);
        let (_, problems) = revised(json!({"stages": ["a", {"name": "B!"}, {}, {"name": 7}, 8, {"name": "c"}]}));
        let found: Vec<_> = problems.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        let expected = [
            ("/stages/0", "wrong_type"),
            ("/stages/1/name", "invalid_name"),
            ("/stages/2/name", "required"),
            ("/stages/3/name", "wrong_type"),
            ("/stages/4", "wrong_type"),
        ];
        assert_eq!(found, expected);
    }
}
