//! The audit trail: every change with who made it, from where and with what, newest first. For administrators.

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, UserId};
use engine_store::change;

use crate::access::Given;
use crate::changes::Change;
use crate::definitions::catalog::shortened;
use crate::error::Result;
use crate::records::{Page, Target, View, bad_parameter, make_cursor, of_records, read_cursor};
use crate::session::Session;

/// Changes that are read at a time.
const CHUNK: i64 = 500;

/// Changes that one call looks at; where it has found less than a page among them, the page is shorter.
const MOST_LOOKED_AT: usize = 5_000;

/// Which changes of the tenant are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Only this user's.
    pub user: Option<String>,
    /// Only from there, such as `api` or `import`.
    pub source: Option<String>,
    /// Only from this moment on.
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// At most this many, from 1 to 200.
    pub limit: usize,
    /// Where the page begins; what the page before said.
    pub cursor: Option<String>,
}

impl Session {
    /// Every change of a record, newest first.
    pub async fn record_audit(
        &mut self,
        object: &str,
        target: &Target,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<Page<Change>> {
        let found = self.record_found(object, target, &View::default()).await?.record;
        self.caller.check_admin()?;
        let records = [Some(found.id), self.merged_record(object, target).await?];
        let records: Vec<RecordId> = records.into_iter().flatten().collect();
        let list = records.iter().fold("audit".to_owned(), |list, record| format!("{list}.{record}"));
        let before = cursor.map_or(Ok(i64::MAX), |cursor| read_cursor(cursor, &[&list]))?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let mut rows = of_records(&mut self.reader().await?, &records, Sequence(before), wanted).await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row.sequence).filter(|_| has_more);
        let (mut results, mut given) = (Vec::with_capacity(rows.len()), Given::default());
        let sights = self.sights(&rows).await?;
        for row in rows.into_iter().filter(|row| sights.has_end_of(row)) {
            results.extend(self.visible_change(row, &mut given)?);
        }
        self.write_down(given).await?;
        Ok(Page { results, next_cursor: last.map(|last| make_cursor(&[&list], last)) })
    }

    /// Changes of the tenant, newest first.
    pub async fn audit(&mut self, query: &AuditQuery) -> Result<Page<Change>> {
        self.wait_for_position().await?;
        self.refresh().await?;
        self.caller.check_admin()?;
        let user = query.user.as_deref().map(|id| id.parse::<UserId>().map_err(|_| no_user(id))).transpose()?;
        let mut before = query.cursor.as_deref().map_or(Ok(i64::MAX), |cursor| read_cursor(cursor, &["audit"]))?;
        let (mut results, mut given, mut looked_at) = (Vec::new(), Given::default(), 0);
        let next_cursor = 'pages: loop {
            let rows = change::before(&mut self.reader().await?, Sequence(before), CHUNK).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < CHUNK);
            looked_at += rows.len();
            let sights = self.sights(&rows).await?;
            for row in rows {
                if query.since.is_some_and(|since| row.at < since.0) {
                    break 'pages None;
                }
                if results.len() == query.limit {
                    break 'pages Some(before);
                }
                before = row.sequence;
                let is_meant = user.is_none_or(|user| row.actor == Some(user.0))
                    && query.source.as_ref().is_none_or(|source| *source == row.source)
                    && query.until.is_none_or(|until| row.at < until.0);
                if is_meant {
                    results.extend(self.visible(row, &sights, &mut given)?);
                }
            }
            if is_last {
                break None;
            }
            if looked_at >= MOST_LOOKED_AT {
                break Some(before);
            }
        };
        self.write_down(given).await?;
        Ok(Page { results, next_cursor: next_cursor.map(|before| make_cursor(&["audit"], before)) })
    }
}

fn no_user(id: &str) -> crate::error::Error {
    bad_parameter("user", format!("`{}` is no id", shortened(id)))
}
