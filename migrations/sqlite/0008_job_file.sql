-- Files that jobs have made, in parts, for whoever asked for them to fetch.
create table job_file (
  tenant_id integer not null,
  job_id integer not null,
  part integer not null,
  content blob not null,
  primary key (tenant_id, job_id, part)
);
