-- Stays of records in stages, drawn from the change log for reports.
create table stage_visit (
  tenant_id bigint not null,
  record_id bigint not null,
  sequence bigint not null,
  object text not null,
  pipeline text not null,
  stage text not null,
  entered_at bigint not null,
  left_at bigint,
  primary key (tenant_id, record_id, sequence)
);
create index stage_visit_entered on stage_visit (tenant_id, object, pipeline, entered_at);
create index stage_visit_left on stage_visit (tenant_id, object, pipeline, left_at) where left_at is not null;

-- Since when a record is in its stage.
create index change_stage on change (tenant_id, record_id, sequence) where kind = 'stage.changed';

alter table stage_visit enable row level security;
alter table stage_visit force row level security;
create policy tenant_isolation on stage_visit using (tenant_id = (select trellis_tenant()));
