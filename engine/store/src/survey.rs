//! What is stored, read for a change of definitions: records touched since a position, links of a kind, crowded ends.

use engine_model::Sequence;
use sqlx::FromRow;

use crate::association::{Crowded, Direction};
use crate::error::Result;
use crate::sql::{Sql, args};
use crate::store::Reader;

/// A record that a change concerns.
#[derive(Debug, Clone, FromRow)]
pub struct Touched {
    /// Position of the change.
    pub sequence: i64,
    /// What happened, such as `record.created`.
    pub kind: String,
    /// The object's name.
    pub object: Option<String>,
    /// The record.
    pub record_id: i64,
}

const TOUCHED: Sql = Sql::same(
    "select sequence, kind, object, record_id from change \
     where tenant_id = $1 and sequence > $2 and record_id is not null order by sequence limit $3",
);

/// Records that changes after a position concern, oldest change first; one entry for each change.
pub async fn touched_after(reader: &mut Reader, position: Sequence, limit: i64) -> Result<Vec<Touched>> {
    let tenant = reader.tenant();
    reader.fetch_all(&TOUCHED, args![tenant, position, limit]).await
}

/// A link with the objects at its ends.
#[derive(Debug, Clone, FromRow)]
pub struct LinkEnds {
    /// Where it starts.
    pub from_id: i64,
    /// Where it leads.
    pub to_id: i64,
    /// The object of the record where it starts.
    pub from_object: String,
    /// The object of the record where it leads.
    pub to_object: String,
    /// What the link is called.
    pub label: Option<String>,
    /// JSON object.
    pub properties: String,
}

const LINKS: Sql = Sql::each(
    "select l.from_id, l.to_id, f.object as from_object, t.object as to_object, l.label, l.properties \
     from association l join record f on f.tenant_id = l.tenant_id and f.id = l.from_id \
     join record t on t.tenant_id = l.tenant_id and t.id = l.to_id \
     where l.tenant_id = $1 and l.type = $2 and l.from_id >= $3 and (l.from_id > $3 or l.to_id > $4) \
     order by l.from_id, l.to_id limit $5",
    "select l.from_id, l.to_id, f.object as from_object, t.object as to_object, l.label, l.properties \
     from association l \
     cross join lateral (select object from record where tenant_id = $1 and id = l.from_id offset 0) f \
     cross join lateral (select object from record where tenant_id = $1 and id = l.to_id offset 0) t \
     where l.tenant_id = $1 and l.type = $2 and l.from_id >= $3 and (l.from_id > $3 or l.to_id > $4) \
     order by l.from_id, l.to_id limit $5",
);

/// Links of a kind after the one between two records, in the order of their ends, archived ends included.
pub async fn links(reader: &mut Reader, kind: &str, after: (i64, i64), limit: i64) -> Result<Vec<LinkEnds>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LINKS, args![tenant, kind, after.0, after.1, limit]).await
}

const LINKS_FROM: Sql = Sql::each(
    "select l.from_id, l.to_id, f.object as from_object, t.object as to_object, l.label, l.properties \
     from json_each($6) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value and l.type = $2 \
     cross join record f on f.tenant_id = $1 and f.id = l.from_id \
     cross join record t on t.tenant_id = $1 and t.id = l.to_id \
     where l.from_id >= $3 and (l.from_id > $3 or l.to_id > $4) order by l.from_id, l.to_id limit $5",
    "select l.from_id, l.to_id, f.object as from_object, t.object as to_object, l.label, l.properties \
     from unnest($6::bigint[]) wanted(id) cross join lateral ( \
       select from_id, to_id, label, properties from association \
       where tenant_id = $1 and from_id = wanted.id and type = $2 offset 0) l \
     cross join lateral (select object from record where tenant_id = $1 and id = l.from_id offset 0) f \
     cross join lateral (select object from record where tenant_id = $1 and id = l.to_id offset 0) t \
     where l.from_id >= $3 and (l.from_id > $3 or l.to_id > $4) order by l.from_id, l.to_id limit $5",
);

/// [`links`] of these records only.
pub async fn links_from(
    reader: &mut Reader,
    kind: &str,
    records: Vec<i64>,
    after: (i64, i64),
    limit: i64,
) -> Result<Vec<LinkEnds>> {
    let tenant = reader.tenant();
    reader.fetch_all(&LINKS_FROM, args![tenant, kind, after.0, after.1, limit, records]).await
}

const COUNT_CROWDED_FROM: Sql = Sql::same(
    "select count(*) from (select l.from_id from association l where l.tenant_id = $1 and l.type = $2 \
     group by l.from_id having count(*) > 1) crowded",
);

const COUNT_CROWDED_TO: Sql = Sql::same(
    "select count(*) from (select l.to_id from association l where l.tenant_id = $1 and l.type = $2 \
     group by l.to_id having count(*) > 1) crowded",
);

/// How many records have more than one link of a kind at the given end.
pub async fn count_crowded(reader: &mut Reader, kind: &str, direction: Direction) -> Result<i64> {
    let tenant = reader.tenant();
    let sql = match direction {
        Direction::Out => &COUNT_CROWDED_FROM,
        Direction::In => &COUNT_CROWDED_TO,
    };
    let row: Option<(i64,)> = reader.fetch_optional(sql, args![tenant, kind]).await?;
    Ok(row.map_or(0, |(count,)| count))
}

const CROWDED_FROM: Sql = Sql::each(
    "select l.from_id as id, count(*) as links from json_each($3) wanted cross join association l \
       on l.tenant_id = $1 and l.from_id = wanted.value and l.type = $2 \
     group by l.from_id having count(*) > 1 order by l.from_id",
    "select wanted.id, count(*) as links from unnest($3::bigint[]) wanted(id) cross join lateral ( \
       select to_id from association where tenant_id = $1 and from_id = wanted.id and type = $2 offset 0) l \
     group by wanted.id having count(*) > 1 order by wanted.id",
);

const CROWDED_TO: Sql = Sql::each(
    "select l.to_id as id, count(*) as links from json_each($3) wanted cross join association l \
       on l.tenant_id = $1 and l.to_id = wanted.value and l.type = $2 \
     group by l.to_id having count(*) > 1 order by l.to_id",
    "select wanted.id, count(*) as links from unnest($3::bigint[]) wanted(id) cross join lateral ( \
       select from_id from association where tenant_id = $1 and to_id = wanted.id and type = $2 offset 0) l \
     group by wanted.id having count(*) > 1 order by wanted.id",
);

/// Those of the records that have more than one link of a kind at the given end.
pub async fn crowded_among(
    reader: &mut Reader,
    kind: &str,
    direction: Direction,
    records: Vec<i64>,
) -> Result<Vec<Crowded>> {
    let tenant = reader.tenant();
    let sql = match direction {
        Direction::Out => &CROWDED_FROM,
        Direction::In => &CROWDED_TO,
    };
    reader.fetch_all(sql, args![tenant, kind, records]).await
}
