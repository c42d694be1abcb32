-- What packs leave behind: definitions that the installed version does not have, and since when there is none.
alter table tenant_pack add column remnant text not null default '';
alter table tenant_pack add column uninstalled_at bigint;
