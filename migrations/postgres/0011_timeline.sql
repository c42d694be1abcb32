-- Entries of timelines: which records are told of on the timelines of which others, by when they happened.
create table timeline_entry (
  tenant_id bigint not null,
  record_id bigint not null,
  association text not null,
  at bigint not null,
  entry_id bigint not null,
  primary key (tenant_id, record_id, association, at, entry_id)
);
create index timeline_entry_entry on timeline_entry (tenant_id, entry_id, record_id, association);

-- Whose entries are kept there: the records of an object, by an association, at the values of a property; up to which
-- of them those are in that were there before, null once all are.
create table timeline_source (
  tenant_id bigint not null,
  association text not null,
  object text not null,
  at_property text,
  filled_to bigint,
  primary key (tenant_id, association)
);

alter table timeline_entry enable row level security;
alter table timeline_entry force row level security;
create policy tenant_isolation on timeline_entry using (tenant_id = (select trellis_tenant()));
alter table timeline_source enable row level security;
alter table timeline_source force row level security;
create policy tenant_isolation on timeline_source using (tenant_id = (select trellis_tenant()));
