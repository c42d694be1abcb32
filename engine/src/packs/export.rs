//! Definitions as a pack: the tenant's own layer or some objects of it, or a pack that the tenant has.
//!
//! What is exported of the own layer stands on the packs that the tenant has: on a tenant with the same ones it comes to
//! the same definitions.

use engine_model::layer::{CUSTOM, ENGINE};
use engine_model::name::did_you_mean;
use engine_model::pack::{Pack, write};
use engine_model::{Name, Problem, Problems};
use engine_store::pack;
use semver::Version;
use serde_json::{Map, Value};

use super::selection::Selection;
use crate::definitions::redefine::ATTEMPTS;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

/// What is to be exported, and how it is to be called.
#[derive(Debug, Clone, Default)]
pub struct PackExport {
    /// A pack that the tenant has, which is exported as it is; any other name is that of the new pack. Without it the new
    /// pack is called as the tenant is.
    pub pack: Option<String>,
    /// Version of the new pack; 1.0.0 unless given.
    pub version: Option<String>,
    /// What people read; made of the name unless given.
    pub label: Option<String>,
    /// Only these objects of the own layer, with their pipelines and the associations among them and with packs; all
    /// unless given.
    pub objects: Vec<String>,
}

impl Session {
    /// A pack as one YAML text. The same definitions always give the same text, and reading it and exporting that pack
    /// again does, too.
    pub async fn pack_export(&mut self, wanted: &PackExport) -> Result<String> {
        self.caller.check_admin()?;
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let rows = pack::all(&mut self.reader().await?).await?;
            let installed: Vec<Pack> = self.installed(&rows).await?.iter().map(|known| known.pack.clone()).collect();
            // Packs and own layer are of the same version only if nothing has changed in between.
            if self.refresh().await? {
                continue;
            }
            self.caller.check_admin()?;
            let of_name = installed.iter().find(|pack| wanted.pack.as_deref() == Some(pack.name.as_str()));
            return match of_name {
                Some(pack) => whole(pack, wanted),
                None => self.own_export(&installed, wanted),
            };
        }
        Err(Error::new(ErrorCode::Conflict, "definitions keep being changed by others; try again"))
    }

    fn own_export(&self, installed: &[Pack], wanted: &PackExport) -> Result<String> {
        let mut problems = Problems::new();
        let name = self.name_of_export(installed, wanted.pack.as_deref(), &mut problems);
        let version = wanted.version.as_deref().unwrap_or("1.0.0");
        if let Err(error) = Version::parse(version) {
            let message = format!("`{version}` is no version such as 1.2.0: {error}");
            problems.push(Problem::new("/version", "invalid", message));
        }
        let selection = Selection::of(&self.catalog.effective, installed, &wanted.objects, &mut problems);
        let (Some(name), true) = (name, problems.is_empty()) else { return Err(bad_request(problems)) };
        let label = match (&wanted.label, &wanted.pack) {
            (Some(label), _) => label.clone(),
            (None, Some(_)) => name.to_label(),
            (None, None) => self.catalog.tenant.name.clone(),
        };
        let mut document = Map::from_iter([
            ("pack".to_owned(), Value::from(name.as_str())),
            ("version".to_owned(), Value::from(version)),
            ("label".to_owned(), Value::from(label)),
        ]);
        let requires = selection.requires(installed);
        if !requires.is_empty() {
            document.insert("requires".to_owned(), Value::Object(requires));
        }
        document.extend(selection.layer.document());
        readable(&name, write(&document))
    }

    /// The name of a new pack: the one that is asked for, or one made of the tenant's that no pack has.
    fn name_of_export(&self, installed: &[Pack], asked: Option<&str>, problems: &mut Problems) -> Option<Name> {
        let is_reserved = |name: &str| [CUSTOM, ENGINE].contains(&name);
        if let Some(asked) = asked {
            let known = installed.iter().map(|pack| pack.name.as_str());
            let refusal = match Name::new(asked) {
                Ok(name) if !is_reserved(&name) => return Some(name),
                Ok(name) => ("reserved", format!("`{name}` is a name of the engine's own; choose another")),
                Err(error) => ("invalid_name", format!("{error}{}", did_you_mean(asked, known))),
            };
            problems.push(Problem::new("/pack", refusal.0, refusal.1));
            return None;
        }
        let slug = self.catalog.tenant.slug.replace('-', "_");
        let is_free = |name: &Name| !is_reserved(name) && !installed.iter().any(|pack| pack.name == *name);
        let named = [slug.clone(), format!("{slug}_own"), format!("tenant_{slug}")];
        let named = named.iter().filter_map(|text| Name::new(text).ok()).find(is_free);
        let numbered = || (1..).filter_map(|number| Name::new(&format!("own_{number}")).ok()).find(is_free);
        named.or_else(numbered)
    }
}

/// A pack that the tenant has, as it is.
fn whole(pack: &Pack, wanted: &PackExport) -> Result<String> {
    let given = [
        ("version", wanted.version.is_some()),
        ("label", wanted.label.is_some()),
        ("object", !wanted.objects.is_empty()),
    ];
    let refused = given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| {
        let message =
            format!("`{}` is a pack of the tenant's, which is exported as it is; leave `{key}` out", pack.name);
        Problem::new(format!("/{key}"), "not_applicable", message)
    });
    let problems: Problems = refused.collect();
    if problems.is_empty() { readable(&pack.name, write(&pack.document)) } else { Err(bad_request(problems)) }
}

/// A text that can be installed: what the admin API takes may be too much for one file of a pack.
fn readable(name: &Name, text: String) -> Result<String> {
    match Pack::read(&[("pack.yaml".to_owned(), text.clone())]) {
        Ok(_) => Ok(text),
        Err(found) => {
            let problems =
                found.into_iter().map(|problem| Problem::new(problem.pointer, problem.code, problem.message));
            let detail = format!("`{name}` does not go into one file of a pack; export fewer objects at a time");
            Err(Error { code: ErrorCode::Conflict, detail, ..Error::invalid(problems.collect()) })
        }
    }
}

/// What is wrong is in the query.
fn bad_request(problems: Problems) -> Error {
    Error { code: ErrorCode::BadRequest, ..Error::invalid(problems) }
}
