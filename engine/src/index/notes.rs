//! What is noted with every commit of an index: under which forms the values of properties stand in it.
//!
//! A property that the notes do not know has no values in the index that could be missing: it is noted when its first
//! value is met, and noted as lost where that has no definition. So properties without values cost nothing, and only one
//! whose form has changed, or whose values were lost, has its object's records put anew.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::TenantId;
use engine_model::object::ObjectDefinition;
use engine_model::property::Property;
use engine_model::query::{Field, Formerly};
use engine_model::registry::Registry;
use engine_search::{form_of, is_form_of};
use serde::{Deserialize, Serialize};

use crate::digest::digest;

/// The form of values that are not all in the index.
const LOST: &str = "";

/// Object and property of each.
pub(super) type PropertySet = BTreeSet<(String, String)>;

/// Properties of an object, each with a form.
type Forms = BTreeMap<String, String>;

/// The notes of one index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// Whose records are in the index.
    tenant: i64,
    /// Not everything is in the index that was there when it was begun.
    pub(super) is_unfinished: bool,
    /// The last change that purged a record whose documents may still be in the files, as deleted ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) purged: Option<i64>,
    /// Of each object, the properties whose values are all in the index, and under which form.
    forms: BTreeMap<String, Forms>,
    /// Objects whose records are being put anew.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    filling: BTreeMap<String, Filling>,
}

/// How far an object's records have been put anew, for which properties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filling {
    /// Each with the form that it will have.
    pub(super) properties: Forms,
    /// Those of them whose values from before their migration are all in the index, and stay until it is over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    formerly: BTreeMap<String, FormerForm>,
    /// The last id that no record is above that needs it; none as long as nobody has looked.
    pub(super) until: Option<i64>,
    /// The active records come first, then the archived ones.
    pub(super) is_at_archived: bool,
    /// The last id that was put.
    pub(super) after: i64,
}

/// Where the values of a property stand that it had before its migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FormerForm {
    /// What it was called.
    name: String,
    form: String,
}

impl Notes {
    /// Of an index that is about to be made.
    pub(super) fn unfinished(tenant: TenantId) -> Self {
        Self { tenant: tenant.0, is_unfinished: true, ..Self::default() }
    }

    /// Whose records are in the index.
    pub(super) fn tenant(&self) -> TenantId {
        TenantId(self.tenant)
    }

    /// Notes as they were kept with a tenant's index.
    pub(super) fn read(text: &str, tenant: TenantId) -> Result<Self, serde_json::Error> {
        // An index that has not been written to yet has none.
        if text.is_empty() { Ok(Self::unfinished(tenant)) } else { serde_json::from_str(text) }
    }

    /// Notes to be kept.
    pub(super) fn text(&self) -> String {
        // Texts and numbers are always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes over other definitions; whether that changed anything.
    pub(super) fn take_over(&mut self, registry: &Registry) -> bool {
        let before = self.clone();
        for object in registry.objects.values() {
            for property in object.properties.values() {
                // Values that no write brings, but the time or another definition, come into the index with any record,
                // those that were put before excepted.
                let is_live = is_live(registry, &object.name, &property.name) || property.migrated.is_some();
                // Every record has a rank, stored or not; where none has been put yet, none is missing.
                let is_rank = object.rank().is_some_and(|rank| rank.name == property.name);
                let may_lack = is_live || is_rank && self.forms.contains_key(object.name.as_str());
                let former = self.former_form(object, property);
                if may_lack && !self.is_unfinished && !self.knows(&object.name, &property.name) {
                    self.lose(&object.name, &property.name);
                }
                if is_live || is_rank || self.knows(&object.name, &property.name) {
                    let form = form(registry, &object.name, property);
                    self.take_over_property(&object.name, &property.name, form, former);
                }
            }
        }
        let is_gone = |object: &str, property: &str| {
            registry.objects.get(object).is_none_or(|object| !object.properties.contains_key(property))
        };
        for (object, forms) in &mut self.forms {
            for (property, form) in forms.iter_mut().filter(|(property, _)| is_gone(object, property)) {
                LOST.clone_into(form);
                if let Some(filling) = self.filling.get_mut(object) {
                    filling.properties.remove(property);
                    filling.formerly.remove(property);
                }
            }
        }
        self.filling.retain(|_, filling| !filling.properties.is_empty());
        self.forget_names_of_others(registry);
        *self != before
    }

    /// Values of another property come among those that one had under the same name.
    fn forget_names_of_others(&mut self, registry: &Registry) {
        for (object, filling) in &mut self.filling {
            let properties = registry.objects.get(object.as_str()).map(|object| &object.properties);
            let is_taken = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
            filling.formerly.retain(|property, former| former.name == *property || !is_taken(&former.name));
        }
    }

    /// Where the values from before the last migration of a property stand, if all are in the index.
    fn former_form(&self, object: &ObjectDefinition, property: &Property) -> Option<FormerForm> {
        let former = property.former()?;
        let name = &former.property.name;
        let form = form_of(former.property.kind.as_ref(), former.since);
        let found = FormerForm { name: name.to_string(), form };
        let kept = self.filling.get(object.name.as_str()).and_then(|filling| filling.formerly.get(&*property.name));
        // One that is new has left no values, and one of its name that there was before may have left some.
        let is_whole = self.form(&object.name, name).is_none_or(|known| !former.is_new && known == found.form);
        (is_whole || kept == Some(&found)).then_some(found)
    }

    fn take_over_property(&mut self, object: &str, property: &str, form: String, former: Option<FormerForm>) {
        let filling = self.filling.get(object).and_then(|filling| filling.properties.get(property));
        if filling == Some(&form) {
            return;
        }
        let forms = self.forms.entry(object.to_owned()).or_default();
        match forms.get_mut(property) {
            None => drop(forms.insert(property.to_owned(), form)),
            Some(known) if *known == form => {}
            Some(known) => {
                LOST.clone_into(known);
                // From the beginning, for all that is to be filled.
                let Filling { mut properties, mut formerly, .. } = self.filling.remove(object).unwrap_or_default();
                properties.insert(property.to_owned(), form);
                formerly.remove(property);
                formerly.extend(former.map(|former| (property.to_owned(), former)));
                self.filling.insert(object.to_owned(), Filling { properties, formerly, ..Filling::default() });
            }
        }
    }

    /// Whether the property has, or has had, values in the index or lost ones.
    pub(super) fn knows(&self, object: &str, property: &str) -> bool {
        self.form(object, property).is_some()
    }

    /// Values of properties that were not known have come into the index, as they are defined.
    pub(super) fn meet(&mut self, met: &PropertySet, registry: &Registry) {
        for (object, property) in met {
            let definition = registry.objects.get(object.as_str());
            if let Some(definition) = definition.and_then(|object| object.properties.get(property.as_str())) {
                self.take_over_property(object, property, form(registry, object, definition), None);
            }
        }
    }

    /// Values of a property are not in the index, since it has no definition.
    pub(super) fn lose(&mut self, object: &str, property: &str) {
        self.forms.entry(object.to_owned()).or_default().insert(property.to_owned(), LOST.to_owned());
    }

    fn form(&self, object: &str, property: &str) -> Option<&str> {
        self.forms.get(object)?.get(property).map(String::as_str)
    }

    /// Whether all values of a field are found where they are looked for.
    pub(super) fn is_filled(&self, field: &Field) -> bool {
        let is_former = |former: &FormerForm| former.name == *field.name && is_form_of(&former.form, field);
        self.form(&field.object, &field.name).is_none_or(|form| is_form_of(form, field))
            || self.filling.get(&*field.object).is_some_and(|filling| filling.formerly.values().any(is_former))
    }

    /// Objects and properties of which the index has the values from before their migration only, and those all.
    pub(super) fn formerly(&self) -> Formerly {
        let all =
            self.filling.iter().flat_map(|(object, filling)| filling.formerly.keys().map(move |name| (object, name)));
        all.map(|(object, property)| (object.clone(), property.clone())).collect()
    }

    /// The same properties of one object.
    pub(super) fn formerly_of(&self, object: &str) -> impl Iterator<Item = &str> {
        self.filling.get(object).into_iter().flat_map(|filling| filling.formerly.keys().map(String::as_str))
    }

    /// Objects whose records are to be put anew, and how far that has come.
    pub(super) fn filling(&self) -> impl Iterator<Item = (&String, &Filling)> {
        self.filling.iter()
    }

    /// How far it has come with an object; none where there is nothing to do.
    pub(super) fn filling_of(&mut self, object: &str) -> Option<&mut Filling> {
        self.filling.get_mut(object)
    }

    /// All records of an object have been put anew.
    pub(super) fn end_filling(&mut self, object: &str) {
        if let Some(filling) = self.filling.remove(object) {
            self.forms.entry(object.to_owned()).or_default().extend(filling.properties);
        }
    }
}

fn is_live(registry: &Registry, object: &str, property: &str) -> bool {
    registry.computed.formulas(object).is_some_and(|formulas| formulas.is_live(property))
}

/// The form in which the values of a property stand in the index. What depends on the time is not stored, so another
/// formula has to be put into the index at once.
fn form(registry: &Registry, object: &str, property: &Property) -> String {
    let form = form_of(property.kind.as_ref(), property.since());
    match property.kind.formula().filter(|_| is_live(registry, object, &property.name)) {
        Some(formula) => format!("{form} {}", digest(formula.expression.source())),
        None => form,
    }
}

#[cfg(test)]
mod tests {
    use engine_model::Problems;
    use engine_model::layer::Layer;
    use engine_model::name::Name;
    use engine_model::property::Storage;
    use engine_model::query::Form;
    use serde_json::{Value, json};

    use super::*;

    const TEXT: Storage = Storage::Text;

    fn registry(objects: Value) -> Registry {
        with_pipelines(objects, &json!({}))
    }

    fn with_pipelines(objects: Value, pipelines: &Value) -> Registry {
        let mut problems = Problems::new();
        let document = json!({"objects": objects, "pipelines": pipelines});
        let layer = Layer::read("core", document.as_object().expect("a map"), &mut problems);
        let (registry, more) = Registry::fold(&[layer]);
        assert_eq!((problems, more), (Problems::new(), Problems::new()));
        registry
    }

    fn site(properties: &Value) -> Registry {
        registry(json!({"site": {"properties": properties}}))
    }

    fn is_filled(notes: &Notes, object: &str, property: &str, storage: Storage) -> bool {
        is_filled_since(notes, object, property, storage, 0)
    }

    fn is_filled_since(notes: &Notes, object: &str, property: &str, storage: Storage, since: i64) -> bool {
        let name = |text| Name::new(text).expect("a name");
        let (object, name) = (name(object), name(property));
        notes.is_filled(&Field { object, name, since, storage, form: Form::Text, options: [].into() })
    }

    fn has_lost(notes: &Notes, object: &str, property: &str) -> bool {
        notes.form(object, property) == Some(LOST)
    }

    fn unfilled(notes: &Notes) -> Vec<(&str, &str)> {
        let pairs =
            notes.filling().flat_map(|(object, filling)| filling.properties.keys().map(move |name| (object, name)));
        pairs.map(|(object, name)| (object.as_str(), name.as_str())).collect()
    }

    /// Notes of an index with values of these properties of `site`.
    fn met(names: &[&str], registry: &Registry) -> Notes {
        let mut notes = Notes::default();
        notes.meet(&names.iter().map(|name| ("site".to_owned(), (*name).to_owned())).collect(), registry);
        notes
    }

    #[test]
    fn a_property_without_values_is_there_whatever_its_form() {
        let mut notes = met(&["name"], &site(&json!({"name": {"type": "string"}, "size": {"type": "integer"}})));
        assert!(!notes.knows("site", "size"));
        assert!(!notes.take_over(&site(&json!({"name": {"type": "string"}, "size": {"type": "decimal"}}))));
        assert!(is_filled(&notes, "site", "size", Storage::Scaled(2)) && unfilled(&notes).is_empty());
    }

    #[test]
    fn records_lack_ranks_that_were_put_before_their_object_had_pipelines() {
        let pipelines = json!({"way": {"object": "site", "stages": {"begun": {}, "done": {}}}});
        let ranked = with_pipelines(json!({"site": {"properties": {"name": {"type": "string"}}}}), &pipelines);
        let mut notes = Notes::default();
        assert!(notes.take_over(&ranked) && unfilled(&notes).is_empty());
        assert!(is_filled(&notes, "site", "rank", TEXT));
        let mut notes = met(&["name"], &site(&json!({"name": {"type": "string"}})));
        assert!(notes.take_over(&ranked));
        assert_eq!(unfilled(&notes), [("site", "rank")]);
        assert!(!is_filled(&notes, "site", "rank", TEXT) && is_filled(&notes, "site", "name", TEXT));
    }

    #[test]
    fn what_is_new_is_there_and_what_changes_its_form_is_to_be_filled() {
        let mut notes = met(&["name"], &site(&json!({"name": {"type": "string"}})));
        let wider = site(&json!({"name": {"type": "string", "max_length": 9}, "size": {"type": "integer"}}));
        assert!(!notes.take_over(&wider));
        notes.meet(&PropertySet::from([("site".to_owned(), "size".to_owned())]), &wider);
        assert!(is_filled(&notes, "site", "name", TEXT) && is_filled(&notes, "site", "size", Storage::Scaled(0)));
        assert!(is_filled(&notes, "site", "owner_id", TEXT) && is_filled(&notes, "deal", "name", TEXT));
        assert!(!is_filled(&notes, "site", "size", Storage::Scaled(2)), "whoever knows of another form finds nothing");

        let long = site(&json!({"name": {"type": "text"}, "size": {"type": "integer"}}));
        assert!(notes.take_over(&long));
        assert_eq!(unfilled(&notes), [("site", "name")]);
        assert!(!is_filled(&notes, "site", "name", TEXT) && !is_filled(&notes, "site", "name", Storage::LongText));
        notes.end_filling("site");
        assert!(is_filled(&notes, "site", "name", Storage::LongText) && unfilled(&notes).is_empty());
    }

    #[test]
    fn another_property_to_be_filled_begins_from_the_beginning() {
        let both = |name: &str, size: &str| site(&json!({"name": {"type": name}, "size": {"type": size}}));
        let mut notes = met(&["name", "size"], &both("string", "integer"));
        notes.take_over(&both("text", "integer"));
        let filling = notes.filling_of("site").expect("something to fill");
        (filling.after, filling.until) = (7, Some(9));
        let kept = Notes::read(&notes.text(), TenantId(0)).expect("notes");
        assert_eq!(kept, notes);
        assert!(!notes.take_over(&both("text", "integer")), "what goes on goes on");
        notes.take_over(&both("text", "decimal"));
        assert_eq!(unfilled(&notes), [("site", "name"), ("site", "size")]);
        assert_eq!(notes.filling_of("site").map(|filling| (filling.after, filling.until)), Some((0, None)));
    }

    #[test]
    fn values_without_a_definition_are_filled_once_there_is_one() {
        let name = site(&json!({"name": {"type": "string"}}));
        let mut notes = met(&["name"], &name);
        notes.lose("permit", "number");
        assert!(has_lost(&notes, "permit", "number") && !is_filled(&notes, "permit", "number", TEXT));
        notes.take_over(&registry(json!({})));
        assert!(has_lost(&notes, "site", "name") && unfilled(&notes).is_empty());
        notes.take_over(&name);
        assert_eq!(unfilled(&notes), [("site", "name")]);
        notes.take_over(&registry(json!({})));
        assert_eq!(unfilled(&notes), []);
    }

    #[test]
    fn an_index_without_notes_is_not_finished() {
        assert_eq!(Notes::read("", TenantId(7)).expect("notes"), Notes::unfinished(TenantId(7)));
        assert!(Notes::read("{", TenantId(7)).is_err());
    }
    /// `size` of `site`, a number that was a text until a migration.
    fn migrated(more: &Value) -> Value {
        let mut size = json!({"type": "integer", "migrated": {
            "version": 7, "convert": "int(value)", "before": {"type": "string"}, "before_since": 0,
        }});
        for (key, value) in more.as_object().into_iter().flatten() {
            size["migrated"][key] = value.clone();
        }
        size
    }

    fn formerly(notes: &Notes) -> Vec<String> {
        notes.formerly_of("site").map(str::to_owned).collect()
    }

    #[test]
    fn values_from_before_a_migration_are_there_until_it_is_over() {
        let mut notes = met(&["size"], &site(&json!({"size": {"type": "string"}})));
        let next = site(&json!({"size": migrated(&json!({}))}));
        assert!(notes.take_over(&next));
        assert_eq!((unfilled(&notes), formerly(&notes)), (vec![("site", "size")], vec!["size".to_owned()]));
        assert!(is_filled(&notes, "site", "size", TEXT), "as it was");
        assert!(!is_filled_since(&notes, "site", "size", Storage::Scaled(0), 7), "as it is");
        assert_eq!(Notes::read(&notes.text(), TenantId(0)).expect("notes"), notes);

        // Something else that is to be filled begins it again, and takes nothing away.
        let other = met(&["name"], &site(&json!({"name": {"type": "string"}})));
        notes.forms.entry("site".to_owned()).or_default().extend(other.forms["site"].clone());
        let wider = site(&json!({"size": migrated(&json!({})), "name": {"type": "text"}}));
        assert!(notes.take_over(&wider) && is_filled(&notes, "site", "size", TEXT));
        notes.end_filling("site");
        assert!(!is_filled(&notes, "site", "size", TEXT) && formerly(&notes).is_empty());
        assert!(is_filled_since(&notes, "site", "size", Storage::Scaled(0), 7));
    }

    #[test]
    fn another_migration_before_the_first_is_over_leaves_no_values_to_ask_for() {
        let mut notes = met(&["size"], &site(&json!({"size": {"type": "string"}})));
        notes.take_over(&site(&json!({"size": migrated(&json!({}))})));
        let again = json!({"version": 9, "before": {"type": "integer"}, "before_since": 7});
        notes.take_over(&site(&json!({"size": migrated(&again)})));
        assert!(formerly(&notes).is_empty() && unfilled(&notes) == [("site", "size")]);
        assert!(!is_filled(&notes, "site", "size", TEXT), "those put since have none of these");
    }

    #[test]
    fn values_are_there_under_the_name_that_they_had_unless_another_property_has_it() {
        let before = site(&json!({"mass": {"type": "string"}}));
        let renamed = migrated(&json!({"rename": "mass"}));
        let mut notes = met(&["mass"], &before);
        notes.take_over(&site(&json!({"size": renamed})));
        assert_eq!(formerly(&notes), ["size"]);
        assert!(is_filled(&notes, "site", "mass", TEXT) && !is_filled(&notes, "site", "size", TEXT));
        notes.take_over(&site(&json!({"size": renamed, "mass": {"type": "string"}})));
        assert!(!is_filled(&notes, "site", "mass", TEXT), "what is found under it would be of both");
    }

    #[test]
    fn a_property_that_is_new_with_its_migration_had_no_values() {
        let new = json!({"size": {"type": "integer", "migrated": {"version": 7, "convert": "1", "before_since": 0}}});
        let mut notes = met(&["name"], &site(&json!({"name": {"type": "string"}})));
        notes.take_over(&site(&new));
        assert!(is_filled(&notes, "site", "size", Storage::Scaled(0)));
        assert!(!is_filled_since(&notes, "site", "size", Storage::Scaled(0), 7));
        // One of that name that there was before may have left some.
        notes.lose("site", "size");
        notes.filling.clear();
        notes.take_over(&site(&new));
        assert!(!is_filled(&notes, "site", "size", Storage::Scaled(0)));
    }
}
