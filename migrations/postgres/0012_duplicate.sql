-- Pairs of records of one object that scans have found to be alike; the first has the lower id. Values are not kept,
-- only how sure it is that they are not the same, in percent. What somebody has dismissed stays so.
create table duplicate (
  tenant_id bigint not null,
  first_id bigint not null,
  second_id bigint not null,
  object text not null,
  doubt bigint not null,
  found_at bigint not null,
  dismissed_at bigint,
  dismissed_by bigint,
  primary key (tenant_id, first_id, second_id)
);
create index duplicate_rank on duplicate (tenant_id, object, doubt, first_id, second_id) where dismissed_at is null;
create index duplicate_dismissed on duplicate (tenant_id, object, doubt, first_id, second_id) where dismissed_at is not null;
create index duplicate_found on duplicate (tenant_id, object, found_at) where dismissed_at is null;

alter table duplicate enable row level security;
alter table duplicate force row level security;
create policy tenant_isolation on duplicate using (tenant_id = (select trellis_tenant()));
