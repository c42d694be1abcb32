//! Entries of timelines, and whose are kept. They could be drawn from the links again, which for a large tenant takes its
//! time.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::Carried;
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// An entry on the timeline of a record.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    record_id: i64,
    association: String,
    at: i64,
    entry_id: i64,
}

const ENTRIES: Sql = Sql::same(
    "select record_id, association, at, entry_id from timeline_entry \
     where tenant_id = $1 and (record_id, association, at, entry_id) > ($2, $3, $4, $5) \
     order by record_id, association, at, entry_id limit $6",
);
const ADD_ENTRIES: Sql = Sql::each(
    "insert into timeline_entry (tenant_id, record_id, association, at, entry_id) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into timeline_entry (tenant_id, record_id, association, at, entry_id) \
     select $1, e.* from unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) e on conflict do nothing",
);

impl Carried for TimelineEntry {
    const KIND: &'static str = "timeline_entry";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let first = (0, "", i64::MIN, 0);
        let (record, association, at, entry) =
            after.map_or(first, |row| (row.record_id, row.association.as_str(), row.at, row.entry_id));
        let tenant = reader.tenant();
        reader.fetch_all(&ENTRIES, args![tenant, record, association, at, entry, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.record_id, row.association.as_str(), row.at, row.entry_id);
        tx.execute(&ADD_ENTRIES, args![tx.tenant(), rows]).await
    }
}

/// Whose entries are kept, and how far they are.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineSource {
    association: String,
    object: String,
    at_property: Option<String>,
    filled_to: Option<i64>,
}

const SOURCES: Sql = Sql::same(
    "select association, object, at_property, filled_to from timeline_source \
     where tenant_id = $1 and association > $2 order by association limit $3",
);
const ADD_SOURCES: Sql = Sql::each(
    "insert into timeline_source (tenant_id, association, object, at_property, filled_to) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into timeline_source (tenant_id, association, object, at_property, filled_to) \
     select $1, s.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) s on conflict do nothing",
);

impl Carried for TimelineSource {
    const KIND: &'static str = "timeline_source";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or("", |row| &row.association);
        let tenant = reader.tenant();
        reader.fetch_all(&SOURCES, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.association.as_str(), row.object.as_str(), row.at_property.as_deref(),
            row.filled_to);
        tx.execute(&ADD_SOURCES, args![tx.tenant(), rows]).await
    }
}
