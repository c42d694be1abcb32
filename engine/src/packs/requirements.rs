//! Packs build on others: what one requires is there, and stays as long as one needs it.

use std::collections::HashSet;
use std::sync::Arc;

use engine_model::layer::Layer;
use engine_model::name::did_you_mean;
use engine_model::pack::Pack;
use engine_model::problem::push_segment;
use engine_model::{Name, Problem, Problems};
use engine_store::pack::TenantPackRow;
use semver::{Version, VersionReq};

use super::known::Known;
use crate::error::{Error, ErrorCode, Result};

/// What a pack requires and the tenant does not have, or not so that the pack could stand on it; `known` are the packs
/// that can be asked for by name.
pub(super) fn unmet(of: &Pack, rows: &[TenantPackRow], installed: &[Arc<Known>], known: &[String]) -> Problems {
    let mut problems = Problems::new();
    for (name, wanted) in &of.requires {
        let (code, message) = match rows.iter().find(|row| row.name == name.as_str() && row.is_installed()) {
            _ if *name == of.name => ("cyclic", "a pack does not require itself; leave it out".to_owned()),
            None if known.iter().any(|known| known == name.as_str()) => {
                ("missing_pack", format!("install `{name}` {wanted} first"))
            }
            None => {
                let hint = did_you_mean(name, known.iter().map(String::as_str));
                ("missing_pack", format!("the server knows no pack `{name}`; install it first, in {wanted}{hint}"))
            }
            Some(row) if !meets(&row.version, wanted) => {
                ("pack_version", format!("the tenant has `{name}` {}, but {wanted} is required", row.version))
            }
            Some(_) => match way_back(name, &of.name, installed) {
                Some(way) => (
                    "cyclic",
                    format!("`{name}` requires `{}` itself ({way}); one of the two has to go without", of.name),
                ),
                None => continue,
            },
        };
        problems.push(Problem::new(push_segment("/requires", name), code, message));
    }
    problems
}

/// The packs over which `from` requires `to`, if it does.
fn way_back(from: &Name, to: &Name, installed: &[Arc<Known>]) -> Option<String> {
    let mut ways = vec![vec![from]];
    let mut seen = vec![from];
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        let pack = installed.iter().map(|known| &known.pack).find(|pack| pack.name == **last);
        for (name, _) in pack.map(|pack| pack.requires.as_slice()).unwrap_or_default() {
            let longer: Vec<&Name> = way.iter().copied().chain([name]).collect();
            if name == to {
                return Some(longer.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" → "));
            }
            if !seen.contains(&name) {
                seen.push(name);
                ways.push(longer);
            }
        }
    }
    None
}

/// Whether all that build on a pack can live with its next version, or with none.
pub(super) fn check_dependents(name: &str, next: Option<&Version>, installed: &[Arc<Known>]) -> Result<()> {
    let mut problems = Problems::new();
    for pack in installed.iter().map(|known| &known.pack).filter(|pack| pack.name.as_str() != name) {
        let Some((_, wanted)) = pack.requires.iter().find(|(required, _)| required.as_str() == name) else { continue };
        let message = match next {
            Some(next) if wanted.matches(next) => continue,
            Some(next) => format!("`{}` requires `{name}` {wanted}, which {next} is not; move it on first", pack.name),
            None => format!("`{}` requires `{name}` {wanted}; uninstall it first", pack.name),
        };
        problems.push(Problem::new("", "required_by", message));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error { code: ErrorCode::Conflict, ..Error::invalid(problems) })
}

/// The layers of the packs that `of` requires, each after those that it requires itself; what is not among `known` is left
/// out.
pub fn layers_below(of: &Pack, known: &[Pack]) -> Vec<Layer> {
    let (mut layers, mut seen) = (Vec::new(), HashSet::from([of.name.clone()]));
    for (name, _) in &of.requires {
        // Requirements as a list of work instead of recursion: a pack may come from anybody.
        let mut wanted = vec![(name.clone(), false)];
        while let Some((name, is_below_done)) = wanted.pop() {
            let Some(required) = known.iter().find(|known| known.name == name) else { continue };
            if is_below_done {
                layers.push(required.layer.clone());
            } else if seen.insert(name.clone()) {
                wanted.push((name, true));
                wanted.extend(required.requires.iter().map(|(name, _)| (name.clone(), false)));
            }
        }
    }
    layers
}

fn meets(version: &str, wanted: &VersionReq) -> bool {
    Version::parse(version).is_ok_and(|version| wanted.matches(&version))
}
