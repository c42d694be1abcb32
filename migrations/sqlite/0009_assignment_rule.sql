-- Who gets new records that nobody was given.
create table assignment_rule (
  tenant_id integer not null,
  id integer not null,
  object text not null,
  label text not null,
  position integer not null,
  condition text,
  users text not null,
  team_id integer,
  is_active integer not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (tenant_id, id)
);
