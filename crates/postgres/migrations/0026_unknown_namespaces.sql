-- Namespaces that carry our label and belong to no tenant which the ledger has ever known, as the latest comparison with
-- the cluster found them. Nobody removes them but a person, so operators are shown them.
alter table installation add column unknown_namespaces text[] not null default '{}';
