-- Views, reports and dashboards that users have saved. Those of packs are definitions.
create table saved_item (
  tenant_id integer not null,
  id integer not null,
  kind text not null,
  object text,
  label text not null,
  sharing text not null,
  owner_id integer not null,
  team_id integer,
  spec text not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (tenant_id, id)
);
create index saved_item_kind on saved_item (tenant_id, kind, id);
