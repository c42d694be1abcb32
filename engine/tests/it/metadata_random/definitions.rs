//! Definitions as they are shown, and all that a refused step must leave as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::model::Sequence;
use engine::model::layer::{ENGINE, Layer};
use engine::{Catalog, DefinitionQuery, Session};
use serde_json::Value;

const IN_FORCE: DefinitionQuery = DefinitionQuery { own_layer_only: false, archived: false };

/// What is in force, by kind and name.
pub(super) type Shown = BTreeMap<String, Value>;

/// A tenant's metadata at a moment.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    pub(super) version: i64,
    pub(super) position: Sequence,
    pub(super) shown: Shown,
    /// The tenant's own layer.
    pub(super) own: Value,
    /// Versions of the packs that are installed.
    pub(super) packs: BTreeMap<String, String>,
    pub(super) catalog: Arc<Catalog>,
}

impl Shot {
    pub(super) async fn of(session: &mut Session) -> Self {
        session.refresh().await.expect("definitions");
        let catalog = Arc::clone(&session.catalog);
        let shown = shown(session).await;
        let packs = session.packs().await.expect("packs");
        Self {
            version: catalog.version,
            position: session.log_position().await.expect("a position"),
            shown,
            own: catalog.effective.own_layer().map(|own| Value::Object(Layer::document(own))).unwrap_or_default(),
            packs: packs.into_iter().filter_map(|view| Some((view.pack, view.installed?))).collect(),
            catalog,
        }
    }

    /// What is another one in the other.
    pub(super) fn differing(&self, other: &Self) -> BTreeSet<String> {
        let names = self.shown.keys().chain(other.shown.keys());
        names.filter(|name| self.shown.get(*name) != other.shown.get(*name)).cloned().collect()
    }
}

/// Every definition in force as plans show it.
pub(super) async fn shown(session: &mut Session) -> Shown {
    let mut shown = Shown::new();
    for mut object in session.object_definitions(IN_FORCE).await.expect("objects") {
        let name = object["name"].as_str().expect("a name").to_owned();
        for (property, view) in object["properties"].as_object().into_iter().flatten() {
            // Pipelines bring the engine's.
            if view["layer"] != ENGINE {
                shown.insert(format!("property {name}.{property}"), plain(view.clone()));
            }
        }
        for pipeline in session.pipelines(&name, IN_FORCE).await.expect("pipelines") {
            let key = format!("pipeline {name}.{}", pipeline["name"].as_str().expect("a name"));
            shown.insert(key, plain(pipeline));
        }
        object["properties"].take();
        shown.insert(format!("object {name}"), plain(object));
    }
    for association in session.association_definitions(IN_FORCE).await.expect("associations") {
        let name = association["name"].as_str().expect("a name").to_owned();
        shown.insert(format!("association {name}"), association);
    }
    shown
}

fn plain(mut view: Value) -> Value {
    for key in ["operators", "archived_at"] {
        view.as_object_mut().and_then(|view| view.shift_remove(key));
    }
    view
}
