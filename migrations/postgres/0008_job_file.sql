-- Files that jobs have made, in parts, for whoever asked for them to fetch.
create table job_file (
  tenant_id bigint not null,
  job_id bigint not null,
  part bigint not null,
  content bytea not null,
  primary key (tenant_id, job_id, part)
);
-- Whoever wants a small file asks for a format that is; to look for what could be pressed out of every part costs more
-- than to write it.
alter table job_file alter column content set storage external;

alter table job_file enable row level security;
alter table job_file force row level security;
create policy tenant_isolation on job_file using (tenant_id = (select trellis_tenant()));
