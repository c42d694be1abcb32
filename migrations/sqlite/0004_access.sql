-- Roles of a tenant's own.
create table tenant_role (
  tenant_id integer not null,
  name text not null,
  spec text not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (tenant_id, name)
);

-- The team that a record belongs to.
alter table record add column team_id integer;

-- Who was given sensitive values, and of which record; none where they were drawn together from many.
create table sensitive_read (
  tenant_id integer not null,
  id blob not null,
  at integer not null,
  user_id integer not null,
  token_id integer not null,
  object text not null,
  record_id integer,
  properties text not null,
  request_id text,
  ip text,
  user_agent text,
  primary key (tenant_id, id)
);
create index sensitive_read_record on sensitive_read (tenant_id, record_id, id);
create index sensitive_read_user on sensitive_read (tenant_id, user_id, id);
