-- Pairs of records of one object that scans have found to be alike; the first has the lower id. Values are not kept,
-- only how sure it is that they are not the same, in percent. What somebody has dismissed stays so.
create table duplicate (
  tenant_id integer not null,
  first_id integer not null,
  second_id integer not null,
  object text not null,
  doubt integer not null,
  found_at integer not null,
  dismissed_at integer,
  dismissed_by integer,
  primary key (tenant_id, first_id, second_id)
) without rowid;
create index duplicate_rank on duplicate (tenant_id, object, doubt, first_id, second_id) where dismissed_at is null;
create index duplicate_dismissed on duplicate (tenant_id, object, doubt, first_id, second_id) where dismissed_at is not null;
create index duplicate_found on duplicate (tenant_id, object, found_at) where dismissed_at is null;
