//! Object definitions: a kind of record with its properties, constraints and features.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::computed::CIRCUMSTANCES;
pub use crate::constraint::Constraint;
use crate::constraint::{check_constraints, read_constraints};
use crate::duplicate::DuplicateRule;
use crate::entry::Entry;
use crate::expression::{Types, check_formula};
use crate::feature::check_features;
use crate::former::{called, check_former, renamed};
use crate::group::check_groups;
use crate::layer::{ENGINE, Folded};
use crate::name::{Name, did_you_mean};
use crate::problem::{Problem, Problems, push_segment};
use crate::property::{Formula, Property, Storage, check_beside};
use crate::rank::RANK;
use crate::spec::{SpecReader, named_entries};
use crate::template::Template;

/// Names that a record carries beside its properties, so that no property may have them.
pub const SYSTEM_FIELDS: &[&str] = &[
    "id",
    "uid",
    "object",
    "display_name",
    "properties",
    "owner_id",
    "team_id",
    "version",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "archived_at",
    "associations",
];

/// The first path segments of the API, which no object's plural may shadow.
pub const RESERVED_PLURALS: &[&str] = &[
    "access",
    "assignment-rules",
    "associations",
    "association-definitions",
    "audit",
    "changes",
    "dashboards",
    "docs",
    "duplicates",
    "exports",
    "files",
    "graphql",
    "healthz",
    "imports",
    "jobs",
    "lists",
    "live",
    "metadata",
    "metrics",
    "object-definitions",
    "openapi",
    "packs",
    "pipelines",
    "readyz",
    "records",
    "reports",
    "roles",
    "scores",
    "search",
    "teams",
    "tenant",
    "tenants",
    "tokens",
    "transactions",
    "undo",
    "users",
    "views",
    "webhooks",
    "workflows",
];

/// A kind of record.
#[derive(Debug, Clone)]
pub struct ObjectDefinition {
    /// Internal name, `deal`.
    pub name: Name,
    /// What people read for one.
    pub label: String,
    /// Path of its facade, `deals`.
    pub plural: String,
    /// What people read for many.
    pub plural_label: String,
    /// What it means, for people.
    pub description: Option<String>,
    /// How a record is called, made from its properties.
    pub display: Template,
    /// Name of an icon.
    pub icon: Option<String>,
    /// Switch that turns the object on; without one it is always on.
    pub capability: Option<Name>,
    /// What screens and followers offer for it.
    pub features: Map<String, Value>,
    /// Groups that properties are shown in: name to specification.
    pub groups: Map<String, Value>,
    /// Properties in order, archived ones included.
    pub properties: IndexMap<Name, Property>,
    /// Rules over several properties.
    pub constraints: Vec<Constraint>,
    /// By which its records are duplicates of each other.
    pub duplicates: Vec<DuplicateRule>,
    /// That its records are entries of the timelines of those that they are linked to, and what of them is told there.
    pub entry: Option<Entry>,
    /// Layer that declared it.
    pub layer: String,
    /// No longer accepted or shown; records stay.
    pub archived: bool,
    /// The specification as written, folded over all layers.
    pub spec: Map<String, Value>,
    /// Stored records may still have to be brought forward.
    pub(crate) is_migrating: bool,
    /// Where the topmost layer that says something of it does so.
    pub(crate) pointer: String,
}

impl ObjectDefinition {
    /// Reads a folded specification; `None` where it cannot stand.
    pub fn read(name: Name, folded: &Folded, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let mut reader = SpecReader::of_map(&folded.spec, &folded.pointer, problems);
        if reader.string("name").is_some_and(|written| written != name.as_str()) {
            reader.problem("name", "immutable", "a name cannot be changed");
        }
        let label = reader.string("label").map_or_else(|| name.to_label(), str::to_owned);
        let plural = read_plural(&mut reader, &name);
        let plural_label = reader.string("plural_label").map_or_else(|| label_of_plural(&plural), str::to_owned);
        let description = reader.string("description").map(str::to_owned);
        let icon = reader.string("icon").map(str::to_owned);
        let capability = reader.name("capability");
        let features = reader.map("features").cloned().unwrap_or_default();
        let groups = reader.map("groups").cloned().unwrap_or_default();
        let properties = read_properties(&mut reader, folded);
        let display = read_display(&mut reader, &properties);
        let constraints = read_constraints(&mut reader, &properties);
        let entry = Entry::read(&mut reader, &properties);
        let archived = reader.boolean("archived").unwrap_or(false);
        // Kept for whoever shows the definition.
        reader.string("archived_at");
        reader.finish();
        let reads = problems.len() == before;
        // One that was stored before this was asked for stands all the same, so that the object is not lost.
        check_display(folded, display.as_ref(), &properties, problems);
        let at = push_segment(&folded.pointer, "properties");
        check_beside(&properties, folded.spec.get("properties"), &at, problems);
        check_constraints(folded, &properties, problems);
        check_features(folded, problems);
        check_groups(folded, problems);
        check_former(&properties, &folded.pointer, problems);
        let duplicates = read_duplicates(folded, &properties, problems);
        check_expressions(folded, &properties, &constraints, problems);
        if !reads {
            return None;
        }
        let is_settled = |property: &Property| property.migrated.as_ref().is_none_or(|migrated| migrated.is_settled);
        let is_migrating = !properties.values().all(is_settled);
        Some(Self {
            name,
            label,
            plural,
            plural_label,
            description,
            display: display?,
            icon,
            capability,
            features,
            groups,
            properties,
            constraints: constraints.into_iter().map(|(_, constraint)| constraint).collect(),
            duplicates,
            entry,
            layer: folded.layer.clone(),
            archived,
            spec: folded.spec.clone(),
            is_migrating,
            pointer: folded.pointer.clone(),
        })
    }

    /// The property called `name`, unless archived.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(name).filter(|property| !property.archived)
    }

    /// The property that says where records stand on boards, where the engine has given it.
    pub fn rank(&self) -> Option<&Property> {
        self.property(RANK).filter(|property| property.layer == ENGINE)
    }

    /// Every set of properties whose values are unique: single ones first, then composite.
    pub fn unique_sets(&self) -> impl Iterator<Item = Vec<&Property>> {
        let single = self.properties.values().filter(|property| property.unique && !property.archived);
        let composite = self.constraints.iter().filter_map(|constraint| match constraint {
            Constraint::Unique { properties } => properties.iter().map(|name| self.property(name)).collect(),
            Constraint::Rule(_) | Constraint::NoOverlap { .. } | Constraint::Reserved(_) => None,
        });
        single.map(|property| vec![property]).chain(composite)
    }

    /// `; did you mean …?` for a property that does not exist, or what it is called now; of those alone that whoever asks
    /// may see.
    pub fn property_hint(&self, name: &str, may_see: impl Fn(&Property) -> bool) -> String {
        if let Some(property) = self.property_called(name).filter(|property| may_see(property)) {
            return format!("; it is called `{}` now", property.name);
        }
        let seen = self.properties.values().filter(|found| !found.archived && may_see(found));
        did_you_mean(name, seen.map(|found| found.name.as_str()))
    }
}

fn read_plural(reader: &mut SpecReader<'_>, name: &Name) -> String {
    let plural = reader.string("plural").map_or_else(|| default_plural(name), str::to_owned);
    let well_formed = Name::new(&plural.replace('-', "_")).is_ok();
    if !well_formed {
        let message = "a plural is a path segment: lower-case letters, digits, `_` and `-`, beginning with a letter";
        reader.problem("plural", "invalid_name", message);
    }
    if RESERVED_PLURALS.contains(&plural.as_str()) {
        let message =
            format!("`{plural}` is a path of the API itself; choose another plural, such as `{name}_records`");
        reader.problem("plural", "reserved", message);
    }
    plural
}

fn default_plural(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if name.ends_with(['s', 'x', 'z']) || name.ends_with("ch") || name.ends_with("sh") => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

fn label_of_plural(plural: &str) -> String {
    let words = plural.replace(['_', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn read_properties(reader: &mut SpecReader<'_>, folded: &Folded) -> IndexMap<Name, Property> {
    let mut properties = IndexMap::new();
    let Some(map) = reader.map("properties") else { return properties };
    let pointer = reader.pointer_of("properties");
    for (name, spec, at) in named_entries(map, &pointer, reader.problems()) {
        if SYSTEM_FIELDS.contains(&name.as_str()) {
            let message = format!("`{name}` is a field that every record has; choose another name");
            reader.problems().push(Problem::new(at, "reserved", message));
            continue;
        }
        let layer = folded.property_layers.get(name.as_str()).unwrap_or(&folded.layer);
        let Some(property) = Property::read(name.clone(), spec, layer, &at, reader.problems()) else {
            // Whoever adjusts a property of another layer leaves out the type, and may have misspelt the name.
            if folded.pointer.starts_with("/extend/") && spec.get("type").is_none() {
                let others =
                    map.iter().filter(|(_, other)| other.get("type").is_some()).map(|(other, _)| other.as_str());
                hint_at_name(&name, others, &at, reader.problems());
            }
            continue;
        };
        properties.insert(name, property);
    }
    name_by_present_names(&mut properties);
    properties
}

fn hint_at_name<'n>(name: &str, others: impl Iterator<Item = &'n str>, at: &str, problems: &mut Problems) {
    let at = format!("{at}/type");
    if let Some(problem) = problems.iter_mut().rfind(|problem| problem.pointer == at && problem.code == "required") {
        problem.message.push_str(&did_you_mean(name, others));
    }
}

/// Formulas and amounts that speak of other properties by names that these had.
fn name_by_present_names(properties: &mut IndexMap<Name, Property>) {
    let now = |name: &str| renamed(properties, name).cloned();
    let kinds = properties.values().filter_map(|property| Some((property.name.clone(), property.kind.renamed(&now)?)));
    for (name, kind) in kinds.collect::<Vec<_>>() {
        properties.entry(name).and_modify(|property| property.kind = kind);
    }
}

fn read_display(reader: &mut SpecReader<'_>, properties: &IndexMap<Name, Property>) -> Option<Template> {
    let source = reader.string("display").map_or_else(|| default_display(properties), str::to_owned);
    match Template::compile(&source).map(|template| template.renamed(|name| renamed(properties, name))) {
        Ok(template) => {
            let unknown: Vec<_> = template.names().filter(|name| !properties.contains_key(*name)).collect();
            for name in unknown {
                let hint = did_you_mean(name, properties.keys().map(Name::as_str));
                reader.problem("display", "unknown", format!("`{name}` is no property of this object{hint}"));
            }
            Some(template)
        }
        Err(error) => {
            reader.problem("display", "invalid", error.to_string());
            None
        }
    }
}

fn read_duplicates(
    folded: &Folded,
    properties: &IndexMap<Name, Property>,
    problems: &mut Problems,
) -> Vec<DuplicateRule> {
    let Some(features) = folded.spec.get("features") else { return Vec::new() };
    DuplicateRule::read_all(features, &push_segment(&folded.pointer, "features"), properties, problems)
}

/// Whoever sees a record, in a list, as a suggestion or at the end of a link, reads what it is called.
fn check_display(
    folded: &Folded,
    display: Option<&Template>,
    properties: &IndexMap<Name, Property>,
    problems: &mut Problems,
) {
    let names = display.into_iter().flat_map(Template::names);
    for name in names.filter(|name| properties.get(*name).is_some_and(|property| property.sensitive)) {
        let message = match folded.spec.get("display") {
            Some(Value::String(_)) => format!(
                "`{name}` is sensitive, and what a record is called is read by all who see the record: take it out of \
                 `display`, or let it not be sensitive"
            ),
            _ => format!(
                "without `display` records are called by `{name}`, which is sensitive, and that is read by all who see \
                 the record: give a `display` without it, or let it not be sensitive"
            ),
        };
        problems.push(Problem::new(push_segment(&folded.pointer, "display"), "sensitive", message));
    }
}

/// Without a template a record is called by its first short text.
fn default_display(properties: &IndexMap<Name, Property>) -> String {
    // What is archived is shown nowhere, not as a name either.
    let is_shown = |property: &&Property| !property.archived;
    let names = ["name", "title", "label", "subject", "number"];
    let named = names.iter().find_map(|name| properties.get(*name).filter(is_shown));
    let first = || properties.values().filter(is_shown).find(|property| property.kind.storage() == Storage::Text);
    named.or_else(first).map_or_else(String::new, |property| format!("{{{{ {} }}}}", property.name))
}

/// What rules and formulas can never have a value for, whatever the record.
fn check_expressions(
    folded: &Folded,
    properties: &IndexMap<Name, Property>,
    constraints: &[(usize, Constraint)],
    problems: &mut Problems,
) {
    let written = folded.spec.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    // What does not read itself is no unknown name beside that.
    let types = Types::of(properties).and(written.map(String::as_str));
    let mut found = Problems::new();
    for (index, constraint) in constraints {
        let Constraint::Rule(rule) = constraint else { continue };
        found.extend(rule.check(&types, &format!("{}/constraints/{index}", folded.pointer)));
    }
    let types = types.and(CIRCUMSTANCES.iter().copied());
    for property in properties.values().filter(|property| !property.archived) {
        let Some(Formula { expression, result }) = property.kind.formula() else { continue };
        let at = push_segment(&format!("{}/properties", folded.pointer), &property.name);
        let wrong = check_formula(expression, &types, result.storage(), result.form());
        found.extend(wrong.into_iter().map(|problem| problem.at(&format!("{at}/formula"))));
    }
    // An unknown name in a rule is told where the rule is read.
    let is_told = |told: &[Problem], problem: &Problem| {
        problem.code == "unknown"
            && told.iter().any(|told| told.pointer == problem.pointer && told.code == problem.code)
    };
    found.retain(|problem| !is_told(problems, problem));
    problems.extend(found);
}

/// The name of the property that `name` stands for, which it has or had.
pub(crate) fn known_name(
    reader: &mut SpecReader<'_>,
    key: &str,
    name: &Name,
    properties: &IndexMap<Name, Property>,
) -> Option<Name> {
    let known = called(properties, name).map(|property| property.name.clone());
    if known.is_none() {
        let hint = did_you_mean(name, properties.keys().map(Name::as_str));
        reader.problem(key, "unknown", format!("`{name}` is no property of this object{hint}"));
    }
    known
}
