//! Packs build on others: what one requires is there, and stays as long as one needs it.

use engine_model::pack::Pack;
use engine_model::{Problem, Problems};
use engine_store::pack::TenantPackRow;
use semver::{Version, VersionReq};

use super::shipped::Files;
use crate::error::{Error, ErrorCode, Result};

/// Whether the tenant has what a pack requires.
pub(super) fn check(of: &Pack, rows: &[TenantPackRow]) -> Result<()> {
    let mut problems = Problems::new();
    for (name, wanted) in &of.requires {
        let at = format!("/requires/{name}");
        let (code, message) = match rows.iter().find(|row| row.name == name.as_str() && row.is_installed()) {
            None => ("missing_pack", format!("install `{name}` {wanted} first")),
            Some(row) if meets(&row.version, wanted) => continue,
            Some(row) => ("pack_version", format!("the tenant has `{name}` {}, but {wanted} is required", row.version)),
        };
        problems.push(Problem::new(at, code, message));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::invalid(problems)) }
}

/// Whether all that build on a pack can live with its next version, or with none.
pub(super) fn check_dependents(name: &str, next: Option<&Version>, installed: &[(Pack, Files)]) -> Result<()> {
    let mut problems = Problems::new();
    for (pack, _) in installed.iter().filter(|(pack, _)| pack.name.as_str() != name) {
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

fn meets(version: &str, wanted: &VersionReq) -> bool {
    Version::parse(version).is_ok_and(|version| wanted.matches(&version))
}
