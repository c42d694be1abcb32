//! Which packs there are.

use engine_model::Name;
use engine_store::pack;

use crate::error::Result;
use crate::session::Session;

/// A pack that a tenant has or could have.
#[derive(Debug, Clone)]
pub struct PackView {
    /// The pack's name.
    pub pack: String,
    /// What people read.
    pub label: String,
    /// Versions that can be asked for, in order.
    pub versions: Vec<String>,
    /// The version that the tenant has.
    pub installed: Option<String>,
    /// Switches that it declares.
    pub capabilities: Vec<String>,
}

impl Session {
    /// Every pack that the tenant has or could ask for by name.
    pub async fn packs(&mut self) -> Result<Vec<PackView>> {
        let rows = pack::all(&mut self.reader().await?).await?;
        let mut known = self.known_packs().await?;
        // The order of versions; of names, the first one's.
        known.sort_by(|(one, _), (other, _)| one.version.cmp(&other.version));
        let mut views: Vec<PackView> = Vec::new();
        for (pack, _) in known {
            let version = pack.version.to_string();
            let capabilities = pack.capabilities.iter().map(Name::to_string).collect();
            match views.iter_mut().find(|view| view.pack == pack.name.as_str()) {
                Some(view) => {
                    if !view.versions.contains(&version) {
                        view.versions.push(version);
                    }
                    (view.label, view.capabilities) = (pack.label, capabilities);
                }
                None => {
                    let row = rows.iter().find(|row| row.name == pack.name.as_str() && row.is_installed());
                    let (name, installed) = (pack.name.to_string(), row.map(|row| row.version.clone()));
                    views.push(PackView {
                        pack: name,
                        label: pack.label,
                        versions: vec![version],
                        installed,
                        capabilities,
                    });
                }
            }
        }
        views.sort_by_key(|view| rows.iter().position(|row| row.name == view.pack).unwrap_or(usize::MAX));
        Ok(views)
    }
}
