//! Linked records that come along: `company(name,domain)` by object, `deal_company(name)` by association.

use std::collections::HashMap;

use engine_model::Problem;
use engine_model::access::Action;
use engine_model::name::did_you_mean;
use engine_model::object::ObjectDefinition;
use engine_store::association::{Direction, of_many};
use engine_store::record::many;

use super::links::direction_from;
use super::record::{Record, Shown};
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// Most linked records that one page of records brings along for one entry.
const MOST: i64 = 10_000;

/// One entry of `include`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Name of an object or of an association.
    pub name: String,
    /// Properties to show; all where none are named.
    pub select: Vec<String>,
}

impl Include {
    /// Reads `company(name,domain), deal_contact`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut entries = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = rest.find(['(', ',']).unwrap_or(rest.len());
            let name = rest[..end].trim().to_owned();
            rest = &rest[end..];
            let mut select = Vec::new();
            if let Some(inner) = rest.strip_prefix('(') {
                let Some(close) = inner.find(')') else { return Err(malformed(text)) };
                select = inner[..close]
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .filter(|name| !name.is_empty())
                    .collect();
                rest = inner[close + 1..].trim_start();
            }
            if name.is_empty() || !(rest.is_empty() || rest.starts_with(',')) {
                return Err(malformed(text));
            }
            entries.push(Self { name, select });
            rest = rest.trim_start_matches(',').trim_start();
        }
        Ok(entries)
    }
}

fn malformed(text: &str) -> Error {
    let message = format!("`{}` is not of the form `object(property,property), association`", shortened(text));
    bad_include(message)
}

fn bad_include(message: String) -> Error {
    Error { code: ErrorCode::BadRequest, ..Error::invalid_at("/include", "invalid", message) }
}

/// A part of what was asked for would look like all of it.
fn too_many(include: &Include) -> Error {
    bad_include(format!(
        "`{}` would bring along more than {MOST} records; ask for a smaller page, or list the associations of a record",
        shortened(&include.name)
    ))
}

/// One kind of link to follow.
struct Path<'a> {
    association: &'a str,
    direction: Direction,
}

impl Session {
    /// Refuses entries that name nothing that is linked to records of `object`, or no property of it.
    pub(crate) fn check_includes(&self, object: &ObjectDefinition, includes: &[Include]) -> Result<()> {
        for include in includes {
            paths(&self.catalog, object, include)?;
            if let Ok(linked) = self.catalog.object(&include.name) {
                self.included(linked, include)?;
            }
        }
        Ok(())
    }

    /// Brings linked records along with each of `records`, which are all of `object`.
    pub(crate) async fn include(
        &self,
        object: &ObjectDefinition,
        records: &mut [Record],
        includes: &[Include],
    ) -> Result<()> {
        for include in includes {
            let paths = paths(&self.catalog, object, include)?;
            let mut found: HashMap<i64, Vec<i64>> = HashMap::new();
            let mut reader = self.reader().await?;
            let ids: Vec<i64> = records.iter().map(|record| record.id.0).collect();
            let mut left = MOST;
            for path in &paths {
                let links = of_many(&mut reader, ids.clone(), path.association, path.direction, left + 1).await?;
                left -= i64::try_from(links.len()).unwrap_or(i64::MAX);
                if left < 0 {
                    return Err(too_many(include));
                }
                for link in links {
                    let wanted = self.catalog.effective.registry.objects.contains_key(include.name.as_str());
                    if !wanted || link.object == include.name {
                        found.entry(link.near_id).or_default().push(link.id);
                    }
                }
            }
            let mut far: Vec<i64> = found.values().flatten().copied().collect();
            far.sort_unstable();
            far.dedup();
            let rows = many(&mut reader, far).await?;
            let mut linked = HashMap::new();
            for row in rows {
                let Ok(object) = self.catalog.object(&row.object) else { continue };
                if !self.caller.may(Action::Read, &row.object, &row) {
                    continue;
                }
                let shown = Shown::of(
                    &self.catalog,
                    object,
                    &self.caller.rights,
                    self.included(object, include)?.as_deref(),
                    self.now(),
                );
                linked.insert(row.id, Record::from_row(row, &shown)?);
            }
            for record in records.iter_mut() {
                let ids = found.get(&record.id.0).into_iter().flatten();
                let list = ids.filter_map(|id| linked.get(id).cloned()).collect();
                record.included.push((include.name.clone(), list));
            }
        }
        Ok(())
    }
}

impl Session {
    fn included(&self, object: &ObjectDefinition, include: &Include) -> Result<Option<Vec<String>>> {
        self.selected(object, (!include.select.is_empty()).then_some(include.select.as_slice()))
    }
}

fn paths<'a>(catalog: &'a Catalog, object: &ObjectDefinition, include: &Include) -> Result<Vec<Path<'a>>> {
    let near = object.name.as_str();
    if let Some(association) =
        catalog.effective.registry.associations_of(near).find(|found| found.name.as_str() == include.name)
    {
        return Ok(vec![Path { association: &association.name, direction: direction_from(association, near) }]);
    }
    let mut paths = Vec::new();
    for association in catalog.effective.registry.associations_of(near) {
        let far = include.name.as_str();
        if association.from.as_str() == near && association.to.accepts(far) {
            paths.push(Path { association: &association.name, direction: Direction::Out });
        }
        if association.from.as_str() == far && association.to.accepts(near) {
            paths.push(Path { association: &association.name, direction: Direction::In });
        }
    }
    if paths.is_empty() {
        let linked = catalog.effective.registry.associations_of(near).map(|found| found.name.as_str());
        let known: Vec<&str> = linked.chain(catalog.objects().map(|object| object.name.as_str())).collect();
        let hint = did_you_mean(&include.name, known);
        let problem = format!(
            "`{}` is neither an association of `{near}` nor an object linked to it{hint}",
            shortened(&include.name)
        );
        return Err(bad_include(problem));
    }
    Ok(paths)
}

/// A problem with a parameter of a query rather than with a body.
pub(crate) fn bad_parameter(name: &str, message: impl Into<String>) -> Error {
    let message = message.into();
    let mut error = Error::new(ErrorCode::BadRequest, message.clone());
    error.problems.push(Problem::new(format!("/{name}"), "invalid", message));
    error
}
