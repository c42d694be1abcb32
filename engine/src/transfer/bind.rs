//! Fits a map to a tenant's definitions: every name in it means something there, or is a problem.

use std::collections::HashMap;
use std::sync::Arc;

use engine_model::access::Rights;
use engine_model::object::ObjectDefinition;
use engine_model::problem::push_segment;
use engine_model::property::{Property, PropertyKind, Reference, Storage, normalize_value};
use engine_model::{Problem, Problems};
use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::map::{Aim, CellRules, ColumnMap, LinkAim, Target, Template, UserKey};
use crate::definitions::catalog::{Catalog, shortened};
use crate::records::{find_association, unique_property};

/// A map that fits a tenant's definitions.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// The object whose records are made.
    pub(super) object: String,
    /// The unique property that finds the record to update.
    pub(super) key: Option<String>,
    /// Where each column goes.
    pub(super) columns: IndexMap<String, Vec<BoundTarget>>,
    /// Properties made of several columns.
    pub(super) compose: Vec<(BoundProperty, Template)>,
    /// The same value on every row.
    pub(super) constants: Vec<(String, Box<RawValue>)>,
    /// What whoever imports may see.
    pub(super) rights: Arc<Rights>,
}

/// Where a column goes, and how its cells are read for that.
#[derive(Debug, Clone)]
pub(super) struct BoundTarget {
    pub(super) aim: BoundAim,
    pub(super) rules: CellRules,
}

/// Where a column goes.
#[derive(Debug, Clone)]
pub(super) enum BoundAim {
    /// Into a property.
    Property(BoundProperty),
    /// Into a property that holds a user.
    User(String, UserKey),
    /// Into a link.
    Link(LinkAim),
    /// It names the record's owner.
    Owner(UserKey),
}

/// A property to fill.
#[derive(Debug, Clone)]
pub(super) struct BoundProperty {
    pub(super) name: String,
    pub(super) kind: Arc<dyn PropertyKind>,
}

impl Bound {
    /// Rows may link to records that earlier rows make. Without columns, each row says itself where its links lead.
    pub(super) fn may_link_to_itself(&self) -> bool {
        let leads_back = |aim: &BoundAim| matches!(aim, BoundAim::Link(link) if link.object == self.object);
        self.columns.is_empty() || self.columns.values().flatten().any(|target| leads_back(&target.aim))
    }
}

impl BoundProperty {
    fn of(property: &Property) -> Self {
        Self { name: property.name.to_string(), kind: Arc::clone(&property.kind) }
    }

    /// It holds moments.
    pub(super) fn is_moment(&self) -> bool {
        self.kind.storage() == Storage::Datetime
    }
}

/// Fits `map` to the definitions; records are of `object`. Pointers of problems begin with `/map`.
pub(super) fn bind(map: &ColumnMap, catalog: &Catalog, object: &str, rights: &Arc<Rights>) -> Result<Bound, Problems> {
    let definition =
        catalog.object(object).map_err(|error| vec![Problem::new("/object", "unknown_object", error.detail)])?;
    let mut binder = Binder { catalog, object: definition, rights, filled: HashMap::new(), problems: Problems::new() };
    let mut columns = IndexMap::with_capacity(map.columns.len());
    for (column, targets) in &map.columns {
        let at = push_segment("/map/columns", column);
        let bound = targets.iter().filter_map(|target| binder.target(target, &at)).collect();
        columns.insert(column.clone(), bound);
    }
    let compose = map.compose.iter();
    let compose = compose.filter_map(|(name, template)| {
        let at = push_segment("/map/compose", name);
        Some((binder.property(name, &at)?, template.clone()))
    });
    let compose = compose.collect();
    let constants = map.constants.iter().filter_map(|(name, value)| binder.constant(name, value)).collect();
    if let Some(key) = &map.key {
        binder.key(key, map.is_automatic());
    }
    let problems = binder.problems;
    if !problems.is_empty() {
        return Err(problems);
    }
    let key = map.key.as_deref().map(|key| present_name(definition, key).to_owned());
    Ok(Bound { object: object.to_owned(), key, columns, compose, constants, rights: Arc::clone(rights) })
}

/// What a property is called now that has or had this name.
fn present_name<'a>(object: &'a ObjectDefinition, name: &'a str) -> &'a str {
    object.property_called(name).map_or(name, |property| property.name.as_str())
}

/// A property that a column is called like, for files whose columns no map names.
pub(super) fn property_called(
    object: &ObjectDefinition,
    column: &str,
    may_see: impl Fn(&Property) -> bool,
) -> Result<BoundTarget, Problem> {
    let property = find_property(object, column, may_see)?;
    Ok(BoundTarget { aim: BoundAim::Property(BoundProperty::of(property)), rules: CellRules::default() })
}

fn find_property<'a>(
    object: &'a ObjectDefinition,
    name: &str,
    may_see: impl Fn(&Property) -> bool,
) -> Result<&'a Property, Problem> {
    match object.property_called(name) {
        Some(property) if property.is_writable() => Ok(property),
        Some(_) => Err(Problem::new("", "read_only", format!("`{name}` is made by the engine and cannot be imported"))),
        None => {
            let hint = object.property_hint(name, may_see);
            let message = format!("`{}` is no property of `{}`{hint}", shortened(name), object.name);
            Err(Problem::new("", "unknown_property", message))
        }
    }
}

struct Binder<'a> {
    catalog: &'a Catalog,
    object: &'a ObjectDefinition,
    rights: &'a Rights,
    /// What each property is filled from.
    filled: HashMap<String, String>,
    problems: Problems,
}

impl Binder<'_> {
    fn problem(&mut self, at: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(at, code, message));
    }

    fn target(&mut self, target: &Target, at: &str) -> Option<BoundTarget> {
        let aim = match &target.aim {
            Aim::Property(name) => BoundAim::Property(self.property(name, at)?),
            Aim::User(name, key) => {
                let property = self.property(name, at)?;
                if !matches!(property.kind.reference(), Some(Reference::User { .. })) {
                    self.problem(at, "invalid", format!("`{name}` holds no user; leave `user` out"));
                    return None;
                }
                BoundAim::User(name.clone(), *key)
            }
            Aim::Link(link) => BoundAim::Link(self.link(link, at)?),
            Aim::Owner(key) => {
                self.fill("owner_id", at);
                BoundAim::Owner(*key)
            }
        };
        Some(BoundTarget { aim, rules: target.rules.clone() })
    }

    fn property(&mut self, name: &str, at: &str) -> Option<BoundProperty> {
        match find_property(self.object, name, self.catalog.seen_by(self.rights, self.object)) {
            Ok(property) => {
                let bound = BoundProperty::of(property);
                self.fill(name, at).then_some(bound)
            }
            Err(problem) => {
                self.problem(at, problem.code, problem.message);
                None
            }
        }
    }

    /// Nothing is filled from two places.
    fn fill(&mut self, name: &str, at: &str) -> bool {
        match self.filled.insert(name.to_owned(), at.to_owned()) {
            None => true,
            Some(first) => {
                self.problem(at, "duplicate", format!("`{name}` is filled at `{first}` already"));
                false
            }
        }
    }

    fn link(&mut self, link: &LinkAim, at: &str) -> Option<LinkAim> {
        match check_link(self.catalog, self.object, link, self.rights) {
            Ok(()) => Some(link.clone()),
            Err(problems) => {
                let placed = problems.into_iter().map(|problem| Problem { pointer: at.to_owned(), ..problem });
                self.problems.extend(placed);
                None
            }
        }
    }

    fn constant(&mut self, name: &str, value: &serde_json::Value) -> Option<(String, Box<RawValue>)> {
        let at = push_segment("/map/constants", name);
        let property = self.property(name, &at)?;
        if let Err(faults) = normalize_value(property.kind.as_ref(), value, &self.catalog.locale) {
            for fault in faults {
                self.problem(&format!("{at}{}", fault.pointer), fault.code, fault.message);
            }
            return None;
        }
        Some((property.name, serde_json::value::to_raw_value(value).ok()?))
    }

    /// The key is unique, and something fills it.
    fn key(&mut self, key: &str, is_automatic: bool) {
        if let Err(error) = unique_property(self.object, key, self.catalog.seen_by(self.rights, self.object)) {
            let message = error.problems.first().map_or(error.detail, |problem| problem.message.clone());
            self.problem("/map/key", "invalid", message);
        } else if !is_automatic && !self.filled.contains_key(present_name(self.object, key)) {
            self.problem("/map/key", "required", format!("no column fills `{key}`, so no row would have a key"));
        }
    }
}

/// The association links the object with that at its other end, where `by` is unique.
pub(super) fn check_link(
    catalog: &Catalog,
    object: &ObjectDefinition,
    link: &LinkAim,
    rights: &Rights,
) -> Result<(), Problems> {
    let mut problems = Problems::new();
    match find_association(catalog, &link.association, &object.name) {
        Ok(found) => {
            let leads_out = found.from == object.name && found.to.accepts(&link.object);
            let leads_in = found.from.as_str() == link.object && found.to.accepts(&object.name);
            if !leads_out && !leads_in {
                let message = format!("`{}` does not link a `{}` with a `{}`", found.name, object.name, link.object);
                problems.push(Problem::new("/to", "invalid", message));
            }
            let label =
                link.label.as_deref().filter(|label| !found.labels.is_empty() && !found.labels.contains_key(*label));
            if let Some(label) = label {
                problems.push(Problem::new(
                    "/label",
                    "unknown_option",
                    format!("`{}` has no label `{label}`", found.name),
                ));
            }
        }
        Err(problem) => problems.push(problem),
    }
    match catalog.object(&link.object) {
        Ok(far) => {
            if let Err(error) = unique_property(far, &link.by, catalog.seen_by(rights, far)) {
                let message = error.problems.first().map_or(error.detail, |problem| problem.message.clone());
                problems.push(Problem::new("/to", "invalid", message));
            }
        }
        Err(error) => problems.push(Problem::new("/to", "unknown_object", error.detail)),
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
