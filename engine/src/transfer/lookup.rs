//! Finds what the rows of a chunk name: users, and records by the values of their unique properties.

use std::collections::{HashMap, HashSet};

use engine_model::name::did_you_mean;
use engine_model::{RecordId, UserId};
use engine_store::commit::UniqueValue;
use engine_store::{access, record};
use serde_json::Value;

use super::map::{LinkAim, UserKey};
use super::row::{RowDraft, Wanted};
use crate::definitions::catalog::{Catalog, shortened};
use crate::error::Result;
use crate::records::unique_value;
use crate::session::Session;

/// How many users are read at a time.
const PAGE: i64 = 1_000;

/// Users, by what rows may name them by. Names need not be unique.
#[derive(Debug, Default)]
pub(super) struct Users {
    by_name: HashMap<String, Vec<UserId>>,
    by_email: HashMap<String, UserId>,
    ids: HashSet<UserId>,
    /// The access version that they were read at.
    version: i64,
}

impl Users {
    /// Every user who is not archived, read again where the rights have changed since `known` was.
    pub(super) async fn load(session: &Session, known: Option<Self>) -> Result<Self> {
        if let Some(known) = known.filter(|known| known.version == session.caller.access_version) {
            return Ok(known);
        }
        let mut users = Self { version: session.caller.access_version, ..Self::default() };
        let mut reader = session.reader().await?;
        let mut after = 0;
        loop {
            let page = access::users(&mut reader, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(users) };
            after = last.id;
            for user in page {
                users.add(UserId(user.id), &user.name, user.email);
            }
        }
    }

    /// Stands for a user that a rehearsal has not really made; no user has this id.
    pub(super) const REHEARSED: UserId = UserId(0);

    /// Takes a user in.
    pub(super) fn add(&mut self, id: UserId, name: &str, email: Option<String>) {
        self.ids.insert(id);
        self.by_name.entry(name.trim().to_owned()).or_default().push(id);
        self.by_email.extend(email.map(|email| (email, id)));
    }

    /// The user that a text names, if there is one; `Err` where there are several.
    pub(super) fn known(&self, by: UserKey, text: &str) -> Result<Option<UserId>, String> {
        let text = text.trim();
        match by {
            UserKey::Id => Ok(text.parse().ok().filter(|id| self.ids.contains(id))),
            UserKey::Email => Ok(self.by_email.get(&text.to_lowercase()).copied()),
            UserKey::Name => match self.by_name.get(text).map(Vec::as_slice) {
                Some([only]) => Ok(Some(*only)),
                Some(several) => {
                    let count = several.len();
                    Err(format!("{count} users are called `{}`; name them by `email` or `id`", shortened(text)))
                }
                None => Ok(None),
            },
        }
    }

    /// The user that is wanted; `Err` says why there is none.
    pub(super) fn find(&self, wanted: &Wanted<UserKey>) -> Result<UserId, String> {
        let text = wanted.text.trim();
        self.known(wanted.by, text)?.ok_or_else(|| match wanted.by {
            UserKey::Id => format!("there is no user with the id `{}`", shortened(text)),
            UserKey::Email => format!("there is no user with the address `{}`", shortened(text)),
            UserKey::Name => {
                let hint = did_you_mean(text, self.by_name.keys().map(String::as_str));
                format!("there is no user called `{}`{hint}", shortened(text))
            }
        })
    }
}

/// Records by the values of their unique properties.
#[derive(Debug, Default)]
pub(super) struct Targets(HashMap<UniqueValue, RecordId>);

impl Targets {
    /// Looks for every record that the rows link to, in one statement.
    pub(super) async fn load(session: &Session, drafts: &[RowDraft]) -> Result<Self> {
        let links = drafts.iter().flat_map(|draft| &draft.links).filter(|link| !link.is_id);
        let mut values: Vec<_> = links.filter_map(|link| value_of(&session.catalog, &link.wanted)).collect();
        values.sort_unstable_by(|one, other| (&one.object, &one.value).cmp(&(&other.object, &other.value)));
        values.dedup();
        if values.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self(record::holders(&mut session.reader().await?, &values).await?.into_iter().collect()))
    }

    /// The record that has `value`.
    pub(super) fn find(&self, value: &UniqueValue) -> Option<RecordId> {
        self.0.get(value).copied()
    }
}

/// The unique value that a link's text stands for; none where the property could never have it.
pub(super) fn value_of(catalog: &Catalog, wanted: &Wanted<LinkAim>) -> Option<UniqueValue> {
    let object = catalog.object(&wanted.by.object).ok()?;
    unique_value(&catalog.locale, object, &wanted.by.by, &Value::from(wanted.text.as_str()))
}
