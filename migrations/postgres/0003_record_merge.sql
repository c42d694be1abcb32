-- Records that were merged into others: where their ids lead, and what has to be known to take a merge apart again.
alter table record add column merged_into bigint;
create index record_merged on record (tenant_id, merged_into) where merged_into is not null;
drop index record_archived;
create index record_archived on record (tenant_id, object, id)
  where archived_at is not null and purged_at is null and merged_into is null;

create table record_merge (
  tenant_id bigint not null,
  loser_id bigint not null,
  winner_id bigint not null,
  merged_at bigint not null,
  detail text not null,
  primary key (tenant_id, loser_id)
);
create index record_merge_winner on record_merge (tenant_id, winner_id);

-- What one request has changed is found again when it is undone.
create index change_request on change (tenant_id, request_id, sequence) where request_id is not null;

alter table record_merge enable row level security;
alter table record_merge force row level security;
create policy tenant_isolation on record_merge using (tenant_id = (select trellis_tenant()));
