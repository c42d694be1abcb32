-- What a pack's files say, as one JSON document: read in a fraction of the time that YAML takes. Null for packs of
-- earlier releases and of imported tenants, until they are installed again.
alter table pack add column document text;
