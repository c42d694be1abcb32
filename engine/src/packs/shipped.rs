//! The packs and profiles that are part of the binary.

use std::sync::OnceLock;

use engine_model::Name;
use engine_model::pack::{Profile, read_profiles};

mod files {
    include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
}

/// A pack's files: name and text.
pub type Files = Vec<(String, String)>;

/// Every shipped pack: the folder's name, which is the pack's, and its files.
pub fn packs() -> impl Iterator<Item = (&'static str, Files)> {
    files::PACKS.iter().map(|(name, files)| {
        (*name, files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    })
}

/// Every profile.
pub fn profiles() -> &'static [Profile] {
    static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
    PROFILES.get_or_init(|| match read_profiles("profiles.yaml", files::PROFILES) {
        Ok(profiles) => profiles,
        Err(problems) => {
            // A test reads the file, so this is a broken build; the engine goes on without profiles.
            tracing::error!(problems = problems.len(), "the shipped profiles do not read");
            Vec::new()
        }
    })
}

/// The profile called `name`.
pub fn profile(name: &str) -> Option<&'static Profile> {
    profiles().iter().find(|profile| profile.name.as_str() == name)
}

/// Whether a tenant with this profile begins with the capability on.
pub fn enables(profile: &Profile, capability: &Name) -> bool {
    profile.capabilities.contains(capability)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine_model::pack::Pack;

    #[test]
    fn every_profile_names_shipped_packs_that_read_on_top_of_each_other() {
        assert!(profile("generic").is_some() && profile("healthcare").is_some() && profile("construction").is_some());
        for profile in profiles() {
            let mut layers = Vec::new();
            for name in &profile.packs {
                let (_, files) = packs().find(|(pack, _)| *pack == name.as_str()).expect("a shipped pack");
                let pack = Pack::read_and_check(&files, |_| layers.clone()).expect("a pack without mistakes");
                layers.push(pack.layer);
            }
        }
    }
}
