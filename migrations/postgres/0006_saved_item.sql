-- Views, reports and dashboards that users have saved. Those of packs are definitions.
create table saved_item (
  tenant_id bigint not null,
  id bigint not null,
  kind text not null,
  object text,
  label text not null,
  sharing text not null,
  owner_id bigint not null,
  team_id bigint,
  spec text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, id)
);
create index saved_item_kind on saved_item (tenant_id, kind, id);

alter table saved_item enable row level security;
alter table saved_item force row level security;
create policy tenant_isolation on saved_item using (tenant_id = (select trellis_tenant()));
