//! Random queries over random records, compared with a plain reading of the same.

mod among;
mod few;
mod long;
mod many;
mod questions;
mod reference;
mod steps;
mod text;

use std::collections::BTreeMap;

use engine_model::layer::Layer;
use engine_model::object::ObjectDefinition;
use engine_model::query::{Answer, Place, Query};
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Problems, Properties, RecordId};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tantivy::indexer::NoMergePolicy;
use tantivy::{Index, IndexWriter, Searcher, Term};

use super::{Kept, Limits, answer};
use crate::document::{Document, LinkEnds, RecordState, link_document, unsigned};
use crate::fields;
use crate::tokens::tokenizers;
use reference::{Record, World};

fn registry() -> Registry {
    let document = json!({
        "objects": {
            "deal": {"properties": {
                "name": {"type": "string"}, "notes": {"type": "text"}, "amount": {"type": "money", "currency": "USD"},
                "days": {"type": "integer"}, "stage": {"type": "enum", "options": ["open", "won", "lost"]},
                "tags": {"type": "tags"}, "hot": {"type": "boolean"}, "due": {"type": "date"}, "seen": {"type": "datetime"},
                "mail": {"type": "email"}, "site": {"type": "url"}, "host": {"type": "domain"},
                "code": {"type": "string", "substring": true},
            }},
            "company": {"properties": {"name": {"type": "string"}, "size": {"type": "integer"}}},
        },
        "associations": {"deal_company": {"from": "deal", "to": "company"}},
    });
    let mut problems = Problems::new();
    let layer = Layer::read("core", document.as_object().expect("an object"), &mut problems);
    let (registry, folded) = Registry::fold(&[layer]);
    assert_eq!((problems, folded), (vec![], vec![]));
    registry
}

/// An index over a world, in several segments and with records that were written over.
struct Fixture {
    world: World,
    index: Index,
    searcher: Searcher,
    kept: Kept,
}

impl Fixture {
    /// With `is_mixed` records do not stand in the order of their ids.
    fn new(world: World, segments: usize, is_mixed: bool) -> Self {
        let registry = registry();
        let schema = fields().schema.clone();
        let index = Index::builder().schema(schema).tokenizers(tokenizers()).create_in_ram().expect("an index");
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).expect("a writer");
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let mut records: Vec<&Record> = world.records.values().collect();
        records.sort_by_key(|record| if is_mixed { record.id * 7 % 31 } else { record.id });
        for part in records.chunks(records.len().div_ceil(segments).max(1)) {
            for record in part {
                // What was there before must not be found any more.
                let stale = Properties::from_iter([("name".to_owned(), json!("stale ada"))]);
                add(&writer, &registry.objects[record.object], record, &stale, false);
            }
            writer.commit().expect("a commit");
        }
        for part in records.chunks(records.len().div_ceil(segments).max(1)) {
            for record in part {
                writer.delete_term(Term::from_field_u64(fields().id, unsigned(RecordId(record.id))));
                add(&writer, &registry.objects[record.object], record, &record.properties, record.is_archived);
            }
            writer.commit().expect("a commit");
        }
        for (association, from, to) in &world.links {
            let ends = LinkEnds { association: association.clone(), from: RecordId(*from), to: RecordId(*to) };
            writer.add_document(link_document(fields(), &ends)).expect("a document");
        }
        writer.commit().expect("a commit");
        let searcher = index.reader().expect("a reader").searcher();
        Self { world, index, searcher, kept: Kept::default() }
    }

    /// Deletes records; the segments stay, and so does what is kept of them.
    fn delete(&mut self, ids: impl Iterator<Item = i64>) {
        let mut writer: IndexWriter = self.index.writer_with_num_threads(1, 15_000_000).expect("a writer");
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for id in ids {
            writer.delete_term(Term::from_field_u64(fields().id, unsigned(RecordId(id))));
            self.world.records.remove(&id);
        }
        writer.commit().expect("a commit");
        self.searcher = self.index.reader().expect("a reader").searcher();
    }

    fn ask(&self, query: &Query) -> Answer {
        answer(&self.searcher, &self.kept, query, Limits::default()).expect("an answer")
    }

    /// Asks for everything in pages, and once as a whole, and compares both with the reference.
    fn check(&self, mut query: Query) -> Result<(), TestCaseError> {
        let (ids, tables) = self.world.answer(&query);
        let mut found = Vec::new();
        let mut after: Option<Place> = None;
        loop {
            query.after = after;
            let answer = self.ask(&query);
            prop_assert_eq!(answer.total, Some(ids.len() as u64), "{:?}", query);
            found.extend(answer.hits.iter().map(|hit| hit.place.id.0));
            after = answer.hits.last().map(|hit| hit.place.clone());
            prop_assert_eq!(answer.has_more, found.len() < ids.len(), "{:?}", query);
            if !answer.has_more {
                let rows = answer.tables.iter().map(|table| {
                    let row = |row: &engine_model::query::Row| {
                        let mut map = Map::new();
                        map.insert("key".to_owned(), row.key.clone().map_or(Value::Null, Value::Array));
                        map.extend(row.measures.clone());
                        Value::Object(map)
                    };
                    table.rows.iter().map(row).collect::<Vec<_>>()
                });
                prop_assert_eq!(rows.collect::<Vec<_>>(), tables, "{:?}", query);
                break;
            }
        }
        prop_assert_eq!(found, ids, "{:?}", query);
        Ok(())
    }
}

fn add(writer: &IndexWriter, object: &ObjectDefinition, record: &Record, properties: &Properties, is_archived: bool) {
    let document = Document::of(&RecordState {
        id: RecordId(record.id),
        uid: "0192",
        object: record.object,
        definition: Some(object),
        properties,
        display_name: properties.get("name").and_then(Value::as_str).unwrap_or_default(),
        owner: None,
        team: None,
        version: 1,
        created_at: Timestamp(record.id),
        created_by: None,
        updated_at: Timestamp(record.id),
        updated_by: None,
        archived_at: is_archived.then_some(Timestamp(1)),
        former: &[],
        due: None,
    });
    writer.add_document(document.0).expect("a document");
}

fn records() -> impl Strategy<Value = BTreeMap<i64, Record>> {
    let deals = prop::collection::btree_map(1_i64..60, (questions::properties(), prop::bool::weighted(0.15)), 0..50);
    let companies = prop::collection::btree_map(100_i64..110, (questions::company(), prop::bool::weighted(0.2)), 0..8);
    (deals, companies).prop_map(|(deals, companies)| {
        let record =
            |object| move |(id, (properties, is_archived))| (id, Record { id, object, is_archived, properties });
        deals.into_iter().map(record("deal")).chain(companies.into_iter().map(record("company"))).collect()
    })
}

fn worlds() -> impl Strategy<Value = World> {
    let links = prop::collection::btree_set((1_i64..60, 100_i64..110), 0..60);
    (records(), links).prop_map(|(records, links)| {
        let links = links.into_iter().filter(|(from, to)| records.contains_key(from) && records.contains_key(to));
        let links = links.map(|(from, to)| ("deal_company".to_owned(), from, to)).collect();
        World { records, links }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_a_plain_reading(
        world in worlds(),
        segments in 1_usize..4,
        is_mixed: bool,
        queries in prop::collection::vec(questions::queries(), 30),
    ) {
        let fixture = Fixture::new(world, segments, is_mixed);
        for query in queries {
            fixture.check(query)?;
        }
    }
}
