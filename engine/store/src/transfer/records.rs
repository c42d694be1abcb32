//! Records in whatever state, their links, and what they claim.
//!
//! Claims travel as they are: which values are unique and which intervals may not overlap follows from definitions,
//! which then need not be understood here, and cannot be understood otherwise.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Carried, json_text};
use crate::error::Result;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Tx};

/// A record: active, archived, merged into another one, or what a purge has left of it.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    id: i64,
    uid: Uuid,
    object: String,
    #[serde(with = "json_text")]
    properties: String,
    display_name: String,
    owner_id: Option<i64>,
    /// Files of the first format have none.
    #[serde(default)]
    team_id: Option<i64>,
    version: i64,
    created_at: i64,
    created_by: Option<i64>,
    updated_at: i64,
    updated_by: Option<i64>,
    archived_at: Option<i64>,
    purged_at: Option<i64>,
    merged_into: Option<i64>,
}

const RECORDS: Sql = Sql::same(
    "select id, uid, object, properties, display_name, owner_id, team_id, version, created_at, created_by, \
       updated_at, updated_by, archived_at, purged_at, merged_into \
     from record where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_RECORDS: Sql = Sql::each(
    "insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, team_id, version, \
       created_at, created_by, updated_at, updated_by, archived_at, purged_at, merged_into) \
     select $1, value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, \
       value->>8, value->>9, value->>10, value->>11, value->>12, value->>13, value->>14 from json_each($2) where true \
     on conflict do nothing",
    "insert into record (tenant_id, id, uid, object, properties, display_name, owner_id, team_id, version, \
       created_at, created_by, updated_at, updated_by, archived_at, purged_at, merged_into) \
     select $1, r.* from unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
       $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], \
       $15::bigint[], $16::bigint[]) r on conflict do nothing",
);

impl Carried for Record {
    const KIND: &'static str = "record";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.id);
        let tenant = reader.tenant();
        reader.fetch_all(&RECORDS, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.id, row.uid, row.object.as_str(), row.properties.as_str(),
            row.display_name.as_str(), row.owner_id, row.team_id, row.version, row.created_at, row.created_by,
            row.updated_at, row.updated_by, row.archived_at, row.purged_at, row.merged_into);
        tx.execute(&ADD_RECORDS, args![tx.tenant(), rows]).await
    }
}

/// A link between two records.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    from_id: i64,
    #[sqlx(rename = "type")]
    #[serde(rename = "type")]
    kind: String,
    to_id: i64,
    label: Option<String>,
    #[serde(with = "json_text")]
    properties: String,
    created_at: i64,
    created_by: Option<i64>,
}

const LINKS: Sql = Sql::same(
    "select from_id, type, to_id, label, properties, created_at, created_by from association \
     where tenant_id = $1 and (from_id, type, to_id) > ($2, $3, $4) order by from_id, type, to_id limit $5",
);
const ADD_LINKS: Sql = Sql::each(
    "insert into association (tenant_id, from_id, type, to_id, label, properties, created_at, created_by) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 from json_each($2) \
     where true on conflict do nothing",
    "insert into association (tenant_id, from_id, type, to_id, label, properties, created_at, created_by) \
     select $1, l.* from unnest($2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], \
       $8::bigint[]) l on conflict do nothing",
);

impl Carried for Link {
    const KIND: &'static str = "association";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (from, kind, to) = after.map_or((0, "", 0), |row| (row.from_id, row.kind.as_str(), row.to_id));
        let tenant = reader.tenant();
        reader.fetch_all(&LINKS, args![tenant, from, kind, to, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.from_id, row.kind.as_str(), row.to_id, row.label.as_deref(),
            row.properties.as_str(), row.created_at, row.created_by);
        tx.execute(&ADD_LINKS, args![tx.tenant(), rows]).await
    }
}

/// What taking a merge back needs.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    loser_id: i64,
    winner_id: i64,
    merged_at: i64,
    #[serde(with = "json_text")]
    detail: String,
}

const MERGES: Sql = Sql::same(
    "select loser_id, winner_id, merged_at, detail from record_merge \
     where tenant_id = $1 and loser_id > $2 order by loser_id limit $3",
);
const ADD_MERGES: Sql = Sql::each(
    "insert into record_merge (tenant_id, loser_id, winner_id, merged_at, detail) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into record_merge (tenant_id, loser_id, winner_id, merged_at, detail) \
     select $1, m.* from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) m on conflict do nothing",
);

impl Carried for Merge {
    const KIND: &'static str = "merge";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let after = after.map_or(0, |row| row.loser_id);
        let tenant = reader.tenant();
        reader.fetch_all(&MERGES, args![tenant, after, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.loser_id, row.winner_id, row.merged_at, row.detail.as_str());
        tx.execute(&ADD_MERGES, args![tx.tenant(), rows]).await
    }
}

/// A value that nobody else may have.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniqueValue {
    object: String,
    properties: String,
    value: String,
    record_id: i64,
}

const VALUES: Sql = Sql::same(
    "select object, properties, value, record_id from unique_value \
     where tenant_id = $1 and (object, properties, value) > ($2, $3, $4) order by object, properties, value limit $5",
);
const ADD_VALUES: Sql = Sql::each(
    "insert into unique_value (tenant_id, object, properties, value, record_id) \
     select $1, value->>0, value->>1, value->>2, value->>3 from json_each($2) where true on conflict do nothing",
    "insert into unique_value (tenant_id, object, properties, value, record_id) \
     select $1, u.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) u on conflict do nothing",
);

impl Carried for UniqueValue {
    const KIND: &'static str = "unique_value";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let (object, properties, value) =
            after.map_or(("", "", ""), |row| (row.object.as_str(), row.properties.as_str(), row.value.as_str()));
        let tenant = reader.tenant();
        reader.fetch_all(&VALUES, args![tenant, object, properties, value, limit]).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.object.as_str(), row.properties.as_str(), row.value.as_str(), row.record_id);
        tx.execute(&ADD_VALUES, args![tx.tenant(), rows]).await
    }
}

/// An interval that no other of the same value may overlap.
#[derive(Debug, Clone, FromRow, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    object: String,
    properties: String,
    within_value: String,
    starts_at: i64,
    ends_at: i64,
    record_id: i64,
}

const INTERVALS: Sql = Sql::same(
    "select object, properties, within_value, starts_at, ends_at, record_id from interval_claim \
     where tenant_id = $1 and (object, properties, within_value, starts_at, record_id) > ($2, $3, $4, $5, $6) \
     order by object, properties, within_value, starts_at, record_id limit $7",
);
const ADD_INTERVALS: Sql = Sql::each(
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, ends_at, record_id) \
     select $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 from json_each($2) where true \
     on conflict do nothing",
    "insert into interval_claim (tenant_id, object, properties, within_value, starts_at, ends_at, record_id) \
     select $1, i.* from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) i \
     on conflict do nothing",
);

impl Carried for Interval {
    const KIND: &'static str = "interval";

    async fn page(reader: &mut Reader, after: Option<&Self>, limit: i64) -> Result<Vec<Self>> {
        let tenant = reader.tenant();
        let arguments = match after {
            None => args![tenant, "", "", "", 0_i64, 0_i64, limit],
            Some(Self { object, properties, within_value, starts_at, record_id, .. }) => {
                args![tenant, object, properties, within_value, *starts_at, *record_id, limit]
            }
        };
        reader.fetch_all(&INTERVALS, arguments).await
    }

    async fn insert(tx: &mut Tx, rows: &[Self]) -> Result<u64> {
        let rows = rows!(rows; row => row.object.as_str(), row.properties.as_str(), row.within_value.as_str(),
            row.starts_at, row.ends_at, row.record_id);
        tx.execute(&ADD_INTERVALS, args![tx.tenant(), rows]).await
    }
}
