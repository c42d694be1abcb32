//! Erases the values of purged records wherever they are stored.

use engine_model::TenantId;

use crate::error::Result;
use crate::lease::Lease;
use crate::sql::{Sql, args};

/// Picks a table's rows that belong to the purged records, on PostgreSQL, by their places: the tenant's lock keeps them
/// there.
///
/// A list of ids alone would let it walk through all of the tenant's rows: it believes them to be few where nothing has
/// been analysed yet, and a connection keeps the plan that it made when there were none. So each record's rows are
/// looked up by themselves, as in [`crate::record`]. The limit leaves nothing out and makes one record expected, not
/// ten, for which going to each row by its place would seem dear.
macro_rules! of_purged {
    ($table:literal, $record:literal) => {
        concat!(
            " (select place from (select id from unnest($2::bigint[]) id limit cardinality($2::bigint[])) purged \
               cross join lateral (select ctid as place from ",
            $table,
            " where tenant_id = $1 and ",
            $record,
            " = purged.id offset 0) its) found where ",
            $table,
            ".tenant_id = $1 and ",
            $table,
            ".ctid = found.place"
        )
    };
}

const RECORDS: Sql = Sql::each(
    "update record set properties = '{}', display_name = '', owner_id = null, team_id = null, \
       purged_at = updated_at, archived_at = coalesce(archived_at, updated_at) \
     where tenant_id = $1 and id in (select value from json_each($2))",
    concat!(
        "update record set properties = '{}', display_name = '', owner_id = null, team_id = null, \
           purged_at = updated_at, archived_at = coalesce(archived_at, updated_at) from",
        of_purged!("record", "id")
    ),
);

const LOG: Sql = Sql::each(
    "update change set changes = '{}' where tenant_id = $1 and record_id in (select value from json_each($2))",
    concat!("update change set changes = '{}' from", of_purged!("change", "record_id")),
);

const LINKS_FROM: Sql = Sql::each(
    "delete from association where tenant_id = $1 and from_id in (select value from json_each($2))",
    concat!("delete from association using", of_purged!("association", "from_id")),
);

/// SQLite takes the key for the cheaper way, since it believes that a tenant has ten links.
const LINKS_TO: Sql = Sql::each(
    "delete from association indexed by association_to \
     where tenant_id = $1 and to_id in (select value from json_each($2))",
    concat!("delete from association using", of_purged!("association", "to_id")),
);

/// What taking merges back would need quotes both records.
const MERGES_OF: Sql = Sql::each(
    "delete from record_merge where tenant_id = $1 and loser_id in (select value from json_each($2))",
    concat!("delete from record_merge using", of_purged!("record_merge", "loser_id")),
);

const MERGES_INTO: Sql = Sql::each(
    "delete from record_merge indexed by record_merge_winner \
     where tenant_id = $1 and winner_id in (select value from json_each($2))",
    concat!("delete from record_merge using", of_purged!("record_merge", "winner_id")),
);

/// Kept replies may quote the erased values; any that mentions the record goes.
const REPLIES: Sql = Sql::each(
    "delete from idempotency where tenant_id = $1 and exists ( \
       select 1 from json_each($2) where idempotency.body like '%\"id\":\"' || value || '\"%')",
    "delete from idempotency where tenant_id = $1 and exists ( \
       select 1 from unnest($2::bigint[]) purged(id) \
       where idempotency.body like '%\"id\":\"' || purged.id::text || '\"%')",
);

/// What was logged and replied before the group; what the group itself logs and replies is free of them already.
pub(super) async fn before_writing(lease: &mut Lease, tenant: TenantId, purged: &[i64]) -> Result<()> {
    for sql in [&LOG, &REPLIES] {
        lease.execute(sql, args![tenant, purged.to_vec()]).await?;
    }
    Ok(())
}

/// The records, their links and merges, those that the group itself has written included.
pub(super) async fn after_writing(lease: &mut Lease, tenant: TenantId, purged: &[i64]) -> Result<()> {
    for sql in [&RECORDS, &LINKS_FROM, &LINKS_TO, &MERGES_OF, &MERGES_INTO] {
        lease.execute(sql, args![tenant, purged.to_vec()]).await?;
    }
    Ok(())
}
