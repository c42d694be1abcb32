-- Stays of records in stages, drawn from the change log for reports.
create table stage_visit (
  tenant_id integer not null,
  record_id integer not null,
  sequence integer not null,
  object text not null,
  pipeline text not null,
  stage text not null,
  entered_at integer not null,
  left_at integer,
  primary key (tenant_id, record_id, sequence)
) without rowid;
create index stage_visit_entered on stage_visit (tenant_id, object, pipeline, entered_at);
create index stage_visit_left on stage_visit (tenant_id, object, pipeline, left_at) where left_at is not null;

-- Since when a record is in its stage.
create index change_stage on change (tenant_id, record_id, sequence) where kind = 'stage.changed';
