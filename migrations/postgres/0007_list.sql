-- Lists of records: members put by hand, or all that meet a filter, which a follower of the log keeps.
create table list (
  tenant_id bigint not null,
  id bigint not null,
  object text not null,
  name text not null,
  description text,
  filter text,
  sharing text not null,
  team_id bigint,
  version bigint not null,
  created_at bigint not null,
  created_by bigint not null,
  updated_at bigint not null,
  updated_by bigint not null,
  members bigint not null,
  revision bigint not null,
  state text not null,
  shape text not null,
  filled_to bigint,
  fill_until bigint,
  due_at bigint,
  deleted_at bigint,
  primary key (tenant_id, id)
);
create index list_due on list (due_at) where due_at is not null;

create table list_member (
  tenant_id bigint not null,
  list_id bigint not null,
  record_id bigint not null,
  joined_at bigint not null,
  is_away bigint not null,
  primary key (tenant_id, list_id, record_id)
);
create index list_member_record on list_member (tenant_id, record_id, list_id);

alter table list enable row level security;
alter table list force row level security;
create policy tenant_isolation on list using (tenant_id = (select trellis_tenant()));
create policy platform_looks on list for select using ((select current_setting('trellis.platform', true)) = 'on');

alter table list_member enable row level security;
alter table list_member force row level security;
create policy tenant_isolation on list_member using (tenant_id = (select trellis_tenant()));
