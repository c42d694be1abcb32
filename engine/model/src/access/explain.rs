//! Why somebody may do something, or may not.

use std::fmt;

use super::Action;
use super::reach::{Place, Reach};
use super::rights::Rights;
use crate::object::ObjectDefinition;
use crate::property::Property;
use crate::registry::Registry;

/// Where rights come from. All that a caller has must allow what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The token's scopes.
    Scopes,
    /// The token's role.
    TokenRole,
    /// The user's role.
    UserRole,
}

impl Source {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scopes => "scopes",
            Self::TokenRole => "token_role",
            Self::UserRole => "user_role",
        }
    }
}

/// One part of what a caller has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Where it comes from.
    pub source: Source,
    /// The role's name, or the scopes.
    pub name: String,
    /// What it allows.
    pub rights: Rights,
}

impl fmt::Display for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Source::Scopes => formatter.write_str("the token's scopes"),
            Source::TokenRole | Source::UserRole => write!(formatter, "the role `{}`", self.name),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What is to be done.
    pub action: Action,
    /// With records of this object.
    pub object: &'a ObjectDefinition,
    /// Where the record stands; without one, whether there could be any record.
    pub place: Option<Place>,
    /// With this property of it.
    pub property: Option<&'a Property>,
}

/// One rule that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Where it comes from.
    pub source: Source,
    /// The role's name, or the scopes.
    pub name: String,
    /// What it says, as a role would: `deal.update: own`.
    pub rule: String,
    /// Whether it allows what is asked.
    pub allows: bool,
}

/// Whether something is allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is.
    pub allowed: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// Every rule that was looked at.
    pub rules: Vec<Verdict>,
}

/// Whether all parties allow what is asked, and why.
pub fn explain(parties: &[Party], asked: &Asked<'_>, registry: &Registry) -> Decision {
    let mut rules = Vec::with_capacity(parties.len() * 2);
    let (mut unseen, mut reason) = (None, None);
    for party in parties {
        let grant = of_object(party, asked.action, asked);
        let allows = grant.allows;
        rules.push(grant);
        if !allows {
            reason.get_or_insert_with(|| refused_by(party, asked.action, &asked.object.name));
        }
        if let Some(verdict) = of_reading(party, asked) {
            rules.push(verdict);
            unseen.get_or_insert_with(|| unseen_by(party, asked));
        }
        if let Some((verdict, why)) = of_property(party, asked, registry) {
            let allows = verdict.allows;
            rules.push(verdict);
            if !allows {
                reason.get_or_insert(why);
            }
        }
    }
    let rights = parties.iter().fold(Rights::everything(), |all, party| all.meet(&party.rights));
    let unwritable = unwritable(asked);
    let allowed = unwritable.is_none() && allows(&rights, asked, registry);
    // What is not there for somebody is not found, whatever else is refused.
    let reason = match (allowed, unseen.or(reason).or(unwritable)) {
        (true, _) => allowed_by(parties, asked),
        (false, Some(reason)) => reason,
        (false, None) => refused_together(&rights, parties, asked),
    };
    Decision { allowed, reason, rules }
}

/// Why nobody gives a property a value, whatever their rights.
fn unwritable(asked: &Asked<'_>) -> Option<String> {
    let is_write = matches!(asked.action, Action::Create | Action::Update);
    let property = asked.property.filter(|_| is_write)?;
    let named = format!("`{}.{}`", asked.object.name, property.name);
    match (property.is_writable(), property.read_only) {
        (false, _) => Some(format!("{named} is computed, so nobody writes it")),
        (true, true) => Some(format!("{named} is read-only, so nobody writes it by hand")),
        (true, false) => None,
    }
}

/// The decision itself.
fn allows(rights: &Rights, asked: &Asked<'_>, registry: &Registry) -> bool {
    covers(reach(rights, asked), asked.place)
        && asked.property.is_none_or(|property| allows_property(rights, asked, property, registry))
}

/// The records with which something may be done. What is to be changed has to be seen.
fn reach(rights: &Rights, asked: &Asked<'_>) -> Reach {
    let grants = rights.grants(&asked.object.name);
    match asked.action {
        Action::Create | Action::Read => grants.reach(asked.action),
        Action::Update | Action::Archive => grants.reach(asked.action).meet(grants.read),
    }
}

fn allows_property(rights: &Rights, asked: &Asked<'_>, property: &Property, registry: &Registry) -> bool {
    match asked.action {
        Action::Read => rights.reads(registry, asked.object, property),
        Action::Create | Action::Update => rights.writes(&asked.object.name, property),
        Action::Archive => true,
    }
}

fn of_object(party: &Party, action: Action, asked: &Asked<'_>) -> Verdict {
    let (object, word) = (asked.object.name.as_str(), action.as_str());
    let reach = party.rights.grants(object).reach(action);
    let named = if party.rights.objects.contains_key(object) { object } else { "*" };
    let rule = format!("{named}.{word}: {}", reach.name().unwrap_or("some"));
    Verdict { source: party.source, name: party.name.clone(), rule, allows: covers(reach, asked.place) }
}

/// That what is to be changed is not there for a party.
fn of_reading(party: &Party, asked: &Asked<'_>) -> Option<Verdict> {
    match asked.action {
        Action::Create | Action::Read => None,
        Action::Update | Action::Archive => {
            Some(of_object(party, Action::Read, asked)).filter(|verdict| !verdict.allows)
        }
    }
}

fn unseen_by(party: &Party, asked: &Asked<'_>) -> String {
    let refused = refused_by(party, Action::Read, &asked.object.name);
    format!("{refused}, and what is not seen cannot be changed")
}

/// Without a place, whether there could be such a record.
fn covers(reach: Reach, place: Option<Place>) -> bool {
    place.map_or(reach != Reach::NONE, |place| reach.covers(place))
}

fn of_property(party: &Party, asked: &Asked<'_>, registry: &Registry) -> Option<(Verdict, String)> {
    let property = asked.property?;
    let allows = allows_property(&party.rights, asked, property, registry);
    // What a role says of it by a name that it had holds of it, and goes before.
    let paths = property.former_names().chain([&property.name]).map(|name| format!("{}.{name}", asked.object.name));
    let entry = paths.into_iter().find(|path| party.rights.properties.contains_key(path));
    let has_entry = entry.is_some();
    let path = entry.unwrap_or_else(|| format!("{}.{}", asked.object.name, property.name));
    let verb = if asked.action == Action::Read { "read" } else { "write" };
    let (rule, why) = match (has_entry, asked.action, allows) {
        (true, _, _) => (format!("{path}: {verb}: {allows}"), format!("{party} does not allow to {verb} `{path}`")),
        (false, Action::Read, false) if property.sensitive => {
            (format!("{path}: sensitive"), format!("`{path}` is sensitive, and {party} does not grant to read it"))
        }
        (false, Action::Read, false) => {
            (format!("{path}: computed"), format!("`{path}` is computed of what {party} does not allow to read"))
        }
        (false, _, _) => (format!("{path}: not restricted"), String::new()),
    };
    Some((Verdict { source: party.source, name: party.name.clone(), rule, allows }, why))
}

/// Why one party refuses an action with a record.
fn refused_by(party: &Party, action: Action, object: &str) -> String {
    let verb = action.as_str();
    match (party.source, party.rights.grants(object).reach(action)) {
        (Source::Scopes, _) => format!("{party} do not allow to {verb} `{object}`"),
        (Source::TokenRole | Source::UserRole, Reach::NONE) => {
            format!("{party} does not allow to {verb} `{object}` records")
        }
        (Source::TokenRole | Source::UserRole, reach) => {
            format!("{party} allows to {verb} {} `{object}` records", reach.words())
        }
    }
}

/// Why nothing is left of what each allows by itself.
fn refused_together(rights: &Rights, parties: &[Party], asked: &Asked<'_>) -> String {
    let object = &asked.object.name;
    match asked.property {
        Some(property) if covers(reach(rights, asked), asked.place) => {
            format!("`{object}.{}` is computed of what the caller may not read", property.name)
        }
        _ => refusal(parties, asked.action, object, asked.place),
    }
}

/// Why all of them allow it.
fn allowed_by(parties: &[Party], asked: &Asked<'_>) -> String {
    let mut names: Vec<String> = Vec::new();
    for party in parties {
        let name = party.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let is_one = matches!(parties, [only] if only.source != Source::Scopes) || names.len() == 1;
    let (who, allow) = (names.join(" and "), if is_one { "allows" } else { "allow" });
    let object = &asked.object.name;
    let what = match (asked.place, asked.property) {
        (_, Some(property)) => format!("`{}` of `{object}` records", property.name),
        (Some(_), None) => format!("this `{object}` record"),
        (None, None) => format!("`{object}` records"),
    };
    format!("{who} {allow} to {} {what}", asked.action.as_str())
}

/// Why parties refuse an action with a record of an object at a place, or with any record of it.
pub fn refusal(parties: &[Party], action: Action, object: &str, place: Option<Place>) -> String {
    let refuses = |party: &&Party| !covers(party.rights.grants(object).reach(action), place);
    match parties.iter().find(refuses) {
        Some(party) => refused_by(party, action, object),
        // Each allows some, and none that all do.
        None => {
            format!("no `{object}` record is among those that all of the caller's roles allow to {}", action.as_str())
        }
    }
}
