//! Records, as many as wanted, and what an index holds of them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use engine_model::layer::Layer;
use engine_model::problem::Problems;
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Properties, RecordId, Sequence};
use engine_search::{Document, Edit, Index, LinkEnds, Reached, RecordState, View};
use serde_json::{Value, json};

/// Ids and versions of contacts.
pub(crate) type Contents = BTreeMap<i64, i64>;

const ALL: RangeInclusive<RecordId> = RecordId(1)..=RecordId(i64::MAX);

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let document = json!({
        "objects": {"contact": {"properties": {
            "name": {"type": "string"},
            "email": {"type": "email"},
            "about": {"type": "text"},
            "score": {"type": "integer"},
            "birthday": {"type": "date"},
            "is_customer": {"type": "boolean"},
        }}},
    });
    let mut problems = Problems::new();
    let layer = Layer::read("core", document.as_object().unwrap(), &mut problems);
    let (registry, more) = Registry::fold(&[layer]);
    assert_eq!((problems, more), (Problems::new(), Problems::new()));
    registry
});

/// A state of a contact, whose values follow from its id and version.
pub(crate) fn contact(id: i64, version: i64) -> Document {
    let properties: Properties = serde_json::from_value(values(id, version)).unwrap();
    Document::of(&RecordState {
        id: RecordId(id),
        uid: &format!("uid-{id}"),
        object: "contact",
        definition: Some(&REGISTRY.objects["contact"]),
        properties: &properties,
        display_name: &format!("Contact {id}"),
        owner: None,
        team: None,
        version,
        created_at: Timestamp(id),
        created_by: None,
        updated_at: Timestamp(id + version),
        updated_by: None,
        archived_at: None,
        former: &[],
        due: None,
    })
}

fn values(id: i64, version: i64) -> Value {
    json!({
        "name": format!("Name {}", id % 97),
        "email": format!("contact{id}@example.com"),
        "about": format!("met on the fair in year {version} by a stranger number {}", id % 1_000),
        "score": id * 7 + version,
        "birthday": "1990-02-03",
        "is_customer": id % 2 == 0,
    })
}

pub(crate) fn put(id: i64, version: i64) -> Edit {
    Edit::Put(RecordId(id), contact(id, version))
}

pub(crate) fn remove(id: i64) -> Edit {
    Edit::Remove(RecordId(id))
}

pub(crate) fn ends(from: i64, to: i64) -> LinkEnds {
    LinkEnds { association: "knows".to_owned(), from: RecordId(from), to: RecordId(to) }
}

pub(crate) fn reached(sequence: i64) -> Reached {
    Reached { sequence: Sequence(sequence), at: Timestamp(sequence * 10), notes: format!("note {sequence}") }
}

/// The contacts that a view holds. Each must be there once.
pub(crate) fn contents(view: &View) -> Contents {
    let mut contents = Contents::new();
    let mut twice = Vec::new();
    view.each_entry(&ALL, |entry| {
        if contents.insert(entry.id.0, entry.version.unwrap()).is_some() {
            twice.push(entry.id.0);
        }
    })
    .unwrap();
    assert_eq!(twice, Vec::<i64>::new(), "each record is there once");
    contents
}

pub(crate) fn contents_of(index: &Index) -> Contents {
    contents(&index.view())
}

/// The links that a view holds, lowest first.
pub(crate) fn links(view: &View) -> Vec<(i64, i64)> {
    let mut links = Vec::new();
    view.each_link_from(&ALL, |ends| links.push((ends.from.0, ends.to.0))).unwrap();
    links.sort_unstable();
    links
}

/// Numbers that look random and are the same in each run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number from 0 to below the limit.
    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).cast_signed() % limit
    }
}
