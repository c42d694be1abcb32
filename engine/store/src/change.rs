//! The change log: every change once, in commit order; and the positions of those who follow it.

use engine_model::time::Timestamp;
use engine_model::{RecordId, Sequence, TenantId};
use sqlx::FromRow;

use crate::commit::Origin;
use crate::error::Result;
use crate::pool::Scope;
use crate::sql::{Sql, args, rows};
use crate::store::{Reader, Store, Tx};

/// One change.
#[derive(Debug, Clone, FromRow)]
pub struct ChangeRow {
    /// Position in the log.
    pub sequence: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// What happened, such as `record.created`.
    pub kind: String,
    /// The object's name; none for changes of definitions.
    pub object: Option<String>,
    /// The record concerned.
    pub record_id: Option<i64>,
    /// JSON object: property to `[old, new]`.
    pub changes: String,
    /// User who did it.
    pub actor: Option<i64>,
    /// `api`, `import` and the like.
    pub source: String,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Address of the caller.
    pub ip: Option<String>,
    /// The caller's program.
    pub user_agent: Option<String>,
}

macro_rules! columns {
    () => {
        "sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, user_agent"
    };
}

const AFTER: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from change where tenant_id = $1 and sequence > $2 order by sequence limit $3"
));

/// Changes after a position, oldest first.
pub async fn after(reader: &mut Reader, position: Sequence, limit: i64) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&AFTER, args![tenant, position, limit]).await
}

const BEFORE: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from change where tenant_id = $1 and sequence < $2 order by sequence desc limit $3"
));

/// Changes before a position, newest first.
pub async fn before(reader: &mut Reader, position: Sequence, limit: i64) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&BEFORE, args![tenant, position, limit]).await
}

/// A change as far as it says which record or link is another now.
#[derive(Debug, Clone, FromRow)]
pub struct Movement {
    /// Position in the log.
    pub sequence: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// What happened, such as `record.created`.
    pub kind: String,
    /// The record concerned; of a link, the one where it starts.
    pub record_id: Option<i64>,
    /// Of a link that was made or removed, the change's JSON object; none of anything else.
    pub link: Option<String>,
}

const MOVEMENTS: Sql = Sql::same(
    "select sequence, at, kind, record_id, \
       case when kind in ('association.created', 'association.removed') then changes end as link \
     from change where tenant_id = $1 and sequence > $2 order by sequence limit $3",
);

/// Changes after a position without what records held before and after, oldest first.
pub async fn movements_after(reader: &mut Reader, position: Sequence, limit: i64) -> Result<Vec<Movement>> {
    let tenant = reader.tenant();
    reader.fetch_all(&MOVEMENTS, args![tenant, position, limit]).await
}

/// When the change at a position was made; none where there is no such change.
pub async fn time_of(reader: &mut Reader, position: Sequence) -> Result<Option<Timestamp>> {
    let next = movements_after(reader, Sequence(position.0 - 1), 1).await?;
    Ok(next.first().filter(|found| found.sequence == position.0).map(|found| Timestamp(found.at)))
}

const OF_RECORD: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from change where tenant_id = $1 and record_id = $2 and sequence < $3 order by sequence desc limit $4"
));

/// Changes of one record before a position, newest first.
pub async fn of_record(reader: &mut Reader, record: RecordId, before: Sequence, limit: i64) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&OF_RECORD, args![tenant, record, before, limit]).await
}

const MOVES_OF: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from change where tenant_id = $1 and record_id = $2 and sequence < $3 and kind = 'stage.changed' \
     order by sequence desc limit $4"
));

/// Moves of one record from stage to stage before a position, newest first.
pub async fn moves_of(reader: &mut Reader, record: RecordId, before: Sequence, limit: i64) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&MOVES_OF, args![tenant, record, before, limit]).await
}

const CREATIONS: Sql = Sql::each(
    concat!(
        "select ",
        columns!(),
        " from json_each($2) wanted cross join change on tenant_id = $1 and sequence = ( \
           select min(first.sequence) from change first where first.tenant_id = $1 and first.record_id = wanted.value) \
         where kind = 'record.created'"
    ),
    concat!(
        "select ",
        columns!(),
        " from unnest($2::bigint[]) wanted(id) cross join lateral ( \
           select * from change where tenant_id = $1 and record_id = wanted.id order by sequence limit 1) first \
         where kind = 'record.created'"
    ),
);

/// By which changes these records were made; those whose making is not logged are left out.
pub async fn creations(reader: &mut Reader, records: Vec<i64>) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&CREATIONS, args![tenant, records]).await
}

/// SQLite takes the columns beside a maximum from the row that has it.
const LAST_MOVES: Sql = Sql::each(
    "select max(c.sequence) as sequence, c.at, c.kind, c.object, c.record_id, c.changes, c.actor, c.source, \
       c.request_id, c.ip, c.user_agent \
     from json_each($2) wanted cross join change c indexed by change_stage \
       on c.tenant_id = $1 and c.record_id = wanted.value \
     where c.kind = 'stage.changed' group by c.record_id",
    concat!(
        "select ",
        columns!(),
        " from unnest($2::bigint[]) wanted(id) cross join lateral ( \
           select * from change \
           where tenant_id = $1 and record_id = wanted.id and kind = 'stage.changed' order by sequence desc limit 1) c"
    ),
);

/// By which changes these records were last moved to another stage; those that never were are left out.
pub async fn last_moves(reader: &mut Reader, records: Vec<i64>) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LAST_MOVES, args![tenant, records]).await
}

const OF_REQUEST: Sql = Sql::same(concat!(
    "select ",
    columns!(),
    " from change where tenant_id = $1 and request_id = $2 and sequence < $3 order by sequence desc limit $4"
));

/// Changes that a request has made before a position, newest first.
pub async fn of_request(reader: &mut Reader, request: &str, before: Sequence, limit: i64) -> Result<Vec<ChangeRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&OF_REQUEST, args![tenant, request, before, limit]).await
}

const COUNT_OF_REQUEST: Sql = Sql::same(
    "select count(*) from ( \
       select 1 from change where tenant_id = $1 and request_id = $2 limit $3) counted",
);

/// How many changes a request has made, counted as far as `limit`.
pub async fn count_of_request(reader: &mut Reader, request: &str, limit: i64) -> Result<i64> {
    let tenant = reader.tenant();
    let row: Option<(i64,)> = reader.fetch_optional(&COUNT_OF_REQUEST, args![tenant, request, limit]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

const APPEND: Sql = Sql::same(
    "insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) values ($1, $2, $3, $4, $5, null, $6, $7, $8, $9, $10, $11)",
);

/// Appends a change that concerns no record, such as `metadata.changed`.
pub async fn append(
    tx: &mut Tx,
    origin: &Origin,
    at: Timestamp,
    kind: &str,
    object: Option<String>,
    changes: String,
) -> Result<()> {
    tx.head.last_sequence += 1;
    let arguments = args![
        tx.tenant(),
        tx.head.last_sequence,
        at,
        kind,
        object,
        changes,
        origin.actor,
        &origin.source,
        origin.request_id.clone(),
        origin.ip.clone(),
        origin.user_agent.clone(),
    ];
    tx.execute(&APPEND, arguments).await.map(drop)
}

/// A change of a record that is appended beside the commit of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happened, such as `segment.joined`.
    pub kind: &'static str,
    /// The record's object.
    pub object: String,
    /// The record.
    pub record_id: i64,
    /// JSON object.
    pub changes: String,
}

const APPEND_MANY: Sql = Sql::each(
    "insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) \
     select $1, value->>0, $3, value->>1, value->>2, value->>3, value->>4, $4, $5, $6, $7, $8 from json_each($2)",
    "insert into change (tenant_id, sequence, at, kind, object, record_id, changes, actor, source, request_id, ip, \
       user_agent) \
     select $1, e.sequence, $7, e.kind, e.object, e.record_id, e.changes, $8, $9, $10, $11, $12 \
     from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[]) \
       e(sequence, kind, object, record_id, changes)",
);

/// Appends changes of records, in this order, all of them at one time and of one origin.
pub async fn append_many(tx: &mut Tx, origin: &Origin, at: Timestamp, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let numbered: Vec<(i64, &Entry)> = (tx.head.last_sequence + 1..).zip(entries).collect();
    let rows = rows!(numbered; row => row.0, row.1.kind, row.1.object.as_str(), row.1.record_id,
        row.1.changes.as_str());
    let arguments = args![
        tx.tenant(),
        rows,
        at,
        origin.actor,
        &origin.source,
        origin.request_id.clone(),
        origin.ip.clone(),
        origin.user_agent.clone(),
    ];
    tx.execute(&APPEND_MANY, arguments).await?;
    tx.head.last_sequence += i64::try_from(entries.len()).unwrap_or(i64::MAX);
    Ok(())
}

const POSITION: Sql = Sql::same("select sequence from follower where tenant_id = $1 and name = $2");

/// Where a follower has got to; 0 before its first change.
pub async fn position(reader: &mut Reader, follower: &str) -> Result<Sequence> {
    let tenant = reader.tenant();
    let row: Option<(i64,)> = reader.fetch_optional(&POSITION, args![tenant, follower]).await?;
    Ok(Sequence(row.map_or(0, |(sequence,)| sequence)))
}

const BEHIND: Sql = Sql::same(
    "select h.tenant_id from tenant_head h \
     where h.tenant_id > $2 and h.last_sequence > coalesce( \
       (select f.sequence from follower f where f.tenant_id = h.tenant_id and f.name = $1), 0) \
     order by h.tenant_id limit $3",
);

/// Tenants with ids above `after` whose log has grown beyond where a follower has got to: ids only, over all tenants.
pub async fn behind(store: &Store, follower: &str, after: i64, limit: i64) -> Result<Vec<TenantId>> {
    let found: Vec<(i64,)> = store.read_platform().await?.fetch_all(&BEHIND, args![follower, after, limit]).await?;
    Ok(found.into_iter().map(|(tenant,)| TenantId(tenant)).collect())
}

const BEHIND_POSITIONS: Sql = Sql::same(
    "select f.tenant_id from follower f cross join tenant_head h \
     where f.name = $1 and f.tenant_id > $2 and h.tenant_id = f.tenant_id and h.last_sequence > f.sequence \
     order by f.tenant_id limit $3",
);

/// [`behind`], but only where the follower has a position.
pub async fn behind_positions(store: &Store, follower: &str, after: i64, limit: i64) -> Result<Vec<TenantId>> {
    let mut reader = store.read_platform().await?;
    let found: Vec<(i64,)> = reader.fetch_all(&BEHIND_POSITIONS, args![follower, after, limit]).await?;
    Ok(found.into_iter().map(|(tenant,)| TenantId(tenant)).collect())
}

const START_FOLLOWING: Sql = Sql::same(
    "insert into follower (tenant_id, name, sequence, updated_at) values ($1, $2, $3, $4) \
     on conflict (tenant_id, name) do nothing",
);

/// Lets a follower begin from a position, unless it has one.
pub async fn start_following(tx: &mut Tx, follower: &str, position: Sequence, at: Timestamp) -> Result<()> {
    tx.execute(&START_FOLLOWING, args![tx.tenant(), follower, position, at]).await.map(drop)
}

const HEADS: Sql =
    Sql::same("select tenant_id, last_sequence from tenant_head where tenant_id > $1 order by tenant_id limit $2");

/// Where the logs of tenants with ids above `after` stand, lowest id first: positions only, over all tenants.
pub async fn heads(store: &Store, after: i64, limit: i64) -> Result<Vec<(TenantId, Sequence)>> {
    let found: Vec<(i64, i64)> = store.read_platform().await?.fetch_all(&HEADS, args![after, limit]).await?;
    Ok(found.into_iter().map(|(tenant, sequence)| (TenantId(tenant), Sequence(sequence))).collect())
}

const SAVE_POSITION: Sql = Sql::same(
    "insert into follower (tenant_id, name, sequence, updated_at) values ($1, $2, $3, $4) \
     on conflict (tenant_id, name) do update set sequence = excluded.sequence, updated_at = excluded.updated_at \
     where follower.sequence < excluded.sequence",
);

/// [`save_position`] in a transaction of more.
pub async fn move_position(tx: &mut Tx, follower: &str, position: Sequence, at: Timestamp) -> Result<()> {
    tx.execute(&SAVE_POSITION, args![tx.tenant(), follower, position, at]).await.map(drop)
}

/// Keeps where a follower has got to; a position that another node has passed is not gone back to.
pub async fn save_position(
    store: &Store,
    tenant: TenantId,
    follower: &str,
    position: Sequence,
    at: Timestamp,
) -> Result<()> {
    let mut lease = store.write_lease(Scope::Tenant(tenant)).await?;
    lease.execute(&SAVE_POSITION, args![tenant, follower, position, at]).await.map(drop)
}
