//! Names that properties had: a new version of a pack calls a property otherwise, and whoever knew it by its former name
//! goes on to find it.

use indexmap::IndexMap;

use crate::layer::{CUSTOM, ENGINE, Layer};
use crate::name::Name;
use crate::object::ObjectDefinition;
use crate::problem::{Problem, Problems, push_segment};
use crate::property::Property;
use crate::registry::Registry;

/// The property of that name, or, where none in force has it, the one that had it.
pub fn called<'p>(properties: &'p IndexMap<Name, Property>, name: &str) -> Option<&'p Property> {
    let named = properties.get(name);
    if let Some(property) = named.filter(|property| !property.archived) {
        return Some(property);
    }
    let in_force = || properties.values().filter(|property| !property.archived);
    let is_said = |property: &&Property| property.was.iter().any(|was| was.as_str() == name);
    let is_remembered = |property: &&Property| property.former_names().any(|was| was.as_str() == name);
    in_force().find(is_said).or_else(|| in_force().find(is_remembered)).or(named)
}

/// The name that the property has which `name` stands for, where that is another one.
pub(crate) fn renamed<'p>(properties: &'p IndexMap<Name, Property>, name: &str) -> Option<&'p Name> {
    called(properties, name).map(|property| &property.name).filter(|now| now.as_str() != name)
}

impl Property {
    /// What it was called before: what its definition says, then what is remembered of earlier versions.
    pub fn former_names(&self) -> impl Iterator<Item = &Name> {
        let remembered = self.migrated.iter().flat_map(|migrated| &migrated.once);
        self.was.iter().chain(remembered.filter(|name| !self.was.contains(*name)))
    }
}

impl ObjectDefinition {
    /// The property that `name` stands for, which it has or had; `None` where that is archived.
    pub fn property_called(&self, name: &str) -> Option<&Property> {
        called(&self.properties, name).filter(|property| !property.archived)
    }
}

impl Registry {
    /// What a pack says that its properties were, and belongs to other packs: it is not the pack's to call otherwise.
    pub(crate) fn check_former(&self, layer: &Layer) -> Problems {
        let mut problems = Problems::new();
        for (section, specs) in [("/objects", &layer.objects), ("/extend", &layer.extend)] {
            for name in specs.keys() {
                let Some(object) = self.objects.get(name) else { continue };
                let at = push_segment(&push_segment(section, name), "properties");
                for property in object.properties.values().filter(|property| property.layer == layer.name) {
                    let holders = property.was.iter().filter_map(|was| object.property(was));
                    for holder in holders.filter(|holder| ![&*layer.name, ENGINE, CUSTOM].contains(&&*holder.layer)) {
                        let message = format!(
                            "`{}` belongs to `{}` and stays as it is; leave this out",
                            holder.name, holder.layer
                        );
                        let at = push_segment(&push_segment(&at, &property.name), "was");
                        problems.push(Problem::new(at, "taken", message));
                    }
                }
            }
        }
        problems
    }
}

/// Tells of properties that say of a name that it was theirs, and it cannot have been: another one has it, or says so,
/// too. Values would leave a property that stays.
///
/// What layers of others have since is none of a pack's mistakes.
pub(crate) fn check_former(properties: &IndexMap<Name, Property>, pointer: &str, problems: &mut Problems) {
    let at = push_segment(pointer, "properties");
    let in_force = || properties.values().filter(|property| !property.archived);
    for (index, property) in in_force().enumerate() {
        for (nth, was) in property.was.iter().enumerate() {
            let concerns =
                |other: &Property| other.layer == property.layer || other.layer == ENGINE || property.layer == CUSTOM;
            let holder = properties.get(was).filter(|other| !other.archived && concerns(other));
            let rival = in_force().take(index).find(|other| concerns(other) && other.was.contains(was));
            let is_repeated = property.was.iter().take(nth).any(|other| other == was);
            let message = match (holder, rival) {
                (Some(holder), _) if holder.name == property.name => {
                    format!("`{was}` is its name now; name what it was called before, or leave this out")
                }
                (Some(_), _) => format!(
                    "`{was}` is a property itself, and its values stay with it; take `{was}` away, or leave this out"
                ),
                (None, Some(rival)) => {
                    format!("`{}` says that it was `{was}`, too; values come along with one of them only", rival.name)
                }
                (None, None) if is_repeated => format!("`{was}` is named more than once"),
                (None, None) => continue,
            };
            let at = push_segment(&push_segment(&at, &property.name), "was");
            let at = if property.was.len() > 1 { format!("{at}/{nth}") } else { at };
            problems.push(Problem::new(at, "taken", message));
        }
    }
}
