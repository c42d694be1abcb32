//! Erases the values of purged records wherever they are stored.

use engine_model::TenantId;

use crate::error::Result;
use crate::lease::Lease;
use crate::sql::{Sql, args};

const RECORDS: Sql = Sql::each(
    "update record set properties = '{}', display_name = '', owner_id = null, purged_at = updated_at, \
       archived_at = coalesce(archived_at, updated_at) \
     where tenant_id = $1 and id in (select value from json_each($2))",
    "update record set properties = '{}', display_name = '', owner_id = null, purged_at = updated_at, \
       archived_at = coalesce(archived_at, updated_at) \
     where tenant_id = $1 and id = any($2::bigint[])",
);

const LOG: Sql = Sql::each(
    "update change set changes = '{}' where tenant_id = $1 and record_id in (select value from json_each($2))",
    "update change set changes = '{}' where tenant_id = $1 and record_id = any($2::bigint[])",
);

const LINKS_FROM: Sql = Sql::each(
    "delete from association where tenant_id = $1 and from_id in (select value from json_each($2))",
    "delete from association where tenant_id = $1 and from_id = any($2::bigint[])",
);

const LINKS_TO: Sql = Sql::each(
    "delete from association where tenant_id = $1 and to_id in (select value from json_each($2))",
    "delete from association where tenant_id = $1 and to_id = any($2::bigint[])",
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

/// The records and their links, those that the group itself has written included.
pub(super) async fn after_writing(lease: &mut Lease, tenant: TenantId, purged: &[i64]) -> Result<()> {
    for sql in [&RECORDS, &LINKS_FROM, &LINKS_TO] {
        lease.execute(sql, args![tenant, purged.to_vec()]).await?;
    }
    Ok(())
}
