//! Where a record stands on a board: the rank that puts it behind another one.

use std::sync::Arc;

use engine_model::object::ObjectDefinition;
use engine_model::query::{Field, Filter, Key, Place, Query, Scope, SortKey, Test, field_of};
use engine_model::rank::{RANK, between, unplaced};
use engine_model::{Problem, Properties, RecordId};
use serde_json::Value;

use super::has_pipelines;
use super::moving::Moving;
use crate::definitions::catalog::shortened;
use crate::error::{Error, ErrorCode, Result};
use crate::records::{Record, Target, View};
use crate::session::Session;

impl Session {
    /// The rank of a record that is put behind `after`, or on top, in the column that it is moved to; none where it
    /// stands there already.
    ///
    /// # Errors
    /// A problem at `/after` where that is no record of the column.
    pub(super) async fn rank_behind(
        &mut self,
        object: &str,
        target: &Target,
        moving: &Moving,
        after: Option<&str>,
    ) -> Result<Option<String>> {
        // Nobody is given what is looked at on the way.
        let record = self.record_found(object, target, &View::default()).await?.record;
        let column = self.column_of(object, &record, moving)?;
        let above = match after {
            Some(id) => Some(self.above(object, id, &record, &column).await?),
            None => None,
        };
        let below = self.next_below(object, above.as_ref(), record.id, &column).await?;
        let own = properties(&record)?;
        let rank = text(&own, RANK).unwrap_or_else(|| unplaced(record.id));
        let is_there = is_in(&own, &column)
            && above.as_ref().is_none_or(|(above, _)| *above < rank)
            && below.as_ref().is_none_or(|below| rank < *below);
        if is_there {
            return Ok(None);
        }
        let rank = between(above.as_ref().map(|(rank, _)| rank.as_str()), below.as_deref(), record.id);
        rank.map(Some).ok_or_else(|| {
            let detail = "so many records were put between these two that there is no room left; put one of them at \
                          the top of its column, or behind another record";
            Error::new(ErrorCode::Conflict, detail).with(Problem::new("/after", "no_room", detail))
        })
    }

    /// The pipeline and the stage that the record is moved to.
    fn column_of(&self, object: &str, record: &Record, moving: &Moving) -> Result<(String, String)> {
        let definition = self.catalog.object(object)?;
        has_pipelines(&self.catalog, definition)?;
        self.check_sees_stages(definition)?;
        if definition.rank().is_none() {
            let message = format!("`{object}` has a property `{RANK}` of its own, so its records cannot be placed");
            return Err(Error::invalid_at("/after", "not_applicable", message));
        }
        let own = || text(&properties(record).ok()?, "pipeline");
        let default =
            || self.catalog.effective.registry.default_pipeline(object).map(|pipeline| pipeline.name.to_string());
        let pipeline = moving.pipeline.clone().or_else(own).or_else(default).unwrap_or_default();
        Ok((pipeline, moving.stage.clone()))
    }

    /// The record that another one is put behind, with its rank.
    async fn above(
        &mut self,
        object: &str,
        id: &str,
        moved: &Record,
        column: &(String, String),
    ) -> Result<(String, RecordId)> {
        let refused = |code, message: String| Error::invalid_at("/after", code, message);
        let found = match self.record_found(object, &Target::id(id), &View::default()).await {
            Ok(found) => found.record,
            Err(error) if error.code == ErrorCode::NotFound => {
                return Err(refused("not_found", format!("there is no `{object}` record `{}`", shortened(id))));
            }
            Err(error) => return Err(error),
        };
        if found.id == moved.id {
            return Err(refused("invalid", "a record cannot be put behind itself".to_owned()));
        }
        let properties = properties(&found)?;
        if !is_in(&properties, column) || found.archived_at.is_some() {
            let stage = shortened(&column.1);
            let message = format!("record {} is not in the stage `{stage}` of this pipeline", found.id);
            return Err(refused("invalid", message));
        }
        let rank = text(&properties, RANK).unwrap_or_else(|| unplaced(found.id));
        Ok((rank, found.id))
    }

    /// The rank of the record that comes next in a column, whoever may see it; none at its end.
    async fn next_below(
        &self,
        object: &str,
        above: Option<&(String, RecordId)>,
        moved: RecordId,
        column: &(String, String),
    ) -> Result<Option<String>> {
        let definition = self.catalog.object(object)?;
        let Some(field) = field_of(definition, RANK) else { return Ok(None) };
        let filter = Filter::All(vec![in_column(definition, column), Filter::Not(Box::new(Filter::Ids(vec![moved])))]);
        let sort = vec![SortKey::Value { field, is_descending: false }];
        let scope =
            Scope { object: definition.name.clone(), filter, searched: Vec::new(), sort, aggregates: Vec::new() };
        let after = above.map(|(rank, id)| Place { keys: vec![Key::Text(rank.clone())], id: *id });
        let query = Query {
            tenant: self.tenant(),
            scopes: vec![scope],
            archived: false,
            words: None,
            limit: 1,
            after,
            count: false,
        };
        let view = self.view_of(&[&query], self.position().await?).await?;
        let answer = self.engine.ask(view, Arc::new(query)).await?;
        let next = answer.hits.into_iter().next().map(|hit| hit.place);
        Ok(next.map(|place| match place.keys.into_iter().next() {
            Some(Key::Text(rank)) => rank,
            Some(Key::Null | Key::Number(_)) | None => unplaced(place.id),
        }))
    }
}

/// What records of a pipeline's stage meet.
pub(super) fn in_column(object: &ObjectDefinition, (pipeline, stage): &(String, String)) -> Filter {
    let is = |field: Option<Field>, key: &str| match field {
        Some(field) => Filter::Is(field, Test::Texts(vec![key.to_owned()])),
        None => Filter::nothing(),
    };
    Filter::All(vec![is(field_of(object, "pipeline"), pipeline), is(field_of(object, "stage"), stage)])
}

fn is_in(properties: &Properties, (pipeline, stage): &(String, String)) -> bool {
    text(properties, "pipeline").as_ref() == Some(pipeline) && text(properties, "stage").as_ref() == Some(stage)
}

fn properties(record: &Record) -> Result<Properties> {
    serde_json::from_str(record.properties.get()).map_err(Error::internal)
}

fn text(properties: &Properties, name: &str) -> Option<String> {
    properties.get(name).and_then(Value::as_str).map(str::to_owned)
}
