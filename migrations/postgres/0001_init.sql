-- Settings that every connection carries: trellis.tenant (whose rows are visible), trellis.token_hash (the one token row
-- that may be looked up before the tenant is known), trellis.platform (`on` for the few calls that manage tenants).
create function trellis_tenant() returns bigint language sql stable parallel safe as
  $$ select nullif(current_setting('trellis.tenant', true), '')::bigint $$;

create table tenant (
  tenant_id bigint primary key,
  slug text not null unique,
  name text not null,
  profile text not null,
  time_zone text not null,
  currency text not null,
  country text not null,
  capabilities text not null,
  created_at bigint not null
);

create table tenant_head (
  tenant_id bigint primary key,
  last_sequence bigint not null default 0,
  last_record_id bigint not null default 0,
  metadata_version bigint not null default 1,
  access_version bigint not null default 1
) with (fillfactor = 50);

create table counter (
  tenant_id bigint not null,
  name text not null,
  value bigint not null,
  primary key (tenant_id, name)
) with (fillfactor = 50);

create table pack (
  digest text primary key,
  source text not null,
  added_at bigint not null
);

create table tenant_pack (
  tenant_id bigint not null,
  name text not null,
  version text not null,
  digest text not null,
  position bigint not null,
  installed_at bigint not null,
  primary key (tenant_id, name)
);

create table object_definition (
  tenant_id bigint not null,
  name text not null,
  spec text not null,
  updated_at bigint not null,
  primary key (tenant_id, name)
);

create table association_definition (
  tenant_id bigint not null,
  name text not null,
  spec text not null,
  updated_at bigint not null,
  primary key (tenant_id, name)
);

create table pipeline (
  tenant_id bigint not null,
  object text not null,
  name text not null,
  spec text not null,
  updated_at bigint not null,
  primary key (tenant_id, object, name)
);

create table metadata_version (
  tenant_id bigint not null,
  version bigint not null,
  at bigint not null,
  actor bigint,
  summary text not null,
  changes text not null,
  primary key (tenant_id, version)
);

create table record (
  tenant_id bigint not null,
  id bigint not null,
  uid uuid not null,
  object text not null,
  properties text not null,
  display_name text not null,
  owner_id bigint,
  version bigint not null,
  created_at bigint not null,
  created_by bigint,
  updated_at bigint not null,
  updated_by bigint,
  archived_at bigint,
  purged_at bigint,
  primary key (tenant_id, id)
);
create unique index record_uid on record (tenant_id, uid);
create index record_active on record (tenant_id, object, id) where archived_at is null;
create index record_archived on record (tenant_id, object, id) where archived_at is not null and purged_at is null;

create table unique_value (
  tenant_id bigint not null,
  object text not null,
  properties text not null,
  value text not null,
  record_id bigint not null,
  primary key (tenant_id, object, properties, value)
);

create table interval_claim (
  tenant_id bigint not null,
  object text not null,
  properties text not null,
  within_value text not null,
  starts_at bigint not null,
  ends_at bigint not null,
  record_id bigint not null,
  primary key (tenant_id, object, properties, within_value, starts_at, record_id)
);

create table association (
  tenant_id bigint not null,
  from_id bigint not null,
  type text not null,
  to_id bigint not null,
  label text,
  properties text not null,
  created_at bigint not null,
  created_by bigint,
  primary key (tenant_id, from_id, type, to_id)
);
create index association_to on association (tenant_id, to_id, type, from_id);

create table change (
  tenant_id bigint not null,
  sequence bigint not null,
  at bigint not null,
  kind text not null,
  object text,
  record_id bigint,
  changes text not null,
  actor bigint,
  source text not null,
  request_id text,
  ip text,
  user_agent text,
  primary key (tenant_id, sequence)
);
create index change_record on change (tenant_id, record_id, sequence);

create table follower (
  tenant_id bigint not null,
  name text not null,
  sequence bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, name)
);

create table idempotency (
  tenant_id bigint not null,
  key text not null,
  fingerprint text not null,
  status bigint not null,
  headers text not null,
  body text not null,
  created_at bigint not null,
  primary key (tenant_id, key)
);
create index idempotency_age on idempotency (tenant_id, created_at);

create table tenant_user (
  tenant_id bigint not null,
  id bigint not null,
  name text not null,
  email text,
  role text not null,
  is_service bigint not null default 0,
  time_zone text,
  locale text,
  created_at bigint not null,
  updated_at bigint not null,
  archived_at bigint,
  primary key (tenant_id, id)
);
create unique index tenant_user_email on tenant_user (tenant_id, email) where archived_at is null;

create table team (
  tenant_id bigint not null,
  id bigint not null,
  name text not null,
  created_at bigint not null,
  primary key (tenant_id, id)
);
create unique index team_name on team (tenant_id, name);

create table team_member (
  tenant_id bigint not null,
  team_id bigint not null,
  user_id bigint not null,
  primary key (tenant_id, team_id, user_id)
);
create index team_member_user on team_member (tenant_id, user_id, team_id);

create table token (
  tenant_id bigint not null,
  id bigint not null,
  hash text not null unique,
  name text not null,
  user_id bigint not null,
  role text not null,
  scopes text not null,
  created_at bigint not null,
  expires_at bigint,
  primary key (tenant_id, id)
);

create table job (
  tenant_id bigint not null,
  id bigint not null,
  kind text not null,
  state text not null,
  spec text not null,
  progress text not null,
  created_at bigint not null,
  created_by bigint,
  updated_at bigint not null,
  lease_until bigint not null default 0,
  primary key (tenant_id, id)
);
-- Jobs that wait are looked for across tenants.
create index job_state on job (state, tenant_id, id);

create table job_input (
  tenant_id bigint not null,
  job_id bigint not null,
  part bigint not null,
  content bytea not null,
  primary key (tenant_id, job_id, part)
);

create table job_error (
  tenant_id bigint not null,
  job_id bigint not null,
  position bigint not null,
  detail text not null,
  primary key (tenant_id, job_id, position)
);

-- A row is read and written by its tenant.
do $$
declare tenant_table text;
begin
  foreach tenant_table in array array[
    'tenant', 'tenant_head', 'counter', 'tenant_pack', 'object_definition', 'association_definition', 'pipeline',
    'metadata_version', 'record', 'unique_value', 'interval_claim', 'association', 'change', 'follower', 'idempotency',
    'tenant_user', 'team', 'team_member', 'token', 'job', 'job_input', 'job_error'
  ] loop
    execute format('alter table %I enable row level security', tenant_table);
    execute format('alter table %I force row level security', tenant_table);
    execute format('create policy tenant_isolation on %I using (tenant_id = (select trellis_tenant()))', tenant_table);
  end loop;
end $$;

-- Tenants are made and listed by the platform.
create policy platform_makes on tenant for insert
  with check ((select current_setting('trellis.platform', true)) = 'on');

-- Which tenants have work waiting is asked across tenants, by ids and positions only; all else is then read, and
-- everything written, tenant by tenant.
do $$
declare tenant_table text;
begin
  foreach tenant_table in array array['tenant', 'tenant_head', 'follower', 'job'] loop
    execute format(
      'create policy platform_looks on %I for select using ((select current_setting(''trellis.platform'', true)) = ''on'')',
      tenant_table);
  end loop;
end $$;

-- A token is looked up by its hash before anybody knows the tenant; that row alone is visible then.
create policy lookup_by_hash on token for select
  using (hash = (select current_setting('trellis.token_hash', true)));
