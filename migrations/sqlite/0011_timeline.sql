-- Entries of timelines: which records are told of on the timelines of which others, by when they happened.
create table timeline_entry (
  tenant_id integer not null,
  record_id integer not null,
  association text not null,
  at integer not null,
  entry_id integer not null,
  primary key (tenant_id, record_id, association, at, entry_id)
) without rowid;
create index timeline_entry_entry on timeline_entry (tenant_id, entry_id, record_id, association);

-- Whose entries are kept there: the records of an object, by an association, at the values of a property; up to which
-- of them those are in that were there before, null once all are.
create table timeline_source (
  tenant_id integer not null,
  association text not null,
  object text not null,
  at_property text,
  filled_to integer,
  primary key (tenant_id, association)
) without rowid;
