//! Making lists, changing and deleting them.

use engine_model::query::ast::FilterText;
use engine_model::{Name, Problem, Problems, RecordId, Sequence, UserId};
use engine_search::Limits;
use engine_store::list::{self, ListRow, Mark};
use engine_store::{Reader, Tx, change, counter};

use super::compiled::Asking;
use super::find::Sight;
use super::input::ListInput;
use super::list::{List, ListState};
use super::named::Wanted;
use super::{EPOCH, FOLLOWER, ListReply, MAX_DYNAMIC, MAX_LISTS};
use crate::error::{Error, ErrorCode, Result};
use crate::records::Written;
use crate::session::Session;

/// Members that a new list has at once; more are filled in behind.
const AT_ONCE: u64 = 1_000;

/// How often it is tried again where definitions are changed meanwhile.
const ATTEMPTS: usize = 8;

/// The members of a new list, and at which position of the log.
struct First {
    members: Vec<RecordId>,
    at: Sequence,
}

impl Session {
    /// Makes a list, which belongs to the caller; for everyone unless it says otherwise. `malformed` is what was wrong
    /// with the form of what was sent.
    pub async fn list_create(
        &mut self,
        input: ListInput,
        malformed: Problems,
        reply: Option<ListReply>,
    ) -> Result<Written<List>> {
        self.caller.check_saves()?;
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let (row, text) =
                self.checked_list(&mut self.reader().await?, self.blank(), input.clone(), malformed.clone()).await?;
            let asking = match (&text, Name::new(&row.object)) {
                (Some(text), Ok(object)) => Some(self.asking_of(&object, text).await?),
                _ => None,
            };
            let first = match &asking {
                Some(asking) => self.first_members(&row.object, asking).await,
                None => None,
            };
            let mut tx = self.engine.store().begin(self.tenant()).await?;
            if tx.head.metadata_version != self.catalog.version {
                continue;
            }
            self.check_room(tx.reader(), asking.is_some()).await?;
            let row = self.put_new(&mut tx, row, asking.as_ref(), first).await?;
            // Nobody names a new list yet, so one that names none stands in no way.
            if let Some(text) = text.as_ref().filter(|text| !text.lists().is_empty()) {
                self.naming(tx.reader(), Some((row.id, text))).await?.check(row.id)?;
            }
            let (sight, is_due) = (self.sight(tx.reader(), &row).await?, row.due_at.is_some());
            let written = Written { value: self.answered_list(row, sight)?, sequence: tx.head.sequence() };
            if let Some(reply) = reply {
                self.keep_reply(&mut tx, &written, reply).await?;
            }
            tx.commit().await?;
            if is_due {
                self.engine.inner.lists.due.notify_one();
            }
            return Ok(written);
        }
        Err(Error::new(ErrorCode::Unavailable, "definitions keep being changed; try again"))
    }

    /// Changes a list: what is absent stays as it is. Another filter has all records looked at again, also for the
    /// lists that name this one.
    pub async fn list_change(&mut self, id: &str, input: ListInput, malformed: Problems) -> Result<Written<List>> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            // Read where it is written, so that nothing that others change meanwhile is lost.
            let mut tx = self.engine.store().begin(self.tenant()).await?;
            if tx.head.metadata_version != self.catalog.version {
                continue;
            }
            let before = self.own_list(tx.reader(), id).await?;
            let (mut row, text) =
                self.checked_list(tx.reader(), before.clone(), input.clone(), malformed.clone()).await?;
            let asks_otherwise = row.filter != before.filter;
            if row != before {
                row.version += 1;
                (row.updated_at, row.updated_by) = (self.now().0, self.caller.user.0);
                if let (true, Some(text), Ok(object)) = (asks_otherwise, &text, Name::new(&row.object)) {
                    let naming = self.naming(tx.reader(), Some((row.id, text))).await?;
                    naming.check(row.id)?;
                    row.shape = self.asking_of(&object, text).await?.shape;
                    ListState::Filling.as_str().clone_into(&mut row.state);
                    row.due_at = Some(self.now().0);
                    list::make_due(&mut tx, naming.above(row.id).into_iter().collect(), self.now()).await?;
                    counter::next(&mut tx, EPOCH).await?;
                }
                list::put(&mut tx, &row).await?;
            }
            let sight = self.sight(tx.reader(), &row).await?;
            let written = Written { value: self.answered_list(row, sight)?, sequence: tx.head.sequence() };
            tx.commit().await?;
            if asks_otherwise {
                self.engine.inner.lists.due.notify_one();
            }
            return Ok(written);
        }
        Err(Error::new(ErrorCode::Unavailable, "definitions keep being changed; try again"))
    }

    /// Deletes a list with its members, unless other lists name it.
    pub async fn list_delete(&mut self, id: &str) -> Result<Written<()>> {
        self.refresh().await?;
        let mut tx = self.engine.store().begin(self.tenant()).await?;
        let row = self.own_list(tx.reader(), id).await?;
        let naming = self.naming(tx.reader(), None).await?;
        let above = naming.directly_above(row.id);
        if !above.is_empty() {
            let ids = above.iter().map(|(id, _)| *id).collect();
            let rows = list::many(tx.reader(), ids).await?;
            // What others have for themselves would keep it for ever: that goes on without, and says so.
            let seen = rows.iter().filter(|row| self.may_look_at_list(row));
            let named: Vec<String> = seen.map(|row| row.id.to_string()).collect();
            if !named.is_empty() {
                let named = named.join(", ");
                let detail = format!("list {} is named by other lists: {named}; these are to be changed first", row.id);
                return Err(Error::new(ErrorCode::Conflict, detail));
            }
        }
        list::delete(&mut tx, row.id, self.now()).await?;
        counter::next(&mut tx, EPOCH).await?;
        let sequence = tx.head.sequence();
        tx.commit().await?;
        self.engine.inner.lists.due.notify_one();
        Ok(Written { value: (), sequence })
    }

    fn blank(&self) -> ListRow {
        let (now, user) = (self.now().0, self.caller.user.0);
        ListRow {
            id: 0,
            object: String::new(),
            name: String::new(),
            description: None,
            filter: None,
            sharing: "everyone".to_owned(),
            team_id: None,
            version: 1,
            created_at: now,
            created_by: user,
            updated_at: now,
            updated_by: user,
            members: 0,
            revision: 0,
            state: ListState::Current.as_str().to_owned(),
            shape: String::new(),
            filled_to: None,
            fill_until: None,
            due_at: None,
        }
    }

    async fn asking_of(&self, object: &Name, text: &FilterText) -> Result<Asking> {
        let named = self.lists_below_texts(&mut self.reader().await?, [text], Wanted::Names).await?;
        Ok(self.asking(object, text, &named))
    }

    async fn check_room(&self, reader: &mut Reader, is_dynamic: bool) -> Result<()> {
        let too_many = |most: i64, kind: &str| {
            let detail = format!("a tenant has at most {most} {kind}; delete those that nobody needs");
            Err(Error::new(ErrorCode::Conflict, detail).with(Problem::new("", "too_many", "there are too many lists")))
        };
        let (lists, dynamic) = list::how_many(reader, MAX_LISTS).await?;
        if lists >= MAX_LISTS {
            return too_many(MAX_LISTS, "lists");
        }
        if is_dynamic && dynamic >= MAX_DYNAMIC {
            return too_many(MAX_DYNAMIC, "lists with a filter");
        }
        Ok(())
    }

    /// Who is in a new list, where that is soon known and they are few.
    async fn first_members(&self, object: &str, asking: &Asking) -> Option<First> {
        let filter = match asking.statics.is_empty() {
            true => asking.filter.clone()?,
            false => return None,
        };
        let fresh_at = asking.is_live.then(|| self.now());
        let at_least = self.position().await.ok()?;
        let view = self.engine.list_view(self.tenant(), at_least, fresh_at).await.ok()?;
        let fields = filter.fields();
        view.check_filled(fields).ok()?;
        let (at, object) = (view.sequence(), object.to_owned());
        let asked = self.engine.inner.tasks.spawn_blocking(move || view.matching(&object, &filter, Limits::default()));
        let found = asked.await.ok()?.ok()?;
        (found.count() <= AT_ONCE).then(|| First { members: found.after(RecordId(0)).collect(), at })
    }

    async fn put_new(
        &self,
        tx: &mut Tx,
        mut row: ListRow,
        asking: Option<&Asking>,
        first: Option<First>,
    ) -> Result<ListRow> {
        row.id = counter::next(tx, "list").await?;
        let position = change::position(tx.reader(), FOLLOWER).await?;
        let mut begin = tx.head.sequence();
        // What the follower has gone past, the index has to have seen.
        let first = first.filter(|first| position <= first.at);
        match (asking, first) {
            (None, _) => {}
            (Some(asking), Some(First { members, at })) => {
                begin = at;
                row.members = i64::try_from(members.len()).unwrap_or(i64::MAX);
                row.shape.clone_from(&asking.shape);
                row.due_at = asking.is_timed.then_some(self.now().0);
                let list_id = row.id;
                let mark = |record: RecordId| Mark { list_id, record_id: record.0, is_away: false };
                list::add(tx, &members.into_iter().map(mark).collect::<Vec<_>>(), self.now().0).await?;
            }
            (Some(asking), None) => {
                row.shape.clone_from(&asking.shape);
                ListState::Filling.as_str().clone_into(&mut row.state);
                (row.filled_to, row.fill_until) = (Some(0), Some(tx.head.last_record_id));
                row.due_at = Some(self.now().0);
            }
        }
        change::start_following(tx, FOLLOWER, begin, self.now()).await?;
        list::put(tx, &row).await?;
        counter::next(tx, EPOCH).await?;
        Ok(row)
    }

    fn answered_list(&self, row: ListRow, sight: Sight) -> Result<List> {
        let id = row.id.to_string();
        self.shown_list(row, sight)?.ok_or_else(|| super::find::missing(&id))
    }

    /// A list that the caller may change: one that it has made, or any for administrators.
    pub(super) async fn own_list(&self, reader: &mut Reader, id: &str) -> Result<ListRow> {
        self.caller.check_saves()?;
        let (row, _) = self.list_row(reader, id).await?;
        if UserId(row.created_by) != self.caller.user && self.caller.check_admin().is_err() {
            let detail =
                format!("list {} is user {}'s; only they and administrators change it", row.id, row.created_by);
            return Err(Error::forbidden(detail));
        }
        Ok(row)
    }
}
