-- Small rows that are read by their key live in the key's tree (`without rowid`); large ones do not.
create table tenant (
  tenant_id integer primary key,
  slug text not null unique,
  name text not null,
  profile text not null,
  time_zone text not null,
  currency text not null,
  country text not null,
  capabilities text not null,
  created_at integer not null
);

create table tenant_head (
  tenant_id integer primary key,
  last_sequence integer not null default 0,
  last_record_id integer not null default 0,
  metadata_version integer not null default 1,
  access_version integer not null default 1
) without rowid;

create table counter (
  tenant_id integer not null,
  name text not null,
  value integer not null,
  primary key (tenant_id, name)
) without rowid;

create table pack (
  digest text primary key,
  source text not null,
  added_at integer not null
);

create table tenant_pack (
  tenant_id integer not null,
  name text not null,
  version text not null,
  digest text not null,
  position integer not null,
  installed_at integer not null,
  primary key (tenant_id, name)
) without rowid;

create table object_definition (
  tenant_id integer not null,
  name text not null,
  spec text not null,
  updated_at integer not null,
  primary key (tenant_id, name)
);

create table association_definition (
  tenant_id integer not null,
  name text not null,
  spec text not null,
  updated_at integer not null,
  primary key (tenant_id, name)
);

create table pipeline (
  tenant_id integer not null,
  object text not null,
  name text not null,
  spec text not null,
  updated_at integer not null,
  primary key (tenant_id, object, name)
);

create table metadata_version (
  tenant_id integer not null,
  version integer not null,
  at integer not null,
  actor integer,
  summary text not null,
  changes text not null,
  primary key (tenant_id, version)
);

create table record (
  tenant_id integer not null,
  id integer not null,
  uid blob not null,
  object text not null,
  properties text not null,
  display_name text not null,
  owner_id integer,
  version integer not null,
  created_at integer not null,
  created_by integer,
  updated_at integer not null,
  updated_by integer,
  archived_at integer,
  purged_at integer,
  primary key (tenant_id, id)
);
create unique index record_uid on record (tenant_id, uid);
create index record_active on record (tenant_id, object, id) where archived_at is null;
create index record_archived on record (tenant_id, object, id) where archived_at is not null and purged_at is null;

create table unique_value (
  tenant_id integer not null,
  object text not null,
  properties text not null,
  value text not null,
  record_id integer not null,
  primary key (tenant_id, object, properties, value)
) without rowid;

create table interval_claim (
  tenant_id integer not null,
  object text not null,
  properties text not null,
  within_value text not null,
  starts_at integer not null,
  ends_at integer not null,
  record_id integer not null,
  primary key (tenant_id, object, properties, within_value, starts_at, record_id)
) without rowid;

create table association (
  tenant_id integer not null,
  from_id integer not null,
  type text not null,
  to_id integer not null,
  label text,
  properties text not null,
  created_at integer not null,
  created_by integer,
  primary key (tenant_id, from_id, type, to_id)
) without rowid;
create index association_to on association (tenant_id, to_id, type, from_id);

create table change (
  tenant_id integer not null,
  sequence integer not null,
  at integer not null,
  kind text not null,
  object text,
  record_id integer,
  changes text not null,
  actor integer,
  source text not null,
  request_id text,
  ip text,
  user_agent text,
  primary key (tenant_id, sequence)
);
create index change_record on change (tenant_id, record_id, sequence);

create table follower (
  tenant_id integer not null,
  name text not null,
  sequence integer not null,
  updated_at integer not null,
  primary key (tenant_id, name)
) without rowid;

create table idempotency (
  tenant_id integer not null,
  key text not null,
  fingerprint text not null,
  status integer not null,
  headers text not null,
  body text not null,
  created_at integer not null,
  primary key (tenant_id, key)
);
create index idempotency_age on idempotency (tenant_id, created_at);

create table tenant_user (
  tenant_id integer not null,
  id integer not null,
  name text not null,
  email text,
  role text not null,
  is_service integer not null default 0,
  time_zone text,
  locale text,
  created_at integer not null,
  updated_at integer not null,
  archived_at integer,
  primary key (tenant_id, id)
);
create unique index tenant_user_email on tenant_user (tenant_id, email) where archived_at is null;

create table team (
  tenant_id integer not null,
  id integer not null,
  name text not null,
  created_at integer not null,
  primary key (tenant_id, id)
);
create unique index team_name on team (tenant_id, name);

create table team_member (
  tenant_id integer not null,
  team_id integer not null,
  user_id integer not null,
  primary key (tenant_id, team_id, user_id)
) without rowid;
create index team_member_user on team_member (tenant_id, user_id, team_id);

create table token (
  tenant_id integer not null,
  id integer not null,
  hash text not null unique,
  name text not null,
  user_id integer not null,
  role text not null,
  scopes text not null,
  created_at integer not null,
  expires_at integer,
  primary key (tenant_id, id)
);

create table job (
  tenant_id integer not null,
  id integer not null,
  kind text not null,
  state text not null,
  spec text not null,
  progress text not null,
  created_at integer not null,
  created_by integer,
  updated_at integer not null,
  lease_until integer not null default 0,
  primary key (tenant_id, id)
);
-- Jobs that wait are looked for across tenants.
create index job_state on job (state, tenant_id, id);

create table job_input (
  tenant_id integer not null,
  job_id integer not null,
  part integer not null,
  content blob not null,
  primary key (tenant_id, job_id, part)
);

create table job_error (
  tenant_id integer not null,
  job_id integer not null,
  position integer not null,
  detail text not null,
  primary key (tenant_id, job_id, position)
);
