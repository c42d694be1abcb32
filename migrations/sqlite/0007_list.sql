-- Lists of records: members put by hand, or all that meet a filter, which a follower of the log keeps.
create table list (
  tenant_id integer not null,
  id integer not null,
  object text not null,
  name text not null,
  description text,
  filter text,
  sharing text not null,
  team_id integer,
  version integer not null,
  created_at integer not null,
  created_by integer not null,
  updated_at integer not null,
  updated_by integer not null,
  members integer not null,
  revision integer not null,
  state text not null,
  shape text not null,
  filled_to integer,
  fill_until integer,
  due_at integer,
  deleted_at integer,
  primary key (tenant_id, id)
);
create index list_due on list (due_at) where due_at is not null;

create table list_member (
  tenant_id integer not null,
  list_id integer not null,
  record_id integer not null,
  joined_at integer not null,
  is_away integer not null,
  primary key (tenant_id, list_id, record_id)
);
create index list_member_record on list_member (tenant_id, record_id, list_id);
