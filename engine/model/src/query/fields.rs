//! Which fields a query reads.

use super::typed::{Aggregate, Field, Filter, Group, Measure, Query, Scope, SortKey};

impl Query {
    /// Every field that the answer depends on, those of linked records included; some more than once.
    pub fn fields(&self) -> Vec<&Field> {
        let mut fields = Vec::new();
        for scope in &self.scopes {
            if self.words.is_some() {
                fields.extend(&scope.searched);
            }
            scope.add_fields(&mut fields);
        }
        fields
    }
}

impl Scope {
    fn add_fields<'a>(&'a self, fields: &mut Vec<&'a Field>) {
        self.filter.add_fields(fields);
        fields.extend(self.sort.iter().filter_map(|key| match key {
            SortKey::Value { field, .. } => Some(field),
            SortKey::Relevance | SortKey::Id { .. } => None,
        }));
        for aggregate in &self.aggregates {
            aggregate.add_fields(fields);
        }
    }
}

impl Filter {
    /// Every field that it reads, those of linked records included; some more than once.
    pub fn fields(&self) -> Vec<&Field> {
        let mut fields = Vec::new();
        self.add_fields(&mut fields);
        fields
    }

    fn add_fields<'a>(&'a self, fields: &mut Vec<&'a Field>) {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().for_each(|filter| filter.add_fields(fields)),
            Self::Not(filter) => filter.add_fields(fields),
            Self::Exists(field) | Self::Is(field, _) => fields.push(field),
            Self::Ids(_) | Self::Listed(_) => {}
            Self::Linked(linked) => {
                for other in &linked.others {
                    other.visible.add_fields(fields);
                    other.filter.add_fields(fields);
                }
            }
        }
    }
}

impl Aggregate {
    fn add_fields<'a>(&'a self, fields: &mut Vec<&'a Field>) {
        fields.extend(self.groups.iter().filter_map(Group::field));
        fields.extend(self.measures.iter().filter_map(|(_, measure)| measure.field()));
    }
}

impl Group {
    /// What it reads, unless it is the object.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Self::Value(field) | Self::Calendar { field, .. } | Self::Bucket { field, .. } => Some(field),
            Self::Object => None,
        }
    }
}

impl Measure {
    /// What it reads, unless it counts records.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Self::CountDistinct(field)
            | Self::Sum(field)
            | Self::Avg(field)
            | Self::Min(field)
            | Self::Max(field)
            | Self::Percentiles(field, _) => Some(field),
            Self::Count => None,
        }
    }
}
