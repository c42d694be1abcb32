-- Roles of a tenant's own.
create table tenant_role (
  tenant_id bigint not null,
  name text not null,
  spec text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, name)
);

-- The team that a record belongs to.
alter table record add column team_id bigint;

-- Who was given sensitive values, and of which record; none where they were drawn together from many.
create table sensitive_read (
  tenant_id bigint not null,
  id uuid not null,
  at bigint not null,
  user_id bigint not null,
  token_id bigint not null,
  object text not null,
  record_id bigint,
  properties text not null,
  request_id text,
  ip text,
  user_agent text,
  primary key (tenant_id, id)
);
create index sensitive_read_record on sensitive_read (tenant_id, record_id, id);
create index sensitive_read_user on sensitive_read (tenant_id, user_id, id);

alter table tenant_role enable row level security;
alter table tenant_role force row level security;
create policy tenant_isolation on tenant_role using (tenant_id = (select trellis_tenant()));
alter table sensitive_read enable row level security;
alter table sensitive_read force row level security;
create policy tenant_isolation on sensitive_read using (tenant_id = (select trellis_tenant()));
