//! Packs build on others: what one requires is there, and stays as long as one needs it.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::sync::Arc;

use engine_model::layer::Layer;
use engine_model::name::did_you_mean;
use engine_model::pack::{LocatedProblem, Pack};
use engine_model::problem::push_segment;
use engine_model::{Name, Problem, Problems};
use engine_store::pack::TenantPackRow;
use semver::{Version, VersionReq};

use super::known::Known;
use crate::error::{Error, ErrorCode, Result};

/// What a pack requires and the tenant does not have, or not so that the pack could stand on it; `known` are the packs
/// that can be asked for by name.
pub(super) fn unmet(of: &Pack, rows: &[TenantPackRow], installed: &[Arc<Known>], known: &[String]) -> Problems {
    let packs: Vec<&Pack> = installed.iter().map(|known| &known.pack).collect();
    let mut problems = Problems::new();
    for (name, wanted) in &of.requires {
        let (code, message) = match rows.iter().find(|row| row.name == name.as_str() && row.is_installed()) {
            _ if *name == of.name => ("cyclic", ITSELF.to_owned()),
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
            Some(_) => match way_back(name, &of.name, &packs) {
                Some(way) => ("cyclic", goes_round(name, &of.name, &way)),
                None => continue,
            },
        };
        problems.push(Problem::new(push_segment("/requires", name), code, message));
    }
    problems
}

/// What a pack requires and is not among those at hand, or not so that the pack could stand on it.
pub(super) fn unmet_among(of: &Pack, known: &[Pack]) -> Problems {
    let mut problems = Problems::new();
    for (name, wanted) in &of.requires {
        let versions: Vec<&Pack> = known.iter().filter(|known| known.name == *name).collect();
        let (code, message) = match versions.last() {
            _ if *name == of.name => ("cyclic", ITSELF.to_owned()),
            None => {
                let hint = did_you_mean(name, known.iter().map(|known| known.name.as_str()));
                let message = match hint.as_str() {
                    "" => format!("`{name}` is not built in; say where it is with `--with FOLDER`"),
                    hint => format!("`{name}` is neither built in nor given by `--with FOLDER`{hint}"),
                };
                ("missing_pack", message)
            }
            Some(last) if !versions.iter().any(|known| wanted.matches(&known.version)) => {
                ("pack_version", format!("`{name}` is here in {}, but {wanted} is required", last.version))
            }
            Some(_) => match way_back(name, &of.name, known) {
                Some(way) => ("cyclic", goes_round(name, &of.name, &way)),
                None => continue,
            },
        };
        problems.push(Problem::new(push_segment("/requires", name), code, message));
    }
    problems
}

/// Where a mistake speaks of an object that there is not: says who has it, if another pack does.
pub(super) fn tell_owner(of: &Pack, problem: &mut LocatedProblem, known: &[Pack]) {
    if !problem.message.starts_with("there is no object `") {
        return;
    }
    let Some(named) = named_object(of, &problem.pointer) else { return };
    let Some(owner) = known.iter().rfind(|known| known.layer.objects.contains_key(named)) else { return };
    if owner.name == of.name || of.requires.iter().any(|(name, _)| *name == owner.name) {
        return;
    }
    let (name, version) = (&owner.name, &owner.version);
    problem.message = format!("there is no object `{named}`; `{name}` has it: add `{name}: ^{version}` to `requires`");
}

fn named_object<'p>(of: &'p Pack, pointer: &'p str) -> Option<&'p str> {
    if let Some(name) = pointer.strip_prefix("/extend/") {
        return Some(name);
    }
    let (section, rest) = pointer.strip_prefix('/')?.split_once('/')?;
    of.document.get(section)?.pointer(&format!("/{rest}"))?.as_str()
}

const ITSELF: &str = "a pack does not require itself; leave it out";

fn goes_round(name: &Name, of: &Name, way: &str) -> String {
    format!("`{name}` requires `{of}` itself ({way}); one of the two has to go without")
}

/// The packs over which `from` requires `to`, if it does.
fn way_back(from: &Name, to: &Name, packs: &[impl Borrow<Pack>]) -> Option<String> {
    let mut ways = vec![vec![from]];
    let mut seen = vec![from];
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        let pack = packs.iter().map(Borrow::borrow).find(|pack| pack.name == **last);
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
pub(super) fn layers_below(of: &Pack, known: &[Pack]) -> Vec<Layer> {
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
