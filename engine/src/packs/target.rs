//! What the definitions would be with a pack brought in, moved on or taken away.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_model::layer::{CUSTOM, Layer};
use engine_model::name::did_you_mean;
use engine_model::registry::Registry;
use engine_model::remnant::leave_shared;
use engine_model::time::Timestamp;
use engine_model::upgrade::{Conflict, Side, Specs, rebase};
use engine_model::{Problem, Problems};
use engine_store::pack::TenantPackRow;

use super::migrate::{Migrations, migrate};
use super::rename::Renames;
use crate::definitions::catalog::Catalog;
use crate::definitions::edit::{self, Rows};
use crate::definitions::guard::coherence;
use crate::error::{Error, ErrorCode, Result};

/// What whoever plans or applies has said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreed<'a> {
    /// Whose side items take that both the pack and the tenant have changed.
    pub(super) accept: &'a BTreeMap<String, Side>,
    /// How stored values of properties become those of their next definitions.
    pub(super) migrations: &'a Migrations,
    /// It was said for many tenants at once: sides of what is in conflict on others only do nothing.
    pub(super) for_many: bool,
}

/// What would be.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) registry: Registry,
    /// Rows of the tenant's own layer that would be others.
    pub(super) own: Rows,
    /// What would be left of the pack beside its next version.
    pub(super) remnant: Layer,
    /// What both the pack and the tenant have changed.
    pub(super) conflicts: Vec<Conflict>,
}

impl Target {
    /// The definitions with the pack `name` as `next`, or without it.
    pub(super) fn of(
        catalog: &Catalog,
        rows: &[TenantPackRow],
        (name, next): (&str, Option<&Layer>),
        Agreed { accept, migrations, for_many }: Agreed<'_>,
        at: Timestamp,
    ) -> Result<Self> {
        let now: Vec<&Arc<Layer>> = catalog.effective.pack_layers().collect();
        let (present, earlier) = of_pack(name, rows, &now);
        let renames = next.map(|next| Renames::of(catalog, next)).unwrap_or_default();
        let mut remnant = present.left_behind(&earlier, next, at);
        renames.take_out_of(&mut remnant);
        let mut moved: Vec<Arc<Layer>> = Vec::with_capacity(now.len() + 2);
        let theirs =
            || next.cloned().into_iter().chain([remnant.clone()]).filter(|layer| !layer.is_empty()).map(Arc::new);
        for row in rows {
            match row.name == name {
                true => moved.extend(theirs()),
                false => moved.extend(now.iter().filter(|layer| layer.name == row.name).map(|layer| Arc::clone(layer))),
            }
        }
        if !rows.iter().any(|row| row.name == name) {
            moved.extend(theirs());
        }
        leave_shared(&mut moved);
        let empty = Layer { name: CUSTOM.to_owned(), ..Layer::default() };
        let own = catalog.effective.own_layer().unwrap_or(&empty);
        let mut renamed_below: Vec<Layer> = now.iter().map(|layer| Layer::clone(layer)).collect();
        renamed_below.iter_mut().for_each(|layer| renames.apply_to(layer));
        let (before, after) = (Specs::of(renamed_below.iter()), Specs::of(moved.iter().map(|layer| &**layer)));
        let mut renamed = own.clone();
        renames.apply_to(&mut renamed);
        let (mut rebased, conflicts) = rebase(&renamed, &before, &after, accept);
        if !for_many {
            check_names(accept, &conflicts)?;
        }
        migrate(catalog, &present, next, migrations, &mut rebased)?;
        renames.write(catalog, &mut rebased)?;
        let rows = edit::differing(Some(own), &rebased);
        moved.push(Arc::new(rebased));
        let (registry, mut problems) = catalog.effective.refold(&moved);
        problems.extend(coherence::check(&catalog.effective.registry, &registry));
        if !problems.is_empty() {
            return Err(collision(problems, &conflicts));
        }
        Ok(Self { registry, own: rows, remnant, conflicts })
    }
}

/// Whether what sides are taken for is in conflict at all.
fn check_names(accept: &BTreeMap<String, Side>, conflicts: &[Conflict]) -> Result<()> {
    let is_known = |name: &str| conflicts.iter().any(|conflict| conflict.name == name);
    let unknown: Vec<Problem> = accept
        .keys()
        .filter(|name| !is_known(name))
        .map(|name| {
            let known = conflicts.iter().map(|conflict| conflict.name.as_str());
            let hint = did_you_mean(name, known);
            Problem::new(
                format!("/accept/{name}"),
                "unknown",
                format!("`{name}` is not changed by both the pack and the tenant{hint}"),
            )
        })
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(Error::invalid(unknown)) }
}

/// The layer of a pack and what is left of its earlier versions, as far as there are any.
pub(super) fn of_pack(name: &str, rows: &[TenantPackRow], layers: &[&Arc<Layer>]) -> (Layer, Layer) {
    let is_installed = rows.iter().any(|row| row.name == name && row.is_installed());
    let mut layers = layers.iter().filter(|layer| layer.name == name).map(|layer| Layer::clone(layer));
    let nothing = || Layer { name: name.to_owned(), ..Layer::default() };
    let present = if is_installed { layers.next() } else { None };
    (present.unwrap_or_else(nothing), layers.next().unwrap_or_else(nothing))
}

/// The definitions would not stand.
fn collision(problems: Problems, conflicts: &[Conflict]) -> Error {
    let detail = match conflicts {
        [] => "the pack collides with what the tenant has; see `errors`".to_owned(),
        conflicts => {
            let names = conflicts.iter().map(|conflict| format!("`{}`", conflict.name)).collect::<Vec<_>>().join(", ");
            format!(
                "the pack and what the tenant has made of it do not go together; see `errors`, and accept the pack's \
                 side of {names}, or change the own layer first"
            )
        }
    };
    Error { code: ErrorCode::Conflict, detail, ..Error::invalid(problems) }
}
