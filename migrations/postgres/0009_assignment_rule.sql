-- Who gets new records that nobody was given.
create table assignment_rule (
  tenant_id bigint not null,
  id bigint not null,
  object text not null,
  label text not null,
  position bigint not null,
  condition text,
  users text not null,
  team_id bigint,
  is_active bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, id)
);

alter table assignment_rule enable row level security;
alter table assignment_rule force row level security;
create policy tenant_isolation on assignment_rule using (tenant_id = (select trellis_tenant()));
