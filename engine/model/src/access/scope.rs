//! Scopes of tokens: what of its role a token has.

use super::Rights;
use super::properties::Sight;
use super::reach::Reach;
use super::rights::Grants;

const READING: Grants = Grants { create: false, read: Reach::ALL, update: Reach::NONE, archive: Reach::NONE };

/// What scopes let through: all where there are none, else what any of them does. One that is none lets nothing through.
pub fn rights_of_scopes(scopes: &[String]) -> Rights {
    if scopes.is_empty() {
        return Rights::everything();
    }
    // Scopes say nothing of properties: what the role shows is shown.
    let mut rights = Rights { sight: Sight::Granted, ..Rights::none() };
    for scope in scopes {
        match scope.split_once(':') {
            None => {
                rights.default = rights.default.join(grants(scope));
                if scope == "admin" {
                    (rights.admin, rights.owner) = (true, true);
                }
            }
            Some((object, word)) => {
                let present = rights.objects.get(object).copied().unwrap_or(Grants::NONE);
                let granted = if word == "admin" { Grants::NONE } else { grants(word) };
                rights.objects.insert(object.to_owned(), present.join(granted));
            }
        }
    }
    let default = rights.default;
    rights.objects.values_mut().for_each(|grants| *grants = grants.join(default));
    rights
}

/// The object that a scope is about, where it is about one.
pub fn scope_object(scope: &str) -> Option<&str> {
    scope.split_once(':').map(|(object, _)| object)
}

fn grants(word: &str) -> Grants {
    match word {
        "read" => READING,
        "write" | "admin" => Grants::ALL,
        _ => Grants::NONE,
    }
}
