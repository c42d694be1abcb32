//! Records: reads by id, by unique value, and page by page. Writes go through [`crate::commit`].

use engine_model::RecordId;
use sqlx::FromRow;
use uuid::Uuid;

use crate::commit::UniqueValue;
use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Head, Reader};

/// A record as stored; purged ones are never read.
#[derive(Debug, Clone, FromRow)]
pub struct RecordRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// Identifier anywhere.
    pub uid: Uuid,
    /// The object's name.
    pub object: String,
    /// JSON object, in normal form.
    pub properties: String,
    /// What people call it.
    pub display_name: String,
    /// User who owns it.
    pub owner_id: Option<i64>,
    /// Team that it belongs to.
    pub team_id: Option<i64>,
    /// Counts the record's states from 1.
    pub version: i64,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// User who made it.
    pub created_by: Option<i64>,
    /// Microseconds since 1970.
    pub updated_at: i64,
    /// User who changed it last.
    pub updated_by: Option<i64>,
    /// Microseconds since 1970.
    pub archived_at: Option<i64>,
    /// The record that its id leads to since they were merged; such a record is archived.
    pub merged_into: Option<i64>,
}

impl RecordRow {
    /// The record's id.
    pub fn record_id(&self) -> RecordId {
        RecordId(self.id)
    }
}

macro_rules! columns {
    () => {
        "r.id, r.uid, r.object, r.properties, r.display_name, r.owner_id, r.team_id, r.version, r.created_at, \
         r.created_by, r.updated_at, r.updated_by, r.archived_at, r.merged_into"
    };
}

/// How a caller names a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By its id.
    Id(RecordId),
    /// By its uid.
    Uid(Uuid),
    /// By a unique value.
    Value(UniqueValue),
}

impl Key {
    /// The record that a text names by its id or uid; none where it is neither.
    pub fn of(text: &str) -> Option<Self> {
        let uid = || Uuid::try_parse(text).ok().map(Self::Uid);
        text.parse().map(Self::Id).ok().or_else(uid)
    }
}

const GET: Sql = Sql::same(concat!(
    "select h.last_sequence, h.last_record_id, h.metadata_version, h.access_version, ",
    columns!(),
    " from tenant_head h left join record r on r.tenant_id = h.tenant_id and r.id = $2 and r.purged_at is null \
     where h.tenant_id = $1"
));

const GET_BY_UID: Sql = Sql::same(concat!(
    "select h.last_sequence, h.last_record_id, h.metadata_version, h.access_version, ",
    columns!(),
    " from tenant_head h left join record r on r.tenant_id = h.tenant_id and r.uid = $2 and r.purged_at is null \
     where h.tenant_id = $1"
));

/// The value is looked up first and alone: joined to it, PostgreSQL may walk through all of the tenant's records.
const GET_BY_VALUE: Sql = Sql::same(concat!(
    "select h.last_sequence, h.last_record_id, h.metadata_version, h.access_version, ",
    columns!(),
    " from tenant_head h left join record r on r.tenant_id = h.tenant_id and r.purged_at is null and r.id = ( \
       select u.record_id from unique_value u \
       where u.tenant_id = $1 and u.object = $2 and u.properties = $3 and u.value = $4) \
     where h.tenant_id = $1"
));

struct GetRow {
    head: Head,
    record: Option<RecordRow>,
}

impl<'r, R> FromRow<'r, R> for GetRow
where
    R: sqlx::Row,
    &'r str: sqlx::ColumnIndex<R>,
    Head: FromRow<'r, R>,
    RecordRow: FromRow<'r, R>,
    Option<i64>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    usize: sqlx::ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        // The fifth column is the record's id, null where there is no record.
        let is_found = row.try_get::<Option<i64>, usize>(4)?.is_some();
        let record = if is_found { Some(RecordRow::from_row(row)?) } else { None };
        Ok(Self { head: Head::from_row(row)?, record })
    }
}

/// How often ids lead on at most. Merging leaves chains of one; only what merges meanwhile makes a longer one.
const LEADS: usize = 8;

/// The record that `key` names or leads to, archived or not, together with the tenant's versions at that moment.
pub async fn get(reader: &mut Reader, key: &Key) -> Result<(Head, Option<RecordRow>)> {
    let (mut head, mut found) = get_itself(reader, key).await?;
    for _ in 0..LEADS {
        let Some(winner) = found.as_ref().and_then(|row| row.merged_into) else { break };
        (head, found) = get_itself(reader, &Key::Id(RecordId(winner))).await?;
    }
    Ok((head, found.filter(|row| row.merged_into.is_none())))
}

/// The record that `key` names, though it was merged into another one.
pub async fn get_itself(reader: &mut Reader, key: &Key) -> Result<(Head, Option<RecordRow>)> {
    let tenant = reader.tenant();
    let found: Option<GetRow> = match key {
        Key::Id(id) => reader.fetch_optional(&GET, args![tenant, *id]).await?,
        Key::Uid(uid) => reader.fetch_optional(&GET_BY_UID, args![tenant, *uid]).await?,
        Key::Value(value) => {
            let arguments = args![tenant, &value.object, &value.properties, &value.value];
            reader.fetch_optional(&GET_BY_VALUE, arguments).await?
        }
    };
    let found = found.ok_or_else(|| crate::StoreError::Damaged(format!("tenant {tenant} has no head")))?;
    Ok((found.head, found.record))
}

/// `offset 0` keeps each look-up a look-up, here and wherever it stands. Pulled up into a join it could become a walk
/// through all of the tenant's rows: PostgreSQL believes them to be few where nothing has been analysed yet, and a
/// connection keeps the plan that it made when there were none.
const MANY: Sql = Sql::each(
    concat!(
        "select ",
        columns!(),
        " from json_each($2) wanted cross join record r on r.tenant_id = $1 and r.id = wanted.value \
         where r.purged_at is null"
    ),
    concat!(
        "select ",
        columns!(),
        " from unnest($2::bigint[]) wanted(id) cross join lateral (select ",
        columns!(),
        " from record r where r.tenant_id = $1 and r.id = wanted.id and r.purged_at is null offset 0) r"
    ),
);

/// The records with these ids, archived, merged or not, in no particular order; unknown ids are left out.
pub async fn many(reader: &mut Reader, ids: Vec<i64>) -> Result<Vec<RecordRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&MANY, args![tenant, ids]).await
}

const HOLDERS: Sql = Sql::each(
    "select u.object, u.properties, u.value, u.record_id from json_each($2) wanted cross join unique_value u \
     on u.tenant_id = $1 and u.object = wanted.value->>0 and u.properties = wanted.value->>1 \
     and u.value = wanted.value->>2",
    "select wanted.object, wanted.properties, wanted.value, u.record_id \
     from unnest($2::text[], $3::text[], $4::text[]) wanted(object, properties, value) cross join lateral ( \
       select record_id from unique_value \
       where tenant_id = $1 and object = wanted.object and properties = wanted.properties and value = wanted.value \
       offset 0) u",
);

#[derive(FromRow)]
struct HolderRow {
    object: String,
    properties: String,
    value: String,
    record_id: i64,
}

/// Who has these unique values; values that nobody has are left out.
pub async fn holders(reader: &mut Reader, values: &[UniqueValue]) -> Result<Vec<(UniqueValue, RecordId)>> {
    let tenant = reader.tenant();
    let wanted: Rows = rows!(values; row => row.object.clone(), row.properties.clone(), row.value.clone());
    let found: Vec<HolderRow> = reader.fetch_all(&HOLDERS, args![tenant, wanted]).await?;
    Ok(found
        .into_iter()
        .map(|row| {
            let value = UniqueValue { object: row.object, properties: row.properties, value: row.value };
            (value, RecordId(row.record_id))
        })
        .collect())
}

const UIDS: Sql = Sql::each(
    "select r.uid, r.id from json_each($2) wanted cross join record r \
     on r.tenant_id = $1 and r.uid = unhex(wanted.value->>0)",
    "select wanted.uid, r.id from unnest($2::uuid[]) wanted(uid) \
     cross join lateral (select id from record where tenant_id = $1 and uid = wanted.uid offset 0) r",
);

#[derive(FromRow)]
struct UidRow {
    uid: Uuid,
    id: i64,
}

/// The ids of the records with these uids; unknown ones are left out.
pub async fn ids_of_uids(reader: &mut Reader, uids: &[Uuid]) -> Result<Vec<(Uuid, RecordId)>> {
    let tenant = reader.tenant();
    let wanted: Rows = rows!(uids; uid => *uid);
    let found: Vec<UidRow> = reader.fetch_all(&UIDS, args![tenant, wanted]).await?;
    Ok(found.into_iter().map(|row| (row.uid, RecordId(row.id))).collect())
}

const LIST_ACTIVE: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from record r where r.tenant_id = $1 and r.object = $2 and r.archived_at is null and r.id > $3 \
     order by r.id limit $4"
));

const LIST_ARCHIVED: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from record r where r.tenant_id = $1 and r.object = $2 and r.archived_at is not null and r.purged_at is null \
     and r.merged_into is null and r.id > $3 order by r.id limit $4"
));

/// Records of an object with ids above `after`, lowest first; either the active or the archived ones. Those that were
/// merged into others are in neither.
pub async fn list(reader: &mut Reader, object: &str, archived: bool, after: i64, limit: i64) -> Result<Vec<RecordRow>> {
    let tenant = reader.tenant();
    let sql = if archived { &LIST_ARCHIVED } else { &LIST_ACTIVE };
    reader.fetch_all(sql, args![tenant, object, after, limit]).await
}

const PAGE: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from record r where r.tenant_id = $1 and r.id > $2 and r.purged_at is null and r.merged_into is null \
     order by r.id limit $3"
));

/// Records of all objects with ids above `after`, lowest first, archived ones included, merged ones left out.
pub async fn page(reader: &mut Reader, after: RecordId, limit: i64) -> Result<Vec<RecordRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&PAGE, args![tenant, after, limit]).await
}

/// A record as somebody links to it.
#[derive(Debug, Clone, FromRow)]
pub struct RecordLabel {
    /// Identifier in the tenant.
    pub id: i64,
    /// Identifier anywhere.
    pub uid: Uuid,
    /// The object's name.
    pub object: String,
    /// What people call it.
    pub display_name: String,
}
