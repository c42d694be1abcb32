//! What a filter reads, and of whom: of the records that it is asked of, and of those that are linked with them.

use std::collections::{BTreeMap, BTreeSet};

use engine_model::Name;
use engine_model::query::{Direction, Field, Filter, Linked};

/// Fields that every write of a record changes, or may change without saying so.
const ALWAYS: [&str; 4] = ["updated_at", "updated_by", "version", "display_name"];

/// One association, followed from one record to the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Step {
    pub(super) association: Name,
    pub(super) direction: Direction,
}

/// What is read of an object's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    names: BTreeSet<String>,
    /// Any write may make a difference.
    is_any: bool,
}

impl Fields {
    /// Whether a write of these properties may make a difference.
    pub(super) fn are_among(&self, written: &BTreeSet<String>) -> bool {
        self.is_any || self.names.iter().any(|name| written.contains(name))
    }
}

/// What is read at the end of a way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) objects: BTreeMap<Name, Fields>,
}

/// Everything that a filter reads, by the way to it; the records themselves stand at the end of no way at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) ways: Vec<(Vec<Step>, Reached)>,
}

impl Reads {
    /// What a filter of `object` reads; `is_live` says which fields change while nothing is written.
    pub(super) fn of(object: &Name, filter: &Filter, is_live: &dyn Fn(&Field) -> bool) -> Self {
        let mut reads = Self::default();
        reads.at(&[]).objects.entry(object.clone()).or_default();
        reads.add(filter, &[], is_live);
        reads
    }

    fn at(&mut self, way: &[Step]) -> &mut Reached {
        let place = self.ways.iter().position(|(known, _)| known == way).unwrap_or_else(|| {
            self.ways.push((way.to_vec(), Reached::default()));
            self.ways.len() - 1
        });
        &mut self.ways[place].1
    }

    fn add(&mut self, filter: &Filter, way: &[Step], is_live: &dyn Fn(&Field) -> bool) {
        match filter {
            Filter::All(filters) | Filter::Any(filters) => {
                filters.iter().for_each(|filter| self.add(filter, way, is_live));
            }
            Filter::Not(filter) => self.add(filter, way, is_live),
            Filter::Exists(field) | Filter::Is(field, _) => {
                let fields = self.at(way).objects.entry(field.object.clone()).or_default();
                fields.is_any |= ALWAYS.contains(&field.name.as_str()) || is_live(field);
                fields.names.insert(field.name.to_string());
            }
            // Ids stay what they are; who is put into a list is told by the list.
            Filter::Ids(_) | Filter::Listed(_) => {}
            Filter::Linked(linked) => self.add_linked(linked, way, is_live),
        }
    }

    fn add_linked(&mut self, linked: &Linked, way: &[Step], is_live: &dyn Fn(&Field) -> bool) {
        let step = Step { association: linked.association.clone(), direction: linked.direction };
        let way: Vec<Step> = way.iter().cloned().chain([step]).collect();
        self.at(&way);
        for other in &linked.others {
            self.at(&way).objects.entry(other.object.clone()).or_default();
            self.add(&other.visible, &way, is_live);
            self.add(&other.filter, &way, is_live);
        }
    }
}

#[cfg(test)]
mod tests {
    use engine_model::query::{LinkedScope, Quantifier, system_field};

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn field(object: &str, field: &str) -> Field {
        system_field(&name(object), field).expect("a field")
    }

    #[test]
    fn what_is_read_is_known_by_the_way_to_it() {
        let linked = |association: &str, object: &str, filter: Filter| {
            let others = vec![LinkedScope { object: name(object), visible: Filter::everything(), filter }];
            let (association, direction) = (name(association), Direction::Out);
            Filter::Linked(Linked { association, direction, others, quantifier: Quantifier::None })
        };
        let step = |association: &str| Step { association: name(association), direction: Direction::Out };
        let far = linked("firm_site", "site", Filter::Exists(field("site", "owner_id")));
        let near = linked("person_firm", "firm", Filter::All(vec![Filter::Exists(field("firm", "updated_at")), far]));
        let own = Filter::Not(Box::new(Filter::Exists(field("person", "created_by"))));
        let reads = Reads::of(&name("person"), &Filter::Any(vec![own, near]), &|field| field.object.as_str() == "site");
        let ways: Vec<&[Step]> = reads.ways.iter().map(|(way, _)| way.as_slice()).collect();
        assert_eq!(ways, [&[][..], &[step("person_firm")], &[step("person_firm"), step("firm_site")]]);
        let concerns = |way: usize, object: &str, written: &str| {
            reads.ways[way].1.objects[object].are_among(&BTreeSet::from([written.to_owned()]))
        };
        assert!(concerns(0, "person", "created_by") && !concerns(0, "person", "owner_id"));
        // Every write of a record changes when it was written, and whatever changes by itself may be another then.
        assert!(concerns(1, "firm", "anything") && concerns(2, "site", "anything"));
    }
}
