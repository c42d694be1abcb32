//! Definitions with what people read in another language.

use engine_model::behavior::Section;
use engine_model::translation::Texts;
use serde_json::Value;

use crate::session::Session;

/// What a shown definition is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// An object with its properties.
    Object,
    /// An association with its properties.
    Association,
    /// A pipeline with its stages.
    Pipeline,
}

impl Session {
    /// The label that packs have, in a language such as `de-AT`, for what a pack defines in a section.
    pub fn translated_label(&self, section: Section, name: &str, language: &str) -> Option<&str> {
        self.catalog.effective.registry.texts(language).get(&[section.as_str(), name, "label"])
    }

    /// Gives shown definitions the texts that packs have for a language such as `de-AT`; those without one stay as they
    /// are.
    pub fn translate(&self, shown: Shown, views: &mut [Value], language: &str) {
        let texts = self.catalog.effective.registry.texts(language);
        if texts.is_empty() {
            return;
        }
        for view in views {
            let name = text(view, "name");
            match shown {
                Shown::Object => {
                    let path = ["objects", name.as_str()];
                    put(&texts, view, &path, &["label", "plural_label", "description"]);
                    nested(&texts, view, "groups", &path);
                    properties(&texts, view, &path);
                    self.stages(&texts, view, &name);
                }
                Shown::Association => {
                    let path = ["associations", name.as_str()];
                    put(&texts, view, &path, &["label", "inverse"]);
                    for (key, label) in view.get_mut("labels").and_then(Value::as_object_mut).into_iter().flatten() {
                        let found = texts.get(&[path[0], path[1], "labels", key, "label"]);
                        found.into_iter().for_each(|text| *label = Value::from(text));
                    }
                    properties(&texts, view, &path);
                }
                Shown::Pipeline => {
                    let object = text(view, "object");
                    let path = ["pipelines", object.as_str(), name.as_str()];
                    put(&texts, view, &path, &["label"]);
                    nested(&texts, view, "categories", &path);
                    for stage in view.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten() {
                        let name = text(stage, "name");
                        put(&texts, stage, &[&path[..], &["stages", &name]].concat(), &["label"]);
                    }
                }
            }
        }
    }

    /// The options of `pipeline` and `stage` are called as the object's pipelines and their stages.
    fn stages(&self, texts: &Texts<'_>, view: &mut Value, object: &str) {
        let pipelines: Vec<&str> =
            self.catalog.effective.registry.active_pipelines(object).map(|pipeline| pipeline.name.as_str()).collect();
        let options = |view: &'_ mut Value, property: &str, find: &dyn Fn(&str) -> Option<String>| {
            let at = format!("/properties/{property}/options");
            for option in view.pointer_mut(&at).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(label) = find(&text(option, "key")) {
                    option["label"] = Value::from(label);
                }
            }
        };
        options(view, "pipeline", &|key| texts.get(&["pipelines", object, key, "label"]).map(str::to_owned));
        options(view, "stage", &|key| {
            let mut labels = pipelines.iter().map(|name| ["pipelines", object, name, "stages", key, "label"]);
            labels.find_map(|path| texts.get(&path)).map(str::to_owned)
        });
    }
}

fn text(view: &Value, key: &str) -> String {
    view.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Replaces the texts of one definition.
fn put(texts: &Texts<'_>, view: &mut Value, path: &[&str], keys: &[&str]) {
    let Some(view) = view.as_object_mut() else { return };
    for key in keys {
        if let Some(text) = texts.get(&[path, &[key]].concat()) {
            view.insert((*key).to_owned(), Value::from(text));
        }
    }
}

/// Replaces the labels of what stands in a map of names.
fn nested(texts: &Texts<'_>, view: &mut Value, map: &str, path: &[&str]) {
    for (name, view) in view.get_mut(map).and_then(Value::as_object_mut).into_iter().flatten() {
        put(texts, view, &[path, &[map, name]].concat(), &["label"]);
    }
}

fn properties(texts: &Texts<'_>, view: &mut Value, path: &[&str]) {
    for (name, view) in view.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let path = [path, &["properties", name]].concat();
        put(texts, view, &path, &["label", "description"]);
        for option in view.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten() {
            let key = text(option, "key");
            put(texts, option, &[&path[..], &["options", &key]].concat(), &["label"]);
        }
    }
}
